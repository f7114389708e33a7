"""Who waits, and where each of them could go: by the very ranking that the list for one person is made with."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from capacity.models import Reservation
from catalogue.models import Organization, User
from core import clock
from flow.models import Episode, PlanDecision, Referral, ReferralTask
from flow.models.episode import EpisodeQuerySet
from flow.planning import rules
from flow.planning.rules import Rules
from flow.workflow import Status
from matching import queries
from matching.engine import place
from matching.engine.problem import Need, PoolFacts, Weights
from matching.models import NeedProfile, WeightSet
from matching.profiles import needs_of
from matching.snapshot.keeper import keeper

#: So many of the best places of each person take part. Further ones are seldom better than waiting, and never near.
OPTIONS = 70
#: States in which a place can be given away now.
FREE = frozenset({place.GREEN, place.FEW, place.AGEING, place.ASSESSMENT})
#: Somebody for whom a service has said yes waits no more.
FOUND = (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED)
#: A date as near as this, or past, is one step of priority; an urgent referral is another.
SOON = timedelta(days=2)


#: A stay, and of somebody who needs several services at once the kind of service.
Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Option:
    """One place that is free and fits, as the ranking has it."""

    pool: UUID
    score: int
    distance_m: int | None


@dataclass(slots=True)
class Person:
    """One stay or wait: what is needed, for how long, and where the person could go, the best first."""

    episode: UUID
    profile: UUID
    pathway: str
    ready_at: datetime
    days: int
    priority: int
    need: Need | None
    patient: UUID
    weights: Weights
    """Of the person's pathway: the list for one person is ranked by them too."""
    cohort: str = ""
    """Who may share a room with this person: those with the same word."""
    part: str = ""
    """Of somebody who needs several services at once: which kind of service this row is for."""
    family: int | None = None
    """The same number for all who stay together."""
    options: list[Option] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.episode, self.part


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody for whom a service was asked or a place is held: nobody moves them, and nobody else is promised that place."""

    episode: UUID
    profile: UUID
    pools: tuple[UUID, ...]
    """The one that is held comes first."""
    patient: UUID
    cohort: str


@dataclass(slots=True)
class World:
    """All that a plan is made from. `places` are those that can be given away now."""

    people: list[Person]
    offers: list[Offer]
    places: dict[UUID, int]
    chosen: dict[Key, UUID]
    """The place that the team chose against the plan."""
    unsearched: int
    """People who wait and for whom nobody has looked yet, so that nobody knows what they need."""
    rules: Rules = field(default_factory=Rules)
    anchors: dict[int, set[UUID]] = field(default_factory=dict)
    """Family → the sites where some of it are, or are asked for, already."""


def episodes_for(user: User) -> EpisodeQuerySet:
    """The stays that a plan of this user's organisation is for: a team's own; a manager's trust's; an ICB manager's whole region."""
    if user.is_referrer:
        return Episode.objects.of_ones_own(user)
    if user.is_manager and user.organization is not None:
        region = user.organization.kind == Organization.Kind.ICB
        return Episode.objects.all() if region else Episode.objects.filter(organization=user.organization)
    return Episode.objects.none()


def waiting_for(user: User, at: datetime) -> EpisodeQuerySet:
    """Those of them who wait now and for whom nobody has said yes."""
    found = ReferralTask.objects.filter(status__in=FOUND, referral__episode__isnull=False).values("referral__episode")
    return episodes_for(user).waiting().filter(ready_at__lte=at).exclude(pk__in=found)


def gather(user: User, *, at: datetime, tell: Callable[[int], None]) -> World:
    """Everybody who waits and every free place in their reach. `tell` hears after each person how many are done."""
    waiting = waiting_for(user, at)
    episodes = list(waiting.filter(profile__isnull=False).select_related("profile", "patient").order_by("ready_at", "pk"))
    offers = _offers(episodes, at)
    free = [episode for episode in episodes if episode.pk not in offers]
    people = _people(free, at)
    refused, chosen = _decided(person.episode for person in people)
    places: dict[UUID, int] = {}
    for number, person in enumerate(people, start=1):
        if person.need is not None:
            for option, left in options_of(person.need, person.weights, at=at, without=refused[person.episode]):
                person.options.append(option)
                places[option.pool] = min(left, places.get(option.pool, left))
        tell(number)
    _set_aside(offers.values(), places)
    found = rules.families({episode.patient_id for episode in episodes}, offers.values())
    for person in people:
        person.family = found.of.get(person.patient)
        if person.family in found.unsearched:
            person.notes.append(rules.UNSEARCHED)
    told = rules.gather(places, offers.values(), at=at)
    return World(people, list(offers.values()), places, chosen, waiting.filter(profile=None).count(), told, found.sites)


def options_of(need: Need, weights: Weights, *, at: datetime, without: Iterable[UUID] = ()) -> list[tuple[Option, int]]:
    """The best places that are free now, and how many each has: all there are, or the first `OPTIONS`."""
    without, limit = list(without), OPTIONS + 20
    while True:
        ranking = keeper.rank(need, weights, at=at, limit=limit, without=without)
        if ranking is None:
            ranking = queries.rank(need, weights, at=at, limit=limit, without=without)
        found = [
            (Option(UUID(line.facts.pool_id), line.score, line.distance_m), line.facts.free or 0)
            for line in ranking.lines
            if is_free(line.facts)
        ]
        if len(found) >= OPTIONS or len(ranking.lines) < limit:
            return found[:OPTIONS]
        limit *= 4


