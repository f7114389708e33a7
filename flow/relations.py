"""Who belongs to whom: kept together by the plan, caring or cared for, next of kin. Reached through `flow.operations`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower

from catalogue.models import User
from core.errors import Conflict, Invalid, NotFound
from flow.models import Patient, RelatedPerson, Relationship
from flow.people import add_patient, clean, hold_record, organization_of, own_patient, require_version, tell_colleagues

#: What is said of a tie, apart from who the other one is.
EDITABLE = ("name", "relation", "care", "is_next_of_kin", "may_be_told", "phone", "email", "note")


@transaction.atomic
def add_related(*, patient_id: UUID, by: User, at: datetime, person: UUID | str | None = None, **told: Any) -> RelatedPerson:
    """Note who is something to a person. `person` is their own record (an id, an NHS number or a name), else `name` says who it is.

    Raises NotAllowed, NotFound, Invalid (with `field`) and Conflict (`related-already`).
    """
    other_id = (person if isinstance(person, UUID) else named(person, by, field="person")) if person else None
    people = {pk: own_patient(pk, by, lock=True) for pk in sorted({patient_id, *([other_id] if other_id else [])})}
    patient, other = people[patient_id], people[other_id] if other_id else None
    if other is not None and other.pk == patient.pk:
        raise Invalid("That is the same person. Name the other one.", field="person")
    row = RelatedPerson(organization=patient.organization, patient=patient, person=other, created_at=at, created_by=by)
    _write(row, told)
    if other is not None and RelatedPerson.objects.current().filter(patient=patient, person=other).exists():
        raise Conflict("These two are noted already. Change that line instead.", code="related-already")
    row.save(force_insert=True)
    tell_colleagues(patient.organization_id)
    return row


@transaction.atomic
def edit_related(*, related_id: UUID, version: int, by: User, at: datetime, **changes: Any) -> RelatedPerson:
    """Change what is noted of a tie. Raises NotFound, Invalid (with `field`) and Conflict (`stale-version`)."""
    row = _own(related_id, by)
    require_version(row, version, "This line")
    _write(row, changes)
    return _keep(row, by, at)


@transaction.atomic
def end_related(*, related_id: UUID, version: int, by: User, at: datetime) -> RelatedPerson:
    """They are no longer something to the person; the line stays in the history."""
    row = _own(related_id, by)
    require_version(row, version, "This line")
    row.ended_at = at
    return _keep(row, by, at)


@transaction.atomic
def record_related(*, related_id: UUID, by: User, at: datetime, birth_date: date, **told: Any) -> Patient:
    """Make a record of their own for somebody around a person, a carer for example, so that help can be sought for them too.

    What is known of them is not typed again: `told` says only what differs. The tie then points to that record. Raises what
    `add_patient` raises, and Conflict (`has-a-record`).
    """
    row = _own(related_id, by)
    if row.person_id is not None:
        raise Conflict("They have a record of their own already. Open that.", code="has-a-record")
    known = prefilled(row)
    patient = add_patient(by=by, at=at, birth_date=birth_date, **(known | told))
    row.person, row.name = patient, ""
    _keep(row, by, at)
    return patient


@transaction.atomic
def link_related(*, related_id: UUID, person_id: UUID, by: User, at: datetime) -> RelatedPerson:
    """Say that somebody around a person is one whom the organisation has on record. Raises NotFound, Invalid and Conflict."""
    row = _own(related_id, by)
    other = own_patient(person_id, by)
    if other.pk == row.patient_id:
        raise Invalid("That is the same person. Name the other one.", field="person")
    if RelatedPerson.objects.current().filter(patient=row.patient_id, person=other).exclude(pk=row.pk).exists():
        raise Conflict("These two are noted already. Change that line instead.", code="related-already")
    row.person, row.name = other, ""
    return _keep(row, by, at)


def prefilled(row: RelatedPerson) -> dict[str, Any]:
    """What a record of their own begins with: their name and telephone, and the address of the person when one cares for the other."""
    given, _, family = row.name.strip().partition(" ")
    shared = {"postcode": row.patient.postcode, "address": row.patient.address} if row.care else {}
    return {"given_name": given, "family_name": family or given, "phone": row.phone, "email": row.email, **shared}


@transaction.atomic
def keep_together(*, patient_id: UUID, other: UUID | str, kind: str, by: User, at: datetime) -> Relationship:
    """Note that two people of one's own organisation want to be at the same place. The plan keeps them together.

    `other` is an id, or an NHS number or full name as somebody types it.

    Raises NotAllowed, NotFound, Invalid (with `field`) and Conflict (`kept-together`).
    """
    organization = organization_of(by)
    other_id = other if isinstance(other, UUID) else named(other, by)
    if patient_id == other_id:
        raise Invalid("That is the same person. Name the other one.", field="other")
    one, two = sorted([patient_id, other_id])
    if not (hold_record(one, Patient.objects.visible_to(by)) and hold_record(two, Patient.objects.visible_to(by))):
        raise NotFound("That person is not in your organisation’s records.")
    if kind not in Relationship.Kind.values:
        raise Invalid("Choose why they stay together.", field="kind")
    row = Relationship(organization=organization, patient_id=one, other_id=two, kind=kind, created_at=at, created_by=by)
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


def named(text: str, by: User, *, field: str = "other") -> UUID:
    """The one person of the organisation with this NHS number or name. Raises Invalid."""
    words = text.split()
    people = Patient.objects.visible_to(by).annotate(name=Lower(Concat("given_name", Value(" "), "family_name")))
    number = "".join(words).replace("-", "")
    found = list(people.filter(Q(nhs_number=number) if number.isdigit() else Q(name=" ".join(words).lower()))[:2]) if words else []
    if not found:
        raise Invalid("Nobody in your organisation’s records has this number or name. Check how it is written.", field=field)
    if len(found) > 1:
        raise Invalid("Several people have this name. Enter the NHS number.", field=field)
    return found[0].pk


def _own(related_id: UUID, by: User) -> RelatedPerson:
    """A line of one's own organisation, locked after its person."""
    organization_of(by)
    row = RelatedPerson.objects.visible_to(by).current().filter(pk=related_id).first()
    if row is None:
        raise NotFound("This line is not there any more. Load the page again.")
    own_patient(row.patient_id, by, lock=True)
    return RelatedPerson.objects.select_for_update(of=("self",), no_key=True).select_related("patient").get(pk=related_id)


def _write(row: RelatedPerson, told: dict[str, Any]) -> None:
    if unknown := [name for name in told if name not in EDITABLE]:
        raise Invalid(f"A related person has no field called {', '.join(unknown)[:100]}.")
    for name, value in told.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    if row.person_id is not None:
        row.name = ""
    elif not row.name:
        raise Invalid("Enter the name, or the NHS number or name of somebody on record.", field="name")
    clean(row, apart_from=("patient", "person"))


def _keep(row: RelatedPerson, by: User, at: datetime) -> RelatedPerson:
    row.changed_at, row.changed_by = at, by
    row.save()
    row.refresh_from_db(fields=["version"])
    tell_colleagues(row.organization_id)
    return row
