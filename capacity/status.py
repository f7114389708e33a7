"""RAG: what a place's figure is worth now. One pure function, used by screens, matcher, API and tests."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from core.clock import LONDON, local_date


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
class Said:
    """What a provider said besides how many are free. It changes the words, never the colour."""

    closed_reason: str = ""
    closed_until: date | None = None
    waiting: int | None = None
    expected_wait_days: int | None = None
    reserved: int | None = None


@dataclass(frozen=True, slots=True)
class RagState:
    """A colour with the word that says the same, and the reason for it."""

    rag: Rag
    word: str
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """All that the colour and the words of a pool rest on: what was told of it, when, and how long that is believed."""

    status: str
    free: int | None
    maximum: int | None
    is_open: bool
    reported_at: datetime | None
    freshness: Freshness
    said: Said = field(default_factory=Said)

    def at(self, at: datetime) -> RagState:
        """What to show at the instant `at`."""
        return rag(
            status=self.status, free=self.free, maximum=self.maximum, is_open=self.is_open, reported_at=self.reported_at, at=at,
            freshness=self.freshness, said=self.said,
        )  # fmt: skip

    def timeline(self, at: datetime) -> list[tuple[datetime, RagState]]:
        """What it shows at `at`, and what it decays to if nobody says anything more."""
        return timeline(
            status=self.status, free=self.free, maximum=self.maximum, is_open=self.is_open, reported_at=self.reported_at, at=at,
            freshness=self.freshness, said=self.said,
        )  # fmt: skip


#: At or below this share of the maximum, free places count as few. Only for pools of ten places or more.
FEW_SHARE = 0.1
#: Tolerated difference between a reporter's clock and ours.
CLOCK_SKEW = timedelta(minutes=5)
#: Letters of a reason that a badge has room for; all of it stands beside the badge.
_ROOM = 60
_NOTHING = Said()


def rag(
    *,
    status: str,
    free: int | None,
    maximum: int | None,
    is_open: bool,
    reported_at: datetime | None,
    at: datetime,
    freshness: Freshness,
    said: Said = _NOTHING,
) -> RagState:
    """What to show for a pool at the instant `at`.

    Grey when nobody has said, or said too long ago; a figure only ever decays to amber and then grey, never to green.
    Red when none is free or it is not accepting, and the figure is still believed. Amber for a waiting list, an
    assessment first, few places left, or an ageing figure. Green only for places that are accepting now and freshly told.

    All times are aware; ages are hours that passed, whatever the clocks on the wall did. `free` is places less holds;
    None is unknown. A report from more than five minutes in the future is not believed.
    """
    if not is_open:
        return _closed(said, local_date(at))
    if reported_at is None:
        return RagState(Rag.GREY, "Not known", "Nobody has told us yet.")
    age = at.astimezone(UTC) - reported_at.astimezone(UTC)
    if age < -CLOCK_SKEW:
        return RagState(Rag.GREY, "Not known", "The report carries a time that has not come yet.")
    if age >= freshness.expires_after:
        return RagState(Rag.GREY, "Not known", "The last figure is too old to rely on.")
    if status == "no-capacity":
        return RagState(Rag.RED, "Not accepting", "The service says that it takes nobody now.")
    if status == "waitlist":
        return RagState(Rag.AMBER, f"Waiting list{_queue(said)}", "You can ask to join the waiting list.")
    if free is None:
        return RagState(Rag.GREY, "Not known", "Nobody has told us how many are free.")
    kept = f" {said.reserved} more {'is' if said.reserved == 1 else 'are'} empty but reserved." if said.reserved else ""
    if free <= 0:
        return RagState(Rag.RED, f"Full, {said.reserved} reserved" if said.reserved else "Full", f"No place is free.{kept}")
    word = f"{free} free"
    if status == "additional-assessment-required":
        return RagState(Rag.AMBER, f"{word}, assessment first", f"The service assesses people before it says yes.{kept}")
    if age >= freshness.fresh_for:
        return RagState(Rag.AMBER, f"{word}, check first", f"The figure is getting old.{kept}")
    if maximum is not None and maximum >= 10 and free <= maximum * FEW_SHARE:
        return RagState(Rag.AMBER, f"{word}, few left", f"Few places are left.{kept}")
    return RagState(Rag.GREEN, word, f"Accepting now.{kept}")


def _closed(said: Said, today: date) -> RagState:
    """Closed until somebody says that it is open: the calendar alone opens nothing."""
    because = said.closed_reason.strip().rstrip(".")
    if said.closed_until is not None and said.closed_until <= today:
        told = f"It was to open again on {_day(said.closed_until, today)}; nobody has told us that it has."
        return RagState(Rag.RED, "Closed", f"Closed: {because}. {told}" if because else told)
    word = f"Closed until {_day(said.closed_until, today)}" if said.closed_until else "Closed"
    if not because:
        return RagState(Rag.RED, word, f"{word}." if said.closed_until else "The service has closed these places.")
    short = because if len(because) <= _ROOM else f"{because[: _ROOM - 1].rstrip()}…"
    return RagState(Rag.RED, f"{word}: {short}", f"{word}: {because}.")


def _day(day: date, today: date) -> str:
    return f"{day.day} {day:%B}" if day.year == today.year else f"{day.day} {day:%B %Y}"


def _queue(said: Said) -> str:
    """How long the list is and how long a newcomer waits, as far as it was told: ": 5 people, about 3 weeks"."""
    parts = []
    if said.waiting is not None:
        parts.append("nobody before you" if said.waiting == 0 else f"{said.waiting} {'person' if said.waiting == 1 else 'people'}")
    if said.expected_wait_days is not None:
        parts.append(f"about {wait(said.expected_wait_days)}")
    return f": {', '.join(parts)}" if parts else ""


def wait(days: int) -> str:
    """A wait in words, as exactly as anybody knows it: "3 days", "4 weeks", "6 months"."""
    size, name = (1, "day") if days < 14 else (7, "week") if days < 84 else (30, "month")
    count = max(1, round(days / size))
    return f"{count} {name}{'' if count == 1 else 's'}"


def timeline(
    *,
    status: str,
    free: int | None,
    maximum: int | None,
    is_open: bool,
    reported_at: datetime | None,
    at: datetime,
    freshness: Freshness,
    said: Said = _NOTHING,
) -> list[tuple[datetime, RagState]]:
    """What a figure will look like if nobody says anything more: (from when, state), the first from `at`.

    A screen that was sent this decays by itself, at the right moment, with the server away.
    """
    moments = [at]
    changes: list[datetime] = []
    if reported_at is not None:
        told_at = reported_at.astimezone(UTC)
        changes += [told_at - CLOCK_SKEW, told_at + freshness.fresh_for, told_at + freshness.expires_after]
    if said.closed_until is not None:
        # A year other than the present one is said with the day.
        years = [date(year, 1, 1) for year in (said.closed_until.year, said.closed_until.year + 1) if year <= date.max.year]
        changes += [datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC) for day in (said.closed_until, *years)]
    moments += sorted(moment for moment in changes if moment > at)
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
            said=said,
        )
        if not states or states[-1][1] != state:
            states.append((moment, state))
    return states


def told(reported_at: datetime | None, at: datetime) -> str:
    """The age of a figure in words: "told 3 hours ago"."""
    if reported_at is None:
        return "never told"
    seconds = max(0, int((at.astimezone(UTC) - reported_at.astimezone(UTC)).total_seconds()))
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"told {count} {name}{'' if count == 1 else 's'} ago"
    return "told just now"
