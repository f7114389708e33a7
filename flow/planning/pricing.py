"""What it would cost the plan to give somebody another place, worked out before anybody decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np

from flow.models import Plan, PlanLine
from flow.planning.drawing import policy_of, solve
from flow.planning.packing import Packed
from matching.allocation.problem import NONE, Policy, Problem, Refused


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody else whose suggestion would change; None: no place."""

    episode: UUID
    was: UUID | None
    now: UUID | None


@dataclass(frozen=True, slots=True)
class Offer:
    """One place that fits a person: its score in the plan's points, how far it is, and by how many points it would make the plan dearer."""

    pool: UUID
    score: int
    distance_m: int | None
    nth: int
    price: int
    moved: tuple[Moved, ...]


def offers(line: PlanLine, pools: Iterable[UUID] | None = None, *, most: int | None = None) -> list[Offer]:
    """Other places of a line's person, the best first: those in `pools`, or the first `most`, each with its price."""
    plan = line.plan
    if plan.problem is None or plan.objective is None or line.state not in (PlanLine.State.SUGGESTED, PlanLine.State.LEFT_OUT):
        return []
    packed, policy = Packed.load(bytes(plan.problem)), policy_of(plan)
    person = packed.keys.index((line.episode_id, line.part))
    rows = packed.options(person)
    if not len(rows):
        return []
    wanted = None if pools is None else set(pools)
    priced = _prices(plan, packed, policy, person)
    found: list[Offer] = []
    for nth, row in enumerate(rows.tolist(), start=1):
        where = int(packed.pool[row])
        pool = packed.pools[where]
        if where == priced.before or packed.places[where] < 1 or (wanted is not None and pool not in wanted):
            continue
        if most is not None and len(found) == most:
            break
        answer = priced.of(where)
        if answer is None:
            continue
        price, moves = answer
        found.append(
            Offer(
                pool=pool,
                score=int(packed.score[row]),
                distance_m=None if packed.distance[row] == NONE else int(packed.distance[row]),
                nth=nth,
                price=price,
                moved=tuple(Moved(packed.episodes[i], _pool(packed, was), _pool(packed, now)) for i, was, now in moves if i != person),
            )
        )
    return found


def _pool(packed: Packed, number: int) -> UUID | None:
    return packed.pools[number] if number != NONE else None


#: A price, and who is moved from which pool to which.
Priced = tuple[int, list[tuple[int, int, int]]]


class _Prices(Protocol):
    before: int
    """The pool of the person in the plan."""

    def of(self, pool: int) -> Priced | None:
        """What another pool costs; None: there is no way to give it to them."""
        ...


def _prices(plan: Plan, packed: Packed, policy: Policy, person: int) -> _Prices:
    problem = packed.problem(policy, plan.draw)
    return _Flow(problem, policy, person) if packed.side(problem) is None else _Sided(plan, packed, policy, person, problem)


class _Flow:
    """Without couples, packages and rooms: the plan is kept in memory for a moment, and each price is a walk from it, certified."""

    def __init__(self, problem: Problem, policy: Policy, person: int) -> None:
        from matching.allocation.live import Live
        from matching.allocation.solve import solve as best

        self._person = person
        self._live = Live(problem, best(problem), policy=policy)
        self.before = int(self._live.pool[person])

    def of(self, pool: int) -> Priced | None:
        try:
            price, change = self._live.override(self._person, pool)
        except Refused:
            return None
        return price, [(line.person, line.was, line.now) for line in change.lines]


class _Sided:
    """With them: the rest is planned anew with that place taken, without the search for a proof, which would take too long for a page."""

    def __init__(self, plan: Plan, packed: Packed, policy: Policy, person: int, problem: Problem) -> None:
        self._plan, self._packed, self._policy, self._person, self._problem = plan, packed, policy, person, problem
        lines = {(episode, part): pool for episode, part, pool in plan.lines.values_list("episode", "part", "pool")}
        index = {pool: number for number, pool in enumerate(packed.pools)}
        self._pools = [NONE if (pool := lines.get(key)) is None else index.get(pool, NONE) for key in packed.keys]
        self.before = self._pools[person]

    def of(self, pool: int) -> Priced | None:
        if not self._packed.lets_in(self._person, pool):
            return None
        taken = self._packed.without(self._person, pool)
        rest = taken.problem(self._policy, self._plan.draw)
        planned = solve(rest, taken.side(rest), prove=False)
        begin, end = self._problem.start[self._person], self._problem.start[self._person + 1]
        own = int(self._problem.cost[begin + int(np.flatnonzero(self._problem.pool[begin:end] == pool)[0])])
        after = rest.pool_of(planned.at).tolist()
        moves = [(i, was, now) for i, (was, now) in enumerate(zip(self._pools, after, strict=True)) if was != now and i != self._person]
        # A plan that is not proved the best may happen to be bettered by a choice: that costs nothing.
        return max(0, planned.proof.objective + own - (self._plan.objective or 0)), moves
