"""The one place that asks what time it is, so that tests can move it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(tz=UTC)
