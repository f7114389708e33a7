"""Many entries at once: a spreadsheet is read, looked at row by row, and applied by a worker, a few rows at a time; and a whole one undone.

Each few rows are one transaction, and each row stands for itself: how far it is can be seen meanwhile, somebody can stop it and go on
later, and a worker that dies leaves whole rows behind, which the next one does not touch again.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import IntegerField, Q, QuerySet
from django.db.models.functions import Cast
from procrastinate.contrib.django import app

from catalogue.entry import content, spreadsheet
from catalogue.entry.columns import Column, Vocabulary, columns, understood
from catalogue.entry.content import FIELDS, Content
from catalogue.entry.operations import Status, settle
from catalogue.entry.places import HIDES
from catalogue.entry.queries import Entry
from catalogue.models import ProposedChange, Service, Sheet, User
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound

logger = logging.getLogger(__name__)

_CHECKED = ("name", "url", "email", "description")
_SHEET = ProposedChange.Origin.SPREADSHEET
#: So many rows are one step: about a second. A smaller sheet is done before its page is shown again.
STEP = 50
#: Rows that are read at a time when a file is compared with the directory.
_READ = 500


def download(user: User) -> bytes:
    """The services that `user` keeps, as a workbook. Raises Invalid when there are more than a workbook of ours holds."""
    services = Service.objects.owned_by(user).filter(merged_into=None).order_by("name", "pk")
    if services.count() > spreadsheet.MOST_ROWS:
        raise Invalid(f"There are more than {spreadsheet.MOST_ROWS:,} services. Use the feed of the directory instead.")
    found = content.for_reading(services)
    return spreadsheet.write((service.pk, content.read(service)) for service in found)


@transaction.atomic
def upload(*, data: bytes, by: User, at: datetime) -> UUID:
    """Read a workbook and write down what each row would change; nothing is changed yet. Returns the batch's id.

    Rows of an earlier file that nobody applied are thrown away. Raises Invalid when the file cannot be read at all.
    """
    if not (by.is_provider or by.is_curator or by.is_administrator):
        raise NotAllowed("Only those who run services, or curators of the directory, can send a spreadsheet.")
    if Sheet.objects.visible_to(by).filter(status=Sheet.Status.RUNNING).exists():
        raise Invalid("An earlier spreadsheet is being applied now. Wait until that has ended, or stop it.")
    rows = spreadsheet.read(data)
    if not rows:
        raise Invalid("There is no service in that file. Fill in at least one row below the headings.")
    _batches(by).filter(status=Status.DRAFT).delete()
    batch = Sheet.objects.create(organization=by.organization, sent_by=by, sent_at=at).pk
    words = Vocabulary()
    known = {column.heading: column for column in columns(words)}
    for start in range(0, len(rows), _READ):
        some = rows[start : start + _READ]
        mine = {service.pk: service for service in _reading(by, [row.id for row in some if row.id])}
        ProposedChange.objects.bulk_create([_proposal(row, mine, known, words.access, batch, by, at) for row in some])
    return batch


def _reading(by: User, ids: Collection[UUID]) -> Iterable[Service]:
    return content.for_reading(Service.objects.owned_by(by).filter(pk__in=ids, merged_into=None))


def _proposal(
    row: spreadsheet.Row,
    mine: Mapping[UUID, Service],
    known: Mapping[str, Column],
    access: set[str],
    batch: UUID,
    by: User,
    at: datetime,
) -> ProposedChange:
    service = mine.get(row.id) if row.id else None
    live = content.read(service) if service else content.empty()
    values, faults = understood(row.texts, live, known, access)
    faults |= row.faults
    if row.id and service is None:
        faults["Id"] = "This is not one of your services. Leave the column as it was downloaded, and empty for a new service."
    if row.id is None and by.organization is not None and not by.is_provider:
        faults["Id"] = "Only the organisation itself adds services by spreadsheet. Use “Add a service”."
    values = {name: content.canonical(name, value) for name, value in values.items()}
    changed = {name: value for name, value in values.items() if value != live[name]}
    faults |= _faults(live | changed, changed)
    if service and service.hides_its_place and "places" in changed:
        faults["Postcode"] = HIDES
        del changed["places"]
    if row.id is None:
        for name, heading, words in (
            ("name", "Name", "Say what the service is called."),
            ("care_type", "Kind", "Say what kind of service it is. Use the words of the sheet “Words to use”."),
        ):
            if not values.get(name) and heading not in faults:
                faults[heading] = words
    return ProposedChange(
        organization=service.organization if service else by.organization, service=service, batch=batch, row=str(row.number), origin=_SHEET,
        content=changed, base={name: live[name] for name in changed}, faults=faults, proposed_by=by, proposed_at=at,
    )  # fmt: skip


def _faults(shown: Content, changed: Content) -> dict[str, str]:
    """What the directory would refuse, by heading, as far as it can be told without writing."""
    found = {}
    for name in changed:
        if name in _CHECKED:
            try:
                cast(Any, Service._meta.get_field(name)).clean(changed[name], None)
            except ValidationError as error:
                found[FIELDS[name].label] = " ".join(error.messages)
    lowest, highest = shown["minimum_age"], shown["maximum_age"]
    if lowest is not None and highest is not None and highest < lowest:
        found["Highest age"] = "The highest age cannot be below the lowest."
    return found


def _batches(user: User) -> QuerySet[ProposedChange]:
    """Rows of the spreadsheets that the user's own office sent."""
    office = Q(proposed_by=user) if user.organization_id is None else Q(proposed_by__organization=user.organization_id)
    return ProposedChange.objects.visible_to(user).filter(office, origin=_SHEET, batch__isnull=False)


