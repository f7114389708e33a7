"""The problem without its side constraints, made as tight as costs allow: what its best plan costs, no plan with them can beat.

For people who stay together, what each pays may be shared out between them in any way, as they choose the same: here, so that at each site
all pay the same, and the flow of itself wants them at one site. For a package, what leaving it out costs is shared out so that
each service is as far from being left out as the others.
"""

from dataclasses import replace

import numpy as np

from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.sides import OPEN, Bundle, Sides


def relaxed(problem: Problem, side: Sides) -> tuple[Problem, Ints]:
    """The relaxation, and which option of the problem each of its options is."""
    usable = np.ones(len(problem.pool), bool)
    cost, left = problem.cost.copy(), problem.left.copy()
    if side.bay is not None and side.fixed is not None and side.cohort is not None and len(usable):
        bay = side.bay[problem.pool]
        of_bay = np.where(bay != NONE, side.fixed[bay], OPEN)
        usable &= (of_bay == OPEN) | (of_bay == np.repeat(side.cohort, np.diff(problem.start)))
    for bundle in side.bundles:
        if bundle.together and side.site is not None:
            _share_sites(problem, side.site, bundle, usable, cost)
        _share_left(problem, bundle, usable, cost, left)
    owner = problem.owner
    order = np.lexsort((problem.pool_lot[problem.pool], cost, owner)) if side.bundles else np.arange(len(owner))
    origin = order[usable[order]]
    start = np.concatenate(([0], np.cumsum(np.bincount(owner[origin], minlength=problem.people))))
    return replace(problem, start=start, pool=problem.pool[origin], points=problem.points[origin], cost=cost[origin], left=left), origin


def _share_sites(problem: Problem, site: Ints, bundle: Bundle, usable: np.ndarray, cost: Ints) -> None:
    rows = [np.arange(problem.start[p], problem.start[p + 1]) for p in bundle.people]
    at = [np.where(usable[row], site[problem.pool[row]], NONE) for row in rows]
    common = set(at[0].tolist()).intersection(*(one.tolist() for one in at[1:])) - {NONE}
    for row, sites in zip(rows, at, strict=True):
        usable[row[~np.isin(sites, list(common))]] = False
    for place in sorted(common):
        here = [row[sites == place] for row, sites in zip(rows, at, strict=True)]
        pools = np.unique(np.concatenate([problem.pool[row] for row in here]))
        if problem.places[pools].sum() < len(rows):
            for row in here:
                usable[row] = False
            continue
        best = [int(cost[row].min()) for row in here]
        for row, old, new in zip(here, best, _even(sum(best), len(best)), strict=True):
            cost[row] += new - old


def _share_left(problem: Problem, bundle: Bundle, usable: np.ndarray, cost: Ints, left: Ints) -> None:
    rows = [np.arange(problem.start[p], problem.start[p + 1]) for p in bundle.people]
    best = [cost[row[usable[row]]].min(initial=1 << 50) for row in rows]
    people = list(bundle.people)
    over = int(left[people].sum()) - int(sum(best))
    if over >= 0:
        left[people] = np.array(best) + _even(over, len(people))


def _even(total: int, parts: int) -> list[int]:
    return [total // parts + (i < total % parts) for i in range(parts)]
