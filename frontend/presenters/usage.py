"""The use of the directory as a chart, words and rows of a file. A number too small to be told is a phrase, never a figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.safestring import SafeString

from catalogue.usage import SMALL, Kind
from catalogue.usage_figures import OF_A_SERVICE, Usage
from frontend.environment import day
from frontend.presenters import charts

FEW = f"under {SMALL}"
#: Short words for the heads of columns.
HEADS = {
    Kind.OPENED: "Opened", Kind.PHONE: "Phone", Kind.EMAIL: "E-mail", Kind.WEB: "Website", Kind.REFERRAL: "Referrals begun",
}  # fmt: skip
#: Two lines are read at a glance; the table has all of them.
DRAWN = 2


@dataclass(frozen=True, slots=True)
class Chart:
    svg: SafeString
    words: str


def number(value: int | None) -> str:
    return FEW if value is None else f"{value:,}"


def chart(found: Usage, *, weekly: bool, today: date) -> Chart:
    """The first two figures over time, and the same in a sentence. A day or week not yet over would look like a fall: it is not drawn."""
    drawn = found.kinds[:DRAWN]
    over = today - timedelta(days=7 if weekly else 1)
    rows = [
        {"day": step.first.isoformat(), "series": str(kind.label), "count": step.counts[kind]}
        for step in found.steps
        for kind in drawn
        if step.counts[kind] is not None and step.first <= over
    ]
    of = "week" if weekly else "day"
    words = _sentence(found, drawn[-1], of)
    title = f"{' and '.join(str(kind.label) for kind in drawn)}, each {of}"
    return Chart(charts.lines(rows, title=title, description=words, y_title="How many") if rows else SafeString(""), words)


def _sentence(found: Usage, kind: Kind, of: str) -> str:
    steps = [(step.first, step.counts[kind] or 0) for step in found.steps]
    first, most = max(steps, key=lambda step: step[1])
    total = number(found.totals[kind])
    if not most:
        return f"{kind.label} in all: {total}."
    return (
        f"{kind.label} in all: {total}. The most were {most:,}, in the {of} from {day(first)}."
        if of == "week"
        else (f"{kind.label} in all: {total}. The most were {most:,}, on {day(first)}.")
    )


def of_service(counts: dict[str, int | None]) -> list[tuple[str, str]]:
    """`[("Opened", "12"), ("Phone", "under 5"), …]`."""
    return [(HEADS[kind], number(counts[kind])) for kind in OF_A_SERVICE]


def table(found: Usage) -> Iterator[Sequence[Any]]:
    """Every figure as rows for a spreadsheet. The first row names the columns."""
    yield "figure", "of", "count"
    for step in found.steps:
        for kind in found.kinds:
            yield str(kind.label).lower(), step.first.isoformat(), number(step.counts[kind]).replace(",", "")
    for name, words, rare in (
        ("searched for", found.words, found.rare_words),
        ("searched for without an answer", found.unanswered, found.rare_unanswered),
    ):
        for what, count in words:
            yield name, what, count
        yield name, f"other words, each {FEW}", rare
    for line in found.services:
        for kind in OF_A_SERVICE:
            yield str(kind.label).lower(), line.service.name, number(line.counts[kind]).replace(",", "")
    yield "services opened", f"other services, each {FEW}", found.rare_services
