"""A provider's own places as cards on a phone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from capacity import words
from capacity.holding import HeldPlace
from capacity.queries import HistoryPoint, PoolState
from frontend.environment import plural

#: How far back the small picture on a card looks.
HISTORY = timedelta(days=14)
WIDTH, HEIGHT = 240, 40


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a press on a card was refused. `code` is that of the error; `held` is how many places were held then.

    `typed` is what stood in the whole form, empty for a quick button: it stands there again. `asked` is what would have been saved.
    """

    message: str
    code: str
    held: int = 0
    typed: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def takes_held_places(self) -> bool:
        """It can be done after all, when the provider says why it takes places back."""
        return self.code in ("below-held", "say-why")


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Free places over the last fortnight, drawn in steps: a figure holds until the next."""

    points: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Card:
    """One pool. `state` is what everybody sees; the rest is for those who run it."""

    state: PoolState
    spark: Sparkline | None = None
    problem: Problem | None = None
    held: Sequence[HeldPlace] = ()
    sessions: tuple["Card", ...] = ()
    """Of the places a session: the coming sessions, the next first."""

    @property
    def name(self) -> str:
        """What stands over the card: of one session its day and time."""
        state = self.state
        return words.session(state.starts_at, state.ends_at) if state.starts_at else state.name

    @property
    def confirmable(self) -> bool:
        """It has a figure that “still correct” can be said of together with others; sessions and what makes them are asked singly."""
        state = self.state
        return state.reported_at is not None and not state.makes_sessions and state.starts_at is None

    @property
    def also(self) -> list[str]:
        """What else was told, a line each."""
        state = self.state
        counts = ((state.occupied, "taken"), (state.reserved, "kept by you for somebody"), (state.waiting, "waiting"))
        told = ", ".join(f"{count} {word}" for count, word in counts if count is not None)
        days = state.expected_wait_days
        wait = "" if days is None else f"A newcomer waits about {plural(days, 'day')}"
        return [f"{line}." for line in (told, wait, words.ONLY.get(state.for_sex, "")) if line]

    @property
    def affected(self) -> list[HeldPlace]:
        """Which holds the refused figure would end: the youngest."""
        figure = self.problem.asked.get("available", self.state.available) if self.problem else self.state.available
        return sorted(self.held, key=lambda place: (place.since, str(place.id)))[figure or 0 :]

    @property
    def held_words(self) -> str:
        """Why fewer places are offered than are empty; empty when none is held."""
        state = self.state
        if not state.held or state.available is None:
            return ""
        return f"{state.held} of these {'is' if state.held == 1 else 'are'} held for somebody, so {state.free} can be offered."

    @property
    def at_least(self) -> bool:
        """True when “less” would go below nothing."""
        return not self.state.available

    @property
    def at_most(self) -> bool:
        """True when “more” would go above the total."""
        return self.state.maximum is not None and (self.state.available or 0) >= self.state.maximum


def sparkline(points: Sequence[HistoryPoint], *, at: datetime, unit: str) -> Sparkline | None:
    """A picture of how many were free, from points in the order of time; None when there is nothing to compare."""
    figures = [(point.at, point.free) for point in points if point.free is not None]
    if len(figures) < 2:
        return None
    numbers = [free for _, free in figures]
    top = max(1, *numbers)
    corners: list[tuple[float, float]] = []
    for when, free in figures:
        x = max(0.0, (when - at + HISTORY) / HISTORY * WIDTH)
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, HEIGHT - 2 - free / top * (HEIGHT - 4)))
    corners.append((WIDTH, corners[-1][1]))
    said = f"Last 14 days: between {min(numbers)} and {plural(max(numbers), unit)} free."
    return Sparkline(points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners), words=said)


def cards(
    states: Iterable[PoolState],
    history: dict[UUID, list[HistoryPoint]],
    *,
    at: datetime,
    problem_at: UUID | None = None,
    problem: Problem | None = None,
    held: Sequence[HeldPlace] = (),
) -> list[Card]:
    """A card for each pool, in the order given; the problem is shown on the card where it arose."""
    return [
        Card(
            state=state,
            spark=sparkline(history.get(state.id, []), at=at, unit=state.unit),
            problem=problem if state.id == problem_at else None,
            held=[place for place in held if place.pool == state.id],
        )
        for state in states
    ]


def by_service(found: Iterable[Card]) -> dict[UUID, list[Card]]:
    """The cards of each service, with the sessions of a series below what they were made from."""
    found = list(found)
    sessions: dict[UUID, list[Card]] = {}
    for card in found:
        if card.state.session_of is not None:
            sessions.setdefault(card.state.session_of, []).append(card)
    services: dict[UUID, list[Card]] = {}
    for card in found:
        if card.state.session_of is None:
            services.setdefault(card.state.service, []).append(replace(card, sessions=tuple(sessions.get(card.state.id, ()))))
    return services


def said(card: Card) -> str:
    """What a screen reader says after a press."""
    if card.problem:
        return card.problem.message
    return f"Saved. {card.state.service_name}, {card.name}: {card.state.word}."
