"""The arrays that the searches work on: made from a problem, and made longer when people arrive."""

from typing import Any, NamedTuple

import numpy as np

from matching.allocation.problem import NONE, Ints, Problem

#: Mark of `seat`: a node that the search has not seen.
UNSEEN = -1

#: Arrays with one number for each person, and for each option.
OF_PEOPLE = ("begin", "end", "left", "keep", "extra", "at", "pays", "after", "before", "moved", "moved_from")
OF_OPTIONS = ("pool", "cost", "owner", "next_in")
#: Arrays that changes write to.
CHANGING = ("owner", "places", "load", "price", "was", "left", "keep", "extra", "at", "pays", "first", "after", "before")


class Net(NamedTuple):
    """The state that the searches read and write. Arrays may be longer than what is in use."""

    begin: Ints
    end: Ints
    pool: Any
    cost: Ints
    owner: Any
    """Person of each option; -1 when the person is not there any more, or when the option may not be used."""
    next_in: Any
    first_in: Any
    """Options into each pool, as a list."""
    places: Ints
    load: Ints
    price: Ints
    was: Ints
    """The price of each node when it was last certified."""
    parent: Ints
    child: Ints
    sibling: Ints
    left: Ints
    keep: Ints
    extra: Ints
    """A person who was told of the option `keep` pays `extra` for anything else."""
    at: Ints
    pays: Ints
    first: Ints
    after: Ints
    before: Ints
    """Who is in each pool, as a list that goes both ways."""
    dist: Ints
    how: Ints
    seat: Ints
    heap: Ints
    seen: Ints
    moved: Ints
    moved_from: Ints


def net_of(problem: Problem) -> Net:
    """The state of a search with nobody in it."""
    people, nodes = problem.people, len(problem.places)
    child, sibling = each(nodes), each(nodes)
    for node in np.flatnonzero(problem.parent >= 0).tolist():
        sibling[node], child[problem.parent[node]] = child[problem.parent[node]], node
    return Net(
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
        was=each(nodes, 0),
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
        seat=each(nodes, UNSEEN),
        heap=each(nodes),
        seen=each(nodes),
        moved=each(people + 1),
        moved_from=each(people + 1),
    )


def each(size: int, value: int = NONE) -> Ints:
    return np.full(size, value, np.int64)


def roomy(net: Net, people: int, options: int) -> Net:
    """The same with room for so many people and options, and for half as many again when it had to grow."""
    longer: dict[str, Any] = {}
    for names, wanted in ((OF_PEOPLE, people + 1), (OF_OPTIONS, options)):
        if min(len(getattr(net, name)) for name in names) < wanted:
            for name in names:
                array = getattr(net, name)
                longer[name] = np.full(wanted * 3 // 2, NONE, array.dtype)
                longer[name][: len(array)] = array
    return net._replace(**longer) if longer else net
