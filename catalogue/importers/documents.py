"""Files of services in JSON: a page, a list, one service, or one service a line (NDJSON). They are streamed, whatever their size."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import ijson

from .fetch import MAX_DEPTH
from .files import reading
from .run import BrokenSource, Importing

#: No single service is longer.
MAX_LINE = 20_000_000
Events = Iterator[tuple[str, Any]]
_BEGIN, _END = ("start_map", "start_array"), ("end_map", "end_array")
_KEYS = ("contents", "content", "services")


def services(path: Path, importing: Importing) -> Iterator[tuple[str, Any]]:
    """Each service with the row that it stands in. Raises `BrokenSource` when the file is none of these."""
    with reading(path) as text:
        first = text.readline(MAX_LINE)
        second = text.readline(1)
        while second.isspace():
            second = text.readline(1)
    by_line = second and _loads(first)
    if isinstance(by_line, dict) and _is_service(by_line):
        return _lines(path, importing)
    return _streamed(path)


def _lines(path: Path, importing: Importing) -> Iterator[tuple[str, Any]]:
    with reading(path) as text:
        number = 0
        while line := text.readline(MAX_LINE):
            number += 1
            if not line.strip():
                continue
            record = _loads(line)
            if record is None:
                importing.reject(f"line {number}", "", "The line is not JSON, or is cut short.", "Write one whole service in each line.")
            else:
                yield f"line {number}", record


def _loads(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _streamed(path: Path) -> Iterator[tuple[str, Any]]:
    with reading(path) as text:
        number = 0
        try:
            for record in _records(text):
                number += 1
                yield f"service {number}", record
        except (ijson.JSONError, RecursionError) as error:
            raise BrokenSource(f"{path.name} is not JSON, or is cut short. Download it again.") from error
        except _OtherShape as error:
            raise BrokenSource("This is not a page of services as Open Referral UK has it. Check the address or the file.") from error


class _OtherShape(Exception):
    """JSON, but not of services."""


def _records(text: TextIO) -> Iterator[Any]:
    """The services of a list, of a page, or the one that the file is."""
    # `basic_parse`: the other ways of ijson keep the path to each value, which a deep file makes enormous.
    events = ijson.basic_parse(_Bytes(text), use_float=True)
    event, _ = next(events)
    if event == "start_array":
        yield from _items(events)
        return
    if event != "start_map":
        raise _OtherShape
    single: dict[str, Any] = {}
    for event, key in events:
        if event == "end_map":
            break
        event, scalar = next(events)
        if key in _KEYS and event == "start_array":
            yield from _items(events)
            return
        single[key] = _built(events, event, scalar)
    if not _is_service(single):
        raise _OtherShape
    yield single


def _items(events: Events) -> Iterator[Any]:
    for event, scalar in events:
        if event == "end_array":
            return
        yield _built(events, event, scalar)


def _built(events: Events, event: str, scalar: Any) -> Any:
    """The value that begins with this event, cut off far below where any record ends: such a one is refused for its depth."""
    if event not in _BEGIN:
        return scalar
    builder = ijson.ObjectBuilder()
    builder.event(event, scalar)
    depth = 1
    for event, scalar in events:
        depth += event in _BEGIN
        if depth <= MAX_DEPTH + 2:
            builder.event(event, scalar)
        depth -= event in _END
        if not depth:
            break
    return builder.value


class _Bytes:
    """A text file as ijson wants it."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def read(self, size: int) -> bytes:
        return self._text.read(max(size, 1)).encode() if size else b""


def _is_service(value: dict[str, Any]) -> bool:
    return "id" in value and "name" in value
