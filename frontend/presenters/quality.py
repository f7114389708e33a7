"""The quality of the directory in words, bars and rows of a file."""

from collections.abc import Iterator, Sequence
from typing import Any

from catalogue.quality import PARTS, Figures, Quality
from frontend.environment import plural
from frontend.presenters import charts
from frontend.presenters.spreadsheet import inert

NOT_PLACED, KEPT_HERE = "Not placed in a district", "Kept in this directory"
#: The pieces of a bar: fill and words.
AGES = (("green", "Checked in the last three months"), ("amber", "Checked longer ago"), ("grey", "Never checked"))


def headline(found: Quality) -> str:
    """`"412 of 1,574 records have been checked in the last three months."`"""
    everything = found.everything
    if not everything.records:
        return "There are no public records yet."
    have = "has" if everything.records == 1 else "have"
    return f"{everything.fresh:,} of {plural(everything.records, 'record')} {have} been checked in the last three months."


def named(rows: Sequence[Figures], empty: str) -> list[tuple[str, Figures]]:
    return [(row.name or empty, row) for row in rows]


def ages(rows: Sequence[tuple[str, Figures]]) -> list[charts.Bar]:
    """One bar for each, all equally long, so that a small source can be compared with a large one."""
    return charts.bars([(name, (row.fresh, row.overdue, row.never)) for name, row in rows], AGES, shares=True)


def table(found: Quality) -> Iterator[Sequence[Any]]:
    """Every figure as rows for a spreadsheet. The first row names the columns."""
    words = [label for _, label in PARTS]
    yield ["by", "name", "records", *(label for _, label in AGES), "median age in days", *words, "licence", "attribution"]
    rows = [("all", "Everything", found.everything, "")]
    rows += [("district", name, row, "") for name, row in named(found.by_district, NOT_PLACED)]
    rows += [("source", name, row, row.name) for name, row in named(found.by_source, KEPT_HERE)]
    for by, name, row, publisher in rows:
        source = found.licences.get(publisher)
        median = "" if row.median_days is None else row.median_days
        counts = [row.complete[key] for key, _ in PARTS]
        licence = [source.licence, source.attribution] if source else ["", ""]
        yield [inert(value) for value in (by, name, row.records, row.fresh, row.overdue, row.never, median, *counts, *licence)]
