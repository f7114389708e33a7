"""Many entries at once: a spreadsheet is read, looked at row by row, and applied in one transaction; and a whole batch undone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import IntegerField, Q, QuerySet
from django.db.models.functions import Cast

from catalogue.entry import content, spreadsheet
from catalogue.entry.content import FIELDS, Content
from catalogue.entry.operations import Status, settle
from catalogue.entry.queries import Entry
from catalogue.models import ProposedChange, Service, User
from core.errors import Invalid, LuneError, NotAllowed, NotFound

_CHECKED = ("name", "url", "email", "description")
_SHEET = ProposedChange.Origin.SPREADSHEET


@dataclass(slots=True)
class Counts:
    """What became of rows. `left` are those that changed in the directory meanwhile, or that the directory refused."""

    made: int = 0
    waiting: int = 0
    left: int = 0


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
    rows = spreadsheet.read(data)
    if not rows:
        raise Invalid("There is no service in that file. Fill in at least one row below the headings.")
    mine = {service.pk: service for service in _reading(by, [row.id for row in rows if row.id])}
    _batches(by).filter(status=Status.DRAFT).delete()
    batch = uuid4()
    ProposedChange.objects.bulk_create([_proposal(row, mine, batch, by, at) for row in rows], batch_size=500)
    return batch


def _reading(by: User, ids: Collection[UUID]) -> Iterable[Service]:
    return content.for_reading(Service.objects.owned_by(by).filter(pk__in=ids, merged_into=None))


def _proposal(row: spreadsheet.Row, mine: dict[UUID, Service], batch: UUID, by: User, at: datetime) -> ProposedChange:
    service = mine.get(row.id) if row.id else None
    faults = dict(row.faults)
    if row.id and service is None:
        faults["Id"] = "This is not one of your services. Leave the column as it was downloaded, and empty for a new service."
    if row.id is None and by.organization is not None and not by.is_provider:
        faults["Id"] = "Only the organisation itself adds services by spreadsheet. Use “Add a service”."
    live = content.read(service) if service else content.empty()
    values = {name: content.canonical(name, value) for name, value in row.values.items()}
    changed = {name: value for name, value in values.items() if value != live[name]}
    faults |= _faults(live | changed, changed)
    if row.id is None and not values.get("care_type") and "Kind" not in faults:
        faults["Kind"] = "Say what kind of service it is. Use the words of the sheet “Words to use”."
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
def apply(*, batch: UUID, by: User, at: datetime, rows: Collection[UUID] | None = None) -> Counts:
    """Make the changes of a batch, all good rows or only those chosen: all in one transaction, each row for itself.

    A row whose service changed in the directory since the file was read is left alone, and says so; so is one that is refused.
    """
    chosen = _batches(by).filter(batch=batch, status=Status.DRAFT, faults={}).exclude(content={})
    if rows is not None:
        chosen = chosen.filter(pk__in=rows)
    changes = list(chosen.select_for_update(of=("self",)).select_related("organization").order_by("pk"))
    if not changes:
        raise NotFound("There is nothing to apply. Send the file again.", code="nothing-to-apply")
    services = _locked(by, [change.service_id for change in changes if change.service_id])
    counts = Counts()
    for change in changes:
        service = services.get(change.service_id) if change.service_id else None
        live = content.read(service) if service else content.empty()
        if (change.service_id and service is None) or any(live[name] != value for name, value in change.base.items()):
            change.faults = {"Row": "The entry changed in the directory since the file was read. Download it again."}
            change.save(update_fields=["faults"])
            counts.left += 1
            continue
        try:
            with transaction.atomic():
                settle(Entry(change.service_id or change.pk, change.organization, service, change, live), change, by=by, at=at)
        except LuneError as error:
            errors: dict[str, list[str]] = error.details.get("errors") or {"Row": [error.message]}  # type: ignore[assignment]
            change.faults = {FIELDS[name].label if name in FIELDS else "Row": " ".join(texts) for name, texts in errors.items()}
            ProposedChange.objects.filter(pk=change.pk).update(faults=change.faults)
            counts.left += 1
        else:
            counts.made += change.status == Status.MADE
            counts.waiting += change.status == Status.WAITING
    return counts


def _locked(by: User, ids: Collection[UUID]) -> dict[UUID, Service]:
    list(Service.objects.owned_by(by).filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    return {service.pk: service for service in _reading(by, ids)}


@transaction.atomic
def undo(*, batch: UUID, by: User, at: datetime) -> Counts:
    """Put back what a batch changed, as new changes; services that it added are no longer shown.

    An entry that somebody changed since is left alone and counted.
    """
    made = list(_batches(by).filter(batch=batch, status=Status.MADE, undone_by=None).select_related("organization").order_by("pk"))
    if not made:
        raise NotFound("There is nothing to undo, or it was undone already.", code="nothing-to-undo")
    services = _locked(by, [change.service_id for change in made if change.service_id])
    counts = Counts()
    for former in made:
        service = services.get(former.service_id) if former.service_id else None
        live = content.read(service) if service else content.empty()
        written = {name: value for name, value in former.content.items() if name in FIELDS}
        if service is None or any(live[name] != value for name, value in written.items()):
            counts.left += 1
            continue
        added = former.service_id == former.pk
        back = {"status": Service.Status.INACTIVE.value} if added else dict(former.base)
        change = ProposedChange(
            organization=former.organization, service=service, undoes=former, origin=_SHEET, content=back,
            base={name: live[name] for name in back}, proposed_by=by, proposed_at=at,
        )  # fmt: skip
        settle(Entry(service.pk, former.organization, service, change, live), change, by=by, at=at)
        counts.made += change.status == Status.MADE
        counts.waiting += change.status == Status.WAITING
    return counts
