"""The charts of a what-if question: how many wait each day, how long waits are, and how far each figure may be otherwise."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString

from flow.simulation.compare import Range
from frontend.presenters.charts import COLOURS, DASHES, drawn

Named = Sequence[tuple[str, Range]]


def daily(series: Sequence[tuple[str, Sequence[Range]]], *, title: str, description: str) -> SafeString:
    """Lines of the mean of each day, each within the band of nine in ten futures."""
    rows = [
        {"day": day, "series": name, "mean": round(each.mean, 2), "low": round(each.low, 2), "high": round(each.high, 2)}
        for name, days in series
        for day, each in enumerate(days, start=1)
    ]
    return _render("daily", json.dumps(rows), title, description)


def bands(series: Sequence[tuple[str, Named]], *, title: str, description: str) -> SafeString:
    """Columns side by side: how many people waited so long, with the range of nine in ten futures."""
    return _render("bands", json.dumps(_rows(series)), title, description)


def ranges(series: Sequence[tuple[str, Named]], *, title: str, description: str) -> SafeString:
    """A dot and a line for each way of choosing, as it is and as it would be."""
    return _render("ranges", json.dumps(_rows(series)), title, description)


def _rows(series: Sequence[tuple[str, Named]]) -> list[dict[str, Any]]:
    return [
        {"series": name, "of": label, "mean": round(each.mean, 2), "low": round(each.low, 2), "high": round(each.high, 2)}
        for name, named in series
        for label, each in named
    ]


@lru_cache(maxsize=64)
def _render(kind: str, figures: str, title: str, description: str) -> SafeString:
    import altair as alt  # takes a second, and most processes never draw

    rows = json.loads(figures)
    names = list(dict.fromkeys(row["series"] for row in rows))
    solid = alt.Legend(symbolOpacity=1)  # the bands are faint, their names are not
    colours = alt.Scale(domain=names, range=list(COLOURS[: len(names)]))
    colour = alt.Color("series:N", title=None, sort=names, scale=colours, legend=solid)
    base = alt.Chart(alt.Data(values=rows))
    plain = alt.Axis(grid=False)
    if kind == "daily":
        days = alt.X("day:Q", title="Day", axis=plain, scale=alt.Scale(nice=False))
        dash = alt.StrokeDash("series:N", title=None, sort=names, scale=alt.Scale(domain=names, range=list(DASHES[: len(names)])))
        band = base.mark_area(opacity=0.18).encode(x=days, y=alt.Y("low:Q", title="People"), y2="high:Q", color=colour)
        line = base.mark_line(strokeWidth=2.5).encode(x=days, y="mean:Q", color=colour, strokeDash=dash)
        chart = (band + line).properties(width=480, height=220)
    elif kind == "bands":
        labels = list(dict.fromkeys(row["of"] for row in rows))
        across = alt.X("of:N", title="Days waited", sort=labels, axis=alt.Axis(labelAngle=0, grid=False))
        beside = alt.XOffset("series:N", sort=names)
        bars = base.mark_bar().encode(x=across, xOffset=beside, y=alt.Y("mean:Q", title="People"), color=colour)
        rule = base.mark_rule(strokeWidth=2, color="#212b32").encode(x=across, xOffset=beside, y="low:Q", y2="high:Q")
        chart = (bars + rule).properties(width=480, height=220)
    else:
        labels = list(dict.fromkeys(row["of"] for row in rows))
        down = alt.Y("of:N", title=None, sort=labels)
        apart = alt.YOffset("series:N", sort=names)
        along = alt.X("low:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
        shape = alt.Shape("series:N", title=None, sort=names, scale=alt.Scale(domain=names))
        rule = base.mark_rule(strokeWidth=2.5).encode(y=down, yOffset=apart, x=along, x2="high:Q", color=colour)
        dot = base.mark_point(size=90, filled=True, opacity=1).encode(y=down, yOffset=apart, x="mean:Q", color=colour, shape=shape)
        chart = (rule + dot).properties(width=380, height=46 * len(labels) + 10)
    return drawn(chart, title=title, description=description)
