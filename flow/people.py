"""Recording people, and changing what is recorded of them. Reached through `flow.operations`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet

from catalogue.models import Organization, User
from catalogue.queries import find_place
from core import clock
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow import consents
from flow.models import Consent, Patient

#: Nobody older has ever been recorded.
OLDEST = 125
#: What `edit_patient` changes. The NHS number and how it was checked go together.
EDITABLE = (
    "given_name", "family_name", "birth_date", "sex", "nhs_number", "nhs_checked_how", "address", "postcode", "phone", "email",
    "preferred_contact", "contact_note", "preferred_language", "needs_interpreter", "access_needs",
)  # fmt: skip
#: A message goes only to whom has not said no to such messages.
_MESSAGES = {Patient.Route.TEXT.value: Consent.Purpose.TEXT, Patient.Route.EMAIL.value: Consent.Purpose.EMAIL}
ALREADY = "Your organisation already has a person with this NHS number. Open that record instead."


@transaction.atomic
def add_patient(
    *,
    by: User,
    at: datetime,
    given_name: str,
    family_name: str,
    birth_date: date,
    postcode: str,
    nhs_number: str = "",
    is_another: bool = False,
    **more: Any,
) -> Patient:
    """Record somebody for whom help is sought, in the organisation of `by`. `more` are other fields of `EDITABLE`.

    The NHS number may be left out; spaces in it do not matter. Nobody is recorded twice unseen: when the organisation has the number, or
    somebody of the same name born on the same day, the records are named in the refusal, to be opened instead. `is_another` says that
    somebody looked at those of the same name, and this is another person.

    Raises NotAllowed, Invalid (with the field in `field`) and Conflict (`already-recorded` with `patients`, `perhaps-recorded` likewise).
    """
    organization = organization_of(by)
    patient = Patient(organization=organization, created_at=at, created_by=by)
    told = {"given_name": given_name, "family_name": family_name, "birth_date": birth_date, "postcode": postcode, "nhs_number": nhs_number}
    _write(patient, told | more, by=by, at=at)
    if patient.nhs_number and (known := with_number(patient.nhs_number, patient.organization_id, by)):
        raise Conflict(ALREADY, code="already-recorded", patients=[str(known.pk)])
    if not is_another and (alike := [str(each.pk) for each in with_name(patient, by)]):
        raise Conflict(
            "Your organisation already has somebody of this name, born on this day. Look whether it is the same person.",
            code="perhaps-recorded",
            patients=alike,
        )
    _keep(patient, force_insert=True)
    tell_colleagues(organization.pk)
    return patient


@transaction.atomic
def edit_patient(*, patient_id: UUID, version: int, by: User, at: datetime, **changes: Any) -> Patient:
    """Change what is recorded of a person: fields of `EDITABLE`. `version` is the one that was looked at.

    Another NHS number counts as not checked unless `nhs_checked_how` says otherwise. Raises NotAllowed, NotFound, Invalid (with `field`)
    and Conflict (`stale-version`, `already-recorded`).
    """
    patient = own_patient(patient_id, by, lock=True)
    require_version(patient, version, "This person’s record")
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise Invalid(f"A person has no field that can be changed called {', '.join(unknown)[:100]}.")
    _write(patient, changes, by=by, at=at)
    if patient.nhs_number and (known := with_number(patient.nhs_number, patient.organization_id, by)) and known.pk != patient.pk:
        raise Conflict(ALREADY, code="already-recorded", patients=[str(known.pk)], field="nhs_number")
    patient.changed_at, patient.changed_by = at, by
    _keep(patient)
    patient.refresh_from_db(fields=["version"])
    tell_colleagues(patient.organization_id)
    return patient


def with_number(number: str, organization_id: UUID, by: User) -> Patient | None:
    """The person with this NHS number in the records of an organisation, as far as `by` sees them; of a record that was merged into
    another, that other one.
    """
    theirs = Patient.with_merged.visible_to(by).filter(organization=organization_id, nhs_number=number)
    found = theirs.order_by(models.F("merged_into").asc(nulls_first=True)).first()
    while found is not None and found.merged_into_id:
        found = Patient.with_merged.get(pk=found.merged_into_id)
    return found


def with_name(patient: Patient, by: User) -> QuerySet[Patient]:
    """People of one's organisation with the name and the day of birth of `patient`."""
    return Patient.objects.visible_to(by).filter(
        organization=by.organization_id,
        given_name__iexact=patient.given_name,
        family_name__iexact=patient.family_name,
        birth_date=patient.birth_date,
    )


def tell_colleagues(organization_id: UUID) -> None:
    """Publish, to the organisation alone, that its list of people has changed."""
    publish("people.changed", topics=[f"org:{organization_id}"], audience=[organization_id])


