"""Quiet hours, by the clock of England: when a message may go out."""

from datetime import datetime, time, timedelta

from core.clock import LONDON


def after_quiet(moment: datetime, *, begins: time | None, ends: time | None) -> datetime:
    """`moment`, or the end of the quiet hours in which it lies."""
    if begins is None or ends is None or begins == ends:
        return moment
    clock = moment.astimezone(LONDON).time()
    quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    return next_time(ends, moment) if quiet else moment


def next_time(clock: time, after: datetime) -> datetime:
    """The next time after `after` that the clocks of England show this. In the night that leaves it out: an hour on."""
    local = after.astimezone(LONDON)
    for days in (0, 1, 2):
        found = datetime.combine(local.date() + timedelta(days=days), clock, LONDON).astimezone(after.tzinfo)
        if found > after:
            return found
    raise AssertionError("A day has passed without that hour.")
