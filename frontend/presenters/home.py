"""What to do next, by role: a few numbers, each leading to the list behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from capacity.models import ServiceCapacity
from capacity.queries import with_state
from capacity.status import Rag
from catalogue import assurance_queue
from catalogue.assurance_queue import Show
from catalogue.dedupe.queries import progress
from catalogue.entry.queries import waiting_proposals
from catalogue.models import DuplicateCandidate, Source, User
from flow.casework import queries as casework
from flow.models import SelfReferral
from flow.queries import dashboard, inbox, inbox_tasks
from flow.self_referral.queries import counts as asking
from flow.workflow import Status
from flow.worklist import lines as worklist

#: A wait that somebody should look at.
LONG_WAIT_DAYS = 7


@dataclass(frozen=True)
class Count:
    """One number to act on: where it leads (name of the page and its filters) and, if need be, a word more."""

    number: int
    words: str
    page: str
    query: dict[str, Any]
    note: str = ""


def _referrer(user: User, at: datetime) -> list[Count]:
    waiting = worklist.lines(user, at, worklist.Wanted(show=worklist.Show.WAITING))
    by_status = [line.status for line in waiting]

    def counted(number: int, words: str, query: dict[str, Any], note: str = "") -> Count:
        return Count(number, words, "worklist", {"show": worklist.Show.WAITING} | query, note)

    return [
        counted(len(waiting), "people waiting", {}),
        counted(by_status.count(""), "nobody asked yet", {"status": worklist.NOBODY_ASKED}, "Find a service for them"),
        counted(by_status.count(Status.REJECTED), "declined by everybody asked", {"status": Status.REJECTED}, "Ask others"),
        counted(by_status.count(Status.REQUESTED), "waiting for an answer", {"status": Status.REQUESTED}),
        counted(by_status.count(Status.ACCEPTED), "accepted", {"status": Status.ACCEPTED}, "Agree the day"),
        counted(sum(line.days >= LONG_WAIT_DAYS for line in waiting), "waiting a week or more", {"days": LONG_WAIT_DAYS}),
        *_casework(user, at),
    ]


def _provider(user: User, at: datetime) -> list[Count]:
    requests = inbox(user, limit=None)
    new = [request for request in requests if request.status == Status.REQUESTED]
    states = with_state(ServiceCapacity.objects.run_by(user).offered(at), at)
    doubtful = [state for state in states if state.rag is Rag.GREY or (state.rag is Rag.AMBER and "check first" in state.word)]
    return [
        Count(len(new), "new referrals to answer", "inbox", {"show": "new"}),
        Count(inbox_tasks(user, late_at=at).count(), "late to be answered or begun", "inbox", {"show": "late"}, "See to these first"),
        _asking(user),
        Count(len(requests) - len(new), "people you have said yes to", "inbox", {"show": "helping"}),
        Count(sum(state.free or 0 for state in states), "places you show as free", "places", {}),
        Count(len(doubtful), "figures that are getting old", "places", {}, "One tap keeps them green"),
        *_casework(user, at),
    ]


def _casework(user: User, at: datetime) -> list[Count]:
    """Calls and messages that wait."""
    return [
        Count(casework.count_due(user, at), "follow-ups due", "follow-ups", {}),
        Count(casework.unread_total(user), "referrals with new messages", "messages", {}),
    ]


def _asking(user: User) -> Count:
    found = asking(user)
    return Count(sum(found.get(state, 0) for state in SelfReferral.State.waiting()), "people who asked by themselves", "requests", {})


def _manager(user: User, at: datetime) -> list[Count]:
    found = dashboard(user, at)
    return [
        Count(found.waiting, "people waiting", "dashboard", {}, found.scope_name),
        Count(found.overdue, "referrals late for an answer", "dashboard", {}),
        Count(sum(group.free for group in found.capacity), "free places, all services", "dashboard", {}),
        Count(sum(group.grey for group in found.capacity), "places whose figure is not known", "dashboard", {}),
    ]


def _curator(user: User, at: datetime) -> list[Count]:
    checks = assurance_queue.counts(user, at=at)
    failing = Source.objects.visible_to(user).filter(failures__gt=0, is_active=True)
    return [
        Count(
            checks[Show.MISTAKES], "records with a mistake reported", "assurance-queue", {"show": Show.MISTAKES}, "Somebody waits for this"
        ),
        Count(waiting_proposals(user).count(), "proposals waiting", "proposals", {}),
        _asking(user),
        Count(progress(user)[DuplicateCandidate.Decision.OPEN], "pairs that may be doubles", "duplicates", {}),
        Count(checks[Show.OVERDUE] + checks[Show.NEVER], "records to check", "assurance-queue", {}, "Owners are asked by letter first"),
        Count(failing.count(), "sources whose last run failed", "sources", {"state": "failing"}),
    ]


def _administrator(user: User, at: datetime) -> list[Count]:
    return [Count(User.objects.filter(is_active=True).count(), "people who can sign in", "admin:catalogue_user_changelist", {})]


_BY_ROLE: dict[str, Callable[[User, datetime], list[Count]]] = {
    User.Role.REFERRER: _referrer,
    User.Role.PROVIDER: _provider,
    User.Role.MANAGER: _manager,
    User.Role.CURATOR: _curator,
    User.Role.ADMINISTRATOR: _administrator,
}


def counts(user: User, at: datetime) -> list[Count]:
    """The numbers of the user's role, of what that user may see."""
    return _BY_ROLE[user.role](user, at)
