"""A spreadsheet as a file: made for download, and read and compared with the directory, row by row. A large one by a worker.

A worker that reads writes down some rows at a time: how far it is can be seen, somebody can stop it and go on, and when the worker dies
the next one goes on from there. What is made is kept until the next one is made.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from procrastinate.contrib.django import app

from catalogue.entry import content, spreadsheet
from catalogue.entry.columns import Column, Vocabulary, columns, understood
from catalogue.entry.content import FIELDS, Content
from catalogue.entry.places import HIDES
from catalogue.models import ProposedChange, Service, Sheet, User
from catalogue.models.service import ServiceQuerySet
from core.errors import Invalid, NotAllowed

SPREADSHEET = ProposedChange.Origin.SPREADSHEET
#: Up to so many rows are made or read while somebody waits for the page, which takes a second or so.
SMALL = 100
#: Rows that are made or looked at between two looks at whether somebody stopped it.
STEP = 100
_CHECKED = ("name", "url", "email", "description")
_Status, _Work = Sheet.Status, Sheet.Work


class _Stopped(Exception):
    """Somebody stopped it."""


def services_of(user: User) -> ServiceQuerySet:
    """What stands in the spreadsheet of `user`, in its order."""
    return Service.objects.owned_by(user).filter(merged_into=None).order_by("name", "pk")


def download(user: User) -> bytes:
    """The services that `user` keeps, as a workbook. Raises Invalid when there are more than a workbook of ours holds."""
    _check_size(services_of(user).count())
    return spreadsheet.write(_entries(user, lambda done: None))


@transaction.atomic
def make(*, by: User, at: datetime) -> Sheet:
    """Have a worker make the workbook of `by`; while it makes one, that one. An earlier one is thrown away."""
    _check_may(by)
    mine = Sheet.objects.visible_to(by).filter(work=_Work.WRITE, sent_by=by)
    if (running := mine.filter(status=_Status.RUNNING).first()) is not None:
        return running
    total = services_of(by).count()
    _check_size(total)
    mine.update(file=None, status=_Status.FAILED, problem="A newer one was made since.")
    sheet = Sheet.objects.create(
        organization=by.organization, sent_by=by, asked_by=by, sent_at=at, started_at=at,
        work=_Work.WRITE, status=_Status.RUNNING, total=total,
    )  # fmt: skip
    defer(sheet)
    return sheet


def made_file(user: User, batch: UUID) -> bytes | None:
    """The workbook that was made for `user`, as long as it is kept."""
    sheet = Sheet.objects.visible_to(user).filter(pk=batch, sent_by=user, work=_Work.WRITE, status=_Status.DONE).first()
    return bytes(sheet.file) if sheet and sheet.file else None


@transaction.atomic
def upload(*, data: bytes, by: User, at: datetime) -> UUID:
    """Read a workbook and write down what each row would change; nothing is changed yet. Returns the batch's id.

    More than a few rows are left to a worker. Rows of an earlier file that nobody applied are thrown away. Raises Invalid when the file
    cannot be read at all.
    """
    _check_may(by)
    earlier = Sheet.objects.visible_to(by).exclude(work=_Work.WRITE)
    if earlier.filter(status=_Status.RUNNING).exists():
        raise Invalid("An earlier spreadsheet is being worked on now. Wait until that has ended, or stop it.")
    rows = spreadsheet.read(data, first=SMALL + 1)
    if not rows:
        raise Invalid("There is no service in that file. Fill in at least one row below the headings.")
    office_rows(by).filter(status=ProposedChange.Status.DRAFT).delete()
    unread = earlier.filter(work=_Work.READ).exclude(status=_Status.READY)
    unread.update(file=None, status=_Status.FAILED, problem="A newer file was sent since.")
    sheet = Sheet(organization=by.organization, sent_by=by, asked_by=by, sent_at=at, work=_Work.READ)
    if len(rows) > SMALL:
        sheet.status, sheet.started_at, sheet.file = _Status.RUNNING, at, data
        sheet.save(force_insert=True)
        defer(sheet)
    else:
        sheet.save(force_insert=True)
        _Comparison().write_down(sheet, rows, at)
    return sheet.pk


def defer(sheet: Sheet) -> None:
    """Leave what is left of a spreadsheet to a worker."""
    app.configure_task("catalogue.tasks.work_on_sheet", lock=f"sheet {sheet.pk}").defer(batch=str(sheet.pk))


def is_begun(sheet: Sheet) -> bool:
    """Whether a worker began to make or read this file, was ended, and can go on."""
    return sheet.work in (_Work.READ, _Work.WRITE) and sheet.status in (_Status.STOPPED, _Status.FAILED) and not sheet.problem


def carry_on(*, batch: UUID, at: Callable[[], datetime]) -> str | None:
    """Make or read the file of a spreadsheet, to its end or until somebody stops it. Returns how it ended; None: there is no such work."""
    sheet = Sheet.objects.filter(pk=batch, work__in=(_Work.READ, _Work.WRITE)).select_related("asked_by").first()
    if sheet is None:
        return None
    if sheet.status == _Status.RUNNING:
        try:
            if sheet.asked_by is None or not sheet.asked_by.is_active:
                _move(sheet, at(), status=_Status.FAILED)
            elif sheet.work == _Work.READ:
                _read(sheet, at)
            else:
                _write(sheet, sheet.asked_by, at)
        except _Stopped:
            pass
    return str(Sheet.objects.values_list("status", flat=True).get(pk=batch))


def _move(sheet: Sheet, at: datetime, **changes: Any) -> None:
    """Write down how far it is. Raises _Stopped when it is to go no further."""
    if "status" in changes:
        changes["finished_at"] = at
    if not Sheet.objects.filter(pk=sheet.pk, status=_Status.RUNNING).update(moved_at=at, **changes):
        raise _Stopped


def _write(sheet: Sheet, by: User, at: Callable[[], datetime]) -> None:
    made = spreadsheet.write(_entries(by, lambda done: _move(sheet, at(), made=done)))
    _move(sheet, at(), file=made, status=_Status.DONE)


def _entries(user: User, tell: Callable[[int], None]) -> Iterator[tuple[UUID, Content]]:
    """What the services of `user` say, some at a time, for all of them at once take much memory."""
    ids = list(services_of(user).values_list("pk", flat=True))
    for start in range(0, len(ids), STEP):
        tell(start)
        for service in content.for_reading(services_of(user).filter(pk__in=ids[start : start + STEP])):
            yield service.pk, content.read(service)
    tell(len(ids))


def _read(sheet: Sheet, at: Callable[[], datetime]) -> None:
    try:
        rows = spreadsheet.read(bytes(sheet.file or b""))
    except Invalid as error:
        _move(sheet, at(), status=_Status.FAILED, problem=error.message, file=None)
        return
    comparison = _Comparison()
    for start in range(sheet.made, len(rows), STEP):
        some = rows[start : start + STEP]
        with transaction.atomic():
            # First, so that the row is held: who stops it waits for these few, and what is counted is written down.
            _move(sheet, at(), made=start + len(some), total=len(rows))
            comparison.write_down(sheet, some, sheet.sent_at)
    _move(sheet, at(), status=_Status.READY, file=None)


def _check_may(user: User) -> None:
    if not (user.is_provider or user.is_curator or user.is_administrator):
        raise NotAllowed("Only those who run services, or curators of the directory, can use the spreadsheet.")


def _check_size(count: int) -> None:
    if count > spreadsheet.MOST_ROWS:
        raise Invalid(f"There are more than {spreadsheet.MOST_ROWS:,} services. Use the feed of the directory instead.")


class _Comparison:
    """The words of the sheet, read once, and what its rows would change."""

    def __init__(self) -> None:
        words = Vocabulary()
        self._known = {column.heading: column for column in columns(words)}
        self._access = words.access

    def write_down(self, sheet: Sheet, rows: Collection[spreadsheet.Row], at: datetime) -> None:
        by = sheet.asked_by
        assert by is not None
        mine = {service.pk: service for service in kept_by(by, [row.id for row in rows if row.id])}
        ProposedChange.objects.bulk_create([_proposal(row, mine, self._known, self._access, sheet.pk, by, at) for row in rows])


def kept_by(by: User, ids: Collection[UUID]) -> Iterable[Service]:
    """Those of these services that `by` keeps."""
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
        organization=service.organization if service else by.organization, service=service, batch=batch, row=str(row.number),
        origin=SPREADSHEET, content=changed, base={name: live[name] for name in changed}, faults=faults, proposed_by=by, proposed_at=at,
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


def office_rows(user: User) -> QuerySet[ProposedChange]:
    """Rows of the spreadsheets that the user's own office sent."""
    office = Q(proposed_by=user) if user.organization_id is None else Q(proposed_by__organization=user.organization_id)
    return ProposedChange.objects.visible_to(user).filter(office, origin=SPREADSHEET, batch__isnull=False)
