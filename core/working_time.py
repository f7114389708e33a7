"""Adding hours that count only while people are at work: Monday to Friday in England, without bank holidays."""

from datetime import UTC, datetime, time, timedelta

from core.bank_holidays import is_bank_holiday
from core.clock import LONDON

OPENS, CLOSES = time(9), time(17)


def add_working(at: datetime, much: timedelta) -> datetime:
    """The instant at which `much` of working time has passed since `at`. Nothing passes at night, at weekends or on bank holidays."""
    now, left = at, much
    while True:
        day = now.astimezone(LONDON).date()
        opens = datetime.combine(day, OPENS, tzinfo=LONDON).astimezone(UTC)
        closes = datetime.combine(day, CLOSES, tzinfo=LONDON).astimezone(UTC)
        if day.weekday() < 5 and not is_bank_holiday(day) and now < closes:
            begins = max(now, opens)
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        now = datetime.combine(day + timedelta(days=1), time(), tzinfo=LONDON).astimezone(UTC)
