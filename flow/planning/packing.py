"""What a plan was made from, as packed arrays that are kept with it, and the problem that they make."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from flow.planning.gathering import Key, Person
from flow.planning.rules import Rules, apart
from matching.allocation.problem import NONE, Ints, Policy, Problem, build, lots
from matching.allocation.sides import OPEN, Bundle, Sides, sides

#: Arrays of whole numbers that are kept as they are.
_NUMBERS = ("person", "pool", "score", "distance", "left", "places", "keep")
#: The same of what was added later: a plan from before has none of it.
_RULES = ("ward", "ward_limit", "service", "service_limit", "owner", "owner_limit", "site", "bay", "fixed", "cohort", "bundle", "together")


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One row for each option in `person`, `pool`, `score` (0 to `Policy.span`) and `distance` (-1: not on the map), the best first.

    `keep` is the pool that each person had in the plan before, -1 for none: moving them costs `Policy.stay`. Of each pool: `ward`,
    `service` and `owner` (who runs it) are its limits, `site` is where it is, `bay` the room that people share (-1: none); of each room
    `fixed` is who is in it, of each person `cohort` with whom they may share. People with the same `bundle` are placed all or none, and
    where `together` at one site.
    """

    episodes: list[UUID]
    parts: list[str]
    pools: list[UUID]
    person: Ints
    pool: Ints
    score: Ints
    distance: Ints
    left: Ints
    places: Ints
    keep: Ints
    ward: Ints
    ward_limit: Ints
    service: Ints
    service_limit: Ints
    owner: Ints
    owner_limit: Ints
    site: Ints
    bay: Ints
    fixed: Ints
    cohort: Ints
    bundle: Ints
    together: Ints

    @property
    def keys(self) -> list[Key]:
        return list(zip(self.episodes, self.parts, strict=True))

    def dump(self) -> bytes:
        out = BytesIO()
        arrays: dict[str, Any] = {name: getattr(self, name) for name in (*_NUMBERS, *_RULES)}
        np.savez_compressed(out, episodes=_bytes(self.episodes), pools=_bytes(self.pools), parts=np.array(self.parts, np.str_), **arrays)
        return out.getvalue()

    @classmethod
    def load(cls, data: bytes) -> "Packed":
        with np.load(BytesIO(data), allow_pickle=False) as kept:
            numbers = {name: kept[name] for name in _NUMBERS}
            episodes, pools = _ids(kept["episodes"]), _ids(kept["pools"])
            parts = kept["parts"].tolist() if "parts" in kept else [""] * len(episodes)
            ruled = no_rules(len(episodes), len(pools)) | {name: kept[name] for name in _RULES if name in kept}
            return cls(episodes=episodes, pools=pools, parts=parts, **numbers, **ruled)

    def options(self, person: int) -> Ints:
        """The rows of a person."""
        return np.flatnonzero(self.person == person)

    def base(self, policy: Policy, draw: str) -> Problem:
        """The problem without what moving people costs."""
        keys = [f"{episode} {part}".strip() for episode, part in self.keys]
        families = [(self.ward, self.ward_limit), (self.service, self.service_limit), (self.owner, self.owner_limit)]
        return build(
            person=self.person, pool=self.pool, score=self.score, left=self.left, places=self.places, policy=policy,
            lot=lots(keys, draw=draw), pool_lot=lots(map(str, self.pools), draw=draw),
            limits=[(group, limit) for group, limit in families if len(limit)],
        )  # fmt: skip

    def problem(self, policy: Policy, draw: str) -> Problem:
        """The problem that was solved: whoever had a place in the plan before is moved only for more than `Policy.stay`."""
        base = self.base(policy, draw)
        kept = self.keep[base.owner] if len(base.pool) else np.zeros(0, np.int64)
        cost = base.cost + policy.stay * ((kept != NONE) & (kept != base.pool))
        order = np.lexsort((np.arange(len(cost)), cost, base.owner))
        left = base.left + policy.stay * (self.keep != NONE)
        return replace(base, pool=base.pool[order], points=base.points[order], cost=cost[order], left=left)

    def side(self, problem: Problem) -> Sides | None:
        """What a flow cannot hold, of a problem made from these arrays; None: nothing of the kind."""
        bundles = []
        for number in range(len(self.together)):
            people = tuple(np.flatnonzero(self.bundle == number).tolist())
            if len(people) > 1:
                bundles.append(Bundle(people, together=bool(self.together[number])))
        if not bundles and not (self.bay != NONE).any():
            return None
        rooms = {"bay": self.bay, "fixed": self.fixed, "cohort": self.cohort} if (self.bay != NONE).any() else {}
        return sides(problem, bundles=tuple(bundles), site=self.site, **rooms)

    def lets_in(self, person: int, pool: int) -> bool:
        """Whether those who are in a shared room already, and the limits of newcomers, leave one person a place of a pool."""
        if (bay := self.bay[pool]) != NONE and self.fixed[bay] not in (OPEN, self.cohort[person]):
            return False
        limits = ((self.ward_limit, self.ward[pool]), (self.service_limit, self.service[pool]), (self.owner_limit, self.owner[pool]))
        return all(group == NONE or limit[group] > 0 for limit, group in limits)

    def without(self, person: int, taking: int) -> "Packed":
        """The same when one person has been given a place of one pool. Whoever stays together with them has only places at that site."""
        rest, places, left, keep = self.person != person, self.places.copy(), self.left.copy(), self.keep.copy()
        places[taking] -= 1
        left[person], keep[person] = 0, NONE
        ward, service, owner = self.ward_limit.copy(), self.service_limit.copy(), self.owner_limit.copy()
        fixed, bundle = self.fixed.copy(), self.bundle.copy()
        for limit, group in ((ward, self.ward[taking]), (service, self.service[taking]), (owner, self.owner[taking])):
            if group != NONE:
                limit[group] = max(0, limit[group] - 1)
        if self.bay[taking] != NONE and fixed[self.bay[taking]] == OPEN:
            fixed[self.bay[taking]] = self.cohort[person]
        mine = self.bundle[person]
        if mine != NONE:
            bundle[person] = NONE
            if self.together[mine]:
                rest &= (self.bundle[self.person] != mine) | (self.site[self.pool] == self.site[taking])
        rows = {name: getattr(self, name)[rest] for name in ("person", "pool", "score", "distance")}
        return replace(
            self,
            **rows,
            places=places,
            left=left,
            keep=keep,
            ward_limit=ward,
            service_limit=service,
            owner_limit=owner,
            fixed=fixed,
            bundle=bundle,
        )


