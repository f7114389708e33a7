"""Many entries at once: the rows of a spreadsheet are applied by a worker, a few at a time; and a whole one undone.

Each few rows are one transaction, and each row stands for itself: how far it is can be seen meanwhile, somebody can stop it and go on
later, and a worker that dies leaves whole rows behind, which the next one does not touch again.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import IntegerField, Q, QuerySet
from django.db.models.functions import Cast

from catalogue.entry import content, sheet_files
from catalogue.entry.content import FIELDS
from catalogue.entry.operations import Status, settle
from catalogue.entry.queries import Entry
from catalogue.entry.sheet_files import SPREADSHEET, defer, kept_by, office_rows
from catalogue.models import ProposedChange, Service, Sheet, User
from core.errors import Conflict, LuneError, NotFound

logger = logging.getLogger(__name__)

#: So many rows are one step: about a second. A smaller sheet is done before its page is shown again.
STEP = 50


def rows_of(user: User, batch: UUID, state: str = "") -> QuerySet[ProposedChange]:
    """The rows of a batch in their order; of one state: `new`, `changed`, `unchanged`, `faults` or `done`."""
    found = office_rows(user).filter(batch=batch).select_related("service").annotate(line=Cast("row", IntegerField())).order_by("line")
    good = Q(faults={})
    match state:
        case "new":
            return found.filter(good, service=None, status=Status.DRAFT)
        case "changed":
            return found.filter(good, service__isnull=False, status=Status.DRAFT).exclude(content={})
        case "unchanged":
            return found.filter(good, service__isnull=False, content={})
        case "faults":
            return found.exclude(faults={})
        case "done":
            return found.exclude(status=Status.DRAFT)
        case _:
            return found


@transaction.atomic
def apply(*, batch: UUID, by: User, at: datetime, rows: Collection[UUID] | None = None) -> Sheet:
    """Make the changes of a batch, all good rows or only those chosen: the first few at once, the rest by a worker.

    A row whose service changed in the directory since the file was read is left alone, and says so; so is one that is refused.
    """
    sheet = _lock(batch, by)
    if sheet.is_unread:
        raise Conflict("Its rows have not all been looked at yet. Go on with that first, or send the file again.", code="sheet-unread")
    chosen = _to_apply(by, batch) if rows is None else _to_apply(by, batch).filter(pk__in=rows)
    ids = list(chosen.annotate(line=Cast("row", IntegerField())).order_by("line").values_list("pk", flat=True))
    if not ids:
        raise NotFound("There is nothing to apply. Send the file again.", code="nothing-to-apply")
    return _begin(sheet, Sheet.Work.APPLY, ids, by, at)


@transaction.atomic
def undo(*, batch: UUID, by: User, at: datetime) -> Sheet:
    """Put back what a batch changed, as new changes; services that it added are no longer shown.

    An entry that somebody changed since is left alone and counted.
    """
    sheet = _lock(batch, by)
    ids = list(_to_undo(by, batch).order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise NotFound("There is nothing to undo, or it was undone already.", code="nothing-to-undo")
    return _begin(sheet, Sheet.Work.UNDO, ids, by, at)


@transaction.atomic
def resume(*, batch: UUID, by: User, at: datetime) -> Sheet:
    """Go on with what was stopped, or ended by a fault, from where it was."""
    sheet = _lock(batch, by)
    if not (sheet.chosen or sheet_files.is_begun(sheet)):
        raise Conflict("There is nothing to go on with. Load the page again.", code="nothing-to-resume")
    sheet.status, sheet.asked_by, sheet.stop_requested_at, sheet.finished_at = Sheet.Status.RUNNING, by, None, None
    if sheet.chosen:
        return _step_and_defer(sheet, at)
    sheet.save()
    defer(sheet)
    return sheet


@transaction.atomic
def stop(*, batch: UUID, by: User, at: datetime) -> Sheet:
    """Ask for an end after the rows that are being written now. What is done stays done."""
    sheet = _sheets(by).filter(pk=batch).select_for_update(of=("self",)).first()
    if sheet is None:
        raise NotFound("There is no such spreadsheet.")
    if sheet.status != Sheet.Status.RUNNING:
        raise Conflict("It has ended already. Load the page again.", code="sheet-ended")
    sheet.status, sheet.stop_requested_at, sheet.finished_at = Sheet.Status.STOPPED, at, at
    sheet.save()
    return sheet


def carry_on(*, batch: UUID, at: Callable[[], datetime]) -> str:
    """Do what is left of a spreadsheet, step by step, until it is done or somebody stops it. Returns how it ended."""
    try:
        if (worked := sheet_files.carry_on(batch=batch, at=at)) is not None:
            return worked
        while (sheet := _next(batch, at())) is not None and sheet.status == Sheet.Status.RUNNING:
            logger.info("sheet: %d of %d rows", sheet.dealt_with, sheet.total)
    except Exception:
        Sheet.objects.filter(pk=batch, status=Sheet.Status.RUNNING).update(status=Sheet.Status.FAILED, finished_at=at())
        raise
    return str(sheet.status) if sheet else "nothing to do"


def sheet_of(user: User, batch: UUID) -> Sheet | None:
    """The spreadsheet of this id, when the user's own office sent it; one that was made, only for whom it was made."""
    return _sheets(user).filter(pk=batch).defer("file").first()


