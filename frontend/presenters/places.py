"""A provider's own places as cards on a phone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from capacity.queries import HistoryPoint, PoolState
from frontend.environment import plural

#: How far back the small picture on a card looks.
HISTORY = timedelta(days=14)
WIDTH, HEIGHT = 240, 40


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a press on a card was refused. `code` is that of the error; `held` is how many places were held then.

    `typed` is what stood in the whole form, empty for a quick button: it stands there again.
    """

    message: str
    code: str
    held: int = 0
    typed: Mapping[str, str] = field(default_factory=dict)


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
    words = f"Last 14 days: between {min(numbers)} and {plural(max(numbers), unit)} free."
    return Sparkline(points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners), words=words)


def cards(
    states: Iterable[PoolState],
    history: dict[UUID, list[HistoryPoint]],
    *,
    at: datetime,
    problem_at: UUID | None = None,
    problem: Problem | None = None,
) -> list[Card]:
    """A card for each pool, in the order given; the problem is shown on the card where it arose."""
    return [
        Card(
            state=state,
            spark=sparkline(history.get(state.id, []), at=at, unit=state.unit),
            problem=problem if state.id == problem_at else None,
        )
        for state in states
    ]


def said(card: Card) -> str:
    """What a screen reader says after a press."""
    if card.problem:
        return card.problem.message
    return f"Saved. {card.state.service_name}, {card.state.name}: {card.state.word}."
