"""A copy of the live state as a world of numbers, with what was learned for it, and the changes in the world's own numbers."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import numpy as np

from capacity.models import CapacityStatus, ServiceCapacity
from catalogue.models import Organization, TaxonomyTerm, User
from catalogue.models.taxonomy import CARE_TYPE
from core.clock import LONDON
from core.errors import Conflict
from flow.models import Episode, Referral, ReferralTask
from flow.simulation import changes as numbers
from flow.simulation.fitting import Fitted
from flow.simulation.world import World, rows
from flow.whatif import asking, history
from flow.workflow import Status
from matching import queries
from matching.engine import check
from matching.engine.problem import ACCEPTING, Need, PoolFacts, Weights, distance
from matching.models import NeedProfile, WeightSet
from matching.profiles import needs_of

#: So many needs of the last weeks stand for all that come, the newest of each pathway; of each, so many of the best places.
NEEDS, OPTIONS, NEAR = 60, 60, 150
RECENT = timedelta(days=60)
#: With fewer needs of its own a team's people need what anybody's on the pathway did.
OWN_NEEDS = 10
SPAN = 10_000
_OTHERS = "Other teams together"
_GONE_ON = (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD)


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """The world at one instant, the changes as its numbers, and what a reader must know of both."""

    world: World
    changes: tuple[numbers.Change, ...]
    about: dict[str, Any]


@dataclass(slots=True)
class _Gathered:
    """What is found on the way."""

    needs: list[tuple[str, Need]] = field(default_factory=list)
    options: list[list[tuple[UUID, int, int]]] = field(default_factory=list)
    facts: dict[UUID, PoolFacts] = field(default_factory=dict)
    by_pathway: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_source: dict[tuple[UUID, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    of_profile: dict[UUID, int] = field(default_factory=dict)


def copy(user: User, asked: Sequence[asking.Asked], *, at: datetime) -> Copied:
    """The region as it is, for `user`'s question. Raises Conflict (`no-history`) when nobody came of whom it is known what they needed."""
    found = _needs(at)
    if not found.needs:
        raise Conflict(
            "Nobody has been looked for lately, so that it is not known who comes and what they need. Ask again after some weeks of use.",
            code="no-history",
        )
    new = _new_pools(found, asked)
    pools = [*sorted(found.facts, key=str), *new.values()]
    number = {pool: n for n, pool in enumerate(pools)}
    known = ServiceCapacity.objects.filter(pk__in=pools).select_related("care_type").in_bulk()
    codes = {pool: known[pool].care_type.code if pool in known else "" for pool in pools}
    for change, pool in new.items():
        codes[pool] = asked[change].kind  # type: ignore[union-attr]
    kinds = sorted(set(codes.values()))
    places = _Places(pools, known, number, at)
    laws = _Laws(kinds, at)
    came = history.arrivals(at)
    pathways = [str(each) for each in Episode.Pathway if found.by_pathway[each]]
    streams = _streams(came, pathways, found)
    waiting = _waiting(found, pathways, [key for key, _, _ in streams], at)
    names = dict(TaxonomyTerm.objects.of(CARE_TYPE).values_list("code", "name"))
    local = at.astimezone(LONDON)
    sources = sorted({source for (source, _), _, _ in streams}, key=str)
    world = World(
        kinds=tuple(names.get(kind, kind) for kind in kinds),
        kind=np.array([kinds.index(codes[pool]) for pool in pools], np.int64),
        size=np.array([places.size[pool] for pool in pools], np.int64),
        others=np.array([places.others[pool] for pool in pools], np.int64),
        taken_pool=np.array([number[pool] for pool, _ in places.ours], np.int64),
        since=np.array([since for _, since in places.ours]),
        stay=tuple(laws.stay[kind].law for kind in kinds),
        answer=tuple(laws.answer[kind].law for kind in kinds),
        pathways=tuple(str(Episode.Pathway(each).label) for each in pathways),
        in_hospital=tuple(each != Episode.Pathway.COMMUNITY for each in pathways),
        search=tuple(laws.search[each].law for each in pathways),
        patience=tuple(laws.patience[each].law for each in pathways),
        pathway=np.array([pathways.index(pathway) for pathway, _ in found.needs], np.int64),
        start=rows(found.options),
        pool=np.array([number[pool] for options in found.options for pool, _, _ in options], np.int64),
        score=np.array([score for options in found.options for _, score, _ in options], np.int64),
        metres=np.array([metres for options in found.options for _, _, metres in options], np.int64),
        chance=np.array([laws.chances.of(pool, codes[pool]) for options in found.options for pool, _, _ in options], np.float64),
        sources=tuple(str(source) for source in sources),
        stream_source=np.array([sources.index(source) for (source, _), _, _ in streams], np.int64),
        stream_pathway=np.array([pathways.index(pathway) for (_, pathway), _, _ in streams], np.int64),
        rate=np.array([rate for _, rate, _ in streams]),
        stream_start=rows([needs for _, _, needs in streams]),
        stream_need=np.array([need for _, _, needs in streams for need in needs], np.int64),
        week=came.week,
        first_hour=local.weekday() * 24 + local.hour,
        waiting_need=np.array([one.need for one in waiting], np.int64),
        waiting_stream=np.array([one.stream for one in waiting], np.int64),
        waiting_days=np.array([one.days for one in waiting]),
        waiting_asked=np.array([one.asked for one in waiting], np.int64),
    )
    own = None if _sees_region(user) else str(user.organization_id)
    changes = tuple(_change(n, one, new, number, known, pathways, sources) for n, one in enumerate(asked))
    about = _about(world, laws, came, streams, places, user, own) | {"own": own, "without": _without(came, pathways, own)}
    return Copied(world, changes, about)