def is_free(facts: PoolFacts) -> bool:
    """Whether a place there is counted and can be given away now: a waiting list or an old figure is no place."""
    return bool(facts.free and facts.free > 0) and place.place(facts) in FREE


def _people(episodes: list[Episode], at: datetime) -> list[Person]:
    """A row for each stay, and of somebody who needs several services at once a row for each kind of service."""
    urgent = set(
        Referral.objects.filter(episode__in=[episode.pk for episode in episodes], urgency=Referral.Urgency.URGENT).values_list(
            "episode", flat=True
        )
    )
    soon = clock.local_date(at) + SOON
    weights = {pathway: Weights.from_json(WeightSet.objects.newest(pathway).weights) for pathway in {_profile(e).pathway for e in episodes}}
    rows = [(episode, profile, part) for episode in episodes for profile, part in _parts(_profile(episode))]
    learned = WeightSet.objects.newest().chances
    needs = needs_of({UUID(int=number): profile for number, (_, profile, _) in enumerate(rows)}, at=at, learned=learned)
    people = []
    for number, (episode, profile, part) in enumerate(rows):
        assert episode.ready_at is not None  # waiting() leaves the others out
        people.append(
            Person(
                episode=episode.pk,
                profile=profile.pk,
                pathway=episode.get_discharge_pathway_display(),
                ready_at=episode.ready_at,
                days=(at - episode.ready_at).days,
                priority=(episode.pk in urgent) + (profile.needed_by is not None and profile.needed_by <= soon),
                need=needs.get(UUID(int=number)),
                patient=episode.patient_id,
                weights=weights[profile.pathway],
                cohort=_cohort(episode),
                part=part,
            )
        )
    return people


def _profile(episode: Episode) -> NeedProfile:
    assert episode.profile is not None  # those for whom nobody has looked are left out before
    return episode.profile


def _parts(profile: NeedProfile) -> list[tuple[NeedProfile, str]]:
    """The profile, or where one service of each kind is wanted the same for each kind."""
    if not profile.all_wanted or len(profile.care_types) < 2:
        return [(profile, "")]
    rows = []
    for kind in profile.care_types:
        part = copy(profile)
        part.care_types = [kind]
        rows.append((part, kind))
    return rows


def _cohort(episode: Episode) -> str:
    sex = rules.sex_of(_profile(episode).sex, episode.patient.sex)
    return rules.cohort(sex, episode.infection, episode.patient_id)


def _offers(episodes: list[Episode], at: datetime) -> dict[UUID, Offer]:
    """Who was asked for, or has a place held, by the person: the same person may have two stays on record."""
    patients = {episode.patient_id for episode in episodes}
    pools: dict[UUID, list[UUID]] = defaultdict(list)
    whose = Q(episode_hold__episode__patient__in=patients) | Q(referral_task__referral__patient__in=patients)
    held = Reservation.objects.filter(whose, state=Reservation.State.HELD, expires_at__gt=at).order_by("created_at", "pk")
    for one, other, pool in held.values_list("episode_hold__episode__patient", "referral_task__referral__patient", "pool"):
        pools[one or other].append(pool)
    asked = ReferralTask.objects.open().filter(referral__patient__in=patients).order_by("requested_at", "pk")
    for patient, pool in asked.values_list("referral__patient", "pool"):
        pools[patient].append(pool)
    return {
        episode.pk: Offer(
            episode.pk, episode.profile_id, tuple(dict.fromkeys(pools[episode.patient_id])), episode.patient_id, _cohort(episode)
        )
        for episode in episodes
        if episode.profile_id and episode.patient_id in pools
    }


def _set_aside(offers: Iterable[Offer], places: dict[UUID, int]) -> None:
    """A place that somebody was asked for is not promised to another. One that is held is not among the free ones already."""
    offers = list(offers)
    episodes = [offer.episode for offer in offers]
    asked = ReferralTask.objects.open().filter(referral__patient__episodes__in=episodes)
    unheld = asked.exclude(reservation__state=Reservation.State.HELD).values_list("pool", "referral__patient").distinct()
    for pool, _ in unheld:
        if pool in places:
            places[pool] = max(0, places[pool] - 1)


def _decided(episodes: Iterable[UUID]) -> tuple[dict[UUID, set[UUID]], dict[Key, UUID]]:
    """Of each stay, the places that were refused, by the team or by the service; and the one that the team chose."""
    wanted = list(episodes)
    refused: dict[UUID, set[UUID]] = defaultdict(set)
    chosen: dict[Key, UUID] = {}
    declined = ReferralTask.objects.filter(status=Status.REJECTED, referral__episode__in=wanted)
    for episode, pool in declined.values_list("referral__episode", "pool"):
        refused[episode].add(pool)
    kinds = PlanDecision.Kind
    decided = PlanDecision.objects.filter(line__episode__in=wanted, kind__in=[kinds.REJECTED, kinds.OVERRIDDEN]).order_by("at")
    for episode, part, pool, kind in decided.values_list("line__episode", "line__part", "pool", "kind"):
        if kind == kinds.OVERRIDDEN:
            chosen[episode, part] = pool
        else:
            refused[episode].add(pool)
            chosen.pop((episode, part), None)
    return refused, {key: pool for key, pool in chosen.items() if pool not in refused[key[0]]}
