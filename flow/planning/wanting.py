"""Whom the plan leaves out and why, and where one more place would do most good: in places that are in the plan, and in full ones."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from capacity.models import ServiceCapacity
from catalogue.models import Area
from catalogue.queries import areas_at_each
from flow.planning.gathering import Key, Person
from flow.planning.packing import scaled
from matching import queries
from matching.allocation.answer import WORDS, Why, left_out
from matching.allocation.problem import Ints, Policy
from matching.allocation.relax import relaxed
from matching.allocation.worth import worth
from matching.engine import check, explain, place
from matching.engine.problem import ACCEPTING, PoolFacts
from matching.engine.words import count

if TYPE_CHECKING:
    from flow.planning.drawing import Drawn

#: So many of those left out are looked at one by one, those first for whom a place would do most; and so many places near each.
LOOKED_AT, NEAR = 150, 100
#: Of services that fit: the words for one, and for several.
_NO_PLACE_NOW = {
    place.FULL: ("is full.", "are full."),
    place.LIST: ("has a waiting list.", "have waiting lists."),
    place.UNKNOWN: ("has not told lately whether a place is free. Ask it.", "have not told lately whether a place is free. Ask them."),
}
ELSEWHERE = "Outside the districts"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one more place of a kind in a district would be worth: the points by which the plan would be better.

    `pool` is where most (a pool's id); `pools` is in how many it would be used, `full` of them full now.
    """

    kind: str
    area: str
    points: int
    pool: str
    pools: int
    full: int


@dataclass(frozen=True, slots=True)
class Looked:
    """Of each line that is left out, sentences that say why, and the place where one more would help best."""

    reasons: dict[Key, list[str]]
    helps: dict[Key, UUID]
    wanted: list[Wanted]


def look(drawn: "Drawn", policy: Policy, *, at: datetime) -> Looked:
    """Look at everybody left out, and at what one more place would be worth."""
    gains: dict[UUID, int] = {}
    if drawn.packed.pools:
        found = _worth(drawn)[: len(drawn.packed.pools)]
        gains = {pool: int(gain) for pool, gain in zip(drawn.packed.pools, found, strict=True) if gain > 0}
    reasons: dict[Key, list[str]] = {}
    helps: dict[Key, UUID] = {}
    full: dict[UUID, int] = defaultdict(int)
    for one in left_out(drawn.problem, drawn.solved.at, drawn.side)[:LOOKED_AT]:
        person, best = drawn.people[one.person], one.gain
        if one.pool >= 0 and one.why is not Why.DEARER:
            helps[person.key] = drawn.packed.pools[one.pool]
        said, missed = _near(person, at)
        for facts in missed:
            free = facts._replace(free=max(1, facts.free or 0), status=ACCEPTING, age_s=max(0, facts.age_s or 0))
            points = policy.span - scaled(check.score(person.need, free, person.weights), person.weights.total, policy)  # type: ignore[arg-type]
            gain = int(drawn.base.left[one.person]) - points
            pool = UUID(facts.pool_id)
            full[pool] = max(full[pool], gain)
            if gain > best or person.key not in helps:
                helps[person.key], best = pool, max(gain, best)
        reasons[person.key] = [WORDS[one.why], *said] if one.why is not Why.NO_OPTION else said
    return Looked(reasons, helps, _wanted(gains, {pool: gain for pool, gain in full.items() if gain > 0}))


def _worth(drawn: "Drawn") -> Ints:
    """What one more place of each pool is worth; where couples, packages or rooms are kept, as if they were not."""
    if drawn.side is None:
        return worth(drawn.problem, drawn.solved.at)
    from matching.allocation.solve import solve

    loose, _ = relaxed(drawn.problem, drawn.side)
    return worth(loose, solve(loose).at)


def _near(person: Person, at: datetime) -> tuple[list[str], list[PoolFacts]]:
    """Why nothing free fits, by what is near; and the places that would fit but that they are full."""
    if person.need is None:
        return ["What was looked for has words that are no longer in use. Search again for this person."], []
    near = queries.nearest(person.need, at=at, limit=NEAR)
    full = [facts for facts in near if place.place(facts) == place.FULL and check.failed(person.need, facts) == ["place"]]
    if person.options:
        return [], full
    _, openings = explain.misses(person.need, near)
    if not near:
        return ["There is no service of this kind that is open."], full
    # What the list for one person shows as well, though no place there can be given away now.
    fit = Counter(place.place(facts) for facts in near if check.fits(person.need, facts))
    fit[place.FULL] = len(full)
    said = [
        f"{count(fit[state], 'service')} that {_of(fit[state], ('fits', 'fit'))} {_of(fit[state], words)}"
        for state, words in _NO_PLACE_NOW.items()
        if fit[state]
    ]
    said += [f"{each.opens} would fit if {explain.label(each.code)} did not matter." for each in openings if each.code != "place"][:2]
    return said or ["Nothing near fits, for more than one reason each."], full


def _of(number: int, words: tuple[str, str]) -> str:
    return words[number != 1]


def _wanted(gains: dict[UUID, int], full: dict[UUID, int]) -> list[Wanted]:
    """By kind of care and district, what does most good first."""
    both = {pool: max(gains.get(pool, 0), full.get(pool, 0)) for pool in {*gains, *full}}
    named = _labels(both)
    rows: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    for pool in both:
        if pool in named:
            rows[named[pool]].append(pool)
    found = []
    for (kind, area), pools in rows.items():
        best = max(pools, key=lambda pool: (both[pool], str(pool)))
        found.append(Wanted(kind, area, both[best], str(best), len(pools), sum(pool not in gains for pool in pools)))
    return sorted(found, key=lambda row: (-row.points, -row.pools, row.kind, row.area))


def _labels(pools: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Kind of care and district of each pool, by the place that the ranking knows it at: of a refuge, the middle of its square."""
    kept = ServiceCapacity.objects.filter(pk__in=list(pools)).values_list("pk", "care_type__name", "fact__point")
    rows = [(pool, kind, point) for pool, kind, point in kept]
    placed = [point for _, _, point in rows if point is not None]
    districts = dict(Area.objects.filter(kind=Area.Kind.DISTRICT).values_list("pk", "name"))
    areas = iter(areas_at_each(placed) if placed else [])
    labels = {}
    for pool, kind, point in rows:
        inside = next(areas) if point is not None else []
        labels[pool] = (kind, next((districts[area] for area in inside if area in districts), ELSEWHERE if point is not None else "Online"))
    return labels
