"""How long a record counts as checked.

Open Referral UK asks for an `assured_date` younger than three months. A record that is older is *overdue*: it stays, is marked
wherever it is shown, and ranks lower, with the reason said.
"""

from datetime import date, timedelta

ASSURANCE_LASTS = timedelta(days=92)
#: So long before the day its owner is asked for the first time.
DUE_SOON = timedelta(days=14)


def due_on(assured_date: date | None) -> date | None:
    """The day by which somebody must look again; None when nobody ever has, which is overdue already."""
    return None if assured_date is None else assured_date + ASSURANCE_LASTS


def is_overdue(assured_date: date | None, *, today: date) -> bool:
    due = due_on(assured_date)
    return due is None or today > due


def is_due_soon(assured_date: date | None, *, today: date) -> bool:
    """Not overdue, but time to ask."""
    due = due_on(assured_date)
    return due is not None and due - DUE_SOON <= today <= due
