"""What the history of places says: how full they were, how often one was taken, how soon, and how far figures could be believed."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from capacity.models import PoolDay, ServiceCapacity
from catalogue.models import Area
from core.clock import LONDON

#: Fewer people than this could be recognised: a number of theirs is not told.
SMALL = 5
#: How long before a period a place may have become free for its time to be known.
LOOK_BACK = timedelta(days=91)


@dataclass(frozen=True, slots=True)
class Step:
    """One day, or one week from its first day on. None: not known, or of too few people to be told."""

    first: date
    pools: int
    occupancy: float | None
    """Places taken, of all there are, at the ends of those days at which both were known."""
    with_place: float | None
    """The share of the time in which a place was known to be free, of the time in which the figure could be believed."""
    stale: float
    """The share of the time in which no figure could be believed."""
    taken: int | None
    """Places taken through Lune, less those given back."""
    turnover: float | None
    """Places taken, of each hundred there are."""
    days_to_fill: float | None
    """Half of the places that went were free for less than so many days, half for longer."""
    went: int | None
    """How many places that is."""
    reports: int


@dataclass(frozen=True, slots=True)
class Series:
    """The steps of a period, and the same figures of the whole of it."""

    steps: list[Step]
    whole: Step


def told(number: int, *, small: int) -> int | None:
    """A number of people as it may be told: None when it is so small that it could point at one of them."""
    return number if number == 0 or abs(number) >= small else None


def pools_in(user: Any, *, area: str = "", kind: str = "", group: str = "") -> QuerySet[ServiceCapacity]:
    """The pools that `user` may see: of one district by its code, of one care type, of one group of care types.

    A place that is confidential stands in no district.
    """
    pools = ServiceCapacity.objects.visible_to(user)
    if kind:
        pools = pools.filter(care_type__code=kind)
    if group:
        pools = pools.filter(care_type__group=group)
    if area:
        open_places = Q(service__is_confidential=False, service__organization__is_confidential=False, location__is_confidential=False)
        outline = Area.objects.filter(kind=Area.Kind.DISTRICT, code=area).values("outline")[:1]
        pools = pools.filter(open_places, location__point__coveredby=outline)
    return pools


def of(pools: QuerySet[ServiceCapacity], *, first: date, last: date, weekly: bool = False, small: int = 0) -> Series:
    """The figures of `pools` from `first` to `last`, both counted. Numbers of people under `small` are not told."""
    ids = list(pools.order_by().values_list("pk", flat=True))
    starts = {day: _start(day, first, weekly=weekly) for day in _days(first, last)}
    sums: dict[date, dict[str, float]] = {start: defaultdict(float) for start in starts.values()}
    for row in _by_day(ids, first, last):
        step = sums[starts[row["day"]]]
        for name, value in row.items():
            if name != "day":
                step[name] += float(value or 0)
        step["hours"] += row["lines"] * hours_of(row["day"])
        step["pools"] = max(step["pools"], row["lines"])
    waits: dict[date, list[float]] = defaultdict(list)
    for day, days in times_to_fill(ids, first=first, last=last):
        waits[starts[day]].append(days)
    whole: dict[str, float] = defaultdict(float)
    for step in sums.values():
        for name, value in step.items():
            whole[name] = max(whole[name], value) if name == "pools" else whole[name] + value
    everything = [days for some in waits.values() for days in some]
    steps = [_step(start, step, waits[start], small) for start, step in sums.items()]
    return Series(steps, _step(first, whole, everything, small))


def _step(first: date, sums: dict[str, float], waits: list[float], small: int) -> Step:
    taken = int(sums["filled"] - sums["reopened"])
    shown = told(taken, small=small)
    went = told(len(waits), small=small)
    return Step(
        first=first,
        pools=int(sums["pools"]),
        occupancy=sums["occupied"] / sums["places"] if sums["places"] else None,
        with_place=sums["free"] / sums["known"] if sums["known"] else None,
        stale=max(0.0, 1 - sums["known"] / sums["hours"]) if sums["hours"] else 1.0,
        taken=shown,
        turnover=None if shown is None or not sums["all"] else 100 * taken * sums["lines"] / sums["all"] / max(1.0, sums["pools"]),
        days_to_fill=median(waits) if waits and went is not None else None,
        went=went,
        reports=int(sums["reports"]),
    )


def _by_day(ids: Collection[UUID], first: date, last: date) -> Iterable[dict[str, Any]]:
    both = Q(available__isnull=False, maximum__isnull=False)
    rows = PoolDay.objects.filter(pool__in=ids, day__range=(first, last)).order_by().values("day")
    sums: Any = rows.annotate(
        lines=Count("pk"),
        occupied=Sum(Coalesce(F("occupied"), F("maximum") - F("available")), filter=both),
        places=Sum("maximum", filter=both),
        all=Sum("maximum"),
        known=Sum("known_hours"),
        free=Sum("free_hours"),
        filled=Sum("filled"),
        reopened=Sum("reopened"),
        reports=Sum("reports"),
    )
    return sums


# Every place that came and every place that went has a number within its pool, in the order of versions: the first that came is the
# first to go. Where the numbers of a report that brought places and of one that took some away overlap, so many went, free since the one.
_TO_FILL = """
WITH told AS (
    SELECT pool_id, version, received_at, available - coalesce(lag(available) OVER w, 0) AS moved, row_number() OVER w = 1 AS is_first
    FROM capacity_capacityreport
    WHERE pool_id = ANY (%(ids)s) AND received_at >= %(known)s AND received_at < %(ends)s AND available IS NOT NULL AND kind <> 'late'
    WINDOW w AS (PARTITION BY pool_id ORDER BY version)
), numbered AS (
    SELECT pool_id, version, moved > 0 AS came,
           sum(abs(moved)) OVER (PARTITION BY pool_id, moved > 0 ORDER BY version) - abs(moved) AS number,
           sum(-moved) FILTER (WHERE moved < 0) OVER (PARTITION BY pool_id) AS went
    FROM told WHERE moved <> 0
), met AS (
    SELECT DISTINCT pool_id, number, went,
           max(version) FILTER (WHERE came) OVER w AS came_in, max(version) FILTER (WHERE NOT came) OVER w AS went_in
    FROM numbered WINDOW w AS (PARTITION BY pool_id ORDER BY number)
), counted AS (
    SELECT pool_id, came_in, went_in,
           least(coalesce(lead(number) OVER (PARTITION BY pool_id ORDER BY number), went), went) - number AS count
    FROM met WHERE number < went
)
SELECT (gone.received_at AT TIME ZONE 'Europe/London')::date, extract(epoch FROM gone.received_at - free.received_at), least(count, 100)
FROM counted
JOIN told free ON free.pool_id = counted.pool_id AND free.version = came_in
JOIN told gone ON gone.pool_id = counted.pool_id AND gone.version = went_in
WHERE NOT free.is_first AND gone.received_at >= %(begins)s
"""


def times_to_fill(ids: Collection[UUID], *, first: date, last: date) -> Iterable[tuple[date, float]]:
    """For each place that went from `first` to `last`: the day, and for how many days it had been free.

    What became free first goes first. A place goes by a yes to a referral, or by the provider's next, lower figure. Places that were
    free before anybody looked are left out: nobody knows since when. A pool may count thousands of hours: of those that went in one move
    no more than a hundred count, which tells no less.
    """
    begins, ends = midnight(first), midnight(last + timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute(_TO_FILL, {"ids": list(ids), "known": begins - LOOK_BACK, "begins": begins, "ends": ends})
        for day, seconds, count in cursor.fetchall():
            yield from [(day, float(seconds) / 86_400)] * int(count)


def midnight(day: date) -> datetime:
    """When a day of London begins."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)  # where an hour is an hour