def no_rules(people: int, pools: int) -> dict[str, Ints]:
    """The arrays of a plan in which there is nothing to respect but each person's own rules."""
    nothing = np.zeros(0, np.int64)
    none_of = {name: np.full(pools, NONE, np.int64) for name in ("ward", "service", "owner", "site", "bay")}
    limits = dict.fromkeys(("ward_limit", "service_limit", "owner_limit", "fixed", "together"), nothing)
    return none_of | limits | {"cohort": np.zeros(people, np.int64), "bundle": np.full(people, NONE, np.int64)}


def pack(
    people: Sequence[Person], places: Mapping[UUID, int], before: Mapping[Key, UUID], policy: Policy, rules: Rules | None = None
) -> Packed:
    """The arrays of a plan. `before` is the place of each in the plan before."""
    order = sorted(people, key=lambda person: (person.episode.bytes, person.part))
    pools = sorted({option.pool for person in people for option in person.options}, key=lambda pool: pool.bytes)
    index = {pool: number for number, pool in enumerate(pools)}
    rows = [(i, option) for i, person in enumerate(order) for option in person.options]
    could = {(i, option.pool) for i, option in rows}
    kept = [before.get(person.key) for person in order]
    return Packed(
        episodes=[person.episode for person in order],
        parts=[person.part for person in order],
        pools=pools,
        person=_ints(i for i, _ in rows),
        pool=_ints(index[option.pool] for _, option in rows),
        score=_ints(scaled(option.score, order[i].weights.total, policy) for i, option in rows),
        distance=_ints(NONE if option.distance_m is None else option.distance_m for _, option in rows),
        left=_left(order, policy),
        places=_ints(places[pool] for pool in pools),
        keep=_ints(index[pool] if pool is not None and (i, pool) in could else NONE for i, pool in enumerate(kept)),
        **(no_rules(len(order), len(pools)) | (_ruled(order, pools, rules) if rules else {})),
    )


