"""When things happen: from the rules of schedules to the hours on the clock.

All is done in days and times of day as a clock in England shows them, and turned into instants last: a group that meets at 10am meets at
10am before and after the clocks change. What a schedule has not said is not guessed: every second Tuesday with no first day
gives nothing, because nobody knows which Tuesdays are meant.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from dateutil import rrule

from catalogue.models import Schedule, ScheduleException, SchoolHoliday
from core.clock import LONDON

#: The longest time that may be asked for at once.
LONGEST = timedelta(days=400)
#: From so long on it is opening hours rather than something to go to.
LONG = timedelta(hours=5)
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_BYDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_WEEKDAYS = {str(day): day for day in (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)}


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One time at which a service is open or something takes place. Both ends are in Europe/London."""

    starts_at: datetime
    ends_at: datetime
    """The start again when nobody has said when it ends."""
    service_id: UUID
    description: str = ""
    all_day: bool = False
    """The day is known and the time is not: from midnight to midnight."""

    @property
    def is_long(self) -> bool:
        """The hours of an office or a shop rather than of a meeting."""
        return not self.all_day and self.ends_at - self.starts_at >= LONG


def occurrences(
    schedules: Iterable[Schedule],
    exceptions: Iterable[ScheduleException],
    holidays: Iterable[SchoolHoliday],
    start: datetime,
    end: datetime,
) -> list[Occurrence]:
    """What begins before `end` and is not over by `start`, earliest first; of any number of services.

    `holidays` are those that hold where these services are. An exception without times closes its days. One with times says when it is open
    instead: on a single day whether or not that is a usual day, over several days on those that are usual. Of two exceptions for a day,
    the shorter counts. Raises ValueError when the time asked for is longer than `LONGEST`.
    """
    if end - start > LONGEST:
        raise ValueError(f"Ask for {LONGEST.days} days or fewer.")
    if end <= start:
        return []
    # What began on the day before may go on past midnight.
    first, last = start.astimezone(LONDON).date() - _DAY, end.astimezone(LONDON).date()
    off_school = {day for holiday in holidays for day in _days(holiday.starts_on, holiday.ends_on, first, last)}
    otherwise = _otherwise(exceptions, first, last)
    found: set[Occurrence] = set()
    usual: dict[tuple[UUID, date], str] = {}
    for schedule in schedules:
        for day in _days_of(schedule, first, last):
            if schedule.term != Schedule.Term.ALWAYS and (day in off_school) != (schedule.term == Schedule.Term.HOLIDAYS):
                continue
            usual.setdefault((schedule.service_id, day), schedule.description)
            if (schedule.service_id, day) not in otherwise:
                found.add(_occurrence(schedule.service_id, day, schedule.opens_at, schedule.closes_at, schedule.description))
    for (service_id, day), exception in otherwise.items():
        of_one_day = exception.starts_on == exception.ends_on
        if exception.opens_at is not None and (of_one_day or (service_id, day) in usual):
            words = exception.reason or usual.get((service_id, day), "")
            found.add(_occurrence(service_id, day, exception.opens_at, exception.closes_at, words))
    return sorted(each for each in found if each.starts_at < end and (each.ends_at > start or each.starts_at >= start))


def _occurrence(service_id: UUID, day: date, opens: time | None, closes: time | None, words: str) -> Occurrence:
    starts_at = _instant(day, opens or _MIDNIGHT)
    if closes is None:
        ends_at = starts_at if opens else _instant(day + _DAY, _MIDNIGHT)
    else:
        past_midnight = closes <= (opens or _MIDNIGHT)
        ends_at = _instant(day + _DAY if past_midnight else day, closes)
    # Half past one to a quarter past two, in the night when the clocks go forward: the first of these is not on the clock.
    return Occurrence(starts_at, max(starts_at, ends_at), service_id, words, all_day=opens is None and closes is None)


def _instant(day: date, at: time) -> datetime:
    """A time that the clock skips is taken as iCalendar takes it: by the clock as it was before."""
    return datetime.combine(day, at, tzinfo=LONDON).astimezone(UTC).astimezone(LONDON)


