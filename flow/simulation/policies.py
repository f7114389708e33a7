"""Ways of choosing whom to ask for which place, each time that somebody looks: what teams do now, and what a plan would."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flow.simulation.draws import Person
from flow.simulation.world import Floats, Ints, World
from matching.allocation import worth
from matching.allocation.problem import Policy as Points
from matching.allocation.problem import build

Chosen = Sequence[tuple[int, int]]


@dataclass(slots=True, eq=False)
class View:
    """What is known at one moment: who waits, where each may still be asked for, and how many places each pool has free."""

    world: World
    now: float
    people: list[Person]
    open: list[np.ndarray]
    free: Ints
    pools: np.ndarray
    """Which pools there are at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """Of those who wait, every option: the number of the person in the view, of the pool and of the option in the world."""

    who: Ints
    pool: Ints
    row: Ints

    @classmethod
    def of(cls, view: View, *, full: bool = False) -> "Options":
        """Those with a free place, or with `full` all that there are."""
        start, allowed = view.world.start, view.pools if full else view.free > 0
        who, row = [], []
        for number, (person, still) in enumerate(zip(view.people, view.open, strict=True)):
            begin = int(start[person.need])
            mine = np.flatnonzero(still & allowed[view.world.pool[begin : begin + len(still)]])
            row.append(mine + begin)
            who.append(np.full(len(mine), number))
        rows = np.concatenate(row) if row else np.zeros(0, np.int64)
        return cls(np.concatenate(who) if who else rows, view.world.pool[rows], rows)


def nearest_first(view: View) -> Chosen:
    """Each place that is free goes to whoever lives nearest, the nearest of all first."""
    options = Options.of(view)
    order = np.lexsort((options.pool, options.who, view.world.metres[options.row]))
    return _in_turn(view, options, order)


def longest_wait_first(view: View) -> Chosen:
    """Whoever has waited longest chooses the best of what is free for them, then the next."""
    options = Options.of(view)
    ready = np.array([person.ready for person in view.people])
    order = np.lexsort((options.pool, -view.world.score[options.row], options.who, ready[options.who]))
    return _in_turn(view, options, order)


def _in_turn(view: View, options: Options, order: Ints) -> Chosen:
    free, placed, chosen = view.free.copy(), np.zeros(len(view.people), bool), []
    for who, pool in zip(options.who[order].tolist(), options.pool[order].tolist(), strict=True):
        if not placed[who] and free[pool] > 0:
            placed[who] = True
            free[pool] -= 1
            chosen.append((who, pool))
    return chosen


def optimal(view: View, points: Points | None = None) -> Chosen:
    """The plan for everybody who waits, as the plan board draws it up, proved the best there is at that moment."""
    points = points or Points()
    options = Options.of(view)
    if not len(options.who):
        return []
    return _planned(view, options, view.world.score[options.row], _left(view, points), points, view.free)


def _left(view: View, points: Points) -> Ints:
    return points.waiting([int(view.now - person.ready) for person in view.people])


def _planned(view: View, options: Options, score: Ints, left: Ints, points: Points, places: Ints) -> Chosen:
    from matching.allocation.solve import solve  # loads the compiler

    problem = build(person=options.who, pool=options.pool, score=score, left=left, places=places, policy=points)
    pools = problem.pool_of(solve(problem).at)
    return [(int(who), int(pools[who])) for who in np.flatnonzero(pools >= 0)]


class LookAhead:
    """The plan with an eye on those who come later: what one more place of each pool would have been worth lately is what taking one costs.

    The worth of a place is that of the plan (its dual price), of full pools as well, smoothed over the plans made so far. Somebody who
    could go to several places leaves to others the one for which there is most need; nobody is kept waiting for it. An answer that may
    be no counts by its chance.
    """

    #: How much of what a place was worth counts, and how much of it the last plan says.
    WEIGHT, LATEST = 1.0, 0.1

    def __init__(self, points: Points | None = None) -> None:
        self.points = points or Points()
        self.worth: Floats = np.zeros(0)

    def __call__(self, view: View) -> Chosen:
        points, world = self.points, view.world
        every = Options.of(view, full=True)
        if not len(every.who):
            return []
        left = _left(view, points)
        self._learn(view, every, left)
        free = view.free[every.pool] > 0
        if not free.any():
            return []
        options = Options(every.who[free], every.pool[free], every.row[free])
        price = self.WEIGHT * self.worth[options.pool]
        # Only the difference between a person's own places counts: nobody is left out because of it.
        least = np.full(len(view.people), np.inf)
        np.minimum.at(least, options.who, price)
        chance = world.chance[options.row]
        cost = chance * (points.span - world.score[options.row]) + (1 - chance) * 2 * points.span + price - least[options.who]
        wider = Points(span=2 * points.span, left=2 * points.span + points.left, day=points.day, regret=0)
        score = np.clip(wider.span - cost, 0, wider.span).astype(np.int64)
        return _planned(view, options, score, left + wider.left - points.left, wider, view.free)

    def _learn(self, view: View, every: Options, left: Ints) -> None:
        from matching.allocation.solve import solve

        if not len(self.worth):
            self.worth = np.zeros(view.world.pools)
        problem = build(
            person=every.who, pool=every.pool, score=view.world.score[every.row], left=left, places=view.free, policy=self.points
        )
        now = worth.worth(problem, solve(problem).at)[: problem.pools]
        self.worth += self.LATEST * (now - self.worth)


@dataclass(frozen=True, slots=True)
class Named:
    """A policy as people choose it."""

    code: str
    name: str
    words: str
    make: Callable[[], Callable[[View], Chosen]]


POLICIES = {
    each.code: each
    for each in (
        Named("nearest", "Nearest first", "Each free place goes to whoever lives nearest.", lambda: nearest_first),
        Named("longest", "Longest wait first", "Whoever has waited longest chooses first.", lambda: longest_wait_first),
        Named("optimal", "The plan", "All who wait are planned for together, as on the plan board.", lambda: optimal),
        Named(
            "ahead", "The plan, looking ahead",
            "The plan, which leaves the scarcest places to those who can go nowhere else.", LookAhead,
        ),
    )
}  # fmt: skip
