"""One thing done to many lines. Each line is kept or refused by itself, in a transaction of its own; all of it is one row of the log.

Nobody is accepted or declined in bulk, and no yes is taken back so: each of these is about one person, and somebody must have looked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from flow.models import Batch, ReferralTask
from flow.worklist import doing
from flow.worklist.doing import Doing, Row
from flow.worklist.lines import Show, Wanted, lines

#: For so long a batch can be undone, where its steps can be.
UNDO_WITHIN = timedelta(minutes=30)
#: More lines than this at once is a mistake.
MOST_LINES = 200
_WAITS, _DONE, _REFUSED = "waiting", "done", "refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen to one line, or why nothing will."""

    row: Row
    can: bool
    words: str


def preview(*, action: str, keys: Sequence[str], by: User, at: datetime) -> list[Plan]:
    """What would happen to each line. Raises NotAllowed and Invalid."""
    what = _doing(action, None, by)
    found = []
    for row in _rows(what, keys, by, at):
        refusal = what.refuses(row)
        found.append(Plan(row, not refusal, refusal or what.plans(row)))
    return found


def carry_out(*, batch_id: UUID, action: str, asked: dict[str, Any], keys: Sequence[str], by: User, at: datetime) -> Batch:
    """Do it to each line that allows it. The same `batch_id` again goes on where it broke off, and does nothing twice.

    Raises NotAllowed, Invalid, and NotFound for somebody else's `batch_id`.
    """
    what = _doing(action, asked, by)
    assert by.organization is not None  # whoever refers or provides has one
    rows = {row.key: row for row in _rows(what, keys, by, at)}
    started = [{**row.ids, "key": row.key, "outcome": _WAITS, "why": ""} for row in rows.values()]
    batch, _ = Batch.objects.get_or_create(
        pk=batch_id,
        defaults={"organization": by.organization, "user": by, "action": action, "asked": what.asked, "lines": started, "at": at},
    )
    if batch.user_id != by.pk or batch.organization_id != by.organization_id:
        raise NotFound("There is no such change.")
    for number, line in enumerate(batch.lines):
        if _waits(line):
            _one(batch.pk, number, what, rows.get(line["key"]), at)
    batch.refresh_from_db()
    return batch


def undo(*, batch_id: UUID, by: User, at: datetime) -> Batch:
    """Undo what can be undone, line by line; what cannot says why. Again, it goes on where it broke off, and undoes nothing twice.

    Raises NotFound, and Conflict (`too-late`, `undone`, `final`).
    """
    with transaction.atomic():
        batch = Batch.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=batch_id).first()
        if batch is None:
            raise NotFound("There is no such change.")
        if batch.undone_at is not None and not any(map(_is_to_undo, batch.lines)):
            raise Conflict("This has been undone already.", code="undone")
        if not doing.BY_ACTION[batch.action].can_be_undone:
            raise Conflict("This cannot be undone in bulk. Open the referral and take the next step there.", code="final")
        if at > batch.at + UNDO_WITHIN:
            raise Conflict("It is too late to undo this all at once. Change each line by itself.", code="too-late")
        batch.undone_at = batch.undone_at or at
        batch.save(update_fields=["undone_at"])
    what = doing.BY_ACTION[batch.action](by, batch.asked)
    for number in range(len(batch.lines)):
        _settle(batch.pk, number, _is_to_undo, lambda line: {"undone": what.undo(line, at)}, refused={"undone": ""})
    batch.refresh_from_db()
    return batch


def can_be_undone(batch: Batch, at: datetime) -> bool:
    """Whether the button is shown."""
    in_time = at <= batch.at + UNDO_WITHIN
    return in_time and doing.BY_ACTION[batch.action].can_be_undone and any(map(_is_to_undo, batch.lines))


def _waits(line: dict[str, Any]) -> bool:
    return bool(line["outcome"] == _WAITS)


def _is_to_undo(line: dict[str, Any]) -> bool:
    return line["outcome"] == _DONE and "undone" not in line


def _one(batch_id: UUID, number: int, what: Doing, row: Row | None, at: datetime) -> None:
    def do(_: dict[str, Any]) -> dict[str, Any]:
        if row is None:
            raise Conflict("This line is not in your list any more.")
        if refusal := what.refuses(row):
            raise Conflict(refusal)
        return {"outcome": _DONE, "why": what.says(row), "kept": what.do(row, at)}

    _settle(batch_id, number, _waits, do, refused={"outcome": _REFUSED})


@transaction.atomic
def _settle(
    batch_id: UUID,
    number: int,
    is_open: Callable[[dict[str, Any]], bool],
    do: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    refused: dict[str, Any],
) -> None:
    """One line: what is done to it and what is written of it are kept together, or neither is.

    The batch is locked before anything is done, and the line read again: of two presses of the button the second finds it settled.
    """
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if not is_open(batch.lines[number]):
        return
    try:
        with transaction.atomic():
            said = do(batch.lines[number])
    except LuneError as error:
        said = refused | {"why": error.message}
    batch.lines[number] |= said
    batch.save(update_fields=["lines"])


def _doing(action: str, asked: dict[str, Any] | None, by: User) -> Doing:
    if action not in doing.BY_ACTION:
        raise Invalid("Choose what to do with the lines that you ticked.", field="action")
    kind = doing.BY_ACTION[action]
    if by.organization_id is None or not (by.is_provider if kind.for_provider else by.is_referrer):
        raise NotAllowed("This is for another kind of work than yours.")
    return kind(by, asked)


def _rows(what: Doing, keys: Iterable[str], by: User, at: datetime) -> list[Row]:
    chosen = list(dict.fromkeys(keys))
    if not chosen:
        raise Invalid("Tick at least one line.", field="keys")
    if len(chosen) > MOST_LINES:
        raise Invalid(f"Tick at most {MOST_LINES} lines at once.", field="keys")
    if what.for_provider:
        tasks = (
            ReferralTask.objects.visible_to(by)
            .filter(pk__in=_ids(chosen))
            .select_related("referral__organization", "referral__profile", "pool__service", "reservation")
        )
        return [Row.of_task(task) for task in tasks.order_by("pk")]
    found = lines(by, at, Wanted(), keys=chosen)
    if len(found) < len(chosen):
        found += lines(by, at, Wanted(show=Show.ENDED), keys=chosen)
    return [Row.of_line(line) for line in found]


def _ids(keys: Iterable[str]) -> list[UUID]:
    found = []
    for key in keys:
        try:
            found.append(UUID(key))
        except ValueError:
            continue
    return found
