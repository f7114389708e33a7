"""Values as the schemas want them. What is empty is left out: the standard has no nulls."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.encoding import iri_to_uri

Document = dict[str, Any]

_WEB = re.compile(
    r"https?://[A-Za-z0-9._~-]+(:\d{1,5})?(/([\w.~:/@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?(\?([\w.~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
    r"(#([\w.~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII,
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:([\w.~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.ASCII)
_MIDNIGHT = time(0)


def filled(**values: Any) -> Document:
    """A document of those values that say something: no None, no empty text, no empty list."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def web(text: str) -> str | None:
    """An address of the web as a URI; None when it is none, whatever the record says."""
    uri = iri_to_uri(text or "") or ""
    return uri if _WEB.fullmatch(uri) else None


def uri(text: str) -> str | None:
    """A URI of any scheme, CURIEs among them (`esdNeed:69`); None when it is none."""
    return text if _URI.fullmatch(text or "") else None


def email(text: str) -> str | None:
    return text if "@" in (text or "") else None


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def moment(value: datetime) -> str:
    """An instant with milliseconds, in UTC."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def opening(value: time | None) -> str | None:
    """A time of day in England: `09:00`."""
    return value.isoformat(timespec="minutes") if value is not None else None


def closing(value: time | None) -> str | None:
    """As `opening`; the midnight that ends a day is 23:59, because the standard has no 24:00."""
    return "23:59" if value == _MIDNIGHT else opening(value)


def number(value: Decimal | None) -> float | int | None:
    """A number without a tail of noughts: 9 for 9.00."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def words(value: date) -> str:
    return f"{value.day} {value:%B %Y}"
