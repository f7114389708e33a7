"""The best plan, from nothing: everybody is let in, one after the other, each time along the shortest path."""

from dataclasses import dataclass

import numpy as np

from matching.allocation import check, paths
from matching.allocation.net import net_of
from matching.allocation.problem import NONE, Ints, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The option of each person (-1: left out), the prices that prove it, and the proof."""

    at: Ints
    price: Ints
    proof: check.Proof


class Unproved(RuntimeError):
    """The plan does not hold against the check: an error of ours, never of the numbers. Nothing of it may be used."""


def solve(problem: Problem) -> Plan:
    """The plan that costs least, proved. The same problem gives the same plan, whatever the order of people, pools and options.

    Of equally good plans the lots decide. Of identical people – the same options at the same cost, and as dear to leave out – the one
    with the smaller lot never has the dearer outcome; as lots are drawn, each has the same chance.
    """
    net = net_of(problem)
    # Who must not be left out comes first: those who come later are then more often left out at once.
    paths.fill(net, np.lexsort((problem.lot, -problem.left)))
    return proved(problem, dealt(problem, net.at), net.price)


def proved(problem: Problem, at: Ints, price: Ints) -> Plan:
    """A plan with its proof. Raises `Unproved` when it cannot be carried out or is not the best."""
    wrong = check.faults(problem, at)
    proof = check.prove(problem, at, price)
    if wrong or not proof.optimal:
        raise Unproved("; ".join(wrong[:5]) or f"The plan costs {proof.objective}, and the bound is {proof.bound}.")
    return Plan(at=at, price=price.copy(), proof=proof)


def identical(problem: Problem) -> list[Ints]:
    """People who cannot be told apart by the numbers, two or more in each group, by lot."""
    some = np.flatnonzero(np.diff(problem.start))
    mark = problem.left.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if len(some):
        option = (problem.cost + 1).astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
        option ^= problem.pool_lot[problem.pool].astype(np.uint64)
        option *= np.uint64(0x94D049BB133111EB)
        option ^= option >> np.uint64(29)
        mark[some] ^= np.add.reduceat(option * np.uint64(0xD6E8FEB86659FD93), problem.start[some])
    _, which, count = np.unique(mark, return_inverse=True, return_counts=True)
    alike = np.flatnonzero(count[which] > 1)
    alike = alike[np.lexsort((problem.lot[alike], which[alike]))]
    groups = np.split(alike, np.flatnonzero(np.diff(which[alike])) + 1) if len(alike) else []
    found = []
    while groups:
        group = groups.pop()
        # The mark only finds candidates; two who differ may have the same.
        same = np.array([_same(problem, int(group[0]), int(other)) for other in group])
        if same.sum() > 1:
            found.append(group[same])
        if (~same).sum() > 1:
            groups.append(group[~same])
    return found


def dealt(problem: Problem, at: Ints) -> Ints:
    """The plan with the outcomes of identical people dealt out by lot: the cheapest to the smallest."""
    at = at.copy()
    for group in identical(problem):
        nth = np.where(at[group] >= 0, at[group] - problem.start[group], np.iinfo(np.int64).max)
        dealt = np.sort(nth)
        at[group] = np.where(dealt < np.iinfo(np.int64).max, problem.start[group] + dealt, NONE)
    return at


def _same(problem: Problem, one: int, other: int) -> bool:
    a, b = (slice(problem.start[i], problem.start[i + 1]) for i in (one, other))
    return bool(
        problem.left[one] == problem.left[other]
        and np.array_equal(problem.pool[a], problem.pool[b])
        and np.array_equal(problem.cost[a], problem.cost[b])
    )
