"""What else is said of places beside their colour, in words for people."""

from datetime import datetime

from core.clock import LONDON

ONLY = {"female": "Women only", "male": "Men only"}


def session(starts_at: datetime, ends_at: datetime | None) -> str:
    """`"Tuesday 3 December 2026, 10:00 to 12:00"`, by a clock in England."""
    start = starts_at.astimezone(LONDON)
    until = "" if ends_at is None else f" to {ends_at.astimezone(LONDON):%H:%M}"
    return f"{start:%A} {start.day} {start:%B %Y}, {start:%H:%M}{until}"
