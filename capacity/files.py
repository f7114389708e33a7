"""Figures by file: a spreadsheet or CSV in the shape of the Capacity Tracker, one row for each home and bed type.

A file is read with distrust and changes nothing: it becomes lines to look at (`read`, `compare`). What somebody then wants is reported
like any other figure (`apply`), as of the time that the file says. The same shape is written (`table`): told once, used for all returns.
"""

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from uuid import UUID

from capacity.batch import Line, Outcome, report_each
from capacity.kinds import bed_type_of
from capacity.models import BedType, CapacityReport, ServiceCapacity, Via
from capacity.queries import PoolState
from capacity.status import CLOCK_SKEW
from catalogue.entry import spreadsheet
from catalogue.models import ServiceAtLocation, User
from core.clock import LONDON
from core.errors import Invalid

MOST_ROWS = 1_000
LARGEST = 2 * 1024 * 1024
#: What each column is called when we write it, and a pattern for what others call it.
COLUMNS = {
    "cqc": ("CQC location ID", r"cqc.*|location ?id"),
    "service": ("Service", r"service.*|home.*|care home.*|location name|provider"),
    "kind": ("Bed type", r"bed type.*|type.*|places|name of places"),
    "maximum": ("Maximum", r"max.*|total.*"),
    "occupied": ("Occupied", r"occupied.*|taken"),
    "reserved": ("Vacant reserved", r"vacant[ -]*reserved.*|reserved.*"),
    "available": ("Vacant accepting", r"vacant[ -]*(accepting|admittable|available).*|accepting.*|free.*|vacan(t|cies)"),
    "told_at": ("Told at", r"told at|(last )?updated.*|observed.*|as (of|at).*|date.*|time.*"),
}
FIGURES = ("maximum", "occupied", "reserved", "available")
_TIMES = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%d %b %Y %H:%M", "%d %b %Y", "%d %B %Y %H:%M", "%d %B %Y")
_UNREADABLE = "We cannot read that file. Save it as CSV or as Excel workbook (.xlsx), then send it again."


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read. `figures` holds what it tells; `fault` says what is wrong with it."""

    number: int
    cqc: str = ""
    service: str = ""
    kind: str = ""
    figures: dict[str, int] = field(default_factory=dict)
    told_at: datetime | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What one row would do: `state` is "changes", "confirms", "known", "older" or "fault"."""

    row: Row
    state: str
    pool_id: UUID | None = None
    where: str = ""
    changes: tuple[tuple[str, int | None, int], ...] = ()
    """What is told, what stands now, what would stand."""
    observed_at: datetime | None = None
    key: str = ""
    fault: str = ""

    @property
    def counts(self) -> bool:
        """It would be kept."""
        return self.state in ("changes", "confirms", "older")


def read(data: bytes) -> list[Row]:
    """The rows of a CSV file or workbook, each with its figures or with what is wrong. Raises Invalid when it is no such file."""
    if len(data) > LARGEST:
        raise Invalid("The file is too large: up to 2 MB can be read. Split it.")
    lines = iter(spreadsheet.table(data) if data[:2] == b"PK" else _csv(data))
    headings = next(lines, [])
    places = _places(headings)
    missing = [COLUMNS[name][0] for name in ("kind", "available") if name not in places]
    if not {"cqc", "service"} & places.keys():
        missing.insert(0, f"{COLUMNS['cqc'][0]} or {COLUMNS['service'][0]}")
    if missing:
        raise Invalid(f"The first row must name the columns. These are missing: {', '.join(missing)}.")
    rows: list[Row] = []
    for number, cells in enumerate(lines, start=2):
        if any(cell.strip() for cell in cells):
            if len(rows) >= MOST_ROWS:
                raise Invalid(f"There are more than {MOST_ROWS:,} rows. Send them in several files.")
            rows.append(_row(number, {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()}))
    if not rows:
        raise Invalid("There is no row below the headings. Write one for each kind of bed.")
    return rows


