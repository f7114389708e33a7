"""The problem without its side constraints, made as tight as costs allow: what its best plan costs, no plan with them can beat.

For people who stay together, what each pays may be shared out between them in any way, as they choose the same: here, so that at each site
all pay the same, and the flow of itself wants them at one site. For a package, what leaving it out costs is shared out so that
each service is as far from being left out as the others.
"""

from dataclasses import replace

import numpy as np

from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.sides import OPEN, Bundle, Sides

#: What a site costs where somebody has no option.
FAR = 1 << 50


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
            _share_sites(problem, side, side.site, bundle, usable, cost)
        _share_left(problem, bundle, usable, cost, left)
    owner = problem.owner
    order = np.arange(len(owner))
    for person in (person for bundle in side.bundles for person in bundle.people):
        # Elsewhere the cheapest is still first.
        row = slice(problem.start[person], problem.start[person + 1])
        order[row] = row.start + np.lexsort((problem.pool_lot[problem.pool[row]], cost[row]))
    origin = order[usable[order]]
    start = np.concatenate(([0], np.cumsum(np.bincount(owner[origin], minlength=problem.people))))
    return replace(problem, start=start, pool=problem.pool[origin], points=problem.points[origin], cost=cost[origin], left=left), origin


def _share_sites(problem: Problem, side: Sides, site: Ints, bundle: Bundle, usable: np.ndarray, cost: Ints) -> None:
    rows = [np.arange(problem.start[p], problem.start[p + 1]) for p in bundle.people]
    rows = [row[usable[row] & (site[problem.pool[row]] != NONE)] for row in rows]
    for person in bundle.people:
        usable[problem.start[person] : problem.start[person + 1]] = False
    sites = np.unique(site[problem.pool[rows[0]]])
    best = np.full((len(rows), len(sites)), FAR)
    for i, row in enumerate(rows):
        row = rows[i] = row[np.isin(site[problem.pool[row]], sites)]
        np.minimum.at(best[i], np.searchsorted(sites, site[problem.pool[row]]), cost[row])
    pools = np.unique(np.concatenate([problem.pool[row] for row in rows]))
    room = np.zeros(len(sites), np.int64)
    np.add.at(room, np.searchsorted(sites, site[pools]), problem.places[pools])
    fits = (best < FAR).all(axis=0) & (room >= len(rows))
    if side.bay is not None and side.cohort is not None and len(np.unique(side.cohort[list(bundle.people)])) > 1:
        # They may not share a bay: a site that has nothing for them but one bay is none.
        bay = side.bay[pools]
        apart = np.unique(np.column_stack([site[pools], bay, np.where(bay == NONE, pools, NONE)]), axis=0)
        parts = np.bincount(np.searchsorted(sites, apart[:, 0]), minlength=len(sites))
        fits &= (parts > 1) | ~np.isin(sites, site[pools[bay != NONE]])
    total = np.where(fits, best.sum(axis=0), 0)
    for i, row in enumerate(rows):
        where = np.searchsorted(sites, site[problem.pool[row]])
        share = total // len(rows) + (i < total % len(rows))
        row, where = row[fits[where]], where[fits[where]]
        cost[row] += share[where] - best[i][where]
        usable[row] = True


def _share_left(problem: Problem, bundle: Bundle, usable: np.ndarray, cost: Ints, left: Ints) -> None:
    rows = [np.arange(problem.start[p], problem.start[p + 1]) for p in bundle.people]
    best = [int(cost[row[usable[row]]].min(initial=FAR)) for row in rows]
    people = list(bundle.people)
    over = int(left[people].sum()) - int(sum(best))
    if over >= 0:
        left[people] = np.array(best) + _even(over, len(people))


def _even(total: int, parts: int) -> list[int]:
    return [total // parts + (i < total % parts) for i in range(parts)]
