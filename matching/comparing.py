"""Up to four services side by side for one need, as they stand now: each rule, each factor, and what tells them apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import Invalid
from matching import carrying, operations, queries, telling
from matching.engine import check, explain
from matching.engine.problem import Weights, distance
from matching.engine.rules import Verdict
from matching.models import MatchRun
from matching.travel import asking

#: More than this cannot be read side by side.
FEWEST, MOST = 2, 4


@dataclass(frozen=True, slots=True)
class Compared:
    """One service of a comparison. `score` and `terms` are empty when a rule stands against it now."""

    pool_id: UUID
    pool_name: str
    service_id: UUID
    service_name: str
    organization_name: str
    care_type: str
    is_confidential: bool
    run_id: UUID
    """The ranking whose need it was judged by: the run itself, or a part of it."""
    rank: int | None
    """Its place in that list; None when it is not in it."""
    score: int | None
    out_of: int
    distance_m: int | None
    travel: str
    findings: list[explain.Finding]
    terms: list[explain.Term]
    better: str
    price_pence: int | None
    cqc_rating: int | None
    wait_days: int | None

    @property
    def failed(self) -> list[explain.Finding]:
        return [finding for finding in self.findings if finding.verdict is Verdict.FAILED]


def compare(run: MatchRun, pool_ids: Sequence[UUID], *, at: datetime) -> list[Compared]:
    """These places in the order in which they were given, each judged by its facts now.

    A place that a part of the run lists is judged by that part's need. One that matching cannot place is left out. Raises Invalid
    (`too-few`, `too-many`).
    """
    wanted = list(dict.fromkeys(pool_ids))
    if len(wanted) < FEWEST:
        raise Invalid(f"Choose from {FEWEST} to {MOST} services to compare.", code="too-few")
    if len(wanted) > MOST:
        raise Invalid(f"Choose at most {MOST} services to compare; you chose {len(wanted)}.", code="too-many")
    found: dict[UUID, Compared] = {}
    for one in [run, *(part.run for part in operations.parts_of(run))]:
        listed = dict(one.candidates.filter(pool_id__in=wanted).values_list("pool_id", "rank"))
        # What no list has is judged by the search itself, at the end.
        found |= _judged(one, [pool for pool in wanted if pool in listed and pool not in found], listed, at)
    found |= _judged(run, [pool for pool in wanted if pool not in found], {}, at)
    return [found[pool] for pool in wanted if pool in found]


def _judged(run: MatchRun, pool_ids: Iterable[UUID], ranks: dict[UUID, int], at: datetime) -> dict[UUID, Compared]:
    pool_ids = list(pool_ids)
    if not pool_ids:
        return {}
    need, weights = operations.need_now(run, at), Weights.from_json(run.weights)
    facts = queries.facts_of(need, pool_ids, at=at)
    pools, words = telling.places_of(facts), telling.words_for(need, facts.values())
    told = {}
    for pool_id, known in facts.items():
        pool, findings = pools[pool_id], explain.findings(need, known, words)
        if run.profile.carried_only and need.conditions and not carrying.carries(need, known):
            findings.append(operations.NOT_CARRIED)
        fits = not any(finding.verdict is Verdict.FAILED for finding in findings)
        points = check.terms(need, known, weights)
        told[pool_id] = Compared(
            pool_id=pool_id,
            pool_name=pool.name,
            service_id=pool.service_id,
            service_name=pool.service_name,
            organization_name=pool.organization_name,
            care_type=words.name("care-type", known.care_type),
            is_confidential=pool.is_confidential,
            run_id=run.pk,
            rank=ranks.get(pool_id),
            score=sum(points.values()) if fits else None,
            out_of=weights.total,
            distance_m=distance(need, known),
            travel=asking.travel(need, known, run.travel).words,
            findings=findings,
            terms=explain.terms(need, known, weights, words, points) if fits else [],
            better=explain.better(need, known, weights, words, points) if fits else "",
            price_pence=known.price_pence,
            cqc_rating=known.cqc_rating,
            wait_days=known.wait_days,
        )
    return told
