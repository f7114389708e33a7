"""The question of a signed link: one press for each answer that somebody is likely to give."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from capacity import words
from capacity.holding import HeldPlace
from capacity.queries import PoolState
from catalogue.models import Service


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of place, with the answers that fit its figure as (action, words), and what was sent before when it was refused."""

    state: PoolState
    answers: tuple[tuple[str, str], ...]
    chosen: str = ""
    number: str = ""

    @property
    def name(self) -> str:
        """What people call it, and when it is if it is one session."""
        state = self.state
        return f"{state.name}, {words.session(state.starts_at, state.ends_at)}" if state.starts_at else state.name

    @property
    def question(self) -> str:
        state = self.state
        if state.available is None:
            return f"How many {state.unit}s are free?"
        return f"{state.available} {state.unit if state.available == 1 else state.unit + 's'} free?"

    @property
    def held_words(self) -> str:
        """Why fewer are offered; says nothing of whom they are held for."""
        state = self.state
        return f"{state.held} of these {'is' if state.held == 1 else 'are'} held through Lune for somebody." if state.held else ""


@dataclass(frozen=True, slots=True)
class Taking:
    """An answer that was refused because places are held: whose they are, and the same answer to be sent again with a reason."""

    losing: Sequence[HeldPlace]
    again: Sequence[tuple[str, str]]
    keeping: Sequence[tuple[str, str]]
    """The answer that leaves every hold alone."""
    because: str


def taking(states: Iterable[PoolState], losing: Sequence[HeldPlace], sent: Mapping[str, str]) -> Taking:
    """What somebody can do whose answer would end holds. Only what the form itself sent is sent again."""
    states = list(states)
    names = [f"{part}-{state.id}" for state in states for part in ("version", "do", "number")]
    again = [(name, sent[name]) for name in (*names, "all") if name in sent]
    fewer = {place.pool for place in losing}
    kept = {f"number-{state.id}": str(state.held) for state in states if state.id in fewer}
    kept |= {f"do-{state.id}": "other" for state in states if state.id in fewer}
    keeping = [(name, value) for name, value in again if name not in kept] + list(kept.items())
    return Taking(losing, again, keeping, sent.get("because", "")[:400])


def whose(services: Sequence[Service]) -> str:
    """Of what the question is: the service, or of several their names."""
    names = list(dict.fromkeys(service.name for service in services))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def lines(states: Iterable[PoolState], sent: Mapping[str, str]) -> list[Line]:
    """A line for each pool, with what was sent of it."""
    return [Line(state, answers(state), *_sent(state.id, sent)) for state in states]


def answers(state: PoolState) -> tuple[tuple[str, str], ...]:
    """The answers that fit: no “one more” than there are in all, no “one fewer” than none."""
    free = state.available
    if free is None:
        return (("full", "None: full"),)
    found = [("same", f"Still {free}")]
    if state.maximum is None or free < state.maximum:
        found.append(("more", f"One more: {free + 1}"))
    if free > 1:
        found.append(("less", f"One fewer: {free - 1}"))
    if free:
        found.append(("full", "None: full"))
    return tuple(found)


def _sent(pool: UUID, sent: Mapping[str, str]) -> tuple[str, str]:
    return sent.get(f"do-{pool}", ""), sent.get(f"number-{pool}", "")[:20]