def compare(rows: Iterable[Row], *, digest: str, by: User, at: datetime) -> list[Review]:
    """What each row would do to the provider's own places. Nothing is changed.

    A file that names no time is taken as seen now, and by `digest` as the same file when it comes again.
    """
    own = _Own(by)
    known = set(CapacityReport.objects.filter(pool__in=own.pools, via=Via.IMPORT).exclude(key="").values_list("pool_id", "key"))
    seen: dict[UUID, int] = {}
    found = []
    for row in rows:
        review = _review(row, own, known, digest=digest, at=at)
        if review.pool_id is not None and review.state != "fault":
            first = seen.setdefault(review.pool_id, row.number)
            if first != row.number:
                fault = f"Row {first} tells of the same places. Keep one of the two."
                review = Review(row=row, state="fault", where=review.where, fault=fault)
        found.append(review)
    return found


def apply(reviews: Iterable[tuple[UUID, dict[str, int], datetime, str]], *, by: User, at: datetime) -> list[Outcome]:
    """Report what somebody looked at and wants: pool, figures, when they were seen, and key. A row that came before changes nothing."""
    lines = [Line(pool, figures | {"observed_at": observed_at}, key) for pool, figures, observed_at, key in reviews]
    return report_each(lines, by=by, at=at, via=Via.IMPORT, key="")


def table(states: Iterable[PoolState], cqc: dict[UUID, str]) -> Iterator[list[object]]:
    """Rows in the mandatory shape, one for each pool; `cqc` gives the CQC location of each. What nobody has told stays empty."""
    for state in states:
        kind = state.bed_type or bed_type_of(state.care_type)
        yield [
            cqc.get(state.id, ""), state.service_name, str(BedType(kind).label) if kind else state.name,
            *("" if getattr(state, name) is None else getattr(state, name) for name in FIGURES),
            state.reported_at.astimezone(LONDON).strftime("%d/%m/%Y %H:%M") if state.reported_at else "",
            state.name, state.held, state.word, state.told_by,
        ]  # fmt: skip


#: Over what `table` writes: the mandatory columns, and what Lune knows besides.
HEADINGS = (*(name for name, _ in COLUMNS.values()), "Called", "Held through Lune", "State", "Told by")


