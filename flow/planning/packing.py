"""What a plan was made from, as packed arrays that are kept with it, and the problem that they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from flow.planning.gathering import Person
from matching.allocation.problem import NONE, Ints, Policy, Problem, build, lots

#: Arrays of whole numbers that are kept as they are.
_NUMBERS = ("person", "pool", "score", "distance", "left", "places", "keep")


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One row for each option in `person`, `pool`, `score` (0 to `Policy.span`) and `distance` (-1: not on the map), the best first.

    `keep` is the pool that each person had in the plan before, -1 for none: moving them costs `Policy.stay`.
    """

    episodes: list[UUID]
    pools: list[UUID]
    person: Ints
    pool: Ints
    score: Ints
    distance: Ints
    left: Ints
    places: Ints
    keep: Ints

    def dump(self) -> bytes:
        out = BytesIO()
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _NUMBERS}
        np.savez_compressed(out, episodes=_bytes(self.episodes), pools=_bytes(self.pools), **arrays)
        return out.getvalue()

    @classmethod
    def load(cls, data: bytes) -> "Packed":
        with np.load(BytesIO(data), allow_pickle=False) as kept:
            numbers = {name: kept[name] for name in _NUMBERS}
            return cls(episodes=_ids(kept["episodes"]), pools=_ids(kept["pools"]), **numbers)

    def options(self, person: int) -> Ints:
        """The rows of a person."""
        return np.flatnonzero(self.person == person)

    def base(self, policy: Policy, draw: str) -> Problem:
        """The problem without what moving people costs."""
        return build(
            person=self.person, pool=self.pool, score=self.score, left=self.left, places=self.places, policy=policy,
            lot=lots(map(str, self.episodes), draw=draw), pool_lot=lots(map(str, self.pools), draw=draw),
        )  # fmt: skip

    def problem(self, policy: Policy, draw: str) -> Problem:
        """The problem that was solved: whoever had a place in the plan before is moved only for more than `Policy.stay`."""
        base = self.base(policy, draw)
        kept = self.keep[base.owner] if len(base.pool) else np.zeros(0, np.int64)
        cost = base.cost + policy.stay * ((kept != NONE) & (kept != base.pool))
        order = np.lexsort((np.arange(len(cost)), cost, base.owner))
        left = base.left + policy.stay * (self.keep != NONE)
        return replace(base, pool=base.pool[order], points=base.points[order], cost=cost[order], left=left)

    def without(self, person: int, taking: int) -> "Packed":
        """The same when one person has been given a place of one pool."""
        rest, places, left, keep = self.person != person, self.places.copy(), self.left.copy(), self.keep.copy()
        places[taking] -= 1
        left[person], keep[person] = 0, NONE
        rows = {name: getattr(self, name)[rest] for name in ("person", "pool", "score", "distance")}
        return replace(self, **rows, places=places, left=left, keep=keep)


def pack(people: Sequence[Person], places: dict[UUID, int], before: dict[UUID, UUID], policy: Policy, most: int) -> Packed:
    """The arrays of a plan. `before` is the place of each stay in the plan before; `most` are the points of a perfect place."""
    order = sorted(people, key=lambda person: person.episode.bytes)
    pools = sorted({option.pool for person in people for option in person.options}, key=lambda pool: pool.bytes)
    index = {pool: number for number, pool in enumerate(pools)}
    rows = [(i, option) for i, person in enumerate(order) for option in person.options]
    could = {(i, option.pool) for i, option in rows}
    kept = [before.get(person.episode) for person in order]
    return Packed(
        episodes=[person.episode for person in order],
        pools=pools,
        person=_ints(i for i, _ in rows),
        pool=_ints(index[option.pool] for _, option in rows),
        score=_ints(scaled(option.score, most, policy) for _, option in rows),
        distance=_ints(NONE if option.distance_m is None else option.distance_m for _, option in rows),
        left=policy.waiting(_ints(person.days for person in order), _ints(person.priority for person in order)),
        places=_ints(places[pool] for pool in pools),
        keep=_ints(index[pool] if pool is not None and (i, pool) in could else NONE for i, pool in enumerate(kept)),
    )


def scaled(score: int, most: int, policy: Policy) -> int:
    """Points of the ranking as points of the plan."""
    return max(0, min(policy.span, score * policy.span // most))


def seats(problem: Problem, pool: Ints) -> Ints:
    """The option by which each person is in a pool (-1: left out)."""
    at = np.full(problem.people, NONE, np.int64)
    mine: NDArray[np.bool_] = pool[problem.owner] == problem.pool
    at[problem.owner[mine]] = np.flatnonzero(mine)
    return at


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _ids(rows: NDArray[np.uint8]) -> list[UUID]:
    return [UUID(bytes=row.tobytes()) for row in rows]


def _bytes(ids: list[UUID]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(one.bytes for one in ids), np.uint8).reshape(-1, 16)
