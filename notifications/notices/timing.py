"""When a message is due: at once, or with the hour's or the day's others. By the clock of England; quiet hours are in `core.quiet`."""

from datetime import datetime, time, timedelta

from core.quiet import next_time
from notifications.notices.kinds import When


def due(when: When, *, at: datetime, daily_hour: int) -> datetime:
    """When a message about what happened at `at` goes out, quiet hours apart."""
    if when == When.HOURLY:
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if when == When.DAILY:
        return next_time(time(daily_hour), at)
    return at
