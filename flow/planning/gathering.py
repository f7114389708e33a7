"""Who waits, and where each of them could go: by the very ranking that the list for one person is made with."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from capacity.models import Reservation
from catalogue.models import Organization, User
from core import clock
from flow.models import Episode, PlanDecision, Referral, ReferralTask
from flow.models.episode import EpisodeQuerySet
from flow.workflow import Status
from matching import queries
from matching.engine import place
from matching.engine.problem import Need, PoolFacts, Weights
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
    options: list[Option] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody for whom a service was asked or a place is held: nobody moves them, and nobody else is promised that place."""

    episode: UUID
    profile: UUID
    pools: tuple[UUID, ...]
    """The one that is held comes first."""


@dataclass(slots=True)
class World:
    """All that a plan is made from. `places` are those that can be given away now."""

    people: list[Person]
    offers: list[Offer]
    places: dict[UUID, int]
    chosen: dict[UUID, UUID]
    """Stay → the place that the team chose against the plan."""
    unsearched: int
    """People who wait and for whom nobody has looked yet, so that nobody knows what they need."""


def episodes_for(user: User) -> EpisodeQuerySet:
    """The stays that a plan of this user's organisation is for: a team's own; a manager's trust's; an ICB manager's whole region."""
    if user.is_referrer:
        return Episode.objects.visible_to(user)
    if user.is_manager and user.organization is not None:
        region = user.organization.kind == Organization.Kind.ICB
        return Episode.objects.all() if region else Episode.objects.filter(organization=user.organization)
    return Episode.objects.none()


def waiting_for(user: User, at: datetime) -> EpisodeQuerySet:
    """Those of them who wait now and for whom nobody has said yes."""
    found = ReferralTask.objects.filter(status__in=FOUND, referral__episode__isnull=False).values("referral__episode")
    return episodes_for(user).waiting().filter(ready_at__lte=at).exclude(pk__in=found)


def gather(user: User, weights: Weights, *, at: datetime, tell: Callable[[int], None]) -> World:
    """Everybody who waits and every free place in their reach. `tell` hears after each person how many are done."""
    waiting = waiting_for(user, at)
    episodes = list(waiting.filter(profile__isnull=False).select_related("profile").order_by("ready_at", "pk"))
    offers = _offers(episodes, at)
    free = [episode for episode in episodes if episode.pk not in offers]
    needs = needs_of({episode.pk: episode.profile for episode in free if episode.profile}, at=at)
    people = _people(free, needs, at)
    refused, chosen = _decided(person.episode for person in people)
    places: dict[UUID, int] = {}
    for number, person in enumerate(people, start=1):
        if person.need is not None:
            for option, left in options_of(person.need, weights, at=at, without=refused[person.episode]):
                person.options.append(option)
                places[option.pool] = min(left, places.get(option.pool, left))
        tell(number)
    _set_aside(offers.values(), places)
    return World(people, list(offers.values()), places, chosen, waiting.filter(profile=None).count())


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


def _people(episodes: list[Episode], needs: dict[UUID, Need], at: datetime) -> list[Person]:
    urgent = set(
        Referral.objects.filter(episode__in=[episode.pk for episode in episodes], urgency=Referral.Urgency.URGENT).values_list(
            "episode", flat=True
        )
    )
    soon = clock.local_date(at) + SOON
    people = []
    for episode in episodes:
        assert episode.ready_at is not None  # waiting() leaves the others out
        assert episode.profile is not None
        by = episode.profile.needed_by
        people.append(
            Person(
                episode=episode.pk,
                profile=episode.profile.pk,
                pathway=episode.get_discharge_pathway_display(),
                ready_at=episode.ready_at,
                days=(at - episode.ready_at).days,
                priority=(episode.pk in urgent) + (by is not None and by <= soon),
                need=needs.get(episode.pk),
            )
        )
    return people


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
        episode.pk: Offer(episode.pk, episode.profile_id, tuple(dict.fromkeys(pools[episode.patient_id])))
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


def _decided(episodes: Iterable[UUID]) -> tuple[dict[UUID, set[UUID]], dict[UUID, UUID]]:
    """Of each stay, the places that were refused, by the team or by the service; and the one that the team chose."""
    wanted = list(episodes)
    refused: dict[UUID, set[UUID]] = defaultdict(set)
    chosen: dict[UUID, UUID] = {}
    declined = ReferralTask.objects.filter(status=Status.REJECTED, referral__episode__in=wanted)
    for episode, pool in declined.values_list("referral__episode", "pool"):
        refused[episode].add(pool)
    kinds = PlanDecision.Kind
    decided = PlanDecision.objects.filter(line__episode__in=wanted, kind__in=[kinds.REJECTED, kinds.OVERRIDDEN]).order_by("at")
    for episode, pool, kind in decided.values_list("line__episode", "pool", "kind"):
        if kind == kinds.OVERRIDDEN:
            chosen[episode] = pool
        else:
            refused[episode].add(pool)
            chosen.pop(episode, None)
    return refused, {episode: pool for episode, pool in chosen.items() if pool not in refused[episode]}
