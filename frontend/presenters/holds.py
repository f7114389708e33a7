"""Held places in words that say what happened and what is still true."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from capacity.models import Reservation
from flow.hold_queries import Hold
from frontend.presenters import countdown

State = Reservation.State


def ended(state: str, *, service: str, moment: datetime | None, because: str, asked: bool, at: datetime) -> str:
    """What became of a hold. `asked`: a referral went with it and waits for an answer."""
    when = countdown.clock(moment, at) if moment else ""
    still = " Your referral is still with them, and no place is kept." if asked else ""
    match state:
        case State.WITHDRAWN:
            return f"{service} took the place back at {when}: “{because}”.{still}"
        case State.EXPIRED:
            return f"The hold at {service} ran out at {when}, and the place was given back.{still}"
        case State.FILLED:
            return f"{service} said yes at {when}: the place is taken."
        case State.RELEASED:
            return f"The place at {service} was given back at {when}.{still}"
        case _:
            return ""


def words(at: datetime) -> Callable[[Hold], str]:
    """What became of a hold, for a template."""
    return lambda hold: ended(
        hold.state, service=hold.service_name, moment=hold.ended_at, because=hold.because, asked=hold.waits_for_answer, at=at
    )


def longer(hold: Hold) -> str:
    """By how much a hold may be made longer: "4 hours"."""
    return lasting(hold.longer)


def lasting(span: timedelta) -> str:
    """A span in words; empty for none."""
    minutes = int(span.total_seconds() // 60)
    return countdown.length(minutes) if minutes else ""


def by_person(found: Iterable[Hold]) -> dict[UUID, list[Hold]]:
    """The holds of each person."""
    people: dict[UUID, list[Hold]] = {}
    for hold in found:
        people.setdefault(hold.patient, []).append(hold)
    return people
