"""How long a held place is still kept, in words. `src/countdown.js` says the same while the page stands open."""

from datetime import datetime

from core.clock import LONDON


def left(until: datetime, at: datetime) -> str:
    """ "2 hours 5 minutes left", rounded down; seconds count only in the last minute."""
    seconds = int((until - at).total_seconds())
    if seconds <= 0:
        return "time is up"
    if seconds < 60:
        return "less than a minute left"
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [(days, "day"), (hours, "hour"), (0 if days else minutes, "minute")]
    return " ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count) + " left"


def clock(until: datetime, at: datetime) -> str:
    """The time on a clock in England: "14:20" today, "14:20 on Monday 23 November" on another day."""
    end, now = until.astimezone(LONDON), at.astimezone(LONDON)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%H:%M} on {end:%A} {end.day} {end:%B}"


def length(minutes: int) -> str:
    """How long in words: "4 hours", "1 hour 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = [(hours, "hour"), (rest, "minute")]
    return " ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count) or "no time"
