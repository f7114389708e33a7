"""RAG: what a place's figure is worth now. One pure function, used by screens, matcher, API and tests."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Rag(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long a figure is fresh and when it is no longer believed."""

    fresh_for: timedelta = timedelta(hours=24)
    expires_after: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class RagState:
    """A colour with the word that says the same, and the reason for it."""

    rag: Rag
    word: str
    reason: str


#: At or below this share of the maximum, free places count as few. Only for pools of ten places or more.
FEW_SHARE = 0.1
#: Tolerated difference between a reporter's clock and ours.
CLOCK_SKEW = timedelta(minutes=5)


def rag(
    *,
    status: str,
    free: int | None,
    maximum: int | None,
    is_open: bool,
    reported_at: datetime | None,
    at: datetime,
    freshness: Freshness,
) -> RagState:
    """What to show for a pool at the instant `at`.

    Grey when nobody has said, or said too long ago; a figure only ever decays to amber and then grey, never to green.
    Red when none is free or it is not accepting, and the figure is still believed. Amber for a waiting list, an
    assessment first, few places left, or an ageing figure. Green only for places that are accepting now and freshly told.

    All times are aware. `free` is places less holds; None is unknown. A report from more than five minutes in the future
    is not believed.
    """
    if not is_open:
        return RagState(Rag.RED, "Closed", "The service has closed these places.")
    if reported_at is None:
        return RagState(Rag.GREY, "Not known", "Nobody has told us yet.")
    age = at - reported_at
    if age < -CLOCK_SKEW:
        return RagState(Rag.GREY, "Not known", "The report carries a time that has not come yet.")
    if age >= freshness.expires_after:
        return RagState(Rag.GREY, "Not known", "The last figure is too old to rely on.")
    if status == "no-capacity":
        return RagState(Rag.RED, "Not accepting", "The service says that it takes nobody now.")
    if status == "waitlist":
        return RagState(Rag.AMBER, "Waiting list", "You can ask to join the waiting list.")
    if free is None:
        return RagState(Rag.GREY, "Not known", "Nobody has told us how many are free.")
    if free <= 0:
        return RagState(Rag.RED, "Full", "No place is free.")
    word = f"{free} free"
    if status == "additional-assessment-required":
        return RagState(Rag.AMBER, f"{word}, assessment first", "The service assesses people before it says yes.")
    if age >= freshness.fresh_for:
        return RagState(Rag.AMBER, f"{word}, check first", "The figure is getting old.")
    if maximum is not None and maximum >= 10 and free <= maximum * FEW_SHARE:
        return RagState(Rag.AMBER, f"{word}, few left", "Few places are left.")
    return RagState(Rag.GREEN, word, "Accepting now.")


def timeline(
    *,
    status: str,
    free: int | None,
    maximum: int | None,
    is_open: bool,
    reported_at: datetime | None,
    at: datetime,
    freshness: Freshness,
) -> list[tuple[datetime, RagState]]:
    """What a figure will look like if nobody says anything more: (from when, state), the first from `at`.

    A screen that was sent this decays by itself, at the right moment, with the server away.
    """
    moments = [at]
    if reported_at is not None:
        moments += [m for m in (reported_at + freshness.fresh_for, reported_at + freshness.expires_after) if m > at]
    states: list[tuple[datetime, RagState]] = []
    for moment in moments:
        state = rag(
            status=status,
            free=free,
            maximum=maximum,
            is_open=is_open,
            reported_at=reported_at,
            at=moment,
            freshness=freshness,
        )
        if not states or states[-1][1] != state:
            states.append((moment, state))
    return states


def told(reported_at: datetime | None, at: datetime) -> str:
    """The age of a figure in words: "told 3 hours ago"."""
    if reported_at is None:
        return "never told"
    seconds = max(0, int((at - reported_at).total_seconds()))
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"told {count} {name}{'' if count == 1 else 's'} ago"
    return "told just now"
