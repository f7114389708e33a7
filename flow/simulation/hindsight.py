"""What nobody could have beaten, had they known everything: who comes, who would be taken where, how long each stay lasts.

The bound. Take any way of choosing. Whoever had a place for the n-th time moved in no earlier than the n-th time at which it could have
been free if it had always been filled at once (`turns`: each stay, and the answer before it, one after the other), plus that answer; and no
earlier than they were looked for, plus that answer. So every course of events is an assignment of people to (place, n) in which each
person is counted as waiting no longer than they did. The best such assignment, which is solved and proved, therefore has no fewer people
placed, no more days waited and no less gained than any policy on the same draws. It may be better than anything possible: it lets
a place be used for the n-th time without having been used before, and knows every "no" and the end of each stay beforehand, which
nobody does. It holds for a world without changes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from flow.simulation.draws import Draws, Person
from flow.simulation.figures import waits_at_most
from flow.simulation.world import Floats, Ints, World
from matching.allocation.problem import Policy as Points
from matching.allocation.problem import build

#: Days are counted in thousandths.
DAY = 1_000


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Bounds on one draw: no policy places more, waits fewer days in all, or gains more points."""

    placed: int
    days: float
    """Of waiting after the beginning, of everybody."""
    gain: int
    """Points against nobody ever being placed: see `figures.gain`."""


def hindsight(world: World, draws: Draws, points: Points | None = None) -> Hindsight:
    """The bounds for these draws."""
    points = points or Points()
    people = draws.people()
    who, slot, row, moves = _options(world, draws, people)
    slots = int(slot.max(initial=-1)) + 1
    seen = csr_array((np.ones(len(who), np.int8), (who, slot)), shape=(len(people), max(1, slots)))
    placed = int((maximum_bipartite_matching(seen, perm_type="column") >= 0).sum())
    longest = waits_at_most(people, draws.days)
    spared = np.array([min(person.leaves, draws.days) for person in people])[who] - moves if len(who) else moves
    days = float(longest.sum()) - _most(who, slot, np.ceil(spared * DAY).astype(np.int64), len(people), slots) / DAY
    worth = points.left - (points.span - world.score[row]) + np.ceil(points.day * spared).astype(np.int64)
    return Hindsight(placed, days, _most(who, slot, worth, len(people), slots))


def turns(world: World, draws: Draws) -> list[tuple[int, float, float]]:
    """Each time that each place could be had at the earliest: its pool, when, and how long the answer takes."""
    found = []
    taken = np.bincount(world.taken_pool, minlength=world.pools)
    since = {pool: world.since[world.taken_pool == pool].tolist() for pool in np.flatnonzero(taken).tolist()}
    for pool, size in enumerate(world.size.tolist()):
        stay, answer = world.stay[int(world.kind[pool])], world.answer[int(world.kind[pool])]
        for place in range(size):
            at, nth = 0.0, 0
            if place < taken[pool]:
                part, chance = draws.turn(pool, place, 0)
                lived = since[pool][place]
                at, nth = stay.rest(chance, part) if lived < 0 else stay.after(lived, chance), 1
            while at < draws.days:
                asked, stays = draws.turn(pool, place, nth)
                found.append((pool, at, answer.at(asked)))
                at += answer.at(asked) + stay.at(stays)
                nth += 1
    return found


def _options(world: World, draws: Draws, people: list[Person]) -> tuple[Ints, Ints, Ints, Floats]:
    """Each person with each time of each place that they could have had: person, number of the time, option of the world, moving in."""
    times = sorted(turns(world, draws))
    pool = np.array([time[0] for time in times], np.int64)
    at, answer = np.array([time[1] for time in times]), np.array([time[2] for time in times])
    first = np.searchsorted(pool, np.arange(world.pools + 1))
    found: list[tuple[Ints, Ints, Ints, Floats]] = []
    for number, person in enumerate(people):
        begin, end = int(world.start[person.need]), int(world.start[person.need + 1])
        ends = min(person.leaves, draws.days)
        for row in (begin + np.flatnonzero(person.takes < world.chance[begin:end])).tolist():
            mine = np.arange(first[world.pool[row]], first[world.pool[row] + 1])
            moves = np.maximum(at[mine], max(person.looks, 0.0)) + answer[mine]
            mine, moves = mine[moves < ends], moves[moves < ends]
            found.append((np.full(len(mine), number), mine, np.full(len(mine), row), moves))
    if not found:
        none = np.zeros(0, np.int64)
        return none, none, none, np.zeros(0)
    who, slot, rows, moving = (np.concatenate(part) for part in zip(*found, strict=True))
    return who, slot, rows, moving


def _most(who: Ints, slot: Ints, worth: Ints, people: int, slots: int) -> int:
    """The most that an assignment can be worth, proved by its prices."""
    some = worth > 0
    if not some.any():
        return 0
    from matching.allocation.solve import solve  # loads the compiler

    span = int(worth[some].max())
    problem = build(
        person=who[some], pool=slot[some], score=worth[some], left=np.full(people, span), places=np.ones(slots, np.int64),
        policy=Points(span=span, left=0, day=0, priority=0, regret=0),
    )  # fmt: skip
    return span * people - solve(problem).proof.bound
