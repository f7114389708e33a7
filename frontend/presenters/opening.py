"""Opening times in words: "Monday to Friday, 9am to 5pm"."""

from datetime import time

from catalogue.models import Schedule

DAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday", "SU": "Sunday"}
_ORDINALS = {"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}


def clock(value: time) -> str:
    """`time(9, 30)` → `"9:30am"`, in the NHS style: midday, midnight, no needless noughts."""
    if value == time(12):
        return "midday"
    if value == time(0):
        return "midnight"
    minutes = f":{value.minute:02d}" if value.minute else ""
    return f"{value.hour % 12 or 12}{minutes}{'am' if value.hour < 12 else 'pm'}"


def opening(schedule: Schedule) -> str:
    """One line for one schedule; the provider's own words when it has given no rule that can be read."""
    when = _monthly(schedule) if schedule.freq == Schedule.Frequency.MONTHLY else _weekly(schedule)
    hours = _hours(schedule)
    line = ", ".join(part for part in (when, hours) if part)
    if not line:
        return schedule.description
    return f"{line} ({schedule.description})" if schedule.description else line


def _hours(schedule: Schedule) -> str:
    opens, closes = schedule.opens_at, schedule.closes_at
    if opens and closes:
        if opens == closes:
            return "open 24 hours"
        return f"{clock(opens)} to {clock(closes)}"
    if opens:
        return f"from {clock(opens)}"
    return f"until {clock(closes)}" if closes else ""


def _weekly(schedule: Schedule) -> str:
    codes = [code for code in DAYS if code in schedule.byday.replace(" ", "").split(",")]
    if not codes:
        return ""
    if len(codes) == len(DAYS):
        days = "Every day"
    else:
        order = list(DAYS)
        first, last = order.index(codes[0]), order.index(codes[-1])
        if len(codes) > 2 and last - first == len(codes) - 1:
            days = f"{DAYS[codes[0]]} to {DAYS[codes[-1]]}"
        else:
            days = _and([DAYS[code] for code in codes])
    return days if schedule.interval == 1 else f"{days}, every {schedule.interval} weeks"


def _monthly(schedule: Schedule) -> str:
    every = "each month" if schedule.interval == 1 else f"every {schedule.interval} months"
    if schedule.bymonthday:
        return f"Day {_and(schedule.bymonthday.replace(' ', '').split(','))} of {every}"
    days = []
    for part in schedule.byday.replace(" ", "").split(","):
        ordinal, code = part[:-2], part[-2:]
        if code in DAYS:
            days.append(" ".join(word for word in (_ORDINALS.get(ordinal, ""), DAYS[code]) if word))
    return f"The {_and(days)} of {every}" if days else every.capitalize()


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
