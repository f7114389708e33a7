"""The exact answer with side constraints, where the size allows: an integer program for HiGHS, through scipy.

`ortools` and `highspy` cannot share a process; scipy brings its own HiGHS.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from matching.allocation.check import Proof
from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.repair import Sided
from matching.allocation.sides import OPEN, Sides


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Linear constraints: entries of a sparse matrix, and between what each row must be."""

    row: list[Ints]
    column: list[Ints]
    value: list[Ints]
    low: list[float]
    high: list[float]

    def add(self, column: Ints, value: Ints | int, low: float, high: float) -> None:
        self.row.append(np.full(len(column), len(self.low)))
        self.column.append(column)
        self.value.append(np.broadcast_to(np.asarray(value, np.int64), (len(column),)))
        self.low.append(low)
        self.high.append(high)


def prove(problem: Problem, side: Sides, plan: Sided, *, seconds: float) -> Sided:
    """The better of a plan and what the program finds in so many seconds, with the better of the two bounds: optimal, if it finished."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    rows, size = _program(problem, side)
    if not size:
        return plan
    worth = np.zeros(size)
    worth[: len(problem.pool)] = problem.cost - problem.left[problem.owner]
    matrix = coo_array(
        (np.concatenate(rows.value), (np.concatenate(rows.row), np.concatenate(rows.column))), shape=(len(rows.low), size)
    ).tocsr()
    found = milp(
        worth,
        constraints=LinearConstraint(matrix, rows.low, rows.high),
        bounds=Bounds(0, 1),
        integrality=np.ones(size),
        options={"time_limit": seconds, "mip_rel_gap": 0},
    )
    bound, at = plan.proof.bound, plan.at
    if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
        # All costs are whole numbers, so that the bound may be rounded up, but for what the arithmetic may be off.
        bound = max(bound, ceil(found.mip_dual_bound - 1e-3) + int(problem.left.sum()))
    if found.x is not None:
        other = np.full(problem.people, NONE, np.int64)
        used = np.flatnonzero(found.x[: len(problem.pool)] > 0.5)
        other[problem.owner[used]] = used
        if problem.objective(other) < problem.objective(at):
            at = other
    objective = problem.objective(at)
    return Sided(at, Proof(objective, min(bound, objective)))


def _program(problem: Problem, side: Sides) -> tuple[_Rows, int]:
    """Constraints, and how many variables: options first, then bundles, their sites, and the cohorts of bays."""
    rows, size = _Rows([], [], [], [], []), len(problem.pool)
    owner, option = problem.owner, np.arange(len(problem.pool))
    of_person = [np.arange(a, b) for a, b in zip(problem.start[:-1], problem.start[1:], strict=True)]
    for mine in of_person:
        rows.add(mine, 1, 0, 1)
    inside: list[list[int]] = [[] for _ in problem.places]
    for pool in range(problem.pools):
        node = pool
        while node != NONE:
            inside[node].append(pool)
            node = int(problem.parent[node])
    for node, pools in enumerate(inside):
        rows.add(option[np.isin(problem.pool, pools)], 1, 0, float(problem.places[node]))
    for bundle in side.bundles:
        whole, size = size, size + 1
        for person in bundle.people:
            mine = of_person[person]
            rows.add(np.append(mine, whole), np.append(np.ones(len(mine), np.int64), -1), 0, 0)
        if bundle.together and side.site is not None:
            for place in np.unique(side.site).tolist():
                there, size = size, size + 1
                for person in bundle.people:
                    mine = of_person[person][side.site[problem.pool[of_person[person]]] == place]
                    if place == NONE:
                        rows.add(mine, 1, 0, 0)
                    else:
                        rows.add(np.append(mine, there), np.append(np.ones(len(mine), np.int64), -1), 0, 0)
    if side.bay is not None and side.fixed is not None and side.cohort is not None:
        bay, cohort = side.bay[problem.pool], side.cohort[owner]
        for number in np.unique(bay[bay != NONE]).tolist():
            here = option[bay == number]
            if side.fixed[number] != OPEN:
                rows.add(here[cohort[here] != side.fixed[number]], 1, 0, 0)
                continue
            kinds = np.unique(cohort[here])
            for i, kind in enumerate(kinds.tolist()):
                for one in here[cohort[here] == kind]:
                    rows.add(np.array([one, size + i]), np.array([1, -1]), -1, 0)
            rows.add(np.arange(size, size + len(kinds)), 1, 0, 1)
            size += len(kinds)
    return rows, size
