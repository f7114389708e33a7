"""What people do with matching: search, look again, and ask why."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from django.db import transaction

from capacity.models import ServiceCapacity
from catalogue.lexicon import Lexicon, name_of
from catalogue.models import User
from core import clock
from matching import carrying, ledger, parts, profiles, queries, storing, support
from matching.engine import ENGINE_VERSION, check, explain
from matching.engine.problem import Need, PoolFacts, Weights, distance
from matching.engine.rules import Verdict
from matching.models import MatchCandidate, MatchRun, NeedProfile, WeightSet
from matching.snapshot.keeper import keeper
from matching.telling import Line, lines_of, miles_of, places_of, with_points, words_for
from matching.travel import asking

#: Written to the unmet-need ledger when there is no service of the kind at all.
NO_SERVICE = "no-service"

#: The same, when services fit that have not said that they take the diagnosis.
CARRIED_ONLY = "carried-only"
#: Reasons that are no rule of the engine.
_REASONS = {NO_SERVICE: "there being no such service", CARRIED_ONLY: "having said that they take these diagnoses"}

#: Of how many of the nearest services those are chosen that nearly fit, where others do fit.
NEARLY_AMONG = 200

profile_from = profiles.profile_from
refresh_facts = queries.refresh_facts


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a service is in the list or is not."""

    pool_id: UUID
    pool_name: str
    service_id: UUID
    service_name: str
    rank: int | None
    score: int | None
    summary: str
    failed: list[explain.Finding]
    unknown: list[explain.Finding]
    met: list[explain.Finding]
    terms: list[explain.Term]


@dataclass(frozen=True, slots=True)
class MissLine:
    """A service that nearly fits."""

    pool_id: UUID
    service_id: UUID
    service_name: str
    distance_m: int | None
    miles: float | None
    failed: list[explain.Finding]


@dataclass(frozen=True, slots=True)
class Opening:
    """What setting one rule aside would give."""

    code: str
    opens: int
    words: str


@dataclass(frozen=True, slots=True)
class PartOf:
    """A ranking that belongs to another. `because` is a sentence; empty for a part of a package."""

    id: UUID
    run: MatchRun
    part: str
    name: str
    care_types: list[str]
    because: str
    ask: str


@dataclass(frozen=True, slots=True)
class Misses:
    """When nobody fits: who nearly does, and which single change opens most (the first)."""

    lines: list[MissLine]
    openings: list[Opening]


@transaction.atomic
def ask(data: Mapping[str, Any], *, by: User, at: datetime) -> MatchRun:
    """Store a need as `profile_from` does, and rank for it: both or neither. The lists of words are read once for all of it.

    Raises what `profile_from` raises.
    """
    with Lexicon.held():
        return _matched(profile_from(data, by=by), by=by, at=at)


@transaction.atomic
def match(
    profile: NeedProfile, *, by: User | None, at: datetime, limit: int = 50, nearly: bool = False, in_ledger: bool = True
) -> MatchRun:
    """Rank what is free for a need and store the answer with all that it was judged by.

    What `matching.parts` makes of it is ranked too: help with the first step, and each kind by itself when all are wanted. When nobody
    fits, the run keeps the nearest misses, and the unmet-need ledger gets a row without any person in it. With `nearly`, it keeps them
    though somebody fits. A route planner, where there is one, is asked about the best lines. Where nobody searched – a record was opened –
    `in_ledger` is False, and the ledger stays as it is.
    """
    return _matched(profile, by=by, at=at, limit=limit, nearly=nearly, in_ledger=in_ledger)


def _matched(
    profile: NeedProfile, *, by: User | None, at: datetime, limit: int = 50, nearly: bool = False, in_ledger: bool = True
) -> MatchRun:
    run = _match(profile, by=by, at=at, limit=limit, ledger_too=in_ledger and not parts.is_package(profile), nearly=nearly)
    run.just_parts = []
    for part in parts.of(profile):
        part.profile.save()
        one = MatchRun(part_of=run, part=part.part, because=list(part.because))
        run.just_parts.append(one)
        _match(part.profile, by=by, at=at, limit=part.limit, ledger_too=in_ledger and part.part == parts.PACKAGE, run=one)
    return run


