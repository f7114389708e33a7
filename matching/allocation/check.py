"""Whether a plan may be carried out, and how good it is: recomputed from the problem alone, without a solver. This is the specification.

Prices prove a plan. Let a place of each node cost its price; then everybody together can do no better than each person alone choosing
the cheapest of the options and of being left out, less what the places bring in. That holds for any prices that are not negative,
wherever they came from. When a plan costs as much as this bound, no other plan can be better.
"""

from dataclasses import dataclass

import numpy as np

from matching.allocation.problem import NONE, Ints, Problem


@dataclass(frozen=True, slots=True)
class Proof:
    """What a plan costs, and below what no plan can cost."""

    objective: int
    bound: int

    @property
    def optimal(self) -> bool:
        return self.objective == self.bound

    @property
    def gap(self) -> float:
        """By how many per cent of the bound the plan may be from the best."""
        return 0.0 if self.optimal else 100 * (self.objective - self.bound) / max(1, abs(self.bound))


def faults(problem: Problem, at: Ints) -> list[str]:
    """Why a plan cannot be carried out: somebody else's option, a pool with too many people, a limit passed. Empty when it can."""
    if at.shape != (problem.people,):
        return [f"The plan is for {len(at)} people; there are {problem.people}."]
    placed = at >= 0
    wrong = placed & ((at < problem.start[:-1]) | (at >= problem.start[1:]))
    found = [f"Person {i} has an option of somebody else." for i in np.flatnonzero(wrong | (at < NONE))]
    if found:
        return found
    taken = load(problem, at)
    for node in np.flatnonzero(taken > problem.places):
        what = f"Pool {node}" if node < problem.pools else f"Limit {node - problem.pools}"
        found.append(f"{what} has {taken[node]} people for {problem.places[node]} places.")
    return found


def load(problem: Problem, at: Ints) -> Ints:
    """How many people each node has."""
    taken = np.zeros(len(problem.places), np.int64)
    pools, parent = problem.pools, problem.parent
    taken[:pools] = np.bincount(problem.pool_of(at)[at >= 0], minlength=pools)
    counted = parent[:pools] >= 0
    np.add.at(taken, parent[:pools][counted], taken[:pools][counted])
    # Groups are numbered from the narrow to the wide.
    for group in range(pools, len(taken)):
        if parent[group] != NONE:
            taken[parent[group]] += taken[group]
    return taken


def totals(problem: Problem, price: Ints) -> Ints:
    """Prices that prove something: none negative, and nobody pays less at a place than for the limits above it."""
    pools, parent = problem.pools, problem.parent
    total = np.maximum(price, 0)
    for group in range(len(total) - 1, pools - 1, -1):
        if parent[group] != NONE:
            total[group] = max(total[group], total[parent[group]])
    if len(total) > pools:
        total[:pools] = np.where(parent[:pools] >= 0, np.maximum(total[:pools], total[parent[:pools]]), total[:pools])
    return total


def rents(problem: Problem, total: Ints) -> Ints:
    """What one place of each node alone brings in, without the limits above it."""
    return total - np.where(problem.parent >= 0, total[problem.parent], 0)


def bound(problem: Problem, price: Ints) -> int:
    """Below this no plan can cost. `price` is what a person pays at each node: for a place there and for the limits above it."""
    total = totals(problem, price)
    return int(cheapest(problem, total).sum() - (rents(problem, total) * problem.places).sum())


def cheapest(problem: Problem, price: Ints) -> Ints:
    """What each person would pay at these prices: the cheapest option, or being left out."""
    pays = problem.left.copy()
    some = np.flatnonzero(np.diff(problem.start))
    if len(some):
        best = np.minimum.reduceat(problem.cost + price[problem.pool], problem.start[some])
        pays[some] = np.minimum(pays[some], best)
    return pays


def prove(problem: Problem, at: Ints, price: Ints) -> Proof:
    """The proof of a plan that can be carried out."""
    return Proof(objective=problem.objective(at), bound=bound(problem, price))
