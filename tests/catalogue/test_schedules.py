"""From the rules of schedules to the hours on the clock."""

import uuid
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalogue.models import Schedule, ScheduleException, SchoolHoliday
from catalogue.schedules import LONGEST, occurrences
from core.clock import LONDON

SERVICE = uuid.UUID(int=7)


def schedule(**fields) -> Schedule:
    return Schedule(**{"service_id": SERVICE, "byday": "TU", "opens_at": time(10), "closes_at": time(12), **fields})


def exception(first: date, last: date | None = None, opens=None, closes=None, **fields) -> ScheduleException:
    return ScheduleException(service_id=SERVICE, starts_on=first, ends_on=last or first, opens_at=opens, closes_at=closes, **fields)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=LONDON)


def found(schedules, first: date, days: int, exceptions=(), holidays=()):
    return occurrences(schedules, exceptions, holidays, midnight(first), midnight(first + timedelta(days=days)))


def begins(*args, **kwargs) -> list[str]:
    return [f"{each.starts_at:%Y-%m-%d %H:%M}" for each in found(*args, **kwargs)]


MONDAY = date(2026, 11, 2)


def test_a_weekly_group_meets_on_its_days():
    assert begins([schedule(byday="TU, th")], MONDAY, 14) == [
        "2026-11-03 10:00", "2026-11-05 10:00", "2026-11-10 10:00", "2026-11-12 10:00",
    ]  # fmt: skip


@pytest.mark.parametrize(("dtstart", "days"), [(date(2026, 1, 13), [3, 17]), (date(2026, 1, 6), [10, 24]), (date(1987, 1, 13), [10, 24])])
def test_every_second_week_is_counted_from_the_first_day(dtstart, days):
    assert begins([schedule(interval=2, dtstart=dtstart)], MONDAY, 28) == [f"2026-11-{day:02} 10:00" for day in days]


def test_every_second_week_with_no_first_day_is_not_guessed():
    assert found([schedule(interval=2)], MONDAY, 28) == []


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"byday": "1TU"}, ["2026-11-03", "2026-12-01"]),
        ({"byday": "-1FR"}, ["2026-11-27", "2026-12-25"]),
        ({"byday": "", "bymonthday": "15"}, ["2026-11-15", "2026-12-15"]),
        ({"byday": "", "bymonthday": "31"}, ["2026-12-31"]),
        ({"byday": "", "bymonthday": "-1"}, ["2026-11-30", "2026-12-31"]),
        ({"byday": "3MO,1TU,-1TU"}, ["2026-11-03", "2026-11-16", "2026-11-24", "2026-12-01", "2026-12-21", "2026-12-29"]),
        ({"byday": "SA,1MO", "valid_from": date(2026, 12, 20)}, ["2026-12-26"]),
        ({"byday": "FR", "bymonthday": "13"}, ["2026-11-13"]),
        ({"byday": "", "dtstart": date(2026, 1, 9)}, ["2026-11-09", "2026-12-09"]),
        ({"byday": "1MO", "interval": 3, "dtstart": date(2026, 3, 2)}, ["2026-12-07"]),
    ],
)
def test_monthly(fields, days):
    assert begins([schedule(freq="MONTHLY", **fields)], date(2026, 11, 1), 61) == [f"{day} 10:00" for day in days]


@pytest.mark.parametrize(
    "fields",
    [
        {"byday": "XX"},
        {"byday": ""},
        {"freq": "MONTHLY", "byday": "9MO"},
        {"freq": "MONTHLY", "byday": "", "bymonthday": "0,32,no"},
        {"interval": 0, "byday": ",,"},
        {"freq": "MONTHLY", "byday": "2TU", "bymonthday": "31"},
        {"freq": "MONTHLY", "byday": "", "bymonthday": "31", "interval": 12, "dtstart": date(2026, 2, 1)},
    ],
)
def test_what_cannot_be_understood_gives_nothing(fields):
    assert found([schedule(**fields)], MONDAY, 60) == []


def test_nothing_before_the_first_day_or_after_the_last():
    assert begins([schedule(valid_from=date(2026, 11, 4), valid_to=date(2026, 11, 17))], MONDAY, 60) == [
        "2026-11-10 10:00",
        "2026-11-17 10:00",
    ]


def test_ten_o_clock_stays_ten_o_clock_when_the_clocks_change():
    spring = found([schedule(byday="SA,SU")], date(2026, 3, 28), 2)
    assert [(f"{each.starts_at:%H:%M}", each.starts_at.astimezone(UTC).hour) for each in spring] == [("10:00", 10), ("10:00", 9)]
    autumn = found([schedule(byday="SA,SU")], date(2026, 10, 24), 2)
    assert [(f"{each.starts_at:%H:%M}", each.starts_at.astimezone(UTC).hour) for each in autumn] == [("10:00", 9), ("10:00", 10)]


def test_a_night_is_an_hour_longer_or_shorter_when_the_clocks_change():
    night = schedule(byday="SA", opens_at=time(22), closes_at=time(6))
    for saturday, hours in [(date(2026, 3, 21), 8), (date(2026, 3, 28), 7), (date(2026, 10, 24), 9)]:
        [each] = found([night], saturday, 1)
        assert (each.ends_at.astimezone(UTC) - each.starts_at.astimezone(UTC)).total_seconds() == hours * 3600


def test_a_time_that_the_clock_skips_is_an_hour_later():
    [each] = found([schedule(byday="SU", opens_at=time(1, 30), closes_at=time(2, 15))], date(2026, 3, 29), 1)
    assert f"{each.starts_at:%H:%M}" == "02:30"
    assert each.ends_at == each.starts_at