def _days(first: date, last: date, not_before: date, not_after: date) -> Iterator[date]:
    """Days from `first` to `last`, both counted, within bounds."""
    day, last = max(first, not_before), min(last, not_after)
    while day <= last:
        yield day
        day += _DAY


def _otherwise(exceptions: Iterable[ScheduleException], first: date, last: date) -> dict[tuple[UUID, date], ScheduleException]:
    """Which exception counts on which day of which service."""
    by_service: dict[UUID, list[ScheduleException]] = defaultdict(list)
    for exception in exceptions:
        by_service[exception.service_id].append(exception)
    return {
        (service_id, day): exception
        for service_id, those in by_service.items()
        for exception in sorted(those, key=lambda each: (each.starts_on - each.ends_on, each.starts_on))
        for day in _days(exception.starts_on, exception.ends_on, first, last)
    }


def _days_of(schedule: Schedule, first: date, last: date) -> Iterator[date]:
    """The days on which a schedule's rule falls, from `first` to `last`."""
    began = schedule.dtstart or schedule.valid_from
    first = max([first, *(day for day in (schedule.dtstart, schedule.valid_from) if day)])
    last = min(last, schedule.valid_to or last)
    interval = max(1, schedule.interval)
    if first > last or (interval > 1 and began is None):
        return
    monthly = schedule.freq == Schedule.Frequency.MONTHLY
    began = began or first
    for day in sorted((_monthly if monthly else _weekly)(schedule, first, last)):
        if monthly:
            since = (day.year - began.year) * 12 + day.month - began.month
        else:
            since = (day - timedelta(days=day.weekday()) - began + timedelta(days=began.weekday())).days // 7
        if since % interval == 0:
            yield day


def _weekly(schedule: Schedule, first: date, last: date) -> set[date]:
    days = [_WEEKDAYS[day] for _, day in _by_day(schedule.byday)]
    if not schedule.byday.strip() and schedule.dtstart:
        days = [list(_WEEKDAYS.values())[schedule.dtstart.weekday()]]
    return _rule(rrule.WEEKLY, first, last, byweekday=days) if days else set()


def _monthly(schedule: Schedule, first: date, last: date) -> set[date]:
    # Apart: dateutil takes "every Monday and the second Tuesday" for Mondays that are a second Tuesday.
    weekdays = [[_WEEKDAYS[day](int(nth)) if nth else _WEEKDAYS[day]] for nth, day in _by_day(schedule.byday)]
    numbers = [int(part) for part in _split(schedule.bymonthday) if re.fullmatch(r"[+-]?\d{1,2}", part)]
    numbers = [number for number in numbers if 1 <= abs(number) <= 31]
    if not schedule.byday.strip() and not schedule.bymonthday.strip() and schedule.dtstart:
        numbers = [schedule.dtstart.day]
    of_week = set[date]().union(*(_rule(rrule.MONTHLY, first, last, byweekday=each) for each in weekdays))
    of_month = _rule(rrule.MONTHLY, first, last, bymonthday=numbers) if numbers else set()
    return of_week & of_month if weekdays and numbers else of_week | of_month


def _rule(freq: Literal[1, 2], first: date, last: date, **parts: Any) -> set[date]:
    """The days of a rule that counts every week or month.

    Which of these count is for the caller: for the next day of a rule that has none (every twelfth February the 31st) dateutil looks until
    the year 9999, whatever day it is to stop at.
    """
    start, until = (datetime.combine(day, _MIDNIGHT) for day in (first, last))
    return {moment.date() for moment in rrule.rrule(freq, dtstart=start, until=until, **parts)}


def _by_day(text: str) -> list[tuple[str, str]]:
    """`"2TU,-1FR"` → `[("2", "TU"), ("-1", "FR")]`; what is no day is left out."""
    return [(match[1] or "", match[2]) for match in map(_BYDAY.fullmatch, _split(text)) if match]


def _split(text: str) -> list[str]:
    return text.upper().replace(" ", "").split(",")