def _sheets(user: User) -> QuerySet[Sheet]:
    return Sheet.objects.visible_to(user).filter(~Q(work=Sheet.Work.WRITE) | Q(sent_by=user))


def _lock(batch: UUID, by: User) -> Sheet:
    sheet = _sheets(by).filter(pk=batch).select_for_update(of=("self",)).first()
    if sheet is None:
        raise NotFound("There is no such spreadsheet. Send the file again.", code="nothing-to-apply")
    if sheet.status == Sheet.Status.RUNNING:
        raise Conflict("It is being worked on already. Wait until that has ended, or stop it.", code="sheet-running")
    return sheet


def _begin(sheet: Sheet, work: str, ids: list[UUID], by: User, at: datetime) -> Sheet:
    sheet.status, sheet.work, sheet.chosen, sheet.total, sheet.asked_by = Sheet.Status.RUNNING, work, ids, len(ids), by
    sheet.made = sheet.waiting = sheet.left = 0
    sheet.started_at, sheet.stop_requested_at, sheet.finished_at = at, None, None
    return _step_and_defer(sheet, at)


def _step_and_defer(sheet: Sheet, at: datetime) -> Sheet:
    """The first few rows at once, and what is left to a worker."""
    _step(sheet, at)
    if sheet.status == Sheet.Status.RUNNING:
        defer(sheet)
    return sheet


@transaction.atomic
def _next(batch: UUID, at: datetime) -> Sheet | None:
    sheet = Sheet.objects.select_for_update(of=("self",)).select_related("asked_by").filter(pk=batch).first()
    if sheet is not None and sheet.status == Sheet.Status.RUNNING:
        _step(sheet, at)
    return sheet


def _step(sheet: Sheet, at: datetime) -> None:
    """Deal with the next few rows of a spreadsheet, which the caller holds."""
    by, rows = sheet.asked_by, sheet.chosen or []
    if by is None or not by.is_active:
        sheet.status = Sheet.Status.FAILED
    else:
        todo = _to_apply(by, sheet.pk) if sheet.work == Sheet.Work.APPLY else _to_undo(by, sheet.pk)
        held = todo.filter(pk__in=rows[:STEP]).select_for_update(of=("self",)).select_related("organization")
        changes = sorted(held, key=lambda change: rows.index(change.pk))
        services = _locked(by, [change.service_id for change in changes if change.service_id])
        for change in changes:
            service = services.get(change.service_id) if change.service_id else None
            made = (_apply_row if sheet.work == Sheet.Work.APPLY else _undo_row)(change, service, by, at)
            sheet.made += made == Status.MADE
            sheet.waiting += made == Status.WAITING
        sheet.chosen = rows[STEP:]
        # Rows that somebody else dealt with meanwhile are among those left alone.
        sheet.left = sheet.total - len(sheet.chosen) - sheet.made - sheet.waiting
        sheet.status = Sheet.Status.RUNNING if sheet.chosen else Sheet.Status.DONE
    sheet.moved_at = at
    sheet.finished_at = None if sheet.status == Sheet.Status.RUNNING else at
    sheet.save()


def _to_apply(by: User, batch: UUID) -> QuerySet[ProposedChange]:
    return office_rows(by).filter(batch=batch, status=Status.DRAFT, faults={}).exclude(content={})


def _to_undo(by: User, batch: UUID) -> QuerySet[ProposedChange]:
    return office_rows(by).filter(batch=batch, status=Status.MADE, undone_by=None)


def _apply_row(change: ProposedChange, service: Service | None, by: User, at: datetime) -> str:
    """Make one row's change; returns its status, which stays "draft" when it was left alone."""
    live = content.read(service) if service else content.empty()
    if (change.service_id and service is None) or any(live[name] != value for name, value in change.base.items()):
        change.faults = {"Row": "The entry changed in the directory since the file was read. Download it again."}
        change.save(update_fields=["faults"])
        return Status.DRAFT
    try:
        with transaction.atomic():
            return settle(Entry(change.service_id or change.pk, change.organization, service, change, live), change, by=by, at=at).status
    except LuneError as error:
        errors: dict[str, list[str]] = error.details.get("errors") or {"Row": [error.message]}  # type: ignore[assignment]
        faults = {FIELDS[name].label if name in FIELDS else "Row": " ".join(texts) for name, texts in errors.items()}
        ProposedChange.objects.filter(pk=change.pk).update(faults=faults)
        return Status.DRAFT


def _undo_row(former: ProposedChange, service: Service | None, by: User, at: datetime) -> str:
    """Put back one row's change, unless somebody changed the entry since."""
    live = content.read(service) if service else content.empty()
    written = {name: value for name, value in former.content.items() if name in FIELDS}
    if service is None or any(content.said(name, live[name]) != content.said(name, value) for name, value in written.items()):
        return Status.DRAFT
    added = former.service_id == former.pk
    back = {"status": Service.Status.INACTIVE.value} if added else dict(former.base)
    change = ProposedChange(
        organization=former.organization, service=service, undoes=former, origin=SPREADSHEET, content=back,
        base={name: live[name] for name in back}, proposed_by=by, proposed_at=at,
    )  # fmt: skip
    return settle(Entry(service.pk, former.organization, service, change, live), change, by=by, at=at).status


def _locked(by: User, ids: Collection[UUID]) -> dict[UUID, Service]:
    list(Service.objects.owned_by(by).filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    return {service.pk: service for service in kept_by(by, ids)}
