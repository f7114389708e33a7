"""Who could go where: people, pools and what each option costs, as arrays of whole numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
#: No limit above a pool or group, no pool, no option.
NONE = -1
#: Nothing may cost more than this, so that sums over a country stay far from the end of 64 bits.
DEAREST = 1 << 40


class Refused(ValueError):
    """The numbers do not make a problem. The message says which, for whoever prepares them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a point of each thing costs. All are decisions of the operator, none of the engine."""

    span: int = 10_000
    """Points between a perfect place and the worst that is allowed."""
    left: int = 20_000
    """For leaving somebody out who came today: twice the worst place."""
    day: int = 200
    """For each day that somebody left out has waited already."""
    priority: int = 5_000
    """For each step of priority of somebody left out."""
    regret: int = 500
    """Thousandths of `span` that a place costs more when it is `span` points worse than the best that the person could have.
    It grows with the square, so that one very bad place is dearer than several that are a little worse. 0: off."""
    stay: int = 500
    """What moving somebody costs who has been told of a place (in a live plan)."""

    def __post_init__(self) -> None:
        if self.span < 1 or min(self.left, self.day, self.priority, self.stay) < 0:
            raise Refused("Each part of a policy must be a whole number that is not negative.")
        if not 0 <= self.regret < 1000:
            raise Refused("Regret is given in thousandths, from 0 to 999: with more, the worst place would be worse than none.")

    def waiting(self, days: ArrayLike, priority: ArrayLike = 0) -> Ints:
        """What leaving somebody out costs, by days waited and steps of priority (0: none)."""
        return self.left + self.day * np.maximum(0, _ints(days)) + self.priority * np.maximum(0, _ints(priority))


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Options of person `i` are `start[i]:start[i + 1]`, cheapest first. Nodes are the pools, then the groups of pools that have a limit.

    `cost` is `points` and the price of regret. `lot` and `pool_lot` decide between equals, and nothing else.
    """

    start: Ints
    pool: NDArray[np.int32]
    points: Ints
    cost: Ints
    left: Ints
    lot: Ints
    places: Ints
    """Of each node: free places of a pool, the limit of a group."""
    parent: Ints
    """Of each node: the group that it counts in, or -1."""
    pools: int
    pool_lot: Ints

    @property
    def people(self) -> int:
        return len(self.left)

    @property
    def owner(self) -> NDArray[np.int32]:
        """The person of each option."""
        return np.repeat(np.arange(self.people, dtype=np.int32), np.diff(self.start))

    def objective(self, at: Ints) -> int:
        """What a plan costs: `at` holds the option of each person, or -1."""
        placed = at >= 0
        return int(self.cost[at[placed]].sum() + self.left[~placed].sum())

    def pool_of(self, at: Ints) -> Ints:
        """The pool of each person in a plan, or -1."""
        return np.where(at >= 0, self.pool[at], NONE) if len(self.pool) else np.full(len(at), NONE, np.int64)

    def regret(self, at: Ints) -> Ints:
        """By how many points each placed person's place is worse than the best that the person could have; 0 for those left out."""
        best = np.zeros(self.people, np.int64)
        some = np.flatnonzero(np.diff(self.start))
        if len(some):
            # Not always the first: what moving somebody costs may put another one there.
            best[some] = np.minimum.reduceat(self.points, self.start[some])
        return np.where(at >= 0, self.points[at] if len(self.points) else 0, best) - best


def build(
    *,
    person: ArrayLike,
    pool: ArrayLike,
    score: ArrayLike,
    left: ArrayLike,
    places: ArrayLike,
    policy: Policy | None = None,
    lot: ArrayLike | None = None,
    pool_lot: ArrayLike | None = None,
    limits: Sequence[tuple[ArrayLike, ArrayLike]] = (),
) -> Problem:
    """A problem from one line for each option: index of the person, index of the pool, and the score from 0 to `policy.span`.

    `left` has one number for each person (see `Policy.waiting`), `places` one for each pool. Lots (see `lots`) make the plan independent of
    the order of the input; without them the order of the input decides between equals. `limits` are pairs, the narrower first: the group
    of each pool (-1: none), and the limit of each group. Groups must nest, as wards do in hospitals.
    """
    policy = policy or Policy()
    who, where, scores, out, free = (_ints(values) for values in (person, pool, score, left, places))
    if not len(who) == len(where) == len(scores):
        raise Refused(f"Options have {len(who)} people, {len(where)} pools and {len(scores)} scores: they must be as many.")
    _within(who, len(out), "person")
    _within(where, len(free), "pool")
    if len(scores) and not 0 <= int(scores.min()) <= int(scores.max()) <= policy.span:
        raise Refused(f"Scores must be from 0 to {policy.span}.")
    for values, what in ((out, "The cost of leaving somebody out"), (free, "A number of places")):
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < DEAREST:
            raise Refused(f"{what} is negative or far too large.")
    of_person = _lot(lot, len(out))
    of_pool = _lot(pool_lot, len(free))
    start, where, points = _rows(who, where, policy.span - scores, len(out), of_pool)
    nodes, parent = _tree(free, limits)
    return Problem(
        start=start,
        pool=where.astype(np.int32),
        points=points,
        cost=with_regret(start, points, policy),
        left=out,
        lot=of_person,
        places=nodes,
        parent=parent,
        pools=len(free),
        pool_lot=of_pool,
    )


