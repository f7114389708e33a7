"""What it would cost the plan to give somebody another place, worked out before anybody decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from flow.models import PlanLine
from flow.planning.drawing import policy_of, solve
from flow.planning.packing import Packed
from matching.allocation.problem import NONE


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
    """Other places of a line's person, the best first: those in `pools`, or the first `most`. Each is priced by solving the rest anew."""
    plan = line.plan
    if plan.problem is None or plan.objective is None or line.state not in (PlanLine.State.SUGGESTED, PlanLine.State.LEFT_OUT):
        return []
    packed, policy = Packed.load(bytes(plan.problem)), policy_of(plan)
    person = packed.keys.index((line.episode_id, line.part))
    rows = packed.options(person)
    if not len(rows):
        return []
    wanted = None if pools is None else set(pools)
    problem = packed.problem(policy, plan.draw)
    now = solve(problem, packed.side(problem))
    before = problem.pool_of(now.at)
    found: list[Offer] = []
    for nth, row in enumerate(rows.tolist(), start=1):
        where = int(packed.pool[row])
        pool = packed.pools[where]
        if where == before[person] or packed.places[where] < 1 or (wanted is not None and pool not in wanted):
            continue
        if most is not None and len(found) == most:
            break
        taken = packed.without(person, where)
        rest = taken.problem(policy, plan.draw)
        planned = solve(rest, taken.side(rest))
        begin, end = problem.start[person], problem.start[person + 1]
        own = int(problem.cost[begin + int(np.flatnonzero(problem.pool[begin:end] == where)[0])])
        after = rest.pool_of(planned.at)
        others = np.flatnonzero((after != before) & (np.arange(len(after)) != person)).tolist()
        named = [packed.pools[number] if number != NONE else None for number in range(NONE, len(packed.pools))]
        found.append(
            Offer(
                pool=pool,
                score=int(packed.score[row]),
                distance_m=None if packed.distance[row] == NONE else int(packed.distance[row]),
                nth=nth,
                price=planned.proof.objective + own - now.proof.objective,
                moved=tuple(Moved(packed.episodes[i], named[before[i] + 1], named[after[i] + 1]) for i in others),
            )
        )
    return found
