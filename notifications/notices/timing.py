"""When a message is due: at once, with the hour's or the day's others, and never in quiet hours. All by the clock of England."""

from datetime import datetime, time, timedelta

from core.clock import LONDON
from notifications.notices.kinds import When


def due(when: When, *, at: datetime, daily_hour: int) -> datetime:
    """When a message about what happened at `at` goes out, quiet hours apart."""
    if when == When.HOURLY:
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if when == When.DAILY:
        return _next(time(daily_hour), at)
    return at


def after_quiet(moment: datetime, *, begins: time | None, ends: time | None) -> datetime:
    """`moment`, or the end of the quiet hours in which it lies."""
    if begins is None or ends is None or begins == ends:
        return moment
    clock = moment.astimezone(LONDON).time()
    quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    return _next(ends, moment) if quiet else moment


def _next(clock: time, after: datetime) -> datetime:
    """The next time after `after` that the clocks of England show this. In the night that leaves it out: an hour on."""
    local = after.astimezone(LONDON)
    for days in (0, 1, 2):
        found = datetime.combine(local.date() + timedelta(days=days), clock, LONDON).astimezone(after.tzinfo)
        if found > after:
            return found
    raise AssertionError("A day has passed without that hour.")
