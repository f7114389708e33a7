"""What the plan board shows: each line as it was suggested, what has changed since, and what was decided."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet

from capacity.models import Reservation, ServiceCapacity
from capacity.queries import PoolState, pool_states
from catalogue.lexicon import Lexicon
from catalogue.models import User
from core import acting
from core.geo import miles
from flow.models import Plan, PlanDecision, PlanLine, ReferralTask
from flow.planning.gathering import FOUND, waiting_for
from matching.allocation.answer import WORDS, Why

State, Kind = PlanLine.State, PlanDecision.Kind
#: For so long a plan of another team counts as one that it may still act on.
STANDS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One person of the plan, as the person's own team sees the line now. `news` says why it is out of date; empty: it is not.

    `named` are all people whom the line names.
    """

    id: UUID
    episode: UUID
    patient: UUID
    name: str
    age: int
    ward: str
    pathway: str
    days: int
    state: str
    state_words: str
    place: PoolState | None
    score: int | None
    miles: float | None
    nth: int
    options: int
    gain: int
    why: tuple[str, ...]
    helps: str
    instead: str
    """What first come, first served would have given, where that is another place."""
    change: str
    news: str
    decision: str
    decision_words: str
    held_until: datetime | None
    open: bool
    """Something can be decided."""
    named: frozenset[UUID]
    part: str = ""
    """Of somebody who needs several services: which kind this line is for."""
    together: str = ""
    """With whom the person stays together, in a sentence."""
    gains: int = 0
    """Points by which it is better than the line before."""
    also: bool = False
    """Another team's plan suggests this place too, and there is not room for all."""


@dataclass(frozen=True, slots=True)
class Since:
    """What happened in the world since a plan was drawn up."""

    arrived: int
    told: int
    """Services that told new figures."""
    changed: int
    """Lines that are out of date."""

    @property
    def anything(self) -> bool:
        return bool(self.arrived or self.changed)


def current_plan(user: User) -> Plan | None:
    """The plan in force of the user's organisation."""
    return Plan.objects.visible_to(user).current().order_by("-at").defer("problem").first()


def newest(user: User) -> Plan | None:
    """What was asked for last, whatever has become of it."""
    return Plan.objects.visible_to(user).exclude(status=Plan.Status.PROPOSED).order_by("-at", "-pk").defer("problem").first()


@acting.across("whether anything was decided of a plan, not of whom")
def proposal(user: User, plan: Plan) -> Plan | None:
    """A better plan that was worked out since, if nothing has been decided in the one in force after that."""
    found = Plan.objects.visible_to(user).filter(status=Plan.Status.PROPOSED, replaces=plan, at__gt=plan.at).defer("problem").first()
    if found is None or PlanDecision.objects.filter(line__plan=plan, at__gte=found.at).exists():
        return None
    return found


def changes(user: User, better: Plan, at: datetime) -> list[BoardLine]:
    """The lines that would change, what does most good first. None for a manager, who reads how many they are."""
    return sorted((line for line in board(user, better, at) if line.change), key=lambda line: -line.gains)


def board(user: User, plan: Plan, at: datetime) -> list[BoardLine]:
    """The lines of a plan that the user may see, those to decide first, the longest wait first. None for a manager."""
    lines = list(PlanLine.objects.visible_to(user).filter(plan=plan).select_related("episode__patient", "decision__hold__reservation"))
    return _shown(lines, plan.organization_id, at)


def one_line(user: User, line: PlanLine, at: datetime) -> BoardLine:
    """One of them; what has happened to its place depends on the others too."""
    return next(each for each in board(user, line.plan, at) if each.id == line.pk)


@acting.across("counts of people name none")
def since(user: User, plan: Plan, at: datetime, lines: Collection[BoardLine]) -> Since:
    """What happened since, in numbers that name nobody."""
    waiting = waiting_for(user, at).filter(profile__isnull=False).exclude(plan_lines__plan=plan)
    told = ServiceCapacity.objects.visible_to(user).filter(reported_at__gt=plan.at, is_open=True)
    return Since(waiting.count(), told.values("service").distinct().count(), sum(bool(line.news) for line in lines))


