"""Parts of the week as one mask: three bits a day, Monday first, for morning (to noon), afternoon (to five) and evening."""

from collections.abc import Iterable

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
PARTS = ("morning", "afternoon", "evening")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ALL = (1 << len(DAYS) * len(PARTS)) - 1


def mask(codes: Iterable[str]) -> int:
    """Of codes of days and parts of the day, all that they mean together: of `("SA", "evening")` Saturday evening. None: no wish."""
    chosen = set(codes)
    if not chosen:
        return 0
    days = [day for day, code in enumerate(DAYS) if code in chosen] or range(len(DAYS))
    parts = [part for part, code in enumerate(PARTS) if code in chosen] or range(len(PARTS))
    return sum(1 << day * len(PARTS) + part for day in days for part in parts)


def words(times: int) -> str:
    """`"Monday morning, Tuesday"`: a day of which all is meant stands alone."""
    said = []
    for day, name in enumerate(_NAMES):
        bits = times >> day * len(PARTS) & 7
        said += [name] if bits == 7 else [f"{name} {part}" for number, part in enumerate(PARTS) if bits >> number & 1]
    return "any day" if times == ALL else ", ".join(said)
