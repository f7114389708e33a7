"""What a crawl has fetched, on disk: memory does not grow with it, and a crawl that was stopped goes on where it was.

The file holds lines of JSON. The first says what is read; then come the records, as lists; after those of each page a mark says how far
the crawl is. What stands behind the last mark was cut off in the middle of a page, and is fetched again.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from core.clock import now

#: A crawl that stopped goes on within so long; after that the feed may be another.
KEPT = timedelta(hours=2)
_NAME = "crawl-{}.ndjson"


def place(folder: Path, source: object) -> Path | None:
    """Where the crawl of a source is kept; None when nothing can be. Throws away what is too old to be of use."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in folder.glob(_NAME.format("*")):
            if file.stat().st_mtime < (now() - 2 * KEPT).timestamp():
                file.unlink(missing_ok=True)
    except OSError:
        return None
    return folder / _NAME.format(source)


class Spool:
    """The records of one crawl and its marks. `marks` are those of the crawl that stopped, when it was of the same and not too old."""

    def __init__(self, path: Path | None, reading: dict[str, Any]) -> None:
        self.path = path
        self.reading = reading
        self.marks: list[dict[str, Any]] = []
        self.too_old = False
        self._file: IO[bytes] = _opened(path)
        end = self._look()
        if end:
            self._file.truncate(end)
            self._file.seek(end)
        else:
            self.begin()

    def begin(self) -> None:
        """Throw away what is there, and begin."""
        self.marks = []
        self._file.seek(0)
        self._file.truncate()
        self._put({"reading": self.reading, "began": now().isoformat()})

    def add(self, row: str, record: Any) -> None:
        self._put([row, record])

    def mark(self, **how_far: Any) -> None:
        """All records of a page are here."""
        self._put(how_far)
        self._file.flush()

    def records(self) -> Iterator[tuple[str, Any]]:
        """What was fetched, from the beginning."""
        self._file.seek(0)
        for line in self._file:
            if line.startswith(b"["):
                row, record = json.loads(line)
                yield row, record

    def close(self, *, forget: bool = False) -> None:
        self._file.close()
        if forget and self.path is not None:
            self.path.unlink(missing_ok=True)

    def _put(self, line: Any) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")

    def _look(self) -> int:
        """Where the last mark ends; 0: there is nothing to go on with."""
        self._file.seek(0)
        end = 0
        try:
            head = json.loads(self._file.readline() or b"{}")
            if head.get("reading") != self.reading:
                return 0
            if now() - datetime.fromisoformat(head["began"]) > KEPT:
                self.too_old = True
                return 0
            while (line := self._file.readline()).endswith(b"\n"):
                if line.startswith(b"{"):
                    self.marks.append(json.loads(line))
                    end = self._file.tell()
        except (ValueError, KeyError, TypeError, AttributeError):
            self.marks = []
            return 0
        return end


def _opened(path: Path | None) -> IO[bytes]:
    if path is None:
        return TemporaryFile("w+b")  # the spool closes it
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
