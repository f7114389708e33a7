"""Whether a service still fits the person, by its criteria and figures now: asked before sending, when its turn comes, and at a yes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from capacity.queries import PoolState, pool_states
from capacity.status import Rag
from flow.models import ReferralTask
from matching import profiles, queries
from matching.engine import check, explain
from matching.models import NeedProfile

#: Not criteria: what the live figures say, and the kind of care, which the sender chose.
NOT_CRITERIA = frozenset({"open", "place", "care-type"})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was when the service was asked. `words` tell the provider nothing of the person.

    A change that is not `to_confirm` is told only.
    """

    code: str
    words: str
    to_confirm: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How one place stands now: the hard rules against the person, by their codes, and its figures."""

    against: tuple[str, ...]
    state: PoolState

    def as_asked(self) -> dict[str, Any]:
        """What is kept with a request of it: codes and figures, no words and no person."""
        return {"failed": list(self.against), "free": self.state.free, "closed": _closed(self.state)}


def failed(profile: NeedProfile, pool_ids: Iterable[UUID], at: datetime) -> dict[UUID, tuple[str, ...]]:
    """The hard rules that stand against each place now, by their codes. A place that matching cannot judge is not judged."""
    judged = _judged(profile, list(pool_ids), at)
    return {pool: tuple(code for code in codes if code not in NOT_CRITERIA) for pool, codes in judged.items()}


def newly_against(before: NeedProfile, after: NeedProfile, pool_ids: Iterable[UUID], at: datetime) -> dict[UUID, tuple[str, ...]]:
    """The rules that stand against each place once the need has changed, and did not before. That of a free place too: a waiting list may
    be too long for another day.
    """
    pools = list(pool_ids)
    was, now = _judged(before, pools, at), _judged(after, pools, at)
    found = {pool: tuple(code for code in now[pool] if code not in was.get(pool, ())) for pool in now}
    return {pool: codes for pool, codes in found.items() if codes}


def standing(profile: NeedProfile, pool_ids: Iterable[UUID], at: datetime) -> dict[UUID, Standing]:
    """How several places stand for one person, looked at once for all checks of a sending."""
    pools = list(pool_ids)
    against, states = failed(profile, pools, at), pool_states(pools, at)
    return {pool: Standing(against.get(pool, ()), states[pool]) for pool in pools if pool in states}


def changes(task: ReferralTask, at: datetime) -> list[Change]:
    """What has changed at the service since it was asked: its criteria and its figures. Empty for a request that kept nothing."""
    before = task.checked
    if not before:
        return []
    found_now = standing(task.referral.profile, [task.pool_id], at).get(task.pool_id)
    if found_now is None:
        return []
    now = found_now.as_asked()
    found = [
        Change(code, f"Your entry has changed: by what it says of {explain.label(code)}, you no longer take people like this.", True)
        for code in now["failed"]
        if code not in before["failed"]
    ]
    if now["closed"] and not before["closed"]:
        found.append(Change("closed", "You have said since that you take nobody here for now.", True))
    was, free = before["free"], now["free"]
    if free is not None and was != free and (was is None or free < was):
        then = "you had not told how many were free" if was is None else f"{was} were free"
        found.append(Change("free", f"When you were asked, {then}. Your figures now say {free} free.", False))
    return found


def _judged(profile: NeedProfile, pool_ids: list[UUID], at: datetime) -> dict[UUID, list[str]]:
    need = profiles.need_of(profile, at=at)
    return {pool: check.failed(need, known) for pool, known in queries.facts_of(need, pool_ids, at=at).items()}


def _closed(state: PoolState) -> bool:
    return state.rag == Rag.RED and not state.word.startswith("Full")