def _shown(lines: list[PlanLine], organization: UUID, at: datetime) -> list[BoardLine]:
    ids = {getattr(line, name) for line in lines for name in ("pool_id", "helps_pool_id", "first_come_id", "was_pool_id")}
    states = pool_states(ids - {None}, at)
    people = {line.episode_id: line.episode.patient for line in lines}
    going = _going_on([line.episode.patient_id for line in lines], at)
    undecided = Counter(line.pool_id for line in lines if _is_open(line))
    wanted = elsewhere({pool for pool in undecided if pool}, organization, at)
    short = {pool for pool, others in wanted.items() if pool in states and others + undecided[pool] > (states[pool].free or 0)}
    parts = dict(Lexicon.read().choices("care-type")) if any(line.part for line in lines) else {}
    shown = [_line(line, states, people, _news(line, states, going, undecided), short, parts, at) for line in lines]
    return sorted(shown, key=lambda line: (not line.open, line.state == State.OFFERED, -line.days, line.name, str(line.id)))


def _is_open(line: PlanLine) -> bool:
    return not hasattr(line, "decision") and line.state != State.OFFERED


@acting.across("how often others want a place, not who or for whom")
def elsewhere(pools: Collection[UUID], organization: UUID, at: datetime) -> Counter[UUID]:
    """How often the plans in force of other teams suggest these places to somebody of whom nothing was decided yet. Names nobody."""
    return Counter(_of_others(pools, organization, at).values_list("pool", flat=True))


def rivals(pools: Collection[UUID], organization: UUID, at: datetime) -> set[UUID]:
    """Whose plans those are: for those who tell them to look again, never for a page."""
    return set(_of_others(pools, organization, at).values_list("plan__organization", flat=True))


def _of_others(pools: Collection[UUID], organization: UUID, at: datetime) -> QuerySet[PlanLine]:
    lines = PlanLine.objects.filter(pool__in=pools, state__in=[State.SUGGESTED, State.CHOSEN], decision=None, episode__ended_at=None)
    # A manager's plan for a region is a calculation: nobody can act on it.
    own = lines.filter(episode__organization=F("plan__organization"), plan__at__gte=at - STANDS).exclude(plan__organization=organization)
    return own.filter(plan__in=Plan.objects.current())


def _line(
    line: PlanLine, states: dict[UUID, PoolState], people: dict, news: str, short: Collection[UUID], parts: dict[str, str], at: datetime
) -> BoardLine:
    patient, decision = line.episode.patient, getattr(line, "decision", None)
    others = [people[UUID(each)] for each in line.change.get("for", []) if UUID(each) in people]
    with_whom = [people[UUID(each)] for each in line.together if UUID(each) in people]
    reservation = decision.hold.reservation if decision and decision.hold else None
    held = reservation.expires_at if reservation and reservation.state == Reservation.State.HELD else None
    place = states.get(line.pool_id) if line.pool_id else None
    turn = states.get(line.first_come_id) if line.first_come_id else None
    instead = turn.service_name if turn else "no place"
    return BoardLine(
        id=line.pk,
        episode=line.episode_id,
        patient=patient.pk,
        name=patient.full_name,
        age=patient.age_on(at.date()),
        ward=line.episode.ward,
        pathway=line.episode.discharge_pathway,
        days=(at - line.episode.ready_at).days if line.episode.ready_at else 0,
        state=line.state,
        state_words=str(line.get_state_display()),
        place=place,
        score=line.score,
        miles=None if line.distance_m is None else round(miles(line.distance_m), 1),
        nth=line.nth,
        options=line.options,
        gain=line.gain,
        why=tuple(line.why) or _left(line),
        helps=_name(states, line.helps_pool_id),
        instead=instead if line.state in (State.SUGGESTED, State.LEFT_OUT) and line.first_come_id != line.pool_id else "",
        change=_change(line, states, [other.full_name for other in others]),
        news=news if _is_open(line) or line.state == State.OFFERED else "",
        decision=decision.kind if decision else "",
        decision_words=_decided(decision, held),
        held_until=held,
        open=_is_open(line),
        named=frozenset({patient.pk, *(other.pk for other in (*others, *with_whom))}),
        part=parts.get(line.part, line.part),
        together=f"Together with {' and '.join(sorted(other.full_name for other in with_whom))}." if with_whom else "",
        gains=int(line.change.get("gain", 0)),
        also=_is_open(line) and line.pool_id in short,
    )