def rows_of(user: User, batch: UUID, state: str = "") -> QuerySet[ProposedChange]:
    """The rows of a batch in their order; of one state: `new`, `changed`, `unchanged`, `faults` or `done`."""
    found = _batches(user).filter(batch=batch).select_related("service").annotate(line=Cast("row", IntegerField())).order_by("line")
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
    if not sheet.chosen:
        raise Conflict("There is nothing to go on with. Load the page again.", code="nothing-to-resume")
    sheet.status, sheet.asked_by, sheet.stop_requested_at, sheet.finished_at = Sheet.Status.RUNNING, by, None, None
    return _step_and_defer(sheet, at)


@transaction.atomic
def stop(*, batch: UUID, by: User, at: datetime) -> Sheet:
    """Ask for an end after the rows that are being written now. What is done stays done."""
    sheet = Sheet.objects.visible_to(by).filter(pk=batch).select_for_update(of=("self",)).first()
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
        while (sheet := _next(batch, at())) is not None and sheet.status == Sheet.Status.RUNNING:
            logger.info("sheet: %d of %d rows", sheet.dealt_with, sheet.total)
    except Exception:
        Sheet.objects.filter(pk=batch, status=Sheet.Status.RUNNING).update(status=Sheet.Status.FAILED, finished_at=at())
        raise
    return str(sheet.status) if sheet else "nothing to do"


def sheet_of(user: User, batch: UUID) -> Sheet | None:
    """The spreadsheet of this id, when the user's own office sent it."""
    return Sheet.objects.visible_to(user).filter(pk=batch).first()


def _lock(batch: UUID, by: User) -> Sheet:
    sheet = Sheet.objects.visible_to(by).filter(pk=batch).select_for_update(of=("self",)).first()
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
        app.configure_task("catalogue.tasks.work_on_sheet", lock=f"sheet {sheet.pk}").defer(batch=str(sheet.pk))
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
    return _batches(by).filter(batch=batch, status=Status.DRAFT, faults={}).exclude(content={})


def _to_undo(by: User, batch: UUID) -> QuerySet[ProposedChange]:
    return _batches(by).filter(batch=batch, status=Status.MADE, undone_by=None)


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
        organization=former.organization, service=service, undoes=former, origin=_SHEET, content=back,
        base={name: live[name] for name in back}, proposed_by=by, proposed_at=at,
    )  # fmt: skip
    return settle(Entry(service.pk, former.organization, service, change, live), change, by=by, at=at).status


def _locked(by: User, ids: Collection[UUID]) -> dict[UUID, Service]:
    list(Service.objects.owned_by(by).filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    return {service.pk: service for service in _reading(by, ids)}
