"""Recording people and the stays or waits they are in. Reached through `flow.operations`."""

from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower

from capacity.models import Infection
from catalogue.models import Organization, User
from catalogue.queries import find_place
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow.models import Episode, Patient, Relationship
from matching.models import NeedProfile

#: Nobody older has ever been recorded.
OLDEST = 125


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
    sex: str = Patient.Sex.UNKNOWN,
    phone: str = "",
    preferred_language: str = "en",
) -> Patient:
    """Record somebody for whom help is sought, in the organisation of `by`.

    The NHS number may be left out; spaces in it do not matter. Raises NotAllowed, Invalid (with the field in `field`) and Conflict
    (`already-recorded`).
    """
    organization = _organization_of(by)
    place = find_place(postcode)
    patient = Patient(
        organization=organization,
        nhs_number="".join(nhs_number.split()).replace("-", ""),
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        birth_date=birth_date,
        sex=sex,
        postcode=place.postcode or place.outcode,
        point=place.point,
        phone=phone.strip(),
        preferred_language=preferred_language,
        created_at=at,
        created_by=by,
    )
    if birth_date > at.date() or patient.age_on(at.date()) > OLDEST:
        raise Invalid(f"Check the date of birth: it makes the person unborn or more than {OLDEST} years old.", field="birth_date")
    _clean(patient)
    try:
        with transaction.atomic():
            patient.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            "Your organisation already has a person with this NHS number. Open that record instead.", code="already-recorded"
        ) from error
    tell_colleagues(organization.pk)
    return patient


@transaction.atomic
def start_episode(
    *,
    patient_id: UUID,
    by: User,
    at: datetime,
    kind: str,
    discharge_pathway: str,
    started_at: datetime | None = None,
    ready_at: datetime | None = None,
    expected_on: date | None = None,
    ward: str = "",
    delay_reason: str = "",
) -> Episode:
    """Record a stay in hospital or a wait in the community. With `ready_at` the person waits to move on.

    Raises NotAllowed, NotFound, Invalid, and Conflict (`already-waiting`) when one of the same kind is still open.
    """
    organization = _organization_of(by)
    patient = Patient.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    if patient.episodes.filter(kind=kind, ended_at__isnull=True).exists():
        raise Conflict("This person already has an open stay or wait of this kind. End that one first.", code="already-waiting")
    episode = Episode(
        patient=patient,
        organization=organization,
        kind=kind,
        ward=ward.strip(),
        discharge_pathway=discharge_pathway,
        started_at=started_at or at,
        ready_at=ready_at,
        expected_on=expected_on,
        delay_reason=delay_reason,
    )
    if episode.started_at > at or (ready_at is not None and not episode.started_at <= ready_at <= at):
        raise Invalid("Check the times: a stay begins, then the person is ready, and neither is in the future.", field="ready_at")
    _clean(episode)
    episode.save(force_insert=True)
    publish("flow.changed", topics=["region"])
    tell_colleagues(organization.pk)
    return episode


@transaction.atomic
def note_need(*, patient_id: UUID, profile_id: UUID, by: User) -> Episode | None:
    """Remember on a person's open stay or wait what was last looked for. None when no episode is open.

    Raises NotFound for a person or profile that `by` may not see.
    """
    if not Patient.objects.visible_to(by).filter(pk=patient_id).exists():
        raise NotFound("That person is not in your organisation’s records.")
    if not NeedProfile.objects.visible_to(by).filter(pk=profile_id).exists():
        raise NotFound("That search is not one of your organisation’s.")
    episode = Episode.objects.visible_to(by).filter(patient=patient_id, ended_at__isnull=True).first()
    if episode is not None:
        episode.profile_id = profile_id
        episode.save(update_fields=["profile"])
    return episode


@transaction.atomic
def keep_together(*, patient_id: UUID, other: UUID | str, kind: str, by: User, at: datetime) -> Relationship:
    """Note that two people of one's own organisation want to be at the same place. The plan keeps them together.

    `other` is an id, or an NHS number or full name as somebody types it.

    Raises NotAllowed, NotFound, Invalid (with `field`) and Conflict (`kept-together`).
    """
    organization = _organization_of(by)
    other_id = other if isinstance(other, UUID) else _named(other, by)
    if patient_id == other_id:
        raise Invalid("That is the same person. Name the other one.", field="other")
    if Patient.objects.visible_to(by).filter(pk__in=[patient_id, other_id]).count() != 2:
        raise NotFound("That person is not in your organisation’s records.")
    if kind not in Relationship.Kind.values:
        raise Invalid("Choose why they stay together.", field="kind")
    one, other = sorted([patient_id, other_id])
    row = Relationship(organization=organization, patient_id=one, other_id=other, kind=kind, created_at=at, created_by=by)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("These two are kept together already.", code="kept-together") from error
    tell_colleagues(organization.pk)
    return row


@transaction.atomic
def let_apart(*, relationship_id: UUID, by: User, at: datetime) -> None:
    """Two people need not be at the same place any more. Raises NotFound."""
    row = Relationship.objects.visible_to(by).filter(pk=relationship_id).first()
    if row is None:
        raise NotFound("They are not kept together any more. Load the page again.")
    row.delete()
    tell_colleagues(row.organization_id)


@transaction.atomic
def keep_apart(*, patient_id: UUID, infection: str, by: User, at: datetime) -> Episode:
    """Note on a person's open stay for which infection they are kept apart, or that there is none. Raises NotFound and Invalid."""
    if infection not in Infection.values:
        raise Invalid("Choose one of the infections, or that none is known.", field="infection")
    episode = Episode.objects.visible_to(by).select_for_update().filter(patient=patient_id, ended_at__isnull=True).first()
    if episode is None:
        raise NotFound("This person has no open stay or wait. Record one first.")
    episode.infection = infection
    episode.save(update_fields=["infection"])
    tell_colleagues(episode.organization_id)
    return episode


def _named(text: str, by: User) -> UUID:
    """The one person of the organisation with this NHS number or name."""
    words = text.split()
    people = Patient.objects.visible_to(by).annotate(name=Lower(Concat("given_name", Value(" "), "family_name")))
    number = "".join(words).replace("-", "")
    found = list(people.filter(Q(nhs_number=number) if number.isdigit() else Q(name=" ".join(words).lower()))[:2]) if words else []
    if not found:
        raise Invalid("Nobody in your organisation’s records has this number or name. Check how it is written.", field="other")
    if len(found) > 1:
        raise Invalid("Several people have this name. Enter the NHS number.", field="other")
    return found[0].pk


def tell_colleagues(organization_id: UUID) -> None:
    """Publish, to the organisation alone, that its list of people has changed."""
    publish("people.changed", topics=[f"org:{organization_id}"], audience=[organization_id])


def _organization_of(by: User) -> Organization:
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers can record a person.")
    return by.organization


def _clean(record: Patient | Episode) -> None:
    """Check a record's fields, and refuse with the first thing that is wrong."""
    try:
        record.clean_fields()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(f"{field.replace('_', ' ').capitalize()}: {messages[0]}", field=field) from error
