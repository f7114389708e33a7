"""Pictures of figures that work without colour, without script and on a phone.

Bars are plain rows that a template draws; the chart over time is Altair's, rendered once for the same figures and then kept.
"""

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe

_SVG = "http://www.w3.org/2000/svg"
_FONT = "Arial, sans-serif"
#: Told apart by lightness as well as by hue; each line also has a dash of its own.
COLOURS = ("#12344d", "#007f3b", "#d5281b", "#7c2855")
DASHES = ([1, 0], [6, 3], [2, 3], [10, 3, 2, 3])


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar. `start` and `width` are in per cent of the chart's width."""

    key: str
    label: str
    count: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: what it counts, its pieces, where a reader can see what was counted (empty: not allowed), and a remark."""

    label: str
    total: int
    parts: tuple[Part, ...]
    href: str = ""
    note: str = ""

    @property
    def words(self) -> str:
        """The pieces in words, for those who do not see the bar."""
        return ", ".join(f"{part.label}: {part.count}" for part in self.parts)


def bars(rows: Sequence[tuple[str, Sequence[int]]], keys: Sequence[tuple[str, str]], *, shares: bool = False) -> list[Bar]:
    """Stacked bars from `(label, counts in the order of keys)`; `keys` are `(key, label)` of the pieces.

    With `shares` each bar is as long as the others, so that small groups can be compared with large ones.
    """
    longest = max((sum(counts) for _, counts in rows), default=0) or 1
    found = []
    for label, counts in rows:
        parts: list[Part] = []
        start = 0.0
        whole = (sum(counts) or 1) if shares else longest
        for (key, name), count in zip(keys, counts, strict=True):
            width = count / whole * 100
            parts.append(Part(key=key, label=name, count=count, start=round(start, 2), width=round(width, 2)))
            start += width
        found.append(Bar(label=label, total=sum(counts), parts=tuple(parts)))
    return found


def lines(rows: Sequence[dict[str, Any]], *, title: str, description: str, y_title: str) -> SafeString:
    """A chart over time as SVG from rows of `{"day": iso date, "series": name, "count": number}`; empty for no rows."""
    if not rows:
        return SafeString("")
    return _render(json.dumps({"rows": list(rows), "title": title, "description": description, "y_title": y_title}, sort_keys=True))


@lru_cache(maxsize=64)
def _render(figures: str) -> SafeString:
    """Rendering takes about a tenth of a second, so that equal figures are drawn once."""
    # Here, not above: they take a second to import, and most processes never draw.
    import altair as alt

    asked = json.loads(figures)
    names = list(dict.fromkeys(row["series"] for row in asked["rows"]))
    line: dict[str, Any] = {"shorthand": "series:N", "title": None, "sort": names}
    if len(names) == 1:
        line["legend"] = None  # the heading names it
    chart = (
        alt.Chart(alt.Data(values=asked["rows"]))
        .mark_line(point=alt.OverlayMarkDef(size=40), strokeWidth=2.5)
        .encode(
            x=alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=7, grid=False)),
            y=alt.Y("count:Q", title=asked["y_title"], axis=alt.Axis(tickMinStep=1, tickCount=5)),
            color=alt.Color(**line, scale=alt.Scale(domain=names, range=COLOURS[: len(names)])),
            strokeDash=alt.StrokeDash(**line, scale=alt.Scale(domain=names, range=DASHES[: len(names)])),
            shape=alt.Shape(**line, scale=alt.Scale(domain=names)),
        )
        .properties(width=480, height=200)
    )
    return drawn(chart, title=asked["title"], description=asked["description"])


def drawn(chart: Any, *, title: str, description: str) -> SafeString:
    """An Altair chart as all our charts look."""
    import vl_convert as vlc

    styled = (
        chart.configure(font=_FONT, background="transparent")
        .configure_axis(labelFontSize=14, titleFontSize=14, labelColor="#212b32", titleColor="#212b32", gridColor="#d8dde0", labelLimit=220)
        .configure_legend(orient="top", labelFontSize=14, symbolStrokeWidth=2.5, symbolSize=90, labelColor="#212b32")
        .configure_view(stroke=None)
    )
    return accessible(vlc.vegalite_to_svg(styled.to_dict()), title=title, description=description)


def accessible(svg: str, *, title: str, description: str) -> SafeString:
    """The picture as one image with a name and a description, that scales with the page and asks for no inline style.

    Vega names every mark for screen readers; inside an image those names are noise, so they go. The figures themselves
    belong in a table beside the picture.
    """
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)  # noqa: S314 (made by our own process)
    for element in root.iter():
        for name in [name for name in element.attrib if name.startswith("aria-") or name in ("role", "class", "style")]:
            del element.attrib[name]
    mark = hashlib.sha256(f"{title}{description}".encode()).hexdigest()[:8]
    for tag, text in (("desc", description), ("title", title)):
        child = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{tag}-{mark}"})
        child.text = text
        root.insert(0, child)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"title-{mark}", "aria-describedby": f"desc-{mark}", "class": "lune-chart"}
    return mark_safe(ET.tostring(root, encoding="unicode"))  # noqa: S308 (text was escaped by the XML writer)
