"""Questions about places. Answers are plain values: what screens, sockets and the API show of a pool at one instant."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from capacity import words
from capacity.models import CapacityReport, CapacityStatus, Per, Reservation, ServiceCapacity, Via
from capacity.status import Figure, Freshness, Rag, RagState, Said, told
from catalogue.models import Service, User
from core import prepared  # noqa: F401 – has the lookup `any_of`

_COLUMNS = (
    "id", "service_id", "service__name", "service__organization_id", "service__organization__name",
    "care_type__code", "care_type__name", "care_type__group",
    "name", "unit", "version", "available", "held", "maximum", "status", "note", "is_open",
    "session_of_id", "reported_at", "reported_via", "reported_by__organization__name",
    "care_type__freshness__fresh_for", "care_type__freshness__expires_after",
)  # fmt: skip
_SAID = tuple(each.name for each in fields(Said))
#: Shown as they are told.
_AS_THEY_ARE = (*_SAID, "occupied", "bed_type", "for_sex", "per", "starts_at", "ends_at")

#: Routes by which nobody signs in: what came there was asked of, and told by, those who run the service.
_UNSIGNED = {Via.LINK, Via.SMS, Via.EMAIL}


@dataclass(frozen=True, slots=True)
class PoolState:
    """One pool as it stands at one instant, and what it will decay to if nobody says anything more.

    `free` is places less holds; None is not known. `told_by` names an organisation and a route, never a person.
    `timeline` holds (from when, state); its first entry is the state now.
    """

    id: UUID
    service: UUID
    service_name: str
    organization: UUID
    organization_name: str
    care_type: str
    care_type_name: str
    care_type_group: str
    name: str
    unit: str
    version: int
    available: int | None
    held: int
    free: int | None
    maximum: int | None
    status: str
    note: str
    is_open: bool
    reported_at: datetime | None
    told_by: str
    told: str
    timeline: tuple[tuple[datetime, RagState], ...]
    occupied: int | None = None
    reserved: int | None = None
    waiting: int | None = None
    expected_wait_days: int | None = None
    bed_type: str = ""
    for_sex: str = ""
    per: str = ""
    closed_reason: str = ""
    closed_until: date | None = None
    session_of: UUID | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def makes_sessions(self) -> bool:
        """It only says how many places each session has."""
        return self.per == Per.SESSION and self.starts_at is None

    @property
    def conditions(self) -> list[str]:
        """What the badge does not say and anybody must know before they ask: when the session is, for whom, and for how long a place is."""
        said = [
            words.session(self.starts_at, self.ends_at) if self.starts_at else "",
            words.ONLY.get(self.for_sex, ""),
            f"Counted {Per(self.per).label}" if self.per in (Per.DAY, Per.WEEK) else "",
        ]
        return [each for each in said if each]

    @property
    def state(self) -> RagState:
        """Colour, word and reason now."""
        return self.timeline[0][1]

    @property
    def rag(self) -> Rag:
        return self.state.rag

    @property
    def word(self) -> str:
        return self.state.word

    @property
    def reason(self) -> str:
        return self.state.reason

    @property
    def can_be_held(self) -> bool:
        """There is a free place that could be kept for somebody."""
        offered = self.status != CapacityStatus.WAITLIST and not self.makes_sessions
        return offered and self.rag in (Rag.GREEN, Rag.AMBER) and bool(self.free)

    def as_json(self) -> dict[str, Any]:
        """The form that sockets send and pages embed; see docs/architecture.md."""
        return {
            "id": str(self.id),
            "service": str(self.service),
            "name": self.name,
            "unit": self.unit,
            "version": self.version,
            "available": self.available,
            "held": self.held,
            "free": self.free,
            "maximum": self.maximum,
            "status": self.status,
            "note": self.note,
            "conditions": self.conditions,
            "reported_at": self.reported_at.isoformat() if self.reported_at else None,
            "told_by": self.told_by,
            "timeline": [[start.isoformat(), state.rag.value, state.word, state.reason] for start, state in self.timeline],
        }


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """A pool's figure from `at` until the next point."""

    at: datetime
    kind: str
    available: int | None
    held: int
    maximum: int | None
    status: str

    @property
    def free(self) -> int | None:
        return None if self.available is None else self.available - self.held


@dataclass(slots=True)
class RagCount:
    """How many pools of one group of care types show each colour, and how many places they have free together.

    `free` adds up only pools that are green or amber: a figure that is red or no longer believed offers nothing, nor does
    a waiting list.
    """

    group: str
    green: int = 0
    amber: int = 0
    red: int = 0
    grey: int = 0
    free: int = 0

    @property
    def total(self) -> int:
        return self.green + self.amber + self.red + self.grey


def with_state(queryset: QuerySet[ServiceCapacity], at: datetime) -> list[PoolState]:
    """The state of each pool of `queryset` at `at`, in its order. One query, freshness policies and reporters included."""
    return [_state(row, at) for row in queryset.values(*_COLUMNS, *_AS_THEY_ARE)]


def pool_states(ids: Iterable[UUID], at: datetime) -> dict[UUID, PoolState]:
    """The state of these pools, in one query; an unknown id is left out. The caller has checked who may see them."""
    names = (*_COLUMNS, *_AS_THEY_ARE)
    with connection.cursor() as cursor:
        cursor.execute(_states_by_id(), [list(set(ids))])
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    return {row["id"]: _state(row, at) for row in rows}