def lots(keys: Iterable[str], *, draw: str) -> Ints:
    """A lot for each key, drawn anew for each `draw`: among equals nobody is first by name, number or place in the list."""
    secret = draw.encode()[:64]
    return np.array([int.from_bytes(blake2b(key.encode(), digest_size=7, key=secret).digest()) for key in keys], np.int64)


def _ints(values: ArrayLike) -> Ints:
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind not in "iub" and array.size and not (array.dtype.kind == "f" and np.array_equal(array, np.floor(array))):
        raise Refused("Only whole numbers are understood here.")
    return array.astype(np.int64)


def _within(index: Ints, size: int, what: str) -> None:
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < size:
        raise Refused(f"An option names a {what} that there is not: there are {size}.")


def _lot(given: ArrayLike | None, size: int) -> Ints:
    """Ranks from 0: the first by its lot has 0."""
    if given is None:
        return np.arange(size)
    lot = _ints(given)
    if len(lot) != size:
        raise Refused(f"There are {len(lot)} lots for {size}.")
    ranks = np.empty(size, np.int64)
    ranks[np.argsort(lot, kind="stable")] = np.arange(size)
    return ranks


def _rows(who: Ints, where: Ints, points: Ints, people: int, pool_lot: Ints) -> tuple[Ints, Ints, Ints]:
    """Options by person, then points, then the lot of the pool. One sort of packed numbers where they fit, which is nearly always."""
    by_lot = np.empty(len(pool_lot), np.int64)
    by_lot[pool_lot] = np.arange(len(pool_lot))
    rank = pool_lot[where] if len(where) else where
    high, low = int(points.max(initial=0)).bit_length(), len(pool_lot).bit_length()
    if people.bit_length() + high + low <= 63:
        key = who << (high + low) | points << low | rank
        key.sort()
        where, points, who = by_lot[key & ((1 << low) - 1)], key >> low & ((1 << high) - 1), key >> (high + low)
    else:
        order = np.lexsort((rank, points, who))
        where, points, who = where[order], points[order], who[order]
    start = np.zeros(people + 1, np.int64)
    np.cumsum(np.bincount(who, minlength=people), out=start[1:])
    return start, where, points


def with_regret(start: Ints, points: Ints, policy: Policy) -> Ints:
    """The cost of each option. Regret only grows with the points, so that the cheapest stays first."""
    if not policy.regret or not len(points):
        return points.copy()
    regret = points - np.repeat(points[np.minimum(start[:-1], len(points) - 1)], np.diff(start))
    return points + regret * regret * policy.regret // (1000 * policy.span)


def _tree(free: Ints, limits: Sequence[tuple[ArrayLike, ArrayLike]]) -> tuple[Ints, Ints]:
    """Places and parents of all nodes."""
    families = [(_ints(group), _ints(limit)) for group, limit in limits]
    nodes, first = [free], len(free)
    above = np.full(len(free) + sum(len(limit) for _, limit in families), NONE, np.int64)
    #: Of each pool, the topmost node so far.
    top = np.arange(len(free))
    for group, limit in families:
        if len(group) != len(free):
            raise Refused(f"A limit names the groups of {len(group)} pools; there are {len(free)}.")
        inside = group != NONE
        _within(group[inside], len(limit), "limit")
        if len(limit) and not 0 <= int(limit.min()) <= int(limit.max()) < DEAREST:
            raise Refused("A limit is negative or far too large.")
        below = top[inside]
        above[below] = first + group[inside]
        mixed = (above[below] != first + group[inside]).any() or np.isin(below, top[~inside]).any()
        if mixed:
            raise Refused("Limits must nest: the pools of one group must all be in the same wider group, or all in none.")
        top[inside] = first + group[inside]
        nodes.append(limit)
        first += len(limit)
    return np.concatenate(nodes), above