def _sees_region(user: User) -> bool:
    return user.organization is not None and user.organization.kind == Organization.Kind.ICB


def _needs(at: datetime) -> _Gathered:
    """What people needed lately and where each could have gone, were there room: by the rules and points of the ranking."""
    found = _Gathered()
    recent = Episode.objects.filter(profile__isnull=False, ready_at__lte=at, ready_at__gt=at - RECENT) | Episode.objects.waiting().filter(
        profile__isnull=False, ready_at__lte=at
    )
    rows_ = list(recent.order_by("-ready_at", "pk").values_list("organization", "discharge_pathway", "profile"))
    kept: dict[str, list[tuple[UUID, UUID]]] = defaultdict(list)
    for organization, pathway, profile in rows_:
        if len(kept[pathway]) < NEEDS:
            kept[pathway].append((organization, profile))
    profiles = NeedProfile.objects.in_bulk([profile for each in kept.values() for _, profile in each])
    needs = needs_of(profiles, at=at)
    for pathway, each in kept.items():
        weights = Weights.from_json(WeightSet.objects.newest(pathway).weights)
        for organization, profile in each:
            need = needs.get(profile)
            if need is None:
                continue
            options = _options(need, weights, found, at)
            if not options:
                continue
            index = len(found.needs)
            found.needs.append((pathway, need))
            found.options.append(options)
            found.by_pathway[pathway].append(index)
            found.by_source[organization, pathway].append(index)
            found.of_profile[profile] = index
    return found


def _options(need: Need, weights: Weights, found: _Gathered, at: datetime) -> list[tuple[UUID, int, int]]:
    options = []
    for facts in queries.nearest(need, at=at, limit=NEAR):
        if facts.series is None and facts.starts_in_s is None and (option := _option(need, facts, weights)) is not None:
            options.append(option)
            found.facts[UUID(facts.pool_id)] = facts
    return sorted(options, key=lambda option: (-option[1], str(option[0])))[:OPTIONS]