@cache
def _states_by_id() -> str:
    """What `with_state` asks, as text: sockets and every update ask it again and again, and to put it together costs as much as to run it.

    Its columns are of types that the driver reads as Django does.
    """
    asked = ServiceCapacity.objects.filter(pk__any_of=[]).order_by().values(*_COLUMNS, *_AS_THEY_ARE)
    sql: str = asked.query.sql_with_params()[0]
    return sql


def next_of_each(states: Iterable[PoolState]) -> list[PoolState]:
    """Of the sessions of a series only the next that is not known to be full, or else the next; everything else as it is."""
    found: dict[UUID, PoolState] = {}
    for state in states:
        key = state.session_of or state.id
        if key not in found or _sooner(state) < _sooner(found[key]):
            found[key] = state
    return list(found.values())


def _sooner(state: PoolState) -> tuple[bool, datetime | None]:
    return (state.rag is Rag.RED, state.starts_at)


def history(pool_id: UUID, since: datetime) -> list[HistoryPoint]:
    """What was believed of a pool, oldest first, from `since`; observations that came late stand where they were made."""
    return histories([pool_id], since).get(pool_id, [])


def histories(ids: Iterable[UUID], since: datetime) -> dict[UUID, list[HistoryPoint]]:
    """`history` of several pools in one query. A pool of which nothing was said since then is left out."""
    rows = CapacityReport.objects.filter(pool_id__in=set(ids), observed_at__gte=since).order_by("observed_at", "version")
    found: dict[UUID, list[HistoryPoint]] = {}
    for row in rows:
        point = HistoryPoint(row.observed_at, row.kind, row.available, row.held, row.maximum, row.status)
        found.setdefault(row.pool_id, []).append(point)
    return found


def rag_counts(user: User, at: datetime) -> list[RagCount]:
    """For each group of care types, in the order of its name: pools by colour and free places, of all that `user` may see."""
    counts: dict[str, RagCount] = {}
    columns = (
        "care_type__group", "available", "held", "maximum", "status", "is_open", "reported_at", *_SAID,
        "care_type__freshness__fresh_for", "care_type__freshness__expires_after",
    )  # fmt: skip
    for row in ServiceCapacity.objects.visible_to(user).offered(at).order_by().values(*columns):
        group = row["care_type__group"] or "Other"
        count = counts.setdefault(group, RagCount(group))
        figure = _figure(row)
        colour = figure.at(at).rag
        setattr(count, colour.value, getattr(count, colour.value) + 1)
        if figure.free and colour in (Rag.GREEN, Rag.AMBER) and row["status"] != CapacityStatus.WAITLIST:
            count.free += figure.free
    return sorted(counts.values(), key=lambda count: count.group)


def _figure(row: dict[str, Any]) -> Figure:
    fresh_for: timedelta | None = row["care_type__freshness__fresh_for"]
    return Figure(
        status=row["status"],
        free=None if row["available"] is None else row["available"] - row["held"],
        maximum=row["maximum"],
        is_open=row["is_open"],
        reported_at=row["reported_at"],
        freshness=Freshness() if fresh_for is None else Freshness(fresh_for, row["care_type__freshness__expires_after"]),
        said=Said(**{name: row[name] for name in _SAID}),
    )


def _state(row: dict[str, Any], at: datetime) -> PoolState:
    figure = _figure(row)
    organization = row["reported_by__organization__name"]
    if organization is None and row["reported_via"] in _UNSIGNED:
        organization = row["service__organization__name"]
    told_by = _told_by(organization, row["reported_via"])
    age = told(row["reported_at"], at)
    return PoolState(
        id=row["id"],
        service=row["service_id"],
        service_name=row["service__name"],
        organization=row["service__organization_id"],
        organization_name=row["service__organization__name"],
        care_type=row["care_type__code"],
        care_type_name=row["care_type__name"],
        care_type_group=row["care_type__group"],
        name=row["name"],
        unit=row["unit"],
        version=row["version"],
        available=row["available"],
        held=row["held"],
        free=figure.free,
        maximum=row["maximum"],
        status=row["status"],
        note=row["note"],
        is_open=row["is_open"],
        reported_at=row["reported_at"],
        told_by=told_by,
        told=f"{age} {told_by}" if told_by and row["reported_at"] else age,
        timeline=tuple(figure.timeline(at)),
        session_of=row["session_of_id"],
        **{name: row[name] for name in _AS_THEY_ARE},
    )


def _told_by(organization: str | None, via: str) -> str:
    """Who said it and how, with no person's name: "by Fir Grove, on Lune"."""
    route = str(Via(via).label) if via else ""
    return ", ".join(part for part in (f"by {organization}" if organization else "", route) if part)


def held_places(service: Service) -> str:
    """Why a record may not be merged away: places of it are kept for somebody. Empty when none is."""
    held = Reservation.objects.filter(pool__service=service, state=Reservation.State.HELD).count()
    if not held:
        return ""
    return f"{held} of its places {'is' if held == 1 else 'are'} held for somebody. Wait until that ends, or keep this record instead."
