"""The history of places as charts, words and rows of a file. A number too small to be told is a phrase, never a figure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.safestring import SafeString

from capacity.models import ForecastSkill, PoolDay
from capacity.outlook import is_told
from capacity.series import SMALL, Series, Step, told
from frontend.environment import day, plural
from frontend.presenters import charts

FEW = f"under {SMALL}"
UNKNOWN = "not known"
#: Heads of the table of figures, in its order.
HEADS = ("Groups of places", "Full", "Time with a place", "Time not known", "Taken", "Of each 100", "Days until taken", "Reports")


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its words."""

    id: str
    heading: str
    words: str
    svg: SafeString


def percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{round(share * 100)}%"


def number(value: int | None) -> str:
    return FEW if value is None else f"{value:,}"


def decimal(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def cells(step: Step) -> tuple[str, ...]:
    """A step in words, in the order of `HEADS`."""
    return (
        f"{step.pools:,}",
        percent(step.occupancy),
        percent(step.with_place),
        percent(step.stale),
        number(step.taken),
        decimal(step.turnover),
        FEW if step.went is None else decimal(step.days_to_fill),
        f"{step.reports:,}",
    )


def figures(found: Series, *, weekly: bool) -> list[Figure]:
    """The four questions: how full, how often a place, how far to be believed, how soon taken."""
    of, whole = "week" if weekly else "day", found.whole
    told_steps = [step for step in found.steps if step.taken is not None]
    return [
        _figure(
            found,
            "full",
            "How full",
            f"Of all places, {percent(whole.occupancy)} were taken at the ends of these days. "
            f"A place was free {percent(whole.with_place)} of the time.",
            {"Places taken": lambda step: _hundred(step.occupancy), "Time with a place free": lambda step: _hundred(step.with_place)},
            "Per cent",
            of,
        ),
        _figure(
            found,
            "stale",
            "Figures too old to be believed",
            f"{percent(whole.stale)} of the time no figure could be believed. Providers told theirs {plural(whole.reports, 'time')}.",
            {"Time not known": lambda step: _hundred(step.stale)},
            "Per cent",
            of,
        ),
        _figure(
            found,
            "taken",
            f"Places taken through Lune, each {of}",
            f"{number(whole.taken)} in all"
            + (f": {decimal(whole.turnover)} of each 100 places." if whole.turnover is not None else ".")
            + ("" if len(told_steps) == len(found.steps) else f" A {of} with fewer than {SMALL} is not drawn."),
            {"Places taken": lambda step: step.taken},
            "How many",
            of,
        ),
        _figure(
            found,
            "until",
            "Days from free until taken",
            _until(whole),
            {"Days until taken": lambda step: None if step.days_to_fill is None else round(step.days_to_fill, 2)},
            "Days",
            of,
        ),
    ]


def _until(whole: Step) -> str:
    if whole.went is None:
        return f"Fewer than {SMALL} places went: too few to say how long they had been free."
    if whole.days_to_fill is None:
        return "No place went of which it is known since when it was free."
    return f"Half of the {plural(whole.went, 'place')} that went had been free for less than {decimal(whole.days_to_fill)} days."


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)


def _figure(found: Series, id: str, heading: str, words: str, series: Mapping[str, Any], axis: str, of: str) -> Figure:
    rows = [
        {"day": step.first.isoformat(), "series": name, "count": value}
        for step in found.steps
        for name, read in series.items()
        if (value := read(step)) is not None
    ]
    svg = charts.lines(rows, title=f"{heading}, each {of}" if "each" not in heading else heading, description=words, y_title=axis)
    return Figure(id, heading, words, svg)


def free_each_day(rows: Sequence[PoolDay], unit: str) -> Figure:
    """One pool: how many were free at the end of each day; days of which nothing is known are left out."""
    known = [(row.day, row.available - row.held) for row in reversed(rows) if row.available is not None]
    drawn = [{"day": on.isoformat(), "series": "Free", "count": free} for on, free in known]
    numbers = [free for _, free in known]
    words = (
        f"Between {min(numbers)} and {plural(max(numbers), unit)} at the ends of days." if numbers else "Nothing is known of these days."
    )
    heading = "Free at the end of each day"
    return Figure("free", heading, words, charts.lines(drawn, title=heading, description=words, y_title="Free"))


def day_cells(row: PoolDay, *, own: bool) -> tuple[str, ...]:
    """One pool's day in words: free at its end, least to most, hours with a place and hours known, reports, taken."""
    between = UNKNOWN if row.least_free is None else f"{row.least_free} to {row.most_free}"
    return (
        UNKNOWN if row.available is None else str(row.available - row.held),
        between,
        f"{row.free_hours.normalize():f}",
        f"{row.known_hours.normalize():f}",
        str(row.reports),
        number(told(row.filled, small=0 if own else SMALL)),
    )


DAY_HEADS = ("Free at the end", "Least to most", "Hours with a place", "Hours known", "Reports", "Taken")

COLUMNS = (
    "day", "service", "organisation", "district", "kind of care", "places", "unit", "maximum", "available", "held", "occupied",
    "least free", "most free", "free hours", "known hours", "reports", "taken", "given back", "holds", "holds ran out",
)  # fmt: skip


def file_rows(rows: Iterable[PoolDay], districts: Mapping[UUID, str]) -> Iterator[Sequence[Any]]:
    """Every line of every pool for a spreadsheet; nothing is an empty cell."""
    for row in rows:
        pool = row.pool
        yield (
            row.day.isoformat(), pool.service.name, pool.service.organization.name, districts.get(pool.pk, ""), pool.care_type.name,
            pool.name, pool.unit, row.maximum, row.available, row.held, row.occupied, row.least_free, row.most_free,
            row.free_hours, row.known_hours, row.reports, *(_file(each) for each in (row.filled, row.reopened, row.holds, row.expired)),
        )  # fmt: skip


def _file(count: int) -> object:
    shown = told(count, small=SMALL)
    return FEW if shown is None else shown


@dataclass(frozen=True, slots=True)
class SkillRow:
    """How good the forecast of one group was for one number of days ahead."""

    group: str
    days: str
    count: str
    brier: str
    last: str
    weekday: str
    is_told: bool
    calibration: list[tuple[str, str, str]]


def skill_rows(rows: Iterable[ForecastSkill], *, group: str = "") -> list[SkillRow]:
    """Of all groups, or of one."""
    return [
        SkillRow(
            group=row.group or "All kinds together",
            days=plural(row.horizon, "day"),
            count=f"{row.count:,}",
            brier=f"{row.brier:.3f}",
            last=f"{row.brier_last:.3f}",
            weekday=f"{row.brier_weekday:.3f}",
            is_told=is_told(row),
            calibration=[(percent(each["said"]), percent(each["came"]), f"{each['count']:,}") for each in row.calibration],
        )
        for row in rows
        if not group or row.group == group
    ]


def span(first: Any, last: Any) -> str:
    """ "From 25 October to 21 November 2026"."""
    return f"From {day(first)} to {day(last)}, {plural((last - first + timedelta(days=1)).days, 'day')}"
