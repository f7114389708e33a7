"""Pools as people speak of them, and what may be understood of a reply."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from capacity.understand import lexicon

ZERO, MORE, SAME = "zero", "more", "same"

#: What people count in; they tell kinds apart, and are left out of a name.
_COUNTED = frozenset({"bed", "hour", "visit", "session", "package"})


@dataclass(frozen=True, slots=True)
class PoolWords:
    """A pool as people speak of it, with its figure when they wrote. `key` is whatever the caller knows it by."""

    key: Hashable
    name: str
    unit: str = "place"
    bed_type: str = ""
    for_sex: str = ""
    available: int | None = None
    maximum: int | None = None
    place: str = ""

    @property
    def label(self) -> str:
        """Its name without the unit: "general residential"."""
        words = self.name.split()
        if len(words) > 1 and is_unit(words[-1]):
            words = words[:-1]
        return " ".join(words).lower()

    @property
    def words(self) -> frozenset[str]:
        """What may be said of it, each word as `lexicon.KINDS` has it."""
        text = f"{self.name} {self.bed_type} {self.for_sex} {self.unit} {self.place}"
        found: set[str] = set()
        for word in re.findall(r"[a-z0-9]+", text.replace("Live-in", "LIVEIN").replace("live-in", "LIVEIN").casefold()):
            found |= kind_of(word) or {word}
        return frozenset(found - lexicon.HARMLESS - lexicon.UNITS)


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure and the words that it was read from."""

    pool: PoolWords
    figure: int
    said: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What each pool that was named has free."""

    readings: tuple[Reading, ...]
    same: bool = False

    @property
    def figures(self) -> Mapping[Hashable, int]:
        return {reading.pool.key: reading.figure for reading in self.readings}


@dataclass(frozen=True, slots=True)
class AskAgain:
    """What to ask back. `why` is for those who count; `readings` is what was read before it became unclear."""

    question: str
    why: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """They want no more messages."""


@dataclass(slots=True)
class Item:
    """A number, a word for none, a change or "same" (values), or what it is of (a key)."""

    kind: str  # "number" | "zero" | "more" | "same" | "key" | "each" | "rest" | "all" | "both"
    number: int = 0
    words: frozenset[str] = frozenset()
    said: str = ""
    covers: bool = False

    @property
    def is_value(self) -> bool:
        return self.kind in ("number", ZERO, MORE, SAME)


class UnclearError(Exception):
    """Something could mean more than one thing; `why` is a key of the words that are asked back."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Said:
    """A value with what it is of; no key: of whatever there is."""

    value: Item
    key: Item | None
    free: bool = False  # the reply says in so many words that places are free


def kind_of(word: str) -> frozenset[str] | None:
    """What kind of place a word tells, whatever the pools are called."""
    return lexicon.KINDS.get(word) or lexicon.KINDS.get(word.upper())


def is_unit(word: str) -> bool:
    """Whether a word counts places and tells no kind: "beds", "places"."""
    kind = kind_of(word.casefold())
    return word.casefold() in lexicon.UNITS or (kind is not None and kind <= _COUNTED)
