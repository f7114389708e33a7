"""A whole ranking without SQL: slow, plain and right. This is the specification that `matching.queries` must equal."""

from collections.abc import Iterable
from typing import NamedTuple

from matching.engine.factors import FACTORS
from matching.engine.problem import Need, PoolFacts, Weights, distance
from matching.engine.rules import RULES, Verdict


class Ranked(NamedTuple):
    """One pool in its place: the score, and whole metres away (None: not on the map)."""

    facts: PoolFacts
    score: int
    distance_m: int | None


def failed(need: Need, facts: PoolFacts) -> list[str]:
    """Codes of the rules that take this pool out of the list."""
    return [rule.code for rule in RULES if rule.verdict(need, facts) is Verdict.FAILED]


def fits(need: Need, facts: PoolFacts) -> bool:
    """Whether no rule takes this pool out."""
    return all(rule.verdict(need, facts) is not Verdict.FAILED for rule in RULES)


def terms(need: Need, facts: PoolFacts, weights: Weights) -> dict[str, int]:
    """Points of each factor."""
    return {factor.code: getattr(weights, factor.code) * factor.share(need, facts) // 1000 for factor in FACTORS}


def score(need: Need, facts: PoolFacts, weights: Weights) -> int:
    return sum(terms(need, facts, weights).values())


def rank(need: Need, pools: Iterable[PoolFacts], weights: Weights, limit: int | None = None) -> list[Ranked]:
    """Every pool that no rule takes out: best score first, then nearest, then by id. Of a series of sessions only the next one."""
    fitting = [
        Ranked(facts=facts, score=score(need, facts, weights), distance_m=distance(need, facts)) for facts in pools if fits(need, facts)
    ]
    following: dict[str, Ranked] = {}
    for ranked in sorted(fitting, key=lambda r: (r.facts.starts_in_s or 0, r.facts.pool_id)):
        following.setdefault(ranked.facts.series or ranked.facts.pool_id, ranked)
    fitting = list(following.values())
    fitting.sort(key=lambda r: (-r.score, r.distance_m is None, r.distance_m or 0, r.facts.pool_id))
    return fitting[:limit]
