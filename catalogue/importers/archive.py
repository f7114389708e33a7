"""Zip files from strangers: nothing in them is opened before it is known how large it becomes.

What is read of an entry ends where the file's own list says that it ends; one that does not end there is damaged.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .run import BrokenSource


@dataclass(frozen=True)
class ZipLimits:
    """How much is borne of one file."""

    entries: int = 1_000
    total_bytes: int = 300_000_000
    """Of all that is in it, unpacked."""
    ratio: int = 200
    """Unpacked to packed; ordinary text packs to about a tenth."""


#: Below this size the ratio says nothing: a small file of spaces packs very well.
_SMALL = 1_000_000


@contextmanager
def opened(path: Path, limits: ZipLimits | None = None) -> Iterator[zipfile.ZipFile]:
    """A zip file that has been looked at. Raises `BrokenSource` when it is none, or a bomb."""
    limits = limits or ZipLimits()
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            if len(entries) > limits.entries:
                raise BrokenSource(f"{path.name} holds more than {limits.entries:,} files. Pack only the tables.")
            if sum(entry.file_size for entry in entries) > limits.total_bytes:
                raise BrokenSource(f"{path.name} unpacks to more than {limits.total_bytes // 1_000_000} MB. Split it.")
            for entry in entries:
                if entry.file_size > _SMALL and entry.file_size > limits.ratio * max(entry.compress_size, 1):
                    raise BrokenSource(f"{path.name} unpacks to {limits.ratio} times its size: it was made to do harm. It was not opened.")
                if entry.flag_bits & 1:
                    raise BrokenSource(f"{path.name} needs a password. Pack it without one.")
            yield packed
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError) as error:
        raise BrokenSource(f"{path.name} is not a zip file, or is damaged. Send it again.") from error