# --- what all that concerns people shares


def organization_of(by: User) -> Organization:
    """The organisation for which `by` records people. Raises NotAllowed."""
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers can record a person.")
    return by.organization


def own_patient(patient_id: UUID, by: User, *, lock: bool = False) -> Patient:
    """A person whose record `by` keeps. Raises NotAllowed and NotFound."""
    organization_of(by)
    people = Patient.objects.kept_by(by)
    if lock:
        people = people.select_for_update(of=("self",), no_key=True)
    patient = people.filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    return patient


def lock_whose(patient_id: UUID, belonging: QuerySet[Any]) -> Patient:
    """Lock the person to whom the one row `belonging` belongs, as it was read. Where this waited for a merge, it is the one who stayed."""
    while True:
        person = Patient.objects.select_for_update(no_key=True).filter(pk=patient_id).first()
        if person is not None:
            return person
        before, patient_id = patient_id, belonging.values_list("patient_id", flat=True).get()
        if patient_id == before:
            raise NotFound("That record is not there any more. Load the page again.")


def hold_record(patient_id: UUID, people: QuerySet[Patient]) -> bool:
    """Whether the record is one of `people`, and stays so until the end of the transaction: a merge waits for it. Where a merge came
    first, it is none any more, and nothing is written where nobody would look.
    """
    return people.select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first() is not None


def require_version(record: Any, version: int, what: str) -> None:
    """Refuse an edit of a version that is no longer the newest. Call it with the row locked."""
    if record.version != version:
        raise Conflict(
            f"{what} was changed by somebody else while you were typing. Nothing of theirs is lost: look at it as it is now, "
            "then change it again.",
            code="stale-version",
            version=record.version,
        )


def clean(record: models.Model, *, apart_from: tuple[str, ...] = ()) -> None:
    """Check a record's fields and its named rules, and refuse with the first thing that is wrong."""
    try:
        record.clean_fields(exclude={"created_by", *apart_from})  # who recorded it may have left
        record.validate_constraints(exclude=set(apart_from))
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        if field == "__all__":
            raise Invalid(messages[0]) from error
        raise Invalid(f"{field.replace('_', ' ').capitalize()}: {messages[0]}", field=field) from error


def _write(patient: Patient, told: dict[str, Any], *, by: User, at: datetime) -> None:
    """Put what was told into the record, tidied and checked."""
    for name, value in told.items():
        match name:
            case "postcode":
                place = find_place(value)
                patient.postcode, patient.point = place.postcode or place.outcode, place.point
            case "nhs_number" | "nhs_checked_how":
                pass
            case "access_needs":
                patient.access_needs = sorted(set(value))
            case _:
                setattr(patient, name, value.strip() if isinstance(value, str) else value)
    _number(patient, told, by, at)
    if patient.birth_date > clock.local_date(at) or patient.age_on(clock.local_date(at)) > OLDEST:
        raise Invalid(f"Check the date of birth: it makes the person unborn or more than {OLDEST} years old.", field="birth_date")
    purpose = _MESSAGES.get(patient.preferred_contact)
    if purpose and "preferred_contact" in told and not patient._state.adding and consents.says_no(patient, purpose):
        raise Invalid("They have said no to such messages. Record first that they agree now.", field="preferred_contact")
    if patient.preferred_contact == Patient.Route.THROUGH and not patient.contact_note:
        raise Invalid("Say through whom, and how, they are reached.", field="contact_note")
    clean(patient, apart_from=("organization",))


def _number(patient: Patient, told: dict[str, Any], by: User, at: datetime) -> None:
    """The NHS number, and whether somebody made sure that it is theirs."""
    number = "".join(told.get("nhs_number", patient.nhs_number).split()).replace("-", "")
    how = told.get("nhs_checked_how", "" if number != patient.nhs_number else patient.nhs_checked_how)
    if how and not number:
        raise Invalid("There is no NHS number to check. Enter it, or leave the check out.", field="nhs_checked_how")
    if (number, how) == (patient.nhs_number, patient.nhs_checked_how):
        return
    patient.nhs_number, patient.nhs_checked_how = number, how
    patient.nhs_checked_at, patient.nhs_checked_by = (at, by) if how else (None, None)
    status = Patient.NumberStatus
    patient.nhs_status = status.VERIFIED if how else status.UNVERIFIED if number else status.UNKNOWN


def _keep(patient: Patient, **how: Any) -> None:
    try:
        with transaction.atomic():
            patient.save(**how)
    except IntegrityError as error:  # somebody recorded the same number at this moment
        raise Conflict(ALREADY, code="already-recorded", field="nhs_number") from error
