"""Makes the demonstration region live: every event is a real operation, taken as the team whose work it is."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Count, QuerySet

import capacity.operations as places
from capacity.models import CapacityStatus, ServiceCapacity, Via
from catalogue.models import Organization, Outcode, User
from core.errors import LuneError
from core.geo import outcode
from flow import operations
from flow.demo import logins
from flow.demo.names import FAMILY, GIVEN, nhs_number
from flow.demo.people import WARDS, WISHES, profile_for
from flow.demo.processes import HOSPITAL, PATHWAYS, YES
from flow.demo.referrals import ASKS, DECLINES, ENDS
from flow.demo.world import INWARD_LETTERS, SOURCE
from flow.models import Episode, Referral, ReferralTask
from flow.workflow import Action, Status
from matching.operations import match

log = structlog.get_logger(__name__)

#: How many people the region keeps waiting: arrivals quicken below it and departures above it.
WAITING = 300
#: A visitor's request to another team is answered after this long, and up to `VISITOR_SPREAD` later.
VISITOR_WAIT, VISITOR_SPREAD = timedelta(seconds=10), 50
#: A team starts support no sooner than this after its yes, so that a visitor sees the step between.
START_AFTER = timedelta(minutes=2)
#: No more requests than this wait in the inbox of a log-in's organisation, which nobody answers but the visitor.
OWN_INBOX = 12
#: Oldest request first.
BY_AGE = ("requested_at", "pool")
#: What a provider changes its status to, the usual one twice as often.
STATUSES = (CapacityStatus.CAPACITY, CapacityStatus.CAPACITY, CapacityStatus.WAITLIST, CapacityStatus.NO_CAPACITY)


class Simulator:
    """One region's worth of teams at work. With the same chance, clock and database the same things happen."""

    def __init__(self, rng: random.Random, clock: Callable[[], datetime]) -> None:
        self.rng = rng
        self.clock = clock
        teams = User.objects.filter(email__startswith="team-", email__endswith=f"@{logins.DOMAIN}", organization__source=SOURCE)
        self.teams: dict[UUID, User] = {user.organization_id: user for user in teams.select_related("organization") if user.organization_id}
        visitors = User.objects.filter(email__in=[login.email for login in logins.LOGINS])
        self.visitors = list(visitors.values_list("pk", flat=True))
        #: Organisations of the log-ins, whose work is left to the visitor.
        self.own = list(visitors.exclude(organization=None).values_list("organization_id", flat=True))
        self.hospitals = self._kind(Organization.Kind.HOSPITAL)
        self.practices = self._kind(Organization.Kind.PRACTICE)
        self.towns = list(Outcode.objects.order_by("code").values_list("code", flat=True))

    def _kind(self, kind: str) -> list[UUID]:
        return sorted((pk for pk, user in self.teams.items() if user.organization and user.organization.kind == kind), key=str)

    def step(self) -> str:
        """Let one thing happen. Returns what, in a word or two; "nothing" when a rule of the real operations refused it."""
        at = self.clock()
        places.expire_due(at=at)
        if (task := self._due_to_visitor(at)) is not None:
            return self._try(lambda at: self._answer(task, at), at)
        waiting = Episode.objects.waiting().count()
        press = waiting / WAITING
        events: tuple[tuple[Callable[[datetime], str], float], ...] = (
            (self.report, 40),
            (self.answer, 24),
            (self.send, 12),
            (self.arrive, 10 / max(press, 0.1) ** 6),
            (self.start, 9),
            (self.finish, 7),
            (self.leave, 3 * press**6),
        )
        event = self.rng.choices([e for e, _ in events], [weight for _, weight in events])[0]
        return self._try(event, at)

    def _try(self, event: Callable[[datetime], str], at: datetime) -> str:
        """Two teams wanting one place, a request that has just been withdrawn: a refusal is part of normal life."""
        try:
            return event(at)
        except LuneError as error:
            log.debug("simulator.refused", code=error.code)
            return "nothing"

    def _one(self, queryset: QuerySet, *order: str):
        """Any row of it, or None. `order` makes the choice the same for the same chance: new ids are not."""
        ids = list(queryset.order_by(*order).values_list("pk", flat=True))
        return queryset.get(pk=self.rng.choice(ids)) if ids else None

    # --- providers

    def report(self, at: datetime) -> str:
        """A provider looks at its places and says what is free: near what it was, and drawn to what is usual."""
        theirs = ServiceCapacity.objects.exclude(service__organization_id__in=self.own).filter(service__organization__source=SOURCE)
        pool = self._one(theirs.select_related("service"), "pk")
        if pool is None:
            return "nothing"
        usual = max(1, round((pool.maximum or 10) * 0.15))
        before = usual if pool.available is None else pool.available
        drift = self.rng.choice((-2, -1, -1, 0, 0, 1, 1, 2)) + (1 if before < usual else -1 if before > 2 * usual else 0)
        free = max(pool.held, min(pool.maximum if pool.maximum is not None else usual * 4, before + drift))
        status = pool.status
        if self.rng.random() < 0.08:
            status = self.rng.choice(
                (CapacityStatus.CAPACITY, CapacityStatus.CAPACITY, CapacityStatus.WAITLIST, CapacityStatus.NO_CAPACITY)
            )
        team = self.teams[pool.service.organization_id]
        places.report(pool_id=pool.pk, by=team, at=at, available=free, status=status, is_open=True, via=Via.SIMULATOR)
        return "report"

    def answer(self, at: datetime) -> str:
        """A provider answers one of the requests of other teams, the longest waiting more likely."""
        asked = self._tasks().filter(status=Status.REQUESTED, requested_at__lte=at - VISITOR_WAIT)
        asked = asked.exclude(referral__created_by__in=self.visitors)
        oldest = list(asked.order_by(*BY_AGE)[:40])
        return self._answer(self.rng.choice(oldest), at) if oldest else "nothing"

    def _due_to_visitor(self, at: datetime) -> ReferralTask | None:
        """A request that a visitor sent, when it is time to answer it."""
        asked = self._tasks().filter(status=Status.REQUESTED, referral__created_by__in=self.visitors)
        due = (t for t in asked.order_by(*BY_AGE) if t.requested_at + self._visitor_wait(t) <= at)
        return next(due, None)

    @staticmethod
    def _visitor_wait(task: ReferralTask) -> timedelta:
        return VISITOR_WAIT + timedelta(seconds=task.pk.int % VISITOR_SPREAD)

    def _answer(self, task: ReferralTask, at: datetime) -> str:
        team = self.teams[task.provider_id]
        if self.rng.random() < YES:
            try:
                operations.accept(task_id=task.pk, by=team, at=at)
                return "accept"
            except LuneError:
                log.debug("simulator.no_place")
        reason, _, words = self.rng.choices(DECLINES, [weight for _, weight, _ in DECLINES])[0]
        operations.decline(task_id=task.pk, by=team, at=at, reason=reason.value, reason_text=words)
        return "decline"

    def start(self, at: datetime) -> str:
        """Somebody who was accepted moves in, or is visited for the first time."""
        task = self._one(self._tasks().filter(status=Status.ACCEPTED, changed_at__lte=at - START_AFTER), *BY_AGE)
        if task is None:
            return "nothing"
        operations.start(task_id=task.pk, by=self.teams[task.provider_id], at=at)
        return "start"

    def finish(self, at: datetime) -> str:
        """Support ends, well or not, and the provider says that the place is free again."""
        task = self._one(self._tasks().filter(status__in=[Status.IN_PROGRESS, Status.ON_HOLD]), *BY_AGE)
        if task is None:
            return "nothing"
        team, chance = self.teams[task.provider_id], self.rng.random()
        if chance < 0.1 and task.status == Status.IN_PROGRESS:
            operations.pause(task_id=task.pk, by=team, at=at, reason_text=ENDS[Action.PAUSE])
            return "pause"
        if chance < 0.4 and task.status == Status.ON_HOLD:
            operations.resume(task_id=task.pk, by=team, at=at)
            return "resume"
        if chance < 0.2:
            operations.fail(task_id=task.pk, by=team, at=at, reason_text=ENDS[Action.FAIL])
        else:
            operations.complete(task_id=task.pk, by=team, at=at)
        pool = task.pool
        if pool.available is not None and (pool.maximum is None or pool.available < pool.maximum):
            places.report(pool_id=pool.pk, by=team, at=at, available=pool.available + 1, via=Via.SIMULATOR)
        return "finish"

    # --- referrers

    def arrive(self, at: datetime) -> str:
        """Somebody becomes ready to leave hospital, or is seen in a practice."""
        rng = self.rng
        hospital = rng.random() < HOSPITAL
        team = self.teams[rng.choice(self.hospitals if hospital else self.practices)]
        sex = rng.choices(("female", "male"), (58, 42))[0]
        pathway = rng.choices([p for p, _ in PATHWAYS], [w for _, w in PATHWAYS])[0] if hospital else Episode.Pathway.COMMUNITY
        birth = at.date() - timedelta(days=rng.randint(68 if hospital else 30, 97) * 365 + rng.randint(0, 364))
        patient = operations.add_patient(
            by=team,
            at=at,
            given_name=rng.choice(GIVEN[sex]),
            family_name=rng.choice(FAMILY),
            birth_date=birth,
            postcode=f"{rng.choice(self.towns)} {rng.randint(1, 9)}{rng.choice(INWARD_LETTERS)}{rng.choice(INWARD_LETTERS)}",
            nhs_number=nhs_number(rng.randint(100_000, 999_999)) or "",
            sex=sex,
            is_another=True,  # invented people share names and days of birth
        )
        operations.start_episode(
            patient_id=patient.pk,
            by=team,
            at=at,
            kind=Episode.Kind.HOSPITAL if hospital else Episode.Kind.COMMUNITY,
            discharge_pathway=pathway,
            started_at=at - timedelta(days=rng.uniform(1, 14)),
            ready_at=at,
            ward=rng.choice(WARDS) if hospital else "",
            delay_reason=rng.choice(rng.choice(WISHES[pathway]).delays),
        )
        return "arrive"

    def send(self, at: datetime) -> str:
        """A team looks for help for somebody for whom nobody is being asked, and asks one to three of the best."""
        open_tasks = ReferralTask.objects.open().values("referral__episode")
        free = Episode.objects.waiting().exclude(organization__in=self.own).filter(organization__source=SOURCE)
        episode = self._one(free.exclude(pk__in=open_tasks.filter(referral__episode__isnull=False)).select_related("patient"), "ready_at")
        if episode is None:
            return "nothing"
        rng, patient, team = self.rng, episode.patient, self.teams[episode.organization_id]
        assert team.organization is not None
        profile = profile_for(
            rng, rng.choice(WISHES[episode.discharge_pathway]), organization=team.organization, outcode=outcode(patient.postcode) or "PR1",
            point=patient.point, age=patient.age_on(at.date()), sex=patient.sex, at=at,
        )  # fmt: skip
        profile.created_at, profile.created_by = at, team
        profile.save()
        run = match(profile, by=team, at=at, limit=8)
        best = [c.pool_id for c in run.candidates.exclude(pool__service__organization__in=self._busy()).order_by("rank")]
        if not best:
            return "nothing"
        chosen = rng.sample(best, min(len(best), rng.randint(1, 3)))
        operations.send(
            patient_id=patient.pk,
            episode_id=episode.pk,
            profile_id=profile.pk,
            match_run_id=run.pk,
            pool_ids=chosen,
            hold_pool_ids=chosen[:1] if rng.random() < 0.25 else (),
            urgency=rng.choices(Referral.Urgency.values, (80, 20))[0],
            reason=rng.choice(ASKS),
            consent=True,
            by=team,
            at=at,
        )
        return "send"

    def leave(self, at: datetime) -> str:
        """Somebody goes home without further help: a wait ends with no service."""
        asked = ReferralTask.objects.open().filter(referral__episode__isnull=False).values("referral__episode")
        free = Episode.objects.waiting().filter(organization__source=SOURCE).exclude(pk__in=asked)
        episode = self._one(free, "ready_at")
        if episode is None:
            return "nothing"
        operations.end_episode(episode_id=episode.pk, by=self.teams[episode.organization_id], at=at)
        return "leave"

    # --- what may be touched

    def _tasks(self) -> QuerySet:
        """Tasks that the simulator's teams may answer: none addressed to a log-in's organisation."""
        return ReferralTask.objects.filter(provider__source=SOURCE).exclude(provider__in=self.own).select_related("referral", "pool")

    def _busy(self) -> list[UUID]:
        """Organisations of log-ins whose inbox is full enough."""
        asked = ReferralTask.objects.filter(provider__in=self.own, status=Status.REQUESTED).values("provider")
        return list(asked.annotate(n=Count("pk")).filter(n__gte=OWN_INBOX).values_list("provider", flat=True))
