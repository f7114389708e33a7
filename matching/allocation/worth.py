"""What one more place would do, worked out from the plan alone: the second proof of it, by another way than the search.

If a pool had one more place, and one more under each limit above it, the plan would cost so much less: that is its worth. It is the
longest chain of gains into the pool – somebody left out comes in, or somebody moves in and their place is taken in turn – and is found
by letting gains spread until nothing changes. Were the plan not the best, a chain would end where there is room already, or go round
for ever.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from matching.allocation import check
from matching.allocation.problem import Ints, Problem


class NotTheBest(ValueError):
    """The plan can be made better, so that a further place has no price yet."""


def worth(problem: Problem, at: Ints) -> Ints:
    """Points by which the best plan would become cheaper, for each pool and each limit. 0 where there is room."""
    nodes, pools, parent = len(problem.places), problem.pools, problem.parent
    gain = np.zeros(nodes, np.int64)
    load = check.load(problem, at)
    pool = problem.pool_of(at)
    pays = np.where(at >= 0, problem.cost[at] if len(problem.cost) else 0, problem.left)
    by_pool = np.argsort(pool, kind="stable")
    first = np.searchsorted(pool[by_pool], np.arange(pools + 1))
    spreading = np.arange(problem.people)
    for _ in range(problem.people + nodes + 2):
        before = gain.copy()
        # Who is here could make room by going where there is a gain.
        option, length = spans(problem.start[spreading], problem.start[spreading + 1])
        offers = np.repeat(pays[spreading] + np.where(pool[spreading] >= 0, gain[pool[spreading]], 0), length) - problem.cost[option]
        np.maximum.at(gain, problem.pool[option], offers)
        _spread_over_limits(gain, problem, load)
        raised = gain > before
        if not raised.any():
            break
        here, _ = spans(first[:-1][raised[:pools]], first[1:][raised[:pools]])
        spreading = by_pool[here]
    else:
        raise NotTheBest("Gains go round for ever: people can change places and all be better off.")
    above = np.where(parent >= 0, gain[parent], 0)
    dear = (pool >= 0) & (pays + gain[pool] > problem.left)
    if (gain[load < problem.places] > above[load < problem.places]).any() or dear.any():
        raise NotTheBest("Somebody could be placed better than in this plan.")
    # With room under each limit above, whoever gains most there may come in instead.
    return check.totals(problem, gain)


def spans(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """All numbers of some half-open spans, one span after the other, and how long each is."""
    length = end - begin
    return np.repeat(begin - np.concatenate(([0], np.cumsum(length)[:-1])), length) + np.arange(length.sum()), length


def _spread_over_limits(gain: Ints, problem: Problem, load: Ints) -> None:
    parent = problem.parent
    if not (parent >= 0).any():
        return
    room, used = load < problem.places, load > 0
    pools = np.arange(problem.pools)
    for nodes in (pools, *np.arange(problem.pools, len(gain))[:, None]):
        inside = nodes[(parent[nodes] >= 0) & room[nodes]]
        np.maximum.at(gain, parent[inside], gain[inside])
    for nodes in (*np.arange(problem.pools, len(gain))[::-1, None], pools):
        inside = nodes[(parent[nodes] >= 0) & used[nodes]]
        gain[inside] = np.maximum(gain[inside], gain[parent[inside]])


@dataclass(frozen=True, slots=True)
class Worth:
    """What one more place is worth where pools share a label: in the best of the pools, in the middle one, and how many pools are full."""

    label: str
    most: int
    pool: int
    """Where it is worth most; of several, the first by lot."""
    median: int
    pools: int
    wanted: int
    """Pools where one more place would be used."""


def by_label(problem: Problem, gain: Ints, labels: ArrayLike) -> list[Worth]:
    """Where a place would do most good, by kind or area or both, the most first. `labels` has one for each pool."""
    names, which = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    gains = gain[: problem.pools]
    order = np.lexsort((problem.pool_lot, -gains, which))
    begin = np.searchsorted(which[order], np.arange(len(names) + 1))
    found = []
    for i, name in enumerate(names.tolist()):
        pools = order[begin[i] : begin[i + 1]]
        best, values = int(pools[0]), gains[pools]
        found.append(Worth(name, int(gains[best]), best, int(np.sort(values)[len(values) // 2]), len(pools), int((values > 0).sum())))
    return sorted(found, key=lambda row: (-row.most, row.label))