def _option(need: Need, facts: PoolFacts, weights: Weights) -> tuple[UUID, int, int] | None:
    """The place as it would be with one free and told of just now."""
    free = facts._replace(free=max(1, facts.free or 0), status=ACCEPTING, age_s=0)
    if not check.fits(need, free):
        return None
    score = check.score(need, free, weights)
    return UUID(facts.pool_id), min(SPAN, max(0, score * SPAN // weights.total)), distance(need, facts) or 0


def _new_pools(found: _Gathered, asked: Sequence[asking.Asked]) -> dict[int, UUID]:
    """A pool for each change that adds places: it takes whom the nearest of its kind takes, at its own place."""
    new: dict[int, UUID] = {}
    codes = dict(ServiceCapacity.objects.filter(pk__in=found.facts).values_list("pk", "care_type__code"))
    for index, change in enumerate(asked):
        if not isinstance(change, asking.AddPlaces):
            continue
        alike = [
            (math.hypot(facts.x - change.x, facts.y - change.y), facts.pool_id, facts)
            for pool, facts in found.facts.items()
            if codes[pool] == change.kind and facts.x is not None and facts.y is not None
        ]
        if not alike:
            raise Conflict(
                f"Nobody who came lately could have used a place of this kind: {change.kind_name}. Choose another kind.", code="no-use"
            )
        pool = uuid4()
        like = min(alike)[2]._replace(pool_id=str(pool), service_id=str(pool), x=change.x, y=change.y)
        for (pathway, need), options in zip(found.needs, found.options, strict=True):
            weights = Weights.from_json(WeightSet.objects.newest(pathway).weights)
            if (option := _option(need, like, weights)) is not None:
                options.append(option)
        new[index] = pool
    return new


class _Places:
    """Of each pool, the places that this region's people may have: free ones, and those that somebody of them has."""

    def __init__(self, pools: list[UUID], known: dict[UUID, ServiceCapacity], number: dict[UUID, int], at: datetime) -> None:
        self.ours: list[tuple[UUID, float]] = []
        there: dict[UUID, int] = defaultdict(int)
        tasks = ReferralTask.objects.filter(pool__in=pools, status__in=_GONE_ON, took_place=True)
        for pool, since in tasks.order_by("pool", "pk").values_list("pool", "changed_at"):
            self.ours.append((pool, max(0.0, (at - since) / timedelta(days=1))))
            there[pool] += 1
        self.size: dict[UUID, int] = defaultdict(int)
        self.others: dict[UUID, int] = defaultdict(int)
        self.free = self.unknown = 0
        for pool in pools:
            row = known.get(pool)
            free = 0
            if row is not None:
                if row.available is None:
                    self.unknown += 1
                elif row.status in (CapacityStatus.CAPACITY, CapacityStatus.ADDITIONAL_ASSESSMENT):
                    free = max(0, row.available - row.held)
                living = row.occupied if row.occupied is not None else max(0, (row.maximum or 0) - (row.available or 0))
                self.others[pool] = max(0, living - there[pool])
            self.free += free
            self.size[pool] = free + there[pool]


class _Laws:
    """All that was learned, by kind of place and by pathway."""

    def __init__(self, kinds: list[str], at: datetime) -> None:
        stays, (answers, by_kind, by_pool), (search, patience) = history.stays(at), history.asks(at), history.searches(at)
        pathways = [str(each) for each in Episode.Pathway]
        self.chances = history.Chances(by_kind, by_pool)
        self.stay, self.all_stay = self._of(stays, "stay", kinds)
        self.answer, self.all_answer = self._of(answers, "answer", kinds)
        self.search, self.all_search = self._of(search, "search", pathways)
        self.patience, self.all_patience = self._of(patience, "patience", pathways)

    @staticmethod
    def _of(lengths: dict[str, history.Lengths], what: str, groups: list[str]) -> tuple[dict[str, Fitted], Fitted]:
        found, whole = history.fitted(lengths, what)
        unseen = replace(whole, ended=0, going_on=0, gap=None, leaned=1.0)
        return {group: found.get(group, unseen) for group in groups}, whole


Stream = tuple[tuple[UUID, str], float, list[int]]


def _streams(came: history.Arrivals, pathways: list[str], found: _Gathered) -> list[Stream]:
    """Who comes from where, and what they need."""
    streams = []
    for (source, pathway), rate in sorted(came.rate.items(), key=lambda each: (str(each[0][0]), each[0][1])):
        if pathway in pathways:
            own = found.by_source[source, pathway]
            streams.append(((source, pathway), rate, own if len(own) >= OWN_NEEDS else found.by_pathway[pathway]))
    return streams


class _Waits(NamedTuple):
    """Somebody who waits now, as numbers."""

    need: int
    stream: int
    days: float
    asked: bool


def _waiting(found: _Gathered, pathways: list[str], keys: list[tuple[UUID, str]], at: datetime) -> list[_Waits]:
    """Who waits now. Where it is not known what somebody needs, it is what another on the pathway did."""
    taken = ReferralTask.objects.filter(status__in=(*_GONE_ON, Status.COMPLETED), referral__episode__isnull=False)
    waits = Episode.objects.waiting().filter(ready_at__lte=at).exclude(pk__in=taken.values("referral__episode"))
    fields = waits.order_by("ready_at", "pk").values_list("pk", "organization", "discharge_pathway", "profile", "ready_at")
    asked = set(Referral.objects.filter(episode__in=waits.order_by()).values_list("episode", flat=True))
    numbers_ = {key: n for n, key in enumerate(keys)}
    found_ = []
    for n, (pk, organization, pathway, profile, ready) in enumerate(fields):
        if pathway not in pathways:
            continue
        assert ready is not None  # filtered by it
        usual = found.by_pathway[pathway]
        need = usual[n % len(usual)] if profile is None else found.of_profile.get(profile, usual[n % len(usual)])
        stream = numbers_.get((organization, pathway), next((number for (_, p), number in numbers_.items() if p == pathway), None))
        if stream is not None:
            found_.append(_Waits(need, stream, (at - ready) / timedelta(days=1), pk in asked))
    return found_


def _change(
    index: int,
    change: asking.Asked,
    new: dict[int, UUID],
    number: dict[UUID, int],
    known: dict[UUID, ServiceCapacity],
    pathways: list[str],
    sources: list[UUID],
) -> numbers.Change:
    """A change as numbers of the world. Raises Conflict (`no-use`) for one that nobody of those who come would notice."""
    match change:
        case asking.CloseService(service=service, name=name, day=day, moved=moved):
            if pools := tuple(number[pool] for pool, row in known.items() if str(row.service_id) == service):
                return numbers.Close(pools, day, moved)
            raise Conflict(f"Nobody who came lately could have used {name}, so that its closing cannot be simulated.", code="no-use")
        case asking.AddPlaces(places=places, day=day):
            return numbers.Add(number[new[index]], places, day)
        case asking.MorePeople(percent=percent, first=first, last=last, pathway=pathway, source=source):
            which = tuple(n for n, each in enumerate(pathways) if each == pathway)
            whence = tuple(n for n, each in enumerate(sources) if str(each) == source)
            if (pathway and not which) or (source and not whence):
                raise Conflict("Nobody came on that pathway from there lately whose need is known. Choose another.", code="no-use")
            return numbers.Demand(1 + percent / 100, first, last, which, whence)
        case asking.Strike(percent=percent, first=first, last=last):
            return numbers.Strike(percent / 100, first, last)
        case asking.FasterAnswers(percent=percent, day=day):
            return numbers.Answers(1 - percent / 100, day)


def _without(came: history.Arrivals, pathways: list[str], own: str | None) -> dict[str, int]:
    """People who came on pathways of which nobody's need is known: they are not simulated. Of one team's people alone, if so."""
    left: dict[str, int] = defaultdict(int)
    for (source, pathway), count in came.count.items():
        if pathway not in pathways and own in (None, str(source)):
            left[str(Episode.Pathway(pathway).label)] += count
    return dict(left)


def _waiting_of(world: World, own: str | None) -> int:
    """How many wait at the beginning; of one team's people alone, if so."""
    if own is None:
        return len(world.waiting_need)
    return sum(world.sources[int(world.stream_source[stream])] == own for stream in world.waiting_stream.tolist())


def _about(
    world: World, laws: _Laws, came: history.Arrivals, streams: list[Stream], places: _Places, user: User, own: str | None
) -> dict[str, Any]:
    """What a reader must know. To a trust's manager the arrivals of others are told together; of one other team alone, not how many."""
    names = dict(Organization.objects.filter(pk__in={source for (source, _), _, _ in streams}).values_list("pk", "name"))
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    alone = own is not None and len([source for source in names if str(source) != own]) == 1
    for (source, pathway), rate, _ in streams:
        name = names[source] if own is None or str(source) == own else _OTHERS
        sums[name][0] += rate
        sums[name][1] += came.count[source, pathway]
    pathway_names = dict(Episode.Pathway.choices)
    told = [history.told("stay", "All kinds together", laws.all_stay), history.told("answer", "All kinds together", laws.all_answer)]
    told += [history.told("stay", name, law) for name, law in zip(world.kinds, laws.stay.values(), strict=True) if law.ended]
    told += [history.told("answer", name, law) for name, law in zip(world.kinds, laws.answer.values(), strict=True) if law.ended]
    for what, group in (("search", laws.search), ("patience", laws.patience)):
        told += [history.told(what, str(pathway_names[pathway]), law) for pathway, law in group.items() if law.ended or law.going_on]
    return {
        "arrivals": [
            {"source": name} | ({} if alone and name == _OTHERS else {"rate": round(rate, 2), "count": int(count)})
            for name, (rate, count) in sorted(sums.items())
        ],
        "days": round(came.days, 1),
        "uneven": came.uneven,
        "laws": told,
        "answers": laws.chances.answers,
        "yes": round(laws.chances.whole, 3),
        "pools": world.pools,
        "free": places.free,
        "ours": len(places.ours),
        "unknown": places.unknown,
        "needs": len(world.start) - 1,
        "waiting": _waiting_of(world, own),
        "options": round(len(world.pool) / max(1, len(world.start) - 1), 1),
    }
