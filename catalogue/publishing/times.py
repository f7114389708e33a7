"""Opening times beyond the weekly rule: what the standard has only as further schedules with dates."""

from datetime import date, timedelta

from catalogue.models import Schedule

from .rows import Row
from .values import Document, closing, day, filled, opening

CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NOTES = {Schedule.Term.TERM_TIME: "In school terms only.", Schedule.Term.HOLIDAYS: "In school holidays only."}


def term_note(term: str) -> str | None:
    """When in the school year a schedule holds, in words; None when always."""
    return _NOTES.get(Schedule.Term(term))


def exceptional(exceptions: list[Row], schedules: list[Row]) -> list[Document]:
    """Days that are otherwise. Closed days have no rule and no times, so that nobody takes them for open ones.

    Other times over several days hold on those days of the week on which the service is open at all.
    """
    usual = {code for schedule in schedules for code in CODES if code in schedule["byday"]}
    return [_exception(exception, usual) for exception in exceptions]


def _exception(row: Row, usual: set[str]) -> Document:
    closed = row["opens_at"] is None
    reason = row["reason"]
    dates = {"id": str(row["id"]), "valid_from": day(row["starts_on"]), "valid_to": day(row["ends_on"])}
    if closed:
        return filled(**dates, description=f"Closed: {reason}" if reason else "Closed", notes="Closed on these days.")
    days = _weekdays(row["starts_on"], row["ends_on"])
    kept = days if row["starts_on"] == row["ends_on"] else [code for code in days if code in usual] or days
    return filled(
        **dates,
        freq=Schedule.Frequency.WEEKLY.value,
        interval=1,
        byday=",".join(kept),
        dtstart=day(row["starts_on"]),
        opens_at=opening(row["opens_at"]),
        closes_at=closing(row["closes_at"]),
        description=reason,
        notes="On these days instead of the usual times.",
    )


def _weekdays(first: date, last: date) -> list[str]:
    span = min((last - first).days, 6)
    found = {(first + timedelta(days=offset)).weekday() for offset in range(span + 1)}
    return [code for number, code in enumerate(CODES) if number in found]