def _match(
    profile: NeedProfile,
    *,
    by: User | None,
    at: datetime,
    limit: int,
    ledger_too: bool,
    nearly: bool = False,
    run: MatchRun | None = None,
) -> MatchRun:
    """One ranking. A support that nobody gives is suggested, not asked for: it is no unmet need."""
    started = time.perf_counter()
    weight_set = WeightSet.objects.newest(profile.pathway)
    weights = Weights.from_json(weight_set.weights)
    need = profiles.need_of(profile, at=at, learned=weight_set.chances if weights.likelihood else {})
    ranking = _rank(need, weights, at=at, limit=limit, carried_only=profile.carried_only)
    run = run or MatchRun()
    run.profile, run.organization_id, run.created_by = profile, profile.organization_id, by
    run.at, run.weights, run.weights_version = at, weights.to_json(), weight_set.version
    run.engine_version, run.problem = ENGINE_VERSION, need.to_json()
    run.considered = ranking.considered or queries.count_in_reach(need, at=at)
    if not ranking.lines:
        run.misses, reason = _misses(need, at, carried_only=profile.carried_only)
        if ledger_too:
            ledger.note(profile, reason=reason, at=at)
    elif ledger_too:
        ledger.resolve(profile, at=at)
    if ranking.lines and nearly:
        run.misses, _ = _misses(need, at, carried_only=profile.carried_only, among=NEARLY_AMONG)
    run.travel = asking.ask(need, [line.facts for line in ranking.lines])
    run.took_ms = (time.perf_counter() - started) * 1000
    run.save()
    run.just_ranked = with_points(need, weights, ranking.lines)
    storing.store(run.pk, run.just_ranked)
    return run


def parts_of(run: MatchRun) -> list[PartOf]:
    """The rankings that belong to this one, in the order in which they were asked for. Why is said of the need as it was stored."""
    found = run.parts.select_related("profile") if run.just_parts is None else run.just_parts
    stored = sorted(found, key=lambda one: parts.place_of(one, run.profile))
    person = parts.person_of(run.profile)
    return [_part_of(one, person) for one in stored]


def _part_of(run: MatchRun, person: support.Person) -> PartOf:
    helps = support.named(run.part)
    return PartOf(
        id=run.pk,
        run=run,
        part=run.part,
        name=helps.name if helps else name_of("care-type", run.profile.care_types[0]),
        care_types=run.profile.care_types,
        because=support.sentence(person, run.because),
        ask=helps.ask if helps else "",
    )


def lines(run: MatchRun, *, start: int = 0, stop: int | None = None) -> list[Line]:
    """The ranking as it was stored; with `start` and `stop`, those lines of it alone, counted as Python counts."""
    need, weights = Need.from_json(run.problem), Weights.from_json(run.weights)
    if run.just_ranked is not None:
        return lines_of(need, weights, run.just_ranked[start:stop], by_road=run.travel, numbers=count(start + 1))
    stored = list(run.candidates.order_by("rank").values_list("rank", "facts", "score", "distance_m", "terms")[start:stop])
    ranked = [(check.Ranked(PoolFacts.from_json(facts), score, away), points) for _, facts, score, away, points in stored]
    return lines_of(need, weights, ranked, by_road=run.travel, numbers=[number for number, *_ in stored])


def how_many(run: MatchRun) -> int:
    """How many lines the ranking has."""
    return run.candidates.count() if run.just_ranked is None else len(run.just_ranked)


def replay(run: MatchRun) -> list[Line]:
    """The ranking computed again, from the stored problem, weights and facts alone."""
    need, weights = Need.from_json(run.problem), Weights.from_json(run.weights)
    facts = [PoolFacts.from_json(candidate.facts) for candidate in run.candidates.all()]
    return lines_of(need, weights, with_points(need, weights, check.rank(need, facts, weights)), by_road=run.travel)


def next_best(run: MatchRun, *, exclude_pools: Iterable[UUID], at: datetime, limit: int = 3) -> list[Line]:
    """What is still free for the same need now, leaving some pools out: for “the last place was taken; these are free”."""
    weights, need = Weights.from_json(run.weights), need_now(run, at)
    ranking = _rank(need, weights, at=at, limit=limit, without=exclude_pools, carried_only=run.profile.carried_only)
    return lines_of(need, weights, with_points(need, weights, ranking.lines))


def need_now(run: MatchRun, at: datetime) -> Need:
    """The need of a run as it is now, and what was learned of how likely a yes is as it was then: it goes with the weights."""
    return replace(profiles.need_of(run.profile, at=at), chances=Need.from_json(run.problem).chances)


