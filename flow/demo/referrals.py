"""Referrals of the last fortnight: who was asked for whom, what they answered and when, and the places that were held or taken."""

import math
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from capacity.models import CapacityStatus, Reservation, ServiceCapacity
from capacity.operations import HOLD_FOR
from catalogue.models import EligibilityCriterion, User
from flow.demo.people import People, Person
from flow.demo.places import Places
from flow.demo.processes import ANSWER
from flow.demo.services import Services
from flow.demo.world import World
from flow.models import Referral, ReferralTask, Transition
from flow.operations import ANOTHER_ACCEPTED, RESPOND_WITHIN
from flow.workflow import Action, Reason, Status
from matching.models import NeedProfile

Rule = EligibilityCriterion.Rule
State = Reservation.State

#: What became of the referrals of those who still wait, and of those who do not; None: nobody has been asked yet.
WAITING_STORIES = ((None, 45), ("asked", 33), ("all-declined", 7), ("accepted", 15))
PAST_STORIES = (
    ("in-progress", 42), ("completed", 27), ("on-hold", 5), ("failed", 5), ("withdrawn", 12), ("error", 4), ("all-declined", 5),
)  # fmt: skip
#: How many of each story each log-in's organisation has, so that its pages are full.
OWN_STORIES = {True: (("asked", 8), ("accepted", 3)), False: (("in-progress", 5), ("completed", 4))}
DECLINES = (
    (Reason.CAPACITY, 45, ""), (Reason.NOT_APPROPRIATE, 22, "We cannot meet these needs safely at night."), (Reason.DISTANCE, 10, ""),
    (Reason.NOT_ELIGIBLE, 10, ""), (Reason.SERVICE_DECLINED, 6, ""), (Reason.OTHER, 7, "The room is being redecorated until next week."),
)  # fmt: skip
ASKS = (
    "Ready to leave as soon as a place is found. Family have been told.",
    "Medically fit. Therapy report available on request.",
    "Would like to stay near to family if possible.",
    "Lives alone and is keen to have company again.",
    "Has managed until now with help from a neighbour.",
    "Discharge letter and medicines chart are ready to send.",
)
ENDS = {
    Action.PAUSE: "Back in hospital for a few days.",
    Action.FAIL: "Needs more support than we can give.",
    Action.WITHDRAW: "The family has made other arrangements.",
    Action.RETRACT: "Sent for the wrong person.",
}


