"""Sentences for one pool: each rule with its verdict, each factor with its points, and what would open most."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from matching.engine import check
from matching.engine.factors import FACTORS, checked, is_overdue
from matching.engine.problem import Need, PoolFacts, Weights, distance
from matching.engine.rules import RULES, Verdict
from matching.engine.words import Words, count


class Finding(NamedTuple):
    """What one rule says of one pool. `change` is empty unless the rule failed."""

    code: str
    verdict: Verdict
    sentence: str
    change: str = ""


class Term(NamedTuple):
    """What one factor added: `"+210 for distance: 1.2 miles"`."""

    code: str
    points: int
    most: int
    words: str


@dataclass(frozen=True, slots=True)
class Miss:
    """A pool that does not fit, and the codes of the rules that say so."""

    facts: PoolFacts
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """How many pools would fit if one rule alone were set aside."""

    code: str
    opens: int


def findings(need: Need, facts: PoolFacts, words: Words) -> list[Finding]:
    """What every rule says, in order; rules that nothing was asked of are left out."""
    said = []
    for rule in RULES:
        verdict = rule.verdict(need, facts)
        if verdict is not Verdict.NOT_ASKED and (sentence := rule.sentence(need, facts, words)):
            change = rule.change(need, facts, words) if verdict is Verdict.FAILED else ""
            said.append(Finding(code=rule.code, verdict=verdict, sentence=sentence, change=change))
    return said


def terms(need: Need, facts: PoolFacts, weights: Weights, words: Words, points: Mapping[str, int] | None = None) -> list[Term]:
    """What each factor added, in words. With `points`, those that were stored; otherwise they are computed."""
    if points is None:
        points = check.terms(need, facts, weights)
    return [
        Term(
            code=factor.code,
            points=points[factor.code],
            most=getattr(weights, factor.code),
            words=f"+{points[factor.code]} for {factor.label}: {factor.words(need, facts, words)}",
        )
        for factor in FACTORS
        if getattr(weights, factor.code)
    ]


def better(need: Need, facts: PoolFacts, weights: Weights, words: Words, points: Mapping[str, int]) -> str:
    """What would raise the score most, of all that somebody could change, as a sentence; empty when nothing would."""
    lost = [(getattr(weights, factor.code) - points[factor.code], factor) for factor in FACTORS if getattr(weights, factor.code)]
    for most, factor in sorted(lost, key=lambda pair: -pair[0]):
        if most > 0 and (how := factor.better(need, facts, words)):
            return f"Up to {count(most, 'point')} more {how}."
    return ""


def overdue(need: Need, facts: PoolFacts) -> str:
    """That the record was checked too long ago; empty when it was not, and for a run stored before that was looked at."""
    if not need.today or not is_overdue(need, facts):
        return ""
    if facts.assured_days is None:
        return "Its record has never been checked, so it is overdue."
    return f"Its record was last checked {checked(need, facts.assured_days)}, so it is overdue."


def label(code: str) -> str:
    """The name of a rule in a sentence."""
    return next(rule.label for rule in RULES if rule.code == code)


def misses(need: Need, pools: Iterable[PoolFacts], limit: int = 5) -> tuple[list[Miss], list[Relaxation]]:
    """The pools that fail fewest rules (then the nearest), and what setting one rule aside would open, most first."""
    all_misses = []
    opens: Counter[str] = Counter()
    for facts in pools:
        codes = tuple(check.failed(need, facts))
        if codes:
            all_misses.append(Miss(facts=facts, codes=codes))
        if len(codes) == 1:
            opens[codes[0]] += 1
    all_misses.sort(key=lambda m: _nearness(need, m))
    relaxations = [Relaxation(code=code, opens=number) for code, number in sorted(opens.items(), key=lambda item: (-item[1], item[0]))]
    return all_misses[:limit], relaxations


def _nearness(need: Need, miss: Miss) -> tuple[int, bool, int, str]:
    away = distance(need, miss.facts)
    return (len(miss.codes), away is None, away or 0, miss.facts.pool_id)