def test_past_midnight_belongs_to_the_evening_before_and_is_still_on():
    late = schedule(byday="MO", opens_at=time(22), closes_at=time(2))
    assert begins([late], date(2026, 11, 3), 1) == ["2026-11-02 22:00"]
    assert found([late], date(2026, 11, 4), 1) == []


def test_open_24_hours_and_times_that_nobody_has_said():
    [whole] = found([schedule(opens_at=time(9), closes_at=time(9))], date(2026, 11, 3), 1)
    assert whole.ends_at - whole.starts_at == timedelta(days=1)
    [day] = found([schedule(opens_at=None, closes_at=None)], date(2026, 11, 3), 1)
    assert (day.all_day, day.ends_at - day.starts_at) == (True, timedelta(days=1))
    [open_end] = found([schedule(closes_at=None)], date(2026, 11, 3), 1)
    assert open_end.ends_at == open_end.starts_at


def test_a_day_on_which_it_is_closed():
    assert begins([schedule()], MONDAY, 14, [exception(date(2026, 11, 3), reason="Flood")]) == ["2026-11-10 10:00"]


def test_closed_for_one_is_not_closed_for_another():
    other = schedule(service_id=uuid.UUID(int=8))
    [each] = found([schedule(), other], MONDAY, 7, [exception(date(2026, 11, 3))])
    assert each.service_id == other.service_id


def test_other_times_on_one_day_and_on_usual_days():
    one = exception(date(2026, 11, 7), opens=time(14), closes=time(16), reason="Open day")
    assert begins([schedule()], MONDAY, 7, [one]) == ["2026-11-03 10:00", "2026-11-07 14:00"]
    several = exception(date(2026, 11, 2), date(2026, 11, 15), opens=time(14), closes=time(16))
    assert begins([schedule()], MONDAY, 21, [several]) == ["2026-11-03 14:00", "2026-11-10 14:00", "2026-11-17 10:00"]


def test_the_shorter_of_two_exceptions_counts():
    closed = exception(date(2026, 11, 1), date(2026, 11, 30))
    open_once = exception(date(2026, 11, 10), opens=time(11), closes=time(12))
    for both in ([closed, open_once], [open_once, closed]):
        assert begins([schedule()], MONDAY, 21, both) == ["2026-11-10 11:00"]


def test_school_terms_and_holidays():
    half_term = SchoolHoliday(name="Half-term", starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 8))
    term, off = schedule(term="term-time"), schedule(term="holidays", opens_at=time(14), closes_at=time(15))
    assert begins([term, off], MONDAY, 14, holidays=[half_term]) == ["2026-11-03 14:00", "2026-11-10 10:00"]
    assert begins([term, off], MONDAY, 7) == ["2026-11-03 10:00"]


def test_too_long_a_time_is_refused():
    with pytest.raises(ValueError, match="400 days"):
        found([schedule()], MONDAY, LONGEST.days + 2)
    assert found([schedule()], MONDAY, -3) == []


# --- for any schedule

times = st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
days = st.dates(date(2020, 1, 1), date(2032, 12, 31))
any_schedule = st.builds(
    lambda **fields: schedule(**fields),
    freq=st.sampled_from(Schedule.Frequency.values),
    interval=st.integers(0, 6),
    byday=st.lists(st.sampled_from(["MO", "2TU", "-1WE", "th", "SA", "SU", "rubbish"]), max_size=4).map(",".join),
    bymonthday=st.sampled_from(["", "1", "13,31", "-1"]),
    dtstart=st.none() | days,
    opens_at=times,
    closes_at=times,
    term=st.sampled_from(Schedule.Term.values),
)
any_exception = st.builds(
    lambda first, length, hours: exception(first, first + timedelta(days=length), *hours),
    days,
    st.integers(0, 40),
    st.just((None, None)) | st.tuples(times, times).filter(all),
)


@given(st.lists(any_schedule, max_size=3), st.lists(any_exception, max_size=3), days, st.integers(1, 60))
@example([schedule(byday="SU", opens_at=time(1, 30), closes_at=time(2, 15))], [], date(2026, 3, 28), 3)
def test_each_is_within_bounds_in_order_and_at_the_hour_on_the_clock(schedules, exceptions, first, length):
    result = found(schedules, first, length, exceptions)
    start, end = midnight(first), midnight(first + timedelta(days=length))
    assert result == sorted(set(result))
    opens = {each.opens_at or time(0) for each in [*schedules, *exceptions]}
    for each in result:
        assert each.starts_at <= each.ends_at <= each.starts_at + timedelta(hours=49)
        assert each.starts_at < end
        assert each.ends_at >= start
        skipped = each.starts_at.time() not in opens
        assert not skipped or (each.starts_at - timedelta(hours=1)).time() in opens
        closed = [one for one in exceptions if one.opens_at is None and one.starts_on <= each.starts_at.date() <= one.ends_on]
        reopened = [one for one in exceptions if one.opens_at is not None and one.starts_on <= each.starts_at.date() <= one.ends_on]
        assert not closed or reopened


@given(any_schedule, days, st.integers(1, 40), st.integers(1, 40))
def test_two_times_asked_for_apart_are_the_one_asked_for_whole(one, first, length, more):
    """What is on in a fortnight is what is on in its first week and in its second: nothing is lost at a border."""
    whole = set(found([one], first, length + more))
    parts = set(found([one], first, length)) | set(found([one], first + timedelta(days=length), more))
    assert whole == parts
