"""What one change did to a plan, line by line, and how it is said."""

from collections.abc import Callable
from dataclasses import dataclass

from matching.allocation.problem import NONE


@dataclass(frozen=True, slots=True)
class Line:
    """One person whose place changed, from pool to pool (-1: none).

    `gain` is in points: how much better for this person, or worse (negative). `opens_for` are those who are better off by the same
    change, where this person is not: it is for them that the line asks it.
    """

    person: int
    was: int
    now: int
    gain: int
    opens_for: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """All lines of one change. `gain` is what they add up to; it can be negative, when a place was lost or somebody more urgent came."""

    lines: tuple[Line, ...]

    @property
    def gain(self) -> int:
        return sum(line.gain for line in self.lines)

    @classmethod
    def of(cls, moves: list[tuple[int, int, int, int]]) -> "Change":
        """From person, pool before, pool after and gain of each."""
        better = tuple(person for person, _, _, gain in moves if gain > 0)
        return cls(tuple(Line(*move, opens_for=better if move[3] < 0 else ()) for move in moves))


def words(line: Line, *, person: Callable[[int], str], pool: Callable[[int], str]) -> str:
    """A line as a sentence. `person` and `pool` give the words for a number; this module knows no names."""
    who = person(line.person)
    if line.now == NONE:
        what = f"{who} has no place any more" if line.was != NONE else f"{who} is still without a place"
    elif line.was == NONE:
        what = f"{who} goes to {pool(line.now)}"
    else:
        what = f"{who} moves from {pool(line.was)} to {pool(line.now)}"
    if line.gain > 0:
        return f"{what}: {line.gain:,} points better."
    if line.gain == 0:
        return f"{what}."
    others = [person(other) for other in line.opens_for]
    for_whom = f", so that {' and '.join(others[:3])}{' and others' if len(others) > 3 else ''} can be placed better" if others else ""
    return f"{what}: {-line.gain:,} points worse{for_whom}."
