"""The one place that asks what time it is, so that tests can move it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(tz=UTC)


def local_time(moment: datetime) -> str:
    """The time of day in England, as people say it: "10:42"."""
    return f"{moment.astimezone(LONDON):%H:%M}"


def local_date(moment: datetime) -> date:
    """The day in England."""
    return moment.astimezone(LONDON).date()