def why_not(run: MatchRun, pool_id: UUID, *, at: datetime | None = None) -> Explanation:
    """Why a pool is not in the list, and what would change that; or, if it is, why it stands where it does.

    A pool in the list is explained by the facts that it was judged by; another by its facts now (`at`, default the present).
    Raises `ServiceCapacity.DoesNotExist` for a pool that there is not.
    """
    pool = ServiceCapacity.objects.select_related("service").get(pk=pool_id)
    need, weights = Need.from_json(run.problem), Weights.from_json(run.weights)
    candidate = run.candidates.filter(pool_id=pool_id).first()
    facts: PoolFacts | None
    if candidate is not None:
        facts = PoolFacts.from_json(candidate.facts)
    else:
        at = at or clock.now()
        need = need_now(run, at)
        facts = queries.facts_of(need, [pool_id], at=at).get(pool_id)
    words = words_for(need, [] if facts is None else [facts])
    found = [] if facts is None else explain.findings(need, facts, words)
    failed = [finding for finding in found if finding.verdict is Verdict.FAILED]
    if facts is not None and run.profile.carried_only and need.conditions and not carrying.carries(need, facts):
        failed.append(NOT_CARRIED)
    fits = facts is not None and not failed
    return Explanation(
        pool_id=pool.pk,
        pool_name=pool.name,
        service_id=pool.service_id,
        service_name=pool.service.name,
        rank=candidate.rank if candidate else None,
        score=check.score(need, facts, weights) if facts is not None and fits else None,
        summary=_summary(run, candidate, failed, known=facts is not None),
        failed=failed,
        unknown=[finding for finding in found if finding.verdict is Verdict.UNKNOWN],
        met=[finding for finding in found if finding.verdict is Verdict.MET],
        terms=explain.terms(need, facts, weights, words) if facts is not None and fits else [],
    )


def reason_words(code: str) -> str:
    """A reason of the ledger or of a miss in a sentence."""
    return _REASONS.get(code) or explain.label(code)


def nearest_misses(run: MatchRun) -> Misses:
    """The services that fail least, and what opens most; empty for a run that found somebody and was not asked for them."""
    if not run.misses:
        return Misses(lines=[], openings=[])
    need = Need.from_json(run.problem)
    stored = [PoolFacts.from_json(facts) for facts in run.misses.get("pools", [])]
    words = words_for(need, stored)
    pools = places_of(UUID(facts.pool_id) for facts in stored)
    return Misses(
        lines=[
            MissLine(
                pool_id=pool.pk,
                service_id=pool.service_id,
                service_name=pool.service_name,
                distance_m=distance(need, facts),
                miles=miles_of(distance(need, facts)),
                failed=[finding for finding in explain.findings(need, facts, words) if finding.verdict is Verdict.FAILED],
            )
            for facts in stored
            if (pool := pools.get(UUID(facts.pool_id)))
        ],
        openings=[
            Opening(code=code, opens=opens, words=f"{opens} would fit if {reason_words(code)} did not matter.")
            for code, opens in run.misses.get("opens", [])
        ],
    )


def _rank(
    need: Need, weights: Weights, *, at: datetime, limit: int, without: Iterable[UUID] = (), carried_only: bool = False
) -> queries.Ranking:
    """From what this process holds in memory; where it holds nothing, or cannot be sure, by the SQL. Both say the same."""
    without = list(without)
    if carried_only and need.conditions:
        return carrying.rank(need, weights, at=at, limit=limit, without=set(without))
    ranking = keeper.rank(need, weights, at=at, limit=limit, without=without)
    return queries.rank(need, weights, at=at, limit=limit, without=without) if ranking is None else ranking


def _misses(need: Need, at: datetime, *, carried_only: bool, among: int = 500) -> tuple[dict[str, Any], str]:
    """The nearest misses as a run keeps them, and the reason for the ledger: what opens most, or else what the nearest fails."""
    near = queries.nearest(need, at=at, limit=among)
    narrowed = carried_only and bool(need.conditions)
    taken = [facts for facts in near if carrying.carries(need, facts)] if narrowed else near
    misses, relaxations = explain.misses(need, taken)
    opens = [(relaxation.code, relaxation.opens) for relaxation in relaxations]
    if narrowed and (others := sum(check.fits(need, facts) for facts in near)):
        opens.append((CARRIED_ONLY, others))
        opens.sort(key=lambda item: -item[1])
    reasons = [code for code, _ in opens] + [miss.codes[0] for miss in misses] + [NO_SERVICE]
    return {"pools": [miss.facts.to_json() for miss in misses], "opens": [list(item) for item in opens]}, reasons[0]


#: What stands against a service where only those are listed that carry a diagnosis.
NOT_CARRIED = explain.Finding(
    code=CARRIED_ONLY,
    verdict=Verdict.FAILED,
    sentence="It has not said that it takes people with these diagnoses, and only services that have are listed.",
    change="It would fit once it said so, or if that were not asked.",
)


def _summary(run: MatchRun, candidate: MatchCandidate | None, failed: list[explain.Finding], *, known: bool) -> str:
    if candidate is not None:
        return f"It is number {candidate.rank} in the list."
    if not known:
        return "It has no kind of service that can be matched."
    if failed:
        return f"It does not fit: {reason_words(failed[0].code)}." if len(failed) == 1 else f"It does not fit, for {len(failed)} reasons."
    if run.candidates.count():
        return "It fits now. It scored lower than the services listed, or it has changed since: search again to see."
    return "It fits now. It has changed since this search: search again to see it."
