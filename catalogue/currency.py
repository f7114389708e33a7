"""How long a record counts as checked.

Open Referral UK asks for an `assured_date` younger than three months. A record that is older is *overdue*: it stays, is marked
wherever it is shown, and ranks lower, with the reason said.
"""

from datetime import date, timedelta

ASSURANCE_LASTS = timedelta(days=92)


def due_on(assured_date: date | None) -> date | None:
    """The day by which somebody must look again; None when nobody ever has, which is overdue already."""
    return None if assured_date is None else assured_date + ASSURANCE_LASTS


def is_overdue(assured_date: date | None, *, today: date) -> bool:
    due = due_on(assured_date)
    return due is None or today > due
