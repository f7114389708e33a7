"""What a plan is held against: each in turn takes what is left, couples, packages and shared rooms kept."""

from collections.abc import Callable, Iterable

import numpy as np

from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.sides import OPEN, Bundle, Sides


def greedy(problem: Problem, order: Iterable[int]) -> Ints:
    """The plan when each in turn takes the best place that is still free: first come, first served, in any order that one likes."""
    free, parent = problem.places.tolist(), problem.parent.tolist()
    start, pool, cost = problem.start.tolist(), problem.pool.tolist(), problem.cost.tolist()
    at = np.full(problem.people, NONE, np.int64)
    for person in order:
        for option in range(start[person], start[person + 1]):
            if cost[option] >= problem.left[person]:
                break
            node, chain = pool[option], []
            while node != NONE and free[node] > 0:
                chain.append(node)
                node = parent[node]
            if node == NONE:
                for node in chain:
                    free[node] -= 1
                at[person] = option
                break
    return at


def take_turns(problem: Problem, side: Sides | None, order: Iterable[int]) -> Ints:
    """Each in turn takes the best place that is still free; whoever belongs together takes places when the first of them has a turn."""
    return greedy(problem, order) if side is None else _Turns(problem, side).run(order)


class _Turns:
    def __init__(self, problem: Problem, side: Sides) -> None:
        self.problem, self.side = problem, side
        self.free = problem.places.tolist()
        self.rooms = [] if side.fixed is None else side.fixed.tolist()
        self.at = greedy(problem, [])
        self.bundle = {person: bundle for bundle in side.bundles for person in bundle.people}

    def run(self, order: Iterable[int]) -> Ints:
        done: set[int] = set()
        for person in order:
            if person in done:
                continue
            bundle = self.bundle.get(person, Bundle((person,)))
            done.update(bundle.people)
            self._seat(bundle)
        return self.at

    def _seat(self, bundle: Bundle) -> None:
        """The best place for each, or of a couple the site that is best for all; nothing at all when somebody has none."""
        if not bundle.together or self.side.site is None:
            self._try(bundle, lambda pool: True)
            return
        site = self.side.site
        first = bundle.people[0]
        pools = self.problem.pool[self.problem.start[first] : self.problem.start[first + 1]].tolist()
        best: tuple[int, int] | None = None
        rooms = list(self.rooms)
        for place in dict.fromkeys(int(site[pool]) for pool in pools if site[pool] != NONE):
            cost = self._try(bundle, lambda pool, place=place: site[pool] == place)  # type: ignore[misc]
            if cost is not None:
                self._undo(bundle)
                self.rooms = list(rooms)
                best = min(best, (cost, place)) if best else (cost, place)
        if best is not None:
            self._try(bundle, lambda pool: site[pool] == best[1])

    def _try(self, bundle: Bundle, allowed: Callable[[int], bool]) -> int | None:
        """Seat all of them, and what it costs; None, and nothing changed, when somebody finds no place."""
        rooms = list(self.rooms)
        for person in bundle.people:
            for option in range(int(self.problem.start[person]), int(self.problem.start[person + 1])):
                pool = int(self.problem.pool[option])
                if self.problem.cost[option] < self.problem.left[person] and allowed(pool) and self._enter(person, pool):
                    self.at[person] = option
                    break
            else:
                self._undo(bundle)
                self.rooms = rooms
                return None
        return int(self.problem.cost[self.at[list(bundle.people)]].sum())

    def _enter(self, person: int, pool: int) -> bool:
        chain, node = [], pool
        while node != NONE:
            if self.free[node] < 1:
                return False
            chain.append(node)
            node = int(self.problem.parent[node])
        bay = NONE if self.side.bay is None else int(self.side.bay[pool])
        if bay != NONE and self.side.cohort is not None:
            if self.rooms[bay] not in (OPEN, int(self.side.cohort[person])):
                return False
            self.rooms[bay] = int(self.side.cohort[person])
        for node in chain:
            self.free[node] -= 1
        return True

    def _undo(self, bundle: Bundle) -> None:
        for person in bundle.people:
            if self.at[person] != NONE:
                node = int(self.problem.pool[self.at[person]])
                while node != NONE:
                    self.free[node] += 1
                    node = int(self.problem.parent[node])
                self.at[person] = NONE
