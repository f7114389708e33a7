"""What keepers of the directory do with pairs that may be doubles. Nothing here happens by itself: a person decides."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from catalogue.models import DuplicateCandidate, Merge, Service, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish

from . import fields
from .blockers import in_the_way

Decision = DuplicateCandidate.Decision


@transaction.atomic
def merge(*, kept_id: UUID, gone_id: UUID, chosen: Iterable[str] = (), by: User, at: datetime) -> Merge:
    """Join the record `gone` into `kept`, which takes the other's value in the fields `chosen` (names of `fields.CHOICES`).

    Both rows stay. The one that went is no longer found; what each source says of it goes on being written. A field that was chosen
    counts as decided here, so that an import leaves it alone.
    """
    _keeper(by)
    names = sorted(set(chosen))
    if unknown := [name for name in names if name not in fields.CHOICES]:
        raise Invalid(f"A record has no field called {', '.join(unknown)[:100]}. Choose from those on the page.")
    if kept_id == gone_id:
        raise Invalid("A record cannot be merged with itself. Choose two records.")
    locked = _lock(kept_id, gone_id)
    kept, gone = locked[kept_id], locked[gone_id]
    for record in (kept, gone):
        if record.merged_into_id:
            raise Conflict(f"“{record.name}” has already been merged into “{record.merged_into}”. Compare that record instead.")
    if reasons := in_the_way(gone):
        raise Conflict(" ".join([f"“{gone.name}” cannot go yet.", *reasons]), code="in-use")
    names = [name for name in names if fields.said(kept, name) != fields.said(gone, name)]
    result = Merge.objects.create(
        kept=kept,
        gone=gone,
        chosen={name: fields.said(gone, name) for name in names},
        before={"fields": {name: fields.stored(kept, name) for name in names}, "kept_fields": kept.kept_fields},
        merged_by=by,
        merged_at=at,
    )
    for name in names:
        fields.take(kept, gone, name)
    kept.kept_fields = sorted({*kept.kept_fields, *names})
    kept.save()
    gone.merged_into = kept
    gone.save(update_fields=["merged_into", "modified_at"])
    _decide(_pair(kept_id, gone_id), Decision.SAME, by, at)
    _tell("service.merged", result)
    return result


@transaction.atomic
def undo_merge(*, merge_id: UUID, by: User, at: datetime) -> Merge:
    """Part two records again: the one that went is found again, and the other says what it said before.

    A field that somebody has changed since the merge is left as it is now.
    """
    _keeper(by)
    found = Merge.objects.filter(pk=merge_id).values_list("kept_id", "gone_id").first()
    if found is None:
        raise NotFound("There is no such merge. Look at the list of merges.", code="no-such-merge")
    locked = _lock(*found)
    kept, gone = locked[found[0]], locked[found[1]]
    undone = Merge.objects.select_for_update().get(pk=merge_id)
    if undone.undone_at:
        raise Conflict("This merge has already been undone.", code="undone")
    if kept.merged_into_id:
        raise Conflict(f"“{kept.name}” has since been merged into “{kept.merged_into}”. Undo that first.", code="merged-since")
    if later := _later_on_the_same_fields(undone):
        raise Conflict(f"“{later.gone}” was merged into the same record later and changed the same fields. Undo that first.")
    put_back = [name for name, value in undone.chosen.items() if fields.said(kept, name) == value]
    for name in put_back:
        fields.put_back(kept, name, undone.before["fields"][name])
    ours = set(put_back) - set(undone.before["kept_fields"])
    kept.kept_fields = [name for name in kept.kept_fields if name not in ours]
    kept.save()
    gone.merged_into = None
    gone.save(update_fields=["merged_into", "modified_at"])
    undone.undone_by, undone.undone_at = by, at
    undone.save(update_fields=["undone_by", "undone_at"])
    _decide(_pair(kept.pk, gone.pk), Decision.OPEN, None, None)
    _tell("service.parted", undone)
    return undone


@transaction.atomic
def not_the_same(*, pair_id: int, by: User, at: datetime) -> DuplicateCandidate:
    """Say that two records are two services. They are not suggested again."""
    _keeper(by)
    pair = _locked_pair(pair_id)
    if pair.decision == Decision.SAME:
        raise Conflict("These two records have been merged. Undo the merge first.", code="merged")
    _decide(DuplicateCandidate.objects.filter(pk=pair_id), Decision.DIFFERENT, by, at)
    pair.refresh_from_db()
    return pair


@transaction.atomic
def look_again(*, pair_id: int, by: User, at: datetime) -> DuplicateCandidate:
    """Take back that two records are two services: the pair waits for a decision again."""
    _keeper(by)
    pair = _locked_pair(pair_id)
    if pair.decision == Decision.DIFFERENT:
        _decide(DuplicateCandidate.objects.filter(pk=pair_id), Decision.OPEN, None, None)
        pair.refresh_from_db()
    return pair


@transaction.atomic
def take_news(*, merge_id: UUID, name: str, by: User, at: datetime) -> Merge:
    """Take over what the source of the record that went has said since in a field that was chosen from it."""
    _keeper(by)
    found = Merge.objects.filter(pk=merge_id, undone_at=None).values_list("kept_id", "gone_id").first()
    if found is None:
        raise NotFound("There is no such merge, or it was undone. Look at the list of merges.", code="no-such-merge")
    locked = _lock(*found)
    kept, gone = locked[found[0]], locked[found[1]]
    current = Merge.objects.select_for_update().get(pk=merge_id)
    if name not in current.chosen:
        raise Invalid("That field was not taken from the other record. Load the page again.")
    fields.take(kept, gone, name)
    kept.save()
    current.chosen[name] = fields.said(gone, name)
    current.save(update_fields=["chosen"])
    _tell("service.merged", current)
    return current


def _keeper(by: User) -> None:
    if not (by.is_curator or by.is_administrator):
        raise NotAllowed("Only a curator of the directory can decide about doubles.")


def _lock(*ids: UUID) -> dict[UUID, Service]:
    """Both records, locked in the order of their keys."""
    locked = {service.pk: service for service in Service.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))}
    if len(locked) < len(set(ids)):
        raise NotFound("One of the two records is not in the directory any more. Look at the list again.", code="no-such-service")
    return locked


def _locked_pair(pair_id: int) -> DuplicateCandidate:
    pair = DuplicateCandidate.objects.select_for_update().filter(pk=pair_id).first()
    if pair is None:
        raise NotFound("This pair is not in the list any more: the records are no longer alike. Look at the list again.")
    return pair


def _pair(one: UUID, other: UUID):
    return DuplicateCandidate.objects.filter(Q(one=one, other=other) | Q(one=other, other=one))


def _decide(pairs, decision: str, by: User | None, at: datetime | None) -> None:
    pairs.update(decision=decision, decided_by=by, decided_at=at)


def _later_on_the_same_fields(undone: Merge) -> Merge | None:
    later = Merge.objects.filter(kept=undone.kept_id, undone_at=None, merged_at__gte=undone.merged_at).exclude(pk=undone.pk)
    return next((merge for merge in later.order_by("-merged_at") if merge.chosen.keys() & undone.chosen.keys()), None)


def _tell(type: str, result: Merge) -> None:
    topics = [f"service:{pk}" for pk in (result.kept_id, result.gone_id)]
    topics += [f"org:{pk}" for pk in (result.kept.organization_id, result.gone.organization_id)]
    publish(type, topics=topics, data={"kept": str(result.kept_id), "gone": str(result.gone_id)})
