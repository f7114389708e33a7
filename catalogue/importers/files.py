"""Reading files that may be compressed, cut short, or not what their name says."""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .run import BrokenSource

#: Publishers put up to this many lines of prose before the header.
MAX_PREAMBLE = 10
MAX_JSON_BYTES = 200_000_000


@contextmanager
def reading(path: Path, *, newline: str | None = "") -> Iterator[TextIO]:
    """Open a text file, gzip or plain, UTF-8; `newline` as for `open`. Any way in which it cannot be read becomes a `BrokenSource`."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.open(raw, "rt", encoding="utf-8-sig", newline=newline) as text:
                    yield text
            else:
                with path.open(encoding="utf-8-sig", newline=newline) as text:
                    yield text
    except UnicodeDecodeError as error:
        raise BrokenSource(f"{path.name} is not UTF-8 text. Save it as UTF-8 and try again.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BrokenSource(f"{path.name} is cut short or damaged. Download it again.") from error
    except csv.Error as error:
        raise BrokenSource(f"{path.name} is not a CSV file ({error}). Check that it is the right file.") from error
    except OSError as error:
        raise BrokenSource(f"{path.name} cannot be read: {error.strerror or 'damaged'}. Check the name and try again.") from error


def json_file(path: Path) -> Any:
    """The content of a JSON file; `BrokenSource` when it is none."""
    with reading(path) as text:
        content = text.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise BrokenSource(f"{path.name} is too large for one file (over {MAX_JSON_BYTES // 1_000_000} MB). Split it.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenSource(f"{path.name} is not JSON, or is cut short. Download it again.") from error


def header_of(path: Path) -> list[str]:
    """The first line of a CSV file, as fields."""
    with reading(path) as text:
        return next(csv.reader(text), [])


def csv_rows(path: Path, required: Sequence[str], *, on_ragged: Callable[[int, list[str]], None]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and values of each row below the header, which is the first line that has all `required` names.

    A row with another number of fields goes to `on_ragged`. Raises `BrokenSource` when no header is found.
    """
    with reading(path) as text:
        reader = csv.reader(text)
        header = _find_header(path, reader, required)
        for row in reader:
            if len(row) == len(header):
                yield reader.line_num, dict(zip(header, (value.strip() for value in row), strict=True))
            elif row:
                on_ragged(reader.line_num, row)


def _find_header(path: Path, reader: Iterator[list[str]], required: Sequence[str]) -> list[str]:
    first: list[str] = []
    for number, row in enumerate(reader):
        names = [name.strip() for name in row]
        first = first or names
        if set(required) <= set(names):
            return names
        if number >= MAX_PREAMBLE:
            break
    missing = [name for name in required if name not in first]
    raise BrokenSource(f"{path.name} has no column {', '.join(missing)}. Check that it is the right file.")
