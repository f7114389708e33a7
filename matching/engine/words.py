"""Turning numbers into the words of a sentence."""

from collections.abc import Iterable, Mapping
from datetime import date

METRES_PER_MILE = 1609.344


class Words:
    """Names of the vocabulary's bits, by taxonomy: `{"need": {0: "Dementia", …}, …}`; and of codes."""

    def __init__(self, names: Mapping[str, Mapping[int, str]], codes: Mapping[str, str] | None = None) -> None:
        self._names = names
        self._codes = codes or {}

    def with_codes(self, codes: Mapping[str, str]) -> "Words":
        """The same, with names for codes: `{"nice|NG28": "Type 2 diabetes (NICE NG28)"}`."""
        return Words(self._names, codes)

    def coded(self, codes: Iterable[str]) -> str:
        """`"Frailty, Heart failure"`; a code whose name is not known stands for itself."""
        return ", ".join(sorted(self._codes.get(code, code) for code in codes))

    def name(self, taxonomy: str, bit: int) -> str:
        return self._names[taxonomy].get(bit, "something that is no longer in the list")

    def names(self, taxonomy: str, mask: int) -> str:
        """`"Dementia, Oxygen"` for the bits that are set."""
        return ", ".join(self.name(taxonomy, bit) for bit in range(mask.bit_length()) if mask >> bit & 1)


def miles(metres: int) -> str:
    """`"1.2 miles"`; below a tenth of a mile, `"under 0.1 miles"`."""
    value = metres / METRES_PER_MILE
    if value < 0.1:
        return "under 0.1 miles"
    text = f"{value:,.1f}"
    return f"{text} mile" if text == "1.0" else f"{text} miles"


def pounds(pence: int) -> str:
    """`"£1,250"`, with pence only when there are any."""
    return f"£{pence // 100:,}" if pence % 100 == 0 else f"£{pence / 100:,.2f}"


def ago(seconds: int) -> str:
    """`"3 hours ago"`."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{count(seconds // size, name)} ago"
    return "just now"


def count(number: int, noun: str) -> str:
    """`"1 place"`, `"2 places"`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def wait(days: int) -> str:
    """`"3 days"`, `"4 weeks"`, `"6 months"`: as `capacity.status.wait` has it."""
    size, name = (1, "day") if days < 14 else (7, "week") if days < 84 else (30, "month")
    return count(max(1, round(days / size)), name)


def on(today: int, days: int) -> str:
    """The day so many days on: `"on Thursday"` within the week, then `"on Thursday 12 March"`; later `"in 6 months"`."""
    if not today or days >= 84:
        return f"in {wait(days)}"
    if days == 0:
        return "today"
    then = date.fromordinal(today + days)
    return f"on {then:%A}" if days < 7 else f"on {then:%A} {then.day} {then:%B}"