class _Own:
    """The provider's places, to be found by what a file calls them."""

    def __init__(self, by: User) -> None:
        pools = ServiceCapacity.objects.visible_to(by).run_by(by).filter(session_of=None).select_related("service", "care_type", "location")
        self.pools = list(pools.order_by("service__name", "name", "pk"))
        self.by_cqc: dict[str, set[UUID]] = {}
        self.by_name: dict[str, set[UUID]] = {}
        for pool in self.pools:
            self.by_name.setdefault(_plain(pool.service.name), set()).add(pool.service_id)
            if pool.location and pool.location.cqc_location_id:
                self.by_cqc.setdefault(_plain(pool.location.cqc_location_id), set()).add(pool.service_id)
        services = {pool.service_id for pool in self.pools}
        at = ServiceAtLocation.objects.filter(service__in=services).exclude(location__cqc_location_id=None)
        for service_id, cqc in at.values_list("service_id", "location__cqc_location_id"):
            self.by_cqc.setdefault(_plain(cqc or ""), set()).add(service_id)

    def find(self, row: Row) -> ServiceCapacity | str:
        """The places that a row tells of, or why they are not found."""
        services = self.by_cqc.get(_plain(row.cqc), set()) if row.cqc else self.by_name.get(_plain(row.service), set())
        name = row.cqc or row.service
        if not services:
            return f"None of your services is “{name}”." if name else "Say which home it is: its CQC location ID or its name."
        called = [pool for pool in self.pools if pool.service_id in services]
        for found in (
            [pool for pool in called if _plain(pool.name) == _plain(row.kind)],
            [pool for pool in called if _plain(row.kind) in (_plain(pool.bed_type), _plain(bed_type_of(pool.care_type.code))) and row.kind],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                return f"“{row.kind}” could be several of your places. Write the name that they have on the page of your places."
        return f"There are no places called “{row.kind}” at {called[0].service.name}. Add them on the page of your places first."


def _review(row: Row, own: _Own, known: Collection[tuple[UUID, str]], *, digest: str, at: datetime) -> Review:
    pool = own.find(row)
    where = f"{row.service or row.cqc}, {row.kind}" if isinstance(pool, str) else f"{pool.service.name}, {pool.name}"
    if row.fault or isinstance(pool, str):
        return Review(row=row, state="fault", where=where, fault=row.fault or str(pool))
    if row.told_at is not None and row.told_at > at + CLOCK_SKEW:
        return Review(row=row, state="fault", where=where, fault="The time of this row has not come yet.")
    fault = _sum(row, pool)
    if fault:
        return Review(row=row, state="fault", where=where, fault=fault)
    key = _key(pool.pk, row, digest)
    changes = tuple((name, getattr(pool, name), value) for name, value in row.figures.items() if getattr(pool, name) != value)
    observed_at = row.told_at or at
    if (pool.pk, key) in known:
        state = "known"
    elif pool.reported_at is not None and observed_at < pool.reported_at:
        state = "older"
    else:
        state = "changes" if changes else "confirms"
    return Review(row=row, state=state, pool_id=pool.pk, where=where, changes=changes, observed_at=observed_at, key=key)


def _sum(row: Row, pool: ServiceCapacity) -> str:
    """Whether the parts are more than the whole, as they would stand."""
    after = {name: row.figures.get(name, getattr(pool, name)) for name in FIGURES}
    parts = sum(after[name] or 0 for name in FIGURES if name != "maximum")
    if after["maximum"] is not None and parts > after["maximum"]:
        return f"Taken, reserved and free together are {parts}, but there are {after['maximum']} in all."
    if pool.held > row.figures["available"]:
        held = f"{pool.held} of these places {'is' if pool.held == 1 else 'are'} held for somebody."
        return f"{held} Take them back on the page of your places."
    return ""


def _key(pool_id: UUID, row: Row, digest: str) -> str:
    when = row.told_at.isoformat() if row.told_at else digest
    told = " ".join(f"{name}={value}" for name, value in sorted(row.figures.items()))
    return hashlib.sha256(f"file {pool_id} {when} {told}".encode()).hexdigest()


def digest_of(data: bytes) -> str:
    """By which a file without times is known again."""
    return hashlib.sha256(data).hexdigest()


def _csv(data: bytes) -> Iterator[list[str]]:
    if b"\0" in data:
        raise Invalid(_UNREADABLE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    first = text.split("\n", 1)[0]
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise Invalid(_UNREADABLE) from error
    for row in rows:
        yield [cell[1:] if cell[:1] == "'" else cell for cell in row]


def _places(headings: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, heading in enumerate(headings):
        words = re.sub(r"[\s_]+", " ", heading).strip().casefold()
        # What we write ourselves comes first: "Told by" is no time, though it begins like one.
        exact = next((name for name, (own, _) in COLUMNS.items() if own.casefold() == words), None)
        ours = words in {own.casefold() for own in HEADINGS}
        name = exact or next((name for name, (_, pattern) in COLUMNS.items() if not ours and re.fullmatch(pattern, words)), None)
        if name:
            found.setdefault(name, at)
    return found


def _row(number: int, cells: dict[str, str]) -> Row:
    row: dict[str, Any] = {"number": number, **{name: cells.get(name, "")[:200] for name in ("cqc", "service", "kind")}}
    figures = {}
    for name in FIGURES:
        text = cells.get(name, "")
        if not text and name != "available":
            continue
        if not re.fullmatch(r"\d{1,4}(\.0+)?", text, re.ASCII):
            said = f"“{text[:40]}” is not a whole number" if text else "There is no number"
            return Row(**row, fault=f"{said} in “{COLUMNS[name][0]}”.")
        figures[name] = int(text.split(".")[0])
    told_at = None
    if text := cells.get("told_at", ""):
        told_at = _time(text)
        if told_at is None:
            return Row(**row, figures=figures, fault=f"“{text[:40]}” is not a time. Write it like 21/11/2026 14:30.")
    return Row(**row, figures=figures, told_at=told_at)


def _time(text: str) -> datetime | None:
    """A time as files write it, by a clock in England where they do not say; a day alone counts from midnight."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        for form in _TIMES:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007 (the zone follows)
                break
            except ValueError:
                continue
        else:
            return None
    return found if found.tzinfo else datetime.combine(found.date(), found.time() or time(), tzinfo=LONDON)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", text.casefold()).split())