def hours_of(day: date) -> float:
    """How long a day of London is: 23 or 25 hours when the clocks change."""
    return (midnight(day + timedelta(days=1)) - midnight(day)).total_seconds() / 3600


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _start(day: date, first: date, *, weekly: bool) -> date:
    return max(first, day - timedelta(days=day.weekday())) if weekly else day


def districts_of(pools: QuerySet[ServiceCapacity]) -> dict[UUID, str]:
    """The district of each pool that stands at an open place; a confidential one has none."""
    hidden = Q(service__is_confidential=True) | Q(service__organization__is_confidential=True) | Q(location__is_confidential=True)
    outline = Area.objects.filter(kind=Area.Kind.DISTRICT, outline__covers=OuterRef("location__point")).values("name")[:1]
    named = pools.exclude(hidden).exclude(location__point=None).order_by().annotate(district=Subquery(outline))
    return {pk: name for pk, name in named.values_list("pk", "district") if name}


def lines(pools: QuerySet[ServiceCapacity], *, first: date, last: date) -> Iterable[PoolDay]:
    """Every line of `pools` from `first` to `last`, the newest day first, with its pool, service and kind of care."""
    rows = PoolDay.objects.filter(pool__in=pools.order_by().values("pk"), day__range=(first, last))
    rows = rows.select_related("pool__service__organization", "pool__care_type").order_by(
        "-day", "pool__service__name", "pool__name", "pool_id"
    )
    return rows.iterator(chunk_size=2_000)