def _left(line: PlanLine) -> tuple[str, ...]:
    return (WORDS[Why(line.left_why)],) if line.left_why else ()


def _name(states: dict[UUID, PoolState], pool: UUID | None) -> str:
    return states[pool].service_name if pool in states else ""


def _change(line: PlanLine, states: dict[UUID, PoolState], others: list[str]) -> str:
    """Against the plan before: what changed, what it gains and for whom."""
    change = line.change
    if change.get("new"):
        return "New in the plan."
    if line.state == State.CHOSEN:
        return "Chosen by the team against the plan."
    if "gain" not in change:
        return ""
    was, now = _name(states, line.was_pool_id), _name(states, line.pool_id)
    gain = change["gain"]
    if was and change.get("lost"):
        return f"{was} can no longer be had for this person." + (f" {now} instead." if now else "")
    what = f"{was or 'No place'} before{f'; {now} now' if now else ''}"
    if gain > 0:
        return f"{what}: {gain:,} points better."
    for_whom = f", so that {' and '.join(others[:3])}{' and others' if len(others) > 3 else ''} can be placed better" if others else ""
    return f"{what}: {-gain:,} points worse{for_whom}." if gain else f"{what}: as good."


def _decided(decision: PlanDecision | None, held: datetime | None) -> str:
    match decision.kind if decision else "":
        case Kind.ACCEPTED:
            return "" if held else "It was held, and the hold has ended or went with a referral."
        case Kind.REJECTED if decision:
            return f"Refused: {decision.reason_text or str(decision.get_reason_display())}."
        case Kind.OVERRIDDEN:
            return "Another place was chosen."
        case Kind.GONE if decision:
            return decision.reason_text
        case _:
            return ""


@dataclass(frozen=True, slots=True)
class _GoingOn:
    """Of which people a request is open, a yes was given, or a place is held."""

    asked: frozenset[UUID]
    found: frozenset[UUID]
    held: frozenset[UUID]


def _going_on(patients: Iterable[UUID], at: datetime) -> _GoingOn:
    wanted = list(patients)
    tasks = ReferralTask.objects.filter(referral__patient__in=wanted)
    whose = Q(episode_hold__episode__patient__in=wanted) | Q(referral_task__referral__patient__in=wanted)
    held = Reservation.objects.filter(whose, state=Reservation.State.HELD, expires_at__gt=at)
    holders = held.values_list("episode_hold__episode__patient", "referral_task__referral__patient")
    return _GoingOn(
        frozenset(tasks.open().values_list("referral__patient", flat=True)),
        frozenset(tasks.filter(status__in=FOUND).values_list("referral__patient", flat=True)),
        frozenset(one or other for one, other in holders),
    )


def _news(line: PlanLine, states: dict[UUID, PoolState], going: _GoingOn, undecided: Counter) -> str:
    """Why a line is out of date, in words; empty when it is not."""
    patient = line.episode.patient_id
    if line.episode.ended_at is not None:
        return "The person no longer waits."
    if line.state == State.OFFERED:
        if patient in going.found:
            return "A service has said yes since."
        return "" if patient in going.asked | going.held else "Nobody is asked for this person any more."
    if patient in going.asked | going.found:
        return "A service has been asked for this person since."
    if patient in going.held:
        return "A place has been held for this person since."
    if line.episode.profile_id != line.profile_id:
        return "What is looked for has changed since."
    if line.pool_id is None:
        return ""
    place = states.get(line.pool_id)
    if place is None or not place.can_be_held:
        return f"The place has gone since: {place.word.lower()}." if place else "The place is no longer listed."
    if place.free is not None and place.free < undecided[line.pool_id]:
        return f"Fewer places are left there ({place.free}) than people suggested ({undecided[line.pool_id]})."
    return ""
