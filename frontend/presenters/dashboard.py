"""A manager's figures as bars, words and rows of a file. Numbers only: never a person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from capacity.status import Rag
from flow.figures import DAY_BANDS
from flow.queries import Dashboard
from frontend.environment import day, plural
from frontend.presenters import charts
from frontend.presenters.charts import Bar

#: The pieces of a bar: fill and words.
BANDS = tuple((f"day{number}", f"{label} days") for number, (label, _, _) in enumerate(DAY_BANDS))
COLOURS = (
    (Rag.GREEN.value, "Accepting now"),
    (Rag.AMBER.value, "Check first, few left or waiting list"),
    (Rag.RED.value, "Full or not accepting"),
    (Rag.GREY.value, "Not known"),
)
ONE = (("plain", "Referrals"),)
#: Before the name of a group in the filter of the map, to tell it from a kind of care.
GROUP = "group:"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the page draws. `pathway`, `delay` and `capacity` are stacked; `referrals` are plain bars."""

    waiting: int
    long_waits: int
    overdue: int
    median: str
    p90: str
    answered: int
    pathway: list[Bar]
    delay: list[Bar]
    capacity: list[Bar]
    referrals: list[Bar]
    trend: SafeString
    trend_words: str
    trend_rows: list[tuple[str, int]]


def duration(value: timedelta | None) -> str:
    """`timedelta(minutes=200)` → `"3 h 20 min"`; a dash when there is nothing to measure."""
    if value is None:
        return "–"
    minutes = round(value.total_seconds() / 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{plural(days, 'day')} {hours} h" if hours else plural(days, "day")
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def figures(found: Dashboard) -> Figures:
    capacity = charts.bars([(row.group, (row.green, row.amber, row.red, row.grey)) for row in found.capacity], COLOURS, shares=True)
    words = _trend_words(found)
    series = [{"day": point.on.isoformat(), "series": "People waiting", "count": point.waiting} for point in found.trend]
    return Figures(
        waiting=found.waiting,
        long_waits=sum(row.bands[-1] for row in found.by_pathway),
        overdue=found.overdue,
        median=duration(found.first_answer.median),
        p90=duration(found.first_answer.p90),
        answered=found.first_answer.answered,
        pathway=charts.bars([(row.label, row.bands) for row in found.by_pathway], BANDS),
        delay=charts.bars([(row.label, row.bands) for row in found.by_delay if row.total], BANDS),
        capacity=[
            replace(bar, href=f"?{urlencode({'kind': GROUP + bar.label})}#map-of-places", note=f"{plural(row.free, 'place')} free")
            for bar, row in zip(capacity, found.capacity, strict=True)
        ],
        referrals=charts.bars([(row.label, (row.count,)) for row in found.referrals], ONE),
        trend=charts.lines(series, title="People waiting at the end of each day", description=words, y_title="People waiting"),
        trend_words=words,
        trend_rows=[(day(point.on), point.waiting) for point in found.trend],
    )


def _trend_words(found: Dashboard) -> str:
    if not found.trend:
        return "Nothing has been recorded yet."
    first, last = found.trend[0], found.trend[-1]
    most = max(found.trend, key=lambda point: point.waiting)
    return (
        f"{plural(first.waiting, 'person', 'people')} on {day(first.on)}, {last.waiting} now. "
        f"The most was {most.waiting}, on {day(most.on)}."
    )


def table(found: Dashboard) -> Iterator[Sequence[Any]]:
    """All figures as rows of one long table, for a spreadsheet. The first row names the columns."""
    yield "figure", "of", "part", "count"
    for name, rows in (("waiting by pathway", found.by_pathway), ("waiting by delay", found.by_delay)):
        for row in rows:
            for (_, part), count in zip(BANDS, row.bands, strict=True):
                yield name, row.label, part, count
    for group in found.capacity:
        for part in ("green", "amber", "red", "grey"):
            yield "pools by colour", group.group, part, getattr(group, part)
        yield "places free", group.group, "", group.free
    for status in found.referrals:
        yield "referrals by status", status.label, "", status.count
    yield "referrals beyond their time", "", "", found.overdue
    for part, value in (("median", found.first_answer.median), ("90th percentile", found.first_answer.p90)):
        yield "minutes to first answer", "last 7 days", part, "" if value is None else round(value.total_seconds() / 60)
    for part in ("now", "filled", "released", "expired", "withdrawn"):
        yield "held places", "now" if part == "now" else "last 7 days", part, getattr(found.holds, part)
    for point in found.trend:
        yield "waiting at the end of the day", point.on.isoformat(), "", point.waiting
