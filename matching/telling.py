"""The lines of a ranking in words, as screens and the API show them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from catalogue import criteria, marks
from catalogue.lexicon import Lexicon
from core.geo import miles
from core.prepared import prepared
from matching.engine import check, explain
from matching.engine.problem import Need, PoolFacts, Weights, distance
from matching.engine.rules import Verdict
from matching.engine.words import Words
from matching.travel import asking
from matching.travel.asking import Travel

_MARKS = {"mark": dict(enumerate(name for _, name in marks.WISHES))}
#: Rules that a line shows in another way, or that every line meets.
_SAID_ELSEWHERE = frozenset({"place", "open"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ranking, as screens and the API show it. All of it holds for the instant of the run."""

    rank: int
    pool_id: UUID
    pool_name: str
    unit: str
    service_id: UUID
    service_name: str
    organization_id: UUID
    organization_name: str
    care_type: str
    score: int
    """Points."""
    out_of: int
    """The points of a service that is perfect in everything."""
    distance_m: int | None
    miles: float | None
    met: list[str]
    unknown: list[str]
    places: str
    """Live places and the age of that figure, in words."""
    free: int | None
    told_s: int | None
    """Age of the figure in seconds; None: never told."""
    terms: list[explain.Term]
    better: str
    """What would raise the score most, as a sentence; empty when nothing would."""
    travel: Travel
    """How long the way takes, and how that is known."""
    overdue: str
    """Why the record may be out of date, as a sentence; empty when it was checked lately."""
    is_confidential: bool


class _Pool(NamedTuple):
    """What a line says of its places, but for the facts."""

    pk: UUID
    name: str
    unit: str
    service_id: UUID
    service_name: str
    organization_id: UUID
    organization_name: str
    is_confidential: bool


def words_for(need: Need, pools: Iterable[PoolFacts]) -> Words:
    """The words for a list: names of bits as curators have them now, and of the codes in it, if any."""
    codes = {*need.diagnoses, *(code for facts in pools for code in facts.codes)}
    return Words(Lexicon.read().names() | _MARKS, criteria.names_of(codes))


def with_points(need: Need, weights: Weights, ranked: Iterable[check.Ranked]) -> list[tuple[check.Ranked, dict[str, int]]]:
    return [(line, check.terms(need, line.facts, weights)) for line in ranked]


def lines_of(
    need: Need,
    weights: Weights,
    ranked: list[tuple[check.Ranked, dict[str, int]]],
    by_road: Mapping[str, Any] = MappingProxyType({}),
    numbers: Iterable[int] = (),
) -> list[Line]:
    """The lines of a ranking in its order. `numbers` are those that they have in it, where some of them may be gone; else 1, 2, 3 …"""
    ids = [UUID(line.facts.pool_id) for line, _ in ranked]
    pools, words = places_of(ids), words_for(need, (line.facts for line, _ in ranked))
    return [
        _line(need, weights, line.facts, words, rank=number, score=line.score, points=points, pool=pools[pool], by_road=by_road)
        for number, pool, (line, points) in zip(numbers or count(1), ids, ranked, strict=False)
    ]


def _line(
    need: Need,
    weights: Weights,
    facts: PoolFacts,
    words: Words,
    *,
    rank: int,
    score: int,
    points: Mapping[str, int],
    pool: _Pool,
    by_road: Mapping[str, Any],
) -> Line:
    found = explain.findings(need, facts, words)
    away = distance(need, facts)
    return Line(
        rank=rank,
        pool_id=pool.pk,
        pool_name=pool.name,
        unit=pool.unit,
        service_id=pool.service_id,
        service_name=pool.service_name,
        organization_id=pool.organization_id,
        organization_name=pool.organization_name,
        care_type=words.name("care-type", facts.care_type),
        score=score,
        out_of=weights.total,
        distance_m=away,
        miles=miles_of(away),
        met=[finding.sentence for finding in found if finding.verdict is Verdict.MET and finding.code not in _SAID_ELSEWHERE],
        unknown=[finding.sentence for finding in found if finding.verdict is Verdict.UNKNOWN and finding.code != "place"],
        places=next(finding.sentence for finding in found if finding.code == "place"),
        free=facts.free,
        told_s=facts.age_s,
        terms=explain.terms(need, facts, weights, words, points),
        better=explain.better(need, facts, weights, words, points),
        travel=asking.travel(need, facts, by_road),
        overdue=explain.overdue(need, facts),
        is_confidential=pool.is_confidential,
    )


def miles_of(metres: int | None) -> float | None:
    return None if metres is None else round(miles(metres), 1)


#: Written out: to put it together anew for each ranking took the driver longer than to ask it.
_PLACES = """
SELECT p.id, p.name, p.unit, s.id, s.name, o.id, o.name, s.is_confidential OR o.is_confidential OR coalesce(l.is_confidential, false)
FROM capacity_servicecapacity p JOIN catalogue_service s ON s.id = p.service_id JOIN catalogue_organization o ON o.id = s.organization_id
    LEFT JOIN catalogue_location l ON l.id = p.location_id
WHERE p.id = ANY (%s::uuid[])
"""


def places_of(ids: Iterable[UUID]) -> dict[UUID, _Pool]:
    """What a line says of each of these places, but for its facts."""
    with prepared(), connection.cursor() as cursor:
        cursor.execute(_PLACES, [list(ids)])
        return {row[0]: _Pool._make(row) for row in cursor.fetchall()}