def _left(order: Sequence[Person], policy: Policy) -> Ints:
    """What leaving each out costs: of somebody who needs several services, shared out between the rows for them."""
    whole = policy.waiting(_ints(person.days for person in order), _ints(person.priority for person in order))
    rows: dict[UUID, list[int]] = {}
    for i, person in enumerate(order):
        if person.part:
            rows.setdefault(person.episode, []).append(i)
    for mine in rows.values():
        share, over = divmod(int(whole[mine[0]]), len(mine))
        whole[mine] = [share + (i < over) for i in range(len(mine))]
    return whole


def _ruled(order: Sequence[Person], pools: Sequence[UUID], rules: Rules) -> dict[str, Ints]:
    wards = [pool for pool in pools if pool in rules.ward_limits]
    services = sorted({rules.services[pool] for pool in pools if rules.services.get(pool) in rules.service_limits}, key=str)
    owners = sorted({rules.owners[pool] for pool in pools if pool in rules.owners}, key=str) if rules.share > 0 else []
    could = len({person.episode for person in order if person.options})
    rooms = [pool for pool in pools if pool in rules.rooms]
    sites = sorted({rules.sites[pool] for pool in pools if pool in rules.sites}, key=str)
    words = sorted({*(person.cohort for person in order), *(rules.rooms[room] for room in rooms)} - {""})
    cohorts = {word: number for number, word in enumerate(words)}
    bundle = np.full(len(order), NONE, np.int64)
    together: list[int] = []
    row = {person.key: i for i, person in enumerate(order)}
    for family in apart(order).values():
        bundle[[row[person.key] for person in family]] = len(together)
        together.append(1)
    for episode in dict.fromkeys(person.episode for person in order if person.part):
        mine = [i for i, person in enumerate(order) if person.episode == episode]
        if len(mine) > 1:
            bundle[mine] = len(together)
            together.append(0)
    return {
        "ward": _numbers(pools, wards),
        "ward_limit": _ints(rules.ward_limits[ward] for ward in wards),
        "service": _numbers([rules.services.get(pool) for pool in pools], services),
        "service_limit": _ints(rules.service_limits[service] for service in services),
        "owner": _numbers([rules.owners.get(pool) for pool in pools], owners),
        # Rounded up, so that even of a few people each provider may have one.
        "owner_limit": np.full(len(owners), -(-could * rules.share // 100), np.int64),
        "site": _numbers([rules.sites.get(pool) for pool in pools], sites),
        "bay": _numbers(pools, rooms),
        "fixed": _ints(cohorts.get(rules.rooms[room], OPEN) for room in rooms),
        "cohort": _ints(cohorts.get(person.cohort, len(words)) for person in order),
        "bundle": bundle,
        "together": _ints(together),
    }


def _numbers(of: Sequence[UUID | None], known: Sequence[UUID]) -> Ints:
    number = {each: i for i, each in enumerate(known)}
    return _ints(NONE if each is None else number.get(each, NONE) for each in of)


def scaled(score: int, most: int, policy: Policy) -> int:
    """Points of the ranking, of which a perfect place has `most`, as points of the plan."""
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
