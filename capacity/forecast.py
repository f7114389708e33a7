"""How likely a place is in the coming days, for each pool, learnt from what happened to it and to others of its kind.

A logistic regression on what was known at the end of a day, one for each group of care types and each number of days ahead, whose chances
are then calibrated; scikit-learn's. How long one waits is a Kaplan–Meier estimate; SciPy's. A forecast is shown only where, on days that
it had not seen, it was better than two plain guesses. `docs/capacity.md` says what that means for those who read it.

The libraries take more than a second to import: nothing here imports them before it has work to do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from capacity.models import ForecastSkill, PoolDay, PoolForecast, ServiceCapacity
from core.clock import local_date

#: Days ahead that are told.
HORIZONS = (1, 3, 7, 14)
#: A pool needs so many days with a known figure, among the last `WINDOW`, and one among the last week.
ENOUGH_DAYS, WINDOW, FRESH_DAYS = 28, 180, 7
#: A group of care types with fewer pools is forecast together with all the others.
ENOUGH_POOLS = 12
METHOD, USUAL = "logistic-calibrated/1", "usual/1"
#: Forecasts and their skill are kept for so long.
KEPT = timedelta(days=90)
#: So many waits that came to an end make a usual wait.
ENOUGH_WAITS = 4
#: Its error must be smaller than that of both guesses by this much of theirs: less can be luck.
MARGIN = 0.01


def beats_both(brier: float, last: float, weekday: float) -> bool:
    """Whether a forecast was better than both guesses on days that it had not seen. Only then is it told."""
    return brier < (1 - MARGIN) * min(last, weekday)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did. `stopped`: it was asked to end before all groups were done."""

    pools: int
    told: int
    groups: int
    stopped: bool


@dataclass(slots=True)
class _Pool:
    pk: UUID
    kind: str
    group: str


def make(
    *, at: datetime, say: Callable[[int, int, str], None] = lambda done, total, group: None, stop: Callable[[], bool] = lambda: False
) -> Done:
    """Forecast from the days that are summed, up to yesterday. Running twice on one day replaces what was made that day.

    `say` is told how many of how many groups are done, and which comes next; `stop` is asked between them, and what was done stays.
    """
    from capacity import learning

    today = local_date(at)
    pools = [
        _Pool(*row)
        for row in ServiceCapacity.objects.order_by("care_type__group", "pk").values_list("pk", "care_type__code", "care_type__group")
    ]
    table = learning.Table.of(_rows(today), [(pool.pk, pool.kind) for pool in pools], last=today - timedelta(days=1))
    able = table.known_days >= ENOUGH_DAYS
    groups: dict[str, list[int]] = {}
    for number, pool in enumerate(pools):
        groups.setdefault(pool.group, []).append(number)
    small = [name for name, members in groups.items() if sum(bool(able[number]) for number in members) < ENOUGH_POOLS]
    together = [number for name in small for number in groups.pop(name)]
    # The model of all pools serves those of which there are few: it is tested on all, and told of them alone.
    work: list[tuple[str, list[int], list[int]]] = [(name, members, members) for name, members in groups.items()]
    if together:
        work.append(("", list(range(len(pools))), together))
    told = done = seen = 0
    for name, members, served in work:
        say(done, len(work), name)
        if stop():
            break
        found = learning.forecast(table.part(members), horizons=HORIZONS, wanted=[members.index(number) for number in served])
        told += _write(today, name, [pools[number].pk for number in served], table.part(served), found)
        done, seen = done + 1, seen + len(served)
    say(done, len(work), "")
    _forget(today)
    return Done(pools=seen, told=told, groups=done, stopped=done < len(work))


def _rows(today: date) -> Iterable[tuple[Any, ...]]:
    rows = PoolDay.objects.filter(day__range=(today - timedelta(days=WINDOW), today - timedelta(days=1))).order_by()
    columns = ("pool_id", "day", "known_hours", "free_hours", "available", "held", "maximum", "filled", "reports")
    return rows.values_list(*columns).iterator(chunk_size=20_000)


@transaction.atomic
def _write(today: date, group: str, pks: list[UUID], table: Any, found: Any) -> int:
    """Keep one group's forecasts and how good they were. Returns for how many pools something is told."""
    for skill in found.skill:
        values = {name: getattr(skill, name) for name in ("count", "brier", "brier_last", "brier_weekday", "calibration")}
        ForecastSkill.objects.update_or_create(made_on=today, group=group, horizon=skill.horizon, defaults={"method": METHOD, **values})
    rows = []
    for number, pk in enumerate(pks):
        days = int(table.known_days[number])
        row = PoolForecast(pool_id=pk, made_on=today, days=days)
        if days >= ENOUGH_DAYS and table.known_of_late(number, FRESH_DAYS):
            chances = found.chances[number]
            row.method = METHOD if chances else USUAL
            row.chances = chances or table.usual(number, HORIZONS)
            if wait := table.wait(number, at_least=ENOUGH_WAITS):
                row.wait_days, row.wait_low, row.wait_high = wait
        if days:
            rows.append(row)
    fields = ["days", "method", "chances", "wait_days", "wait_low", "wait_high"]
    PoolForecast.objects.bulk_create(rows, batch_size=1_000, update_conflicts=True, unique_fields=["pool", "made_on"], update_fields=fields)
    return sum(bool(row.method) for row in rows)


@transaction.atomic
def _forget(today: date) -> None:
    PoolForecast.objects.filter(made_on__lt=today - KEPT).delete()
    ForecastSkill.objects.filter(made_on__lt=today - KEPT).delete()
