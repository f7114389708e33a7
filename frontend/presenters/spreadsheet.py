"""Files that a spreadsheet opens."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any


class _Echo:
    """A file that hands back what is written to it, so that a long list leaves line by line."""

    def write(self, text: str) -> str:
        return text


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[Any]:
    """Lines of a CSV file, one at a time."""
    writer = csv.writer(_Echo())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([inert(value) for value in row])


def inert(value: object) -> object:
    """A spreadsheet takes text that starts like this for a formula and runs it."""
    return f"'{value}" if isinstance(value, str) and (value[:1].isspace() or value[:1] in ("=", "+", "-", "@")) else value
