"""Joining two records of one person, and parting them again. Nothing here happens by itself: a person decides."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import pgtrigger
from django.apps import apps
from django.core import serializers
from django.db import IntegrityError, models, transaction
from django.db.models import Q

from catalogue.models import User
from core import acting
from core.errors import Conflict, Invalid, NotFound
from core.events import publish
from flow import steps
from flow.merging import fields
from flow.models import Episode, NotOnePerson, Patient, PatientMerge, Referral, RelatedPerson, Relationship
from flow.people import organization_of, tell_colleagues

#: What names people without belonging to one of them, or is handed on with care below.
_APART = (Patient, PatientMerge, NotOnePerson, Relationship, RelatedPerson)


@acting.across("what others wrote of a person goes with them", seen=lambda **told: Patient.objects.filter(pk=told["kept_id"]))
@transaction.atomic
def merge(*, kept_id: UUID, gone_id: UUID, chosen: Iterable[str] = (), by: User, at: datetime) -> PatientMerge:
    """Join the record `gone` into `kept`, which takes the other's value in what was `chosen` (names of `fields.CHOICES`).

    Everything that belongs to `gone` is handed on: stays, referrals and with them requests by a form, agreements, who is around them,
    notes and all that points at a person. Both rows stay; the one that went is found by nobody, and its page leads to the other.

    Raises NotAllowed, NotFound, Invalid and Conflict (`other-organization`, `private-team`, `both-open`, `in-the-way`).
    """
    organization_of(by)
    names = sorted(set(chosen))
    if unknown := [name for name in names if name not in fields.CHOICES]:
        raise Invalid(f"A record has no field called {', '.join(unknown)[:100]}. Choose from those on the page.")
    if kept_id == gone_id:
        raise Invalid("A record cannot be merged with itself. Choose two records.")
    kept, gone = _lock(kept_id, gone_id, Patient.objects.kept_by(by))
    if kept.organization_id != gone.organization_id:
        raise Conflict("These two are records of different organisations, and stay two.", code="other-organization")
    if kept.team_id != gone.team_id and any(each.team is not None and each.team.keeps_to_itself for each in (kept, gone)):
        raise Conflict(
            "A team keeps one of these records to itself, and others would read it after a merge. Bring both into the same team first.",
            code="private-team",
        )
    _lock_requests(kept, gone)
    # Nothing more can be added to it from here on: it would stay where nobody looks.
    Patient.with_merged.select_for_update(of=("self",)).get(pk=gone.pk)
    kinds = [set(each.episodes.filter(ended_at=None).values_list("kind", flat=True)) for each in (kept, gone)]
    if both := sorted(kinds[0] & kinds[1]):
        raise Conflict(
            f"Both have an open “{Episode.Kind(both[0]).label}”. End the one that is wrong, or that is the same stay, then merge.",
            code="both-open",
        )
    names = [name for name in names if fields.said(kept, name) != fields.said(gone, name)]
    result = PatientMerge(
        organization_id=kept.organization_id, kept=kept, gone=gone, merged_at=at, merged_by=by,
        taken={name: fields.said(gone, name) for name in names}, before={name: fields.said(kept, name) for name in names},
    )  # fmt: skip
    try:
        with _handing_on():
            result.set_aside = [*_tie_anew(kept, gone), *_relate_anew(kept, gone)]
            result.moved = _hand_on(gone, kept)
    except IntegrityError as error:
        raise Conflict("Something that both records have cannot be joined. Nothing has been changed.", code="in-the-way") from error
    gone.merged_into, gone.changed_at, gone.changed_by = kept, at, by
    gone.save(update_fields=["merged_into", "changed_at", "changed_by"])
    for name in names:
        fields.put(kept, result.taken[name])
    kept.changed_at, kept.changed_by = at, by
    kept.save(update_fields=[*_columns(names), "changed_at", "changed_by"])
    result.save(force_insert=True)
    _tell("people.merged", result)
    return result


@acting.across("what others wrote of a person goes with them", seen=lambda **told: PatientMerge.objects.filter(pk=told["merge_id"]))
@transaction.atomic
def undo_merge(*, merge_id: UUID, by: User, at: datetime) -> PatientMerge:
    """Part two records again: each has what it had, but for what somebody has changed since. What came after the merge stays.

    Raises NotAllowed, NotFound and Conflict (`undone`, `merged-since`, `number-taken`).
    """
    organization_of(by)
    found = PatientMerge.objects.visible_to(by).filter(pk=merge_id).first()
    if found is None:
        raise NotFound("There is no such merge. Look at the list of merges.", code="no-such-merge")
    kept, gone = _lock(found.kept_id, found.gone_id, Patient.with_merged.kept_by(by))
    undone = PatientMerge.objects.select_for_update().get(pk=merge_id)
    if undone.undone_at:
        raise Conflict("This merge has already been undone.", code="undone")
    if kept.merged_into_id:
        raise Conflict("The record that stayed has since been merged into another. Undo that first.", code="merged-since")
    later = PatientMerge.objects.filter(kept=kept, undone_at=None, merged_at__gt=undone.merged_at)
    if any(each.taken.keys() & undone.taken.keys() for each in later):
        raise Conflict("A later merge changed the same fields. Undo that first.", code="merged-since")
    _lock_requests(kept, gone)
    back = [name for name, value in undone.taken.items() if fields.said(kept, name) == value]
    for name in back:
        fields.put(kept, undone.before[name])
    kept.changed_at, kept.changed_by = at, by
    kept.save(update_fields=[*_columns(back), "changed_at", "changed_by"])
    gone.merged_into, gone.changed_at, gone.changed_by = None, at, by
    try:
        with transaction.atomic():
            gone.save(update_fields=["merged_into", "changed_at", "changed_by"])
    except IntegrityError as error:
        raise Conflict(
            "Somebody else has been recorded with that NHS number since. Merge with them, or correct it.", code="number-taken"
        ) from error
    with _handing_on():
        for name, keys in sorted(undone.moved.items(), key=lambda item: _last(item[0])):
            label, field = name.rsplit(".", 1)
            model: Any = apps.get_model(label)
            model._base_manager.filter(pk__in=keys, **{field: kept}).update(**{field: gone})
        for row in undone.set_aside:
            _put_back(row)
    undone.undone_at, undone.undone_by = at, by
    undone.save(update_fields=["undone_at", "undone_by"])
    _tell("people.parted", undone)
    return undone


@transaction.atomic
def not_one(*, one_id: UUID, other_id: UUID, by: User, at: datetime) -> NotOnePerson:
    """Say that two records are two people. They are not suggested again."""
    organization = organization_of(by)
    if one_id == other_id:
        raise Invalid("Choose two different records.")
    one, other = sorted(_lock(one_id, other_id, Patient.objects.kept_by(by).filter(organization=organization)), key=lambda each: each.pk)
    row, _ = NotOnePerson.objects.get_or_create(one=one, other=other, defaults={"organization": organization, "said_at": at, "said_by": by})
    return row


@transaction.atomic
def look_again(*, pair_id: UUID, by: User) -> None:
    """Take back that two records are two people. Raises NotFound."""
    organization_of(by)
    row = NotOnePerson.objects.visible_to(by).filter(pk=pair_id).first()
    if row is None:
        raise NotFound("That is taken back already. Load the page again.")
    row.delete()


def pointing_at_people() -> list[tuple[type[models.Model], str]]:
    """Each model and field that points at a person and is handed on: referrals first and stays last, as locks are taken.

    The history of a row stays with the row.
    """
    relations: list[Any] = list(Patient._meta.get_fields(include_hidden=True))
    found = [
        (relation.related_model, relation.field.name)
        for relation in relations
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)
        if relation.related_model not in _APART and not hasattr(relation.related_model, "pgh_tracked_model")
    ]
    return sorted(found, key=lambda pair: (_last(f"{pair[0]._meta.label}.{pair[1]}"), pair[0]._meta.label, pair[1]))


def _last(name: str) -> int:
    return {f"{Referral._meta.label}.patient": 0, f"{Episode._meta.label}.patient": 2}.get(name, 1)


def _lock(first_id: UUID, second_id: UUID, people: Any) -> tuple[Patient, Patient]:
    """Both records, locked in the order of their keys. Keys are left alone: whoever answers a request may add what points at the person."""
    rows = people.filter(pk__in=[first_id, second_id]).order_by("pk").select_for_update(of=("self",), no_key=True)
    locked = {each.pk: each for each in rows}
    if len(locked) < 2:
        raise NotFound("One of the two is not in your organisation’s records any more. Look at the list again.")
    return locked[first_id], locked[second_id]


def _lock_requests(*people: Patient) -> None:
    """The referrals of people and then their tasks, in the order of `flow.operations`: after the people, before anything else of theirs."""
    referrals = [each.pk for each in Referral.objects.select_for_update(no_key=True).filter(patient__in=people).order_by("pk")]
    list(steps.tasks_to_lock().filter(referral__in=referrals))


@contextmanager
def _handing_on() -> Iterator[None]:
    """Rows that nobody may change are handed from one record of a person to the other: nothing else of them changes."""
    kept = [
        f"{model._meta.label}:{trigger.name}"
        for model in {model for model, _ in pointing_at_people()}
        for trigger in getattr(model._meta, "triggers", [])
        if isinstance(trigger, pgtrigger.Protect | pgtrigger.ReadOnly)
    ]
    with transaction.atomic(), pgtrigger.ignore(*sorted(kept)):
        yield


def _hand_on(gone: Patient, kept: Patient) -> dict[str, list[str]]:
    moved = {}
    for model, field in pointing_at_people():
        rows = model._base_manager.filter(**{field: gone})
        if keys := list(rows.order_by("pk").values_list("pk", flat=True)):
            model._base_manager.filter(pk__in=keys).update(**{field: kept})
            moved[f"{model._meta.label}.{field}"] = [str(key) for key in keys]
    return moved


def _tie_anew(kept: Patient, gone: Patient) -> list[dict[str, Any]]:
    """Who is to stay together with `gone` stays together with `kept`; nobody with themselves, and no pair twice."""
    aside = []
    for tie in Relationship.objects.filter(Q(patient=gone) | Q(other=gone)).order_by("pk"):
        before = _row(tie)
        other = tie.other_id if tie.patient_id == gone.pk else tie.patient_id
        one, two = sorted([kept.pk, other])
        drop = other == kept.pk or Relationship.objects.filter(patient=one, other=two).exists()
        if drop:
            tie.delete()
        else:
            Relationship.objects.filter(pk=tie.pk).update(patient_id=one, other_id=two)
        aside.append(before | {"dropped": drop})
    return aside


def _relate_anew(kept: Patient, gone: Patient) -> list[dict[str, Any]]:
    aside = []
    for row in RelatedPerson.objects.naming(gone).order_by("pk"):
        before = _row(row)
        patient = kept.pk if row.patient_id == gone.pk else row.patient_id
        person = kept.pk if row.person_id == gone.pk else row.person_id
        twice = person is not None and row.ended_at is None
        drop = patient == person or (
            twice and RelatedPerson.objects.current().filter(patient=patient, person=person).exclude(pk=row.pk).exists()
        )
        if drop:
            row.delete()
        else:
            RelatedPerson.objects.filter(pk=row.pk).update(patient_id=patient, person_id=person)
        aside.append(before | {"dropped": drop})
    return aside


def _row(row: models.Model) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(serializers.serialize("json", [row]))[0]
    return kept


def _put_back(said: dict[str, Any]) -> None:
    """Give a row back what it said of who is tied to whom; one that was set aside comes back whole, one that is gone since stays gone."""
    dropped = said.pop("dropped")
    row: Any = next(iter(serializers.deserialize("json", json.dumps([said])))).object
    if dropped:
        row.save(force_insert=True)
        return
    ties = ("patient_id", "other_id") if isinstance(row, Relationship) else ("patient_id", "person_id")
    type(row)._base_manager.filter(pk=row.pk).update(**{name: getattr(row, name) for name in ties})


def _columns(names: Iterable[str]) -> list[str]:
    return [field for name in names for field in fields.CHOICES[name][1]]


def _tell(type: str, done: PatientMerge) -> None:
    publish(
        type,
        topics=[f"org:{done.organization_id}"],
        audience=[done.organization_id],
        data={"kept": str(done.kept_id), "gone": str(done.gone_id)},
    )
    tell_colleagues(done.organization_id)
