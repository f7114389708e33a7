"""What happened for one person, told once, the newest first: gathered from sources that each part of Lune registers.

A source is asked for what one viewer may know of one person, and answers with entries, in a number of queries that does not grow with the
number of entries. `register` it when the app starts (`flow.apps`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from catalogue.models import User

#: So many entries are shown at once; there is a link to those before.
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    `key` names it for good, so that it is told once; `link` is the name of a page and what its address needs. `tone` is a look of a status:
    good, bad, waiting, ended. `withdrawn`: it was taken back, and is shown as such.
    """

    key: str
    at: datetime
    words: str
    more: str = ""
    who: str = ""
    link: tuple[str, UUID] | None = None
    tone: str = ""
    withdrawn: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, about whom, and what is too new to be shown on this page."""

    user: User
    patient: UUID
    before: datetime | None = None

    def newest(self, rows: QuerySet[Any, Any], field: str = "at") -> Sequence[Any]:
        """The newest of `rows` that this page may need."""
        if self.before is not None:
            rows = rows.filter(**{f"{field}__lt": self.before})
        return list(rows.order_by(f"-{field}", "-pk")[: AT_ONCE + 1])


Source = Callable[[Reader], Iterable[Entry]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What entries of one source are called in the filter."""

    code: str
    words: str
    source: Source


@dataclass(frozen=True, slots=True)
class Story:
    """A page of the story. `older` is where the page before begins; None when this is the beginning."""

    entries: list[Entry]
    older: datetime | None


_KINDS: dict[str, Kind] = {}


def register(code: str, words: str, source: Source) -> None:
    """Add a source. The same code replaces it, so that an app may be started twice."""
    _KINDS[code] = Kind(code, words, source)


def kinds() -> list[tuple[str, str]]:
    """Codes and words for the filter, in the order of registration."""
    return [(kind.code, kind.words) for kind in _KINDS.values()]


def read(*, user: User, patient_id: UUID, kinds: Iterable[str] = (), before: datetime | None = None) -> Story:
    """What `user` may know of what happened for a person. `kinds` leaves out the others.

    That the person may be shown at all is for the caller to see to, and to write to the read audit.
    """
    wanted = set(kinds) & _KINDS.keys()
    reader = Reader(user, patient_id, before)
    told: dict[str, Entry] = {}
    for kind in _KINDS.values():
        if wanted and kind.code not in wanted:
            continue
        for entry in kind.source(reader):
            if before is None or entry.at < before:
                told.setdefault(entry.key, _of_kind(entry, kind.code))
    newest = sorted(told.values(), key=lambda entry: (entry.at, entry.key), reverse=True)
    if len(newest) <= AT_ONCE:
        return Story(newest, None)
    # What happened in the same instant stays on one page: the next one begins before it.
    last = newest[AT_ONCE - 1].at
    shown = [entry for entry in newest if entry.at >= last]
    return Story(shown, last if len(shown) < len(newest) else None)


def _of_kind(entry: Entry, code: str) -> Entry:
    return Entry(
        entry.key, entry.at, entry.words, entry.more, entry.who, entry.link, entry.tone, entry.withdrawn, code
    )  # fmt: skip