class Referrals:
    """Invents the history of referrals. Run after `Places.plan` and before `Places.settle`."""

    def __init__(self, world: World, services: Services, people: People, places: Places) -> None:
        self.world = world
        self.services = services
        self.people = people
        self.places = places
        self.rng = world.chance("referrals")
        self.own = {world.special[key].pk for key in ("home", "homecare", "charity")}
        self.reserved: dict[UUID, tuple[str, ServiceCapacity]] = {}
        self._known: dict[UUID, list[ServiceCapacity]] = {}
        self._by_type: dict[str, list[tuple[float, float, ServiceCapacity]]] = defaultdict(list)
        for _, town, service, pool in services.pools:
            if service.is_confidential or not pool.is_open or pool.status == CapacityStatus.NO_CAPACITY:
                continue
            point = pool.location.point if pool.location and pool.location.point else None
            x, y = (point.x, point.y) if point else (town.easting, town.northing)
            self._by_type[pool.care_type.code].append((x, y, pool))

    def build(self) -> None:
        self._reserve()
        for person in self.people.people:
            if person.patient.pk in self.reserved:
                story, own = self.reserved[person.patient.pk]
                self._tell(person, story, own)
                continue
            stories = WAITING_STORIES if person.waiting else PAST_STORIES
            chosen = self.rng.choices([s for s, _ in stories], [w for _, w in stories])[0]
            if chosen:
                self._tell(person, chosen)
        self.world.rows[Transition].sort(key=lambda t: t.at)

    def _reserve(self) -> None:
        """Set people aside for the log-ins' organisations."""
        for organization_id in sorted(self.own, key=str):
            for waiting, stories in OWN_STORIES.items():
                able = [
                    (person, pool)
                    for person in self.people.people
                    if person.waiting == waiting and person.patient.pk not in self.reserved
                    for pool in self._suitable(person)
                    if pool.service.organization_id == organization_id
                ]
                able = list({person.patient.pk: (person, pool) for person, pool in able}.values())
                self.rng.shuffle(able)
                wanted = [story for story, count in stories for _ in range(count)]
                for story, (person, pool) in zip(wanted, able, strict=False):
                    self.reserved[person.patient.pk] = (story, pool)

    def _tell(self, person: Person, story: str, own: ServiceCapacity | None = None) -> None:
        pools = self._choose(person, 1 if story == "error" else self.rng.choices((1, 2, 3, 4), (30, 30, 25, 15))[0], own)
        if not pools:
            return
        created = self._when(person, story)
        patient, by = person.patient, self.world.users[person.patient.organization_id]
        urgency = Referral.Urgency.URGENT if self.rng.random() < 0.2 else Referral.Urgency.ROUTINE
        referral = self.world.add(
            Referral(
                id=self.world.id("referral"),
                patient=patient,
                episode=person.episode,
                profile=person.profile,
                organization=patient.organization,
                created_by=by,
                created_at=created,
                urgency=urgency,
                reason=self.rng.choice(ASKS),
                consent=True,
            )
        )
        person.profile.created_at = created - timedelta(minutes=self.rng.randint(2, 12))
        tasks = [self._ask(referral, pool, by) for pool in pools]
        getattr(self, "_" + story.replace("-", "_"))(person, tasks, by)
        for task in tasks:
            self._settle_place(task)

    def _when(self, person: Person, story: str) -> datetime:
        """When it was sent: after the wait began, in the last fortnight, and early enough for what followed."""
        earliest = max(person.episode.ready_at or person.episode.started_at, self.world.ago(days=13.8))
        if not person.waiting:
            assert person.episode.ended_at is not None
            return max(earliest, person.episode.ended_at - timedelta(hours=self.rng.uniform(6, 60)))
        if story == "asked":
            recent = self.rng.random() < 0.45
            back = timedelta(minutes=self.rng.uniform(8, 225)) if recent else timedelta(hours=min(self.rng.expovariate(1 / 12) + 3, 60))
        else:
            back = timedelta(hours=self.rng.uniform(10, 70))
        return max(earliest, self.world.now - back)

    def _choose(self, person: Person, count: int, own: ServiceCapacity | None) -> list[ServiceCapacity]:
        """The log-in's own pool if one was set aside, and some of the nearest suitable ones of others."""
        others = [pool for pool in self._suitable(person) if pool.service.organization_id not in self.own][:12]
        chosen = [own] if own else []
        return chosen + self.rng.sample(others, min(len(others), count - len(chosen)))

    def _suitable(self, person: Person) -> list[ServiceCapacity]:
        """Pools of a right kind within reach whose stated rules do not refuse the person; nearest first."""
        if (known := self._known.get(person.patient.pk)) is not None:
            return known
        profile = person.profile
        home_x, home_y = profile.point.coords
        wanted = {*profile.needs, *profile.must_haves}
        found = []
        for code in profile.care_types:
            for x, y, pool in self._by_type[code]:
                distance = math.hypot(x - home_x, y - home_y)
                if distance > min(profile.max_distance_m, pool.service.catchment_m or 10**9):
                    continue
                if self.services.lads.get(pool.service_id, person.town.lad) == person.town.lad and self._takes(profile, wanted, pool):
                    found.append((distance, str(pool.pk), pool))
        return self._known.setdefault(person.patient.pk, [pool for _, _, pool in sorted(found, key=lambda f: f[:2])])

    def _takes(self, profile: NeedProfile, wanted: set[str], pool: ServiceCapacity) -> bool:
        minimum, maximum = self.services.ages[pool.service_id]
        if not (minimum or 0) <= profile.age <= (maximum or 999):
            return False
        rules = self.services.rules[pool.service_id]
        if any(rules.get(need) == Rule.EXCLUDED for need in wanted):
            return False
        return all(need in wanted for need, rule in rules.items() if rule == Rule.REQUIRED)

    # --- one task

    def _ask(self, referral: Referral, pool: ServiceCapacity, by: User) -> ReferralTask:
        at = referral.created_at
        task = ReferralTask(
            id=self.world.id("task"),
            referral=referral,
            pool=pool,
            provider=pool.service.organization,
            requested_at=at,
            respond_by=at + RESPOND_WITHIN[referral.urgency],
        )
        self.world.add(task)
        self._step(task, Action.SEND, Status.REQUESTED, at, by)
        if self.places.told(pool) and pool.status in ("capacity", "additional-assessment-required") and self.rng.random() < 0.28:
            task.reservation = Reservation(
                id=self.world.id("reservation"),
                pool=pool,
                organization=referral.organization,
                created_at=at,
                created_by=by,
                expires_at=at + HOLD_FOR,
            )
        return task

    def _step(self, task: ReferralTask, action: str, to: str, at: datetime, by: User | None, reason: tuple[str, str] = ("", "")) -> None:
        at = min(at, self.world.now)
        if action != Action.SEND:
            task.version += 1
        self.world.add(
            Transition(
                task=task,
                action=action,
                from_status=task.status,
                to_status=to,
                reason=reason[0],
                reason_text=reason[1],
                by=by,
                organization=by.organization if by else None,
                at=at,
            )
        )
        task.status, task.changed_at = to, at
        task.status_reason, task.status_reason_text = reason
        if action in (Action.ACCEPT, Action.DECLINE):
            task.answered_at = at

    def _provider(self, task: ReferralTask) -> User:
        return self.world.users[task.provider_id]

    def _later(self, after: datetime, median_hours: float, before: datetime | None = None) -> datetime:
        """Some hours later, most near the median and a few much later; never after `before`, nor after now."""
        before = before or self.world.now
        at = after + timedelta(hours=median_hours * self.rng.lognormvariate(0, ANSWER.spread))
        return at if at < before else after + (before - after) * self.rng.uniform(0.3, 0.9)

    def _say_no(self, task: ReferralTask, before: datetime | None = None) -> None:
        reason, _, words = self.rng.choices(DECLINES, [weight for _, weight, _ in DECLINES])[0]
        at = self._later(task.referral.created_at, 4, before)
        self._step(task, Action.DECLINE, Status.REJECTED, at, self._provider(task), (reason.value, words or str(reason.label)))

    def _say_yes(self, tasks: list[ReferralTask], before: datetime) -> ReferralTask:
        """The first says yes; of the others some had said no before, and Lune withdraws the rest."""
        task, *others = tasks
        at = self._later(task.referral.created_at, 24 * ANSWER.scale, before)
        for other in others:
            if other.provider_id not in self.own and self.rng.random() < 0.4:
                self._say_no(other, at)
        self._step(task, Action.ACCEPT, Status.ACCEPTED, at, self._provider(task))
        for other in others:
            if other.status == Status.REQUESTED:
                self._step(other, Action.WITHDRAW, Status.CANCELLED, at, None, ("", ANOTHER_ACCEPTED))
        return task

    # --- stories: what became of a referral

    def _asked(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        for task in tasks[1:]:
            if task.provider_id not in self.own and self.rng.random() < 0.3:
                self._say_no(task)

    def _all_declined(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        for task in tasks:
            self._say_no(task, person.episode.ended_at)

    def _accepted(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        self._say_yes(tasks, self.world.now)

    def _in_progress(self, person: Person, tasks: list[ReferralTask], by: User) -> ReferralTask:
        assert person.episode.ended_at is not None
        task = self._say_yes(tasks, person.episode.ended_at)
        self._step(task, Action.START, Status.IN_PROGRESS, person.episode.ended_at, self._provider(task))
        return task

    def _completed(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        task = self._in_progress(person, tasks, by)
        self._step(task, Action.COMPLETE, Status.COMPLETED, self._later(task.changed_at, 72), self._provider(task))

    def _on_hold(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        task = self._in_progress(person, tasks, by)
        self._step(task, Action.PAUSE, Status.ON_HOLD, self._later(task.changed_at, 40), self._provider(task), ("", ENDS[Action.PAUSE]))

    def _failed(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        task = self._in_progress(person, tasks, by)
        self._step(task, Action.FAIL, Status.FAILED, self._later(task.changed_at, 40), self._provider(task), ("", ENDS[Action.FAIL]))

    def _withdrawn(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        ended = person.episode.ended_at or self.world.now
        why = (Reason.PATIENT_CHOICE.value, ENDS[Action.WITHDRAW])
        if self.rng.random() < 0.3:
            tasks = [self._say_yes(tasks, ended)]
        for task in tasks:
            self._step(task, Action.WITHDRAW, Status.CANCELLED, max(ended, task.changed_at), by, why)

    def _error(self, person: Person, tasks: list[ReferralTask], by: User) -> None:
        for task in tasks:
            at = self._later(task.changed_at, 0.5, person.episode.ended_at)
            self._step(task, Action.RETRACT, Status.ENTERED_IN_ERROR, at, by, ("", ENDS[Action.RETRACT]))

    # --- its place

    def _settle_place(self, task: ReferralTask) -> None:
        """Say how the hold ended, and whether a place was taken: as `flow.operations` would have left them."""
        accepted = task.answered_at if task.status in Status.known_to_provider() or self._was_accepted(task) else None
        hold, now = task.reservation, self.world.now
        if hold is not None:
            answered = accepted or (task.changed_at if task.status != Status.REQUESTED else None)
            if answered is None or answered >= hold.expires_at:
                if hold.expires_at <= now:
                    hold.state, hold.ended_at = State.EXPIRED, hold.expires_at
            else:
                hold.state, hold.ended_at = (State.FILLED if accepted else State.RELEASED), answered
            self.places.reserve(task.pool, hold)
        if accepted:
            task.took_place = bool(hold and hold.state == State.FILLED) or self.places.take(task.pool, accepted)
            if task.took_place and task.status == Status.CANCELLED:
                self.places.reopen(task.pool, task.changed_at)
                task.took_place = False

    def _was_accepted(self, task: ReferralTask) -> bool:
        return task.status == Status.CANCELLED and task.answered_at is not None
