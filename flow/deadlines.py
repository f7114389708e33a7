"""How soon somebody must act. Every deadline of a referral comes from here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from core.working_time import add_working
from flow.models import Referral
from flow.pathways.adherence import DAY, due, expected

URGENT, ROUTINE = Referral.Urgency.URGENT.value, Referral.Urgency.ROUTINE.value
#: How soon a provider is asked to answer.
RESPOND_WITHIN = {URGENT: timedelta(hours=2), ROUTINE: timedelta(hours=24)}
#: How soon after its yes support is expected to begin.
START_WITHIN = {URGENT: timedelta(days=2), ROUTINE: timedelta(days=7)}
#: What a sender may set: from a quarter of an hour to two weeks.
SHORTEST, LONGEST = timedelta(minutes=15), timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Term:
    """How much time there is; `working` counts only hours in which people are at work."""

    much: timedelta
    working: bool = False

    def after(self, at: datetime) -> datetime:
        return add_working(at, self.much) if self.working else at + self.much


def answer_term(referral: Referral) -> Term:
    """What the sender set, or else the pathway; but no later than the urgency says of something urgent, and else what that says."""
    if referral.answer_within is not None:
        return Term(timedelta(minutes=referral.answer_within))
    step = expected(referral.pathway_version, "answered")
    if step is not None and referral.urgency != URGENT:
        return Term(timedelta(hours=step.within)) if step.unit == "hours" else Term(step.within * DAY, working=True)
    return Term(RESPOND_WITHIN[referral.urgency], _in_working_time(referral))


def respond_by(referral: Referral, at: datetime) -> datetime:
    """Until when a provider that is asked at `at` is expected to answer."""
    return answer_term(referral).after(at)


def start_by(referral: Referral, at: datetime) -> datetime:
    """Until when support is expected to begin after a yes at `at`. A pathway counts from when the referral was sent."""
    step = expected(referral.pathway_version, "started")
    if step is not None and referral.urgency != URGENT:
        return max(due(step, referral.created_at), at)
    return Term(START_WITHIN[referral.urgency], _in_working_time(referral)).after(at)


def sender_by(referral: Referral, since: datetime) -> datetime:
    """Until when the sender is expected to ask somebody else, when nobody is left since then."""
    return Term(RESPOND_WITHIN[referral.urgency], _in_working_time(referral)).after(since)


def moved(old: datetime | None, after: Callable[[datetime], datetime], *, since: datetime, at: datetime) -> datetime:
    """A deadline once the terms have changed at `at`: it counts from when it began, but a shorter one gives whoever is to move its whole
    time from now on, and never more than they had.
    """
    whole = after(since)
    return whole if old is None else max(whole, min(old, after(at)))


def tell_team_at(referral: Referral, due: datetime) -> datetime:
    """When a passed deadline is told to the team: after half as much time again."""
    term = answer_term(referral)
    return Term(term.much / 2, term.working).after(due)


def tell_manager_at(referral: Referral, due: datetime) -> datetime:
    """When it is told to the team's manager too: after as much time again."""
    return answer_term(referral).after(due)


def _in_working_time(referral: Referral) -> bool:
    return referral.urgency in settings.DEADLINES_IN_WORKING_TIME
