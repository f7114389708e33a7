"""Bank holidays of England: days on which nobody is written to by the clock."""

from datetime import date
from functools import lru_cache

import holidays


def is_bank_holiday(day: date) -> bool:
    return day in _of(day.year)


@lru_cache(maxsize=4)
def _of(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))
