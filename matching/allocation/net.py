"""The arrays that the searches work on: made from a problem, and made longer when people arrive."""

from typing import Any

import numpy as np

from matching.allocation import paths
from matching.allocation.problem import NONE, Ints, Problem

#: Arrays with one number for each person, and for each option.
OF_PEOPLE = ("begin", "end", "left", "keep", "extra", "at", "pays", "after", "before", "moved", "moved_from")
OF_OPTIONS = ("pool", "cost", "owner", "next_in")


def net_of(problem: Problem) -> paths.Net:
    """The state of a search with nobody in it."""
    people, nodes = problem.people, len(problem.places)
    child, sibling = each(nodes), each(nodes)
    for node in np.flatnonzero(problem.parent >= 0).tolist():
        sibling[node], child[problem.parent[node]] = child[problem.parent[node]], node
    return paths.Net(
        begin=problem.start[:-1].copy(),
        end=problem.start[1:].copy(),
        pool=problem.pool,
        cost=problem.cost,
        owner=problem.owner,
        next_in=np.full(len(problem.pool), NONE, np.int32),
        first_in=each(nodes),
        places=problem.places.copy(),
        load=each(nodes, 0),
        price=each(nodes, 0),
        parent=problem.parent,
        child=child,
        sibling=sibling,
        left=problem.left.copy(),
        keep=each(people),
        extra=each(people, 0),
        at=each(people),
        pays=problem.left.copy(),
        first=each(nodes),
        after=each(people),
        before=each(people),
        dist=each(nodes, 0),
        how=each(nodes),
        seat=each(nodes, paths.UNSEEN),
        heap=each(nodes),
        seen=each(nodes),
        moved=each(people + 1),
        moved_from=each(people + 1),
    )


def each(size: int, value: int = NONE) -> Ints:
    return np.full(size, value, np.int64)


def roomy(net: paths.Net, people: int, options: int) -> paths.Net:
    """The same with room for so many people and options, and for half as many again when it had to grow."""
    longer: dict[str, Any] = {}
    for names, wanted in ((OF_PEOPLE, people + 1), (OF_OPTIONS, options)):
        if min(len(getattr(net, name)) for name in names) < wanted:
            for name in names:
                array = getattr(net, name)
                longer[name] = np.full(wanted * 3 // 2, NONE, array.dtype)
                longer[name][: len(array)] = array
    return net._replace(**longer) if longer else net
