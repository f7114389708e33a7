"""How like two names are: word by word, with abbreviations written out and slips of the pen forgiven, by rapidfuzz."""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from rapidfuzz.distance import OSA

#: What people shorten, and what it stands for; nothing for forms of law, which say nothing about which service is meant.
ABBREVIATIONS = {
    "assn": "association", "assoc": "association", "ass": "association", "ave": "avenue", "bldg": "building", "cab": "citizens advice",
    "center": "centre", "ch": "church", "cic": "", "cio": "", "cntr": "centre", "co": "company", "comm": "community", "cmty": "community",
    "ctr": "centre", "dept": "department", "dr": "doctor", "fdn": "foundation", "grp": "group", "gp": "group", "gt": "great",
    "hosp": "hospital", "ho": "house", "hse": "house", "inc": "", "limited": "", "llp": "", "ltd": "", "mt": "mount", "natl": "national",
    "nth": "north", "org": "organisation", "organization": "organisation", "pk": "park", "plc": "", "proj": "project", "rd": "road",
    "reg": "regional", "res": "residential", "resi": "residential", "serv": "service", "soc": "society", "st": "saint", "sth": "south",
    "supp": "support", "svc": "service", "svcs": "service", "svs": "service", "tst": "trust", "uni": "university", "vol": "voluntary",
    "yth": "youth",
}  # fmt: skip
#: Words that join others.
_JOINING = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
#: Words that so many names have that they tell none apart.
GENERIC = frozenset(
    {
        "association", "care", "centre", "charity", "club", "community", "company", "drop", "foundation", "group", "home", "hub", "local",
        "organisation", "programme", "project", "scheme", "service", "session", "society", "support", "team", "trust",
    }
)  # fmt: skip
#: Words one letter or two apart that mean another thing: never a slip of the pen.
_OPPOSITES = {
    frozenset(pair)
    for pair in (
        ("tuesday", "thursday"), ("junior", "senior"), ("north", "south"), ("east", "west"), ("male", "female"), ("adult", "adolescent"),
        ("under", "over"), ("outpatient", "inpatient"), ("upper", "lower"), ("hearing", "bearing"), ("dental", "mental"),
        ("nursery", "nursing"), ("morning", "evening"),
    )
}  # fmt: skip
#: A word this long is thought to be another mistyped at one slip, and at two.
_ONE_SLIP, _TWO_SLIPS = 4, 8
_LONGEST_NAME = 300


class Likeness(Enum):
    """What can be said of two names."""

    SAME = "same"
    SPELT = "spelt"
    CLOSE = "close"
    PART = "part"
    DIFFERENT = "different"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Compared:
    """How like two names are, and the words that only one of them has."""

    likeness: Likeness
    only_one: tuple[str, ...] = ()
    only_other: tuple[str, ...] = ()


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """A name's words as they are compared: "St. John's Ctr Ltd" → saint, john, centre."""
    plain = unicodedata.normalize("NFKD", name[:_LONGEST_NAME].lower().replace("&", " and "))
    plain = re.sub(r"[’'`´.]", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    found: list[str] = []
    for word in re.findall(r"\w+", plain):
        written_out = ABBREVIATIONS.get(word, word)
        found += [_singular(part) for part in written_out.split() if part not in _JOINING]
    return tuple(found)


def distinctive(name: str) -> tuple[str, ...]:
    """The words of a name that tell it from others; all of them when none does."""
    found = words(name)
    return tuple(word for word in found if word not in GENERIC) or found


def compare(one: str, other: str, *, known: frozenset[str] = frozenset()) -> Compared:
    """Lay two names side by side. `known` are words that both records say elsewhere: towns and organisations."""
    these, those = words(one), words(other)
    if not these or not those:
        return Compared(Likeness.DIFFERENT, these, those)
    if sorted(these) == sorted(those) or "".join(these) == "".join(those):
        return Compared(Likeness.SAME)
    left, right, matched = _pair_off(these, those)
    if is_slip("".join(left), "".join(right), shortest=2):  # "Tai Cih", or a gap in the wrong place
        left, right = [], []
    if not left and not right:
        return Compared(Likeness.SPELT)
    own_left, own_right = ([word for word in rest if word not in GENERIC] for rest in (left, right))
    shared = [word for word in matched if word not in GENERIC]
    telling = [word for word in shared if word not in known]
    if own_left and own_right:
        # "Citizens Advice Preston" and "Citizens Advice Chorley": alike but for the word that matters.
        return Compared(Likeness.CONFLICT if telling else Likeness.DIFFERENT, tuple(own_left), tuple(own_right))
    rest = own_left or own_right
    if not shared:
        return Compared(Likeness.DIFFERENT, tuple(own_left), tuple(own_right))
    close = all(word in known for word in rest) and bool(telling or not rest)
    return Compared(Likeness.CLOSE if close else Likeness.PART, tuple(own_left), tuple(own_right))


def is_slip(one: str, other: str, *, shortest: int = _ONE_SLIP) -> bool:
    """Whether one word may be the other mistyped or cut short."""
    if one == other:
        return bool(one)
    if one.isdigit() or other.isdigit() or frozenset((one, other)) in _OPPOSITES:
        return False
    short, long = sorted((one, other), key=len)
    if len(short) >= _ONE_SLIP and len(long) >= len(short) + 3 and long.startswith(short):
        return True
    slips = 2 if len(short) >= _TWO_SLIPS else 1 if len(short) >= shortest and len(long) > 2 else 0
    return bool(slips) and OSA.distance(one, other, score_cutoff=slips) <= slips


def _pair_off(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[list[str], list[str], list[str]]:
    """The words that only the first has, those that only the second has, and those of both."""
    left, right, matched = list(these), list(those), []
    for word in these:
        if word in right:
            left.remove(word)
            right.remove(word)
            matched.append(word)
    for word in left[:]:
        near = next((other for other in right if is_slip(word, other)), None)
        if near is not None:
            left.remove(word)
            right.remove(near)
            matched.append(near)
    return left, right, matched


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
