"""Any history of sending, answering, reporting and waiting keeps the promises. Hypothesis looks for one that does not."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import capacity.operations as places
from capacity.models import CapacityReport, Reservation, ServiceCapacity
from core.errors import LuneError
from core.models import Event
from flow import operations
from flow.holds import kept_for
from flow.models import Referral, ReferralTask, Transition
from flow.workflow import Reason, Status
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of

pytestmark = pytest.mark.django_db

TAKEN_ON = [Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED]
Kind = CapacityReport.Kind
#: What each kind of row may do: (change of available, change of held). A report sets what it likes and leaves holds alone.
MOVES_OF_A_ROW = {
    Kind.HOLD: {(0, 1)},
    Kind.RELEASE: {(0, -1)},
    Kind.EXPIRE: {(0, -1)},
    Kind.WITHDRAW: {(0, -1)},
    Kind.FILL: {(-1, -1), (-1, 0)},
    Kind.REOPEN: {(1, 0)},
}


@contextmanager
def rolled_back() -> Iterator[None]:
    """Leave nothing behind: the next example starts afresh."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Region:
    """Two teams with two people each; four pools: scarce, plain, a waiting list, and one of which nobody has told anything."""

    def __init__(self) -> None:
        self.at = timezone.now()
        self.teams = UserFactory.create_batch(2)
        self.people = [PatientFactory(organization=team.organization) for team in self.teams for _ in range(2)]
        self.stays = [EpisodeFactory(patient=person) for person in self.people]
        self.profiles = [NeedProfileFactory(organization=team.organization) for team in self.teams]
        self.pools = [
            PoolFactory(available=1, maximum=2),
            PoolFactory(available=3, maximum=None),
            PoolFactory(available=0, maximum=None, status="waitlist"),
            PoolFactory(unknown=True, maximum=None),
        ]
        self.answerers = {pool.pk: provider_of(pool) for pool in self.pools}

    def task(self, number: int) -> ReferralTask | None:
        tasks = list(ReferralTask.objects.order_by("requested_at", "pk").select_related("referral"))
        return tasks[number % len(tasks)] if tasks else None

    def send(self, which: int, mask: int) -> None:
        person, stay = self.people[which % 4], self.stays[which % 4]
        team = which % 4 // 2
        chosen = [pool.pk for number, pool in enumerate(self.pools) if mask >> number & 1]
        held = [pk for number, pk in enumerate(chosen) if mask >> 4 >> number & 1]
        operations.send(
            patient_id=person.pk, profile_id=self.profiles[team].pk, episode_id=stay.pk, pool_ids=chosen, hold_pool_ids=held,
            by=self.teams[team], at=self.at, consent=True,
        )  # fmt: skip

    def step(self, action: str, which: int, side: int) -> None:
        task = self.task(which)
        if task is None:
            return
        sender = next(team for team in self.teams if team.organization_id == task.referral.organization_id)
        by = self.answerers[task.pool_id] if side % 4 else sender
        getattr(operations, action)(task_id=task.pk, by=by, at=self.at, reason=Reason.OTHER, reason_text="Words")

    def report(self, which: int, figure: int) -> None:
        pool = self.pools[which % 4]
        seen = self.at - timedelta(minutes=figure)
        places.report(pool_id=pool.pk, available=figure % 4, by=self.answerers[pool.pk], at=self.at, observed_at=seen)

    def take_back(self, which: int, figure: int) -> None:
        pool = self.pools[which % 4]
        places.report(pool_id=pool.pk, available=figure % 3, by=self.answerers[pool.pk], at=self.at, withdraw_because="A burst pipe")

    def hold(self, which: int, pool: int) -> None:
        team = self.teams[which % 4 // 2]
        operations.hold_place(episode_id=self.stays[which % 4].pk, pool_id=self.pools[pool % 4].pk, by=team, at=self.at)

    def of_a_hold(self, verb: str, which: int) -> None:
        """Extend one of the holds that there have ever been, or let it go."""
        holds = list(Reservation.objects.order_by("created_at", "pk"))
        if holds:
            hold = holds[which % len(holds)]
            team = next(team for team in self.teams if team.organization_id == hold.organization_id)
            getattr(operations, verb)(hold_id=hold.pk, by=team, at=self.at)

    def wait(self, hours: int, _: int) -> None:
        self.at += timedelta(hours=hours % 6)
        places.expire_due(at=self.at)

    def end(self, which: int, _: int) -> None:
        operations.end_episode(episode_id=self.stays[which % 4].pk, by=self.teams[which % 4 // 2], at=self.at)

    def act(self, name: str, first: int, second: int) -> None:
        self.at += timedelta(minutes=1)
        if name in ("send", "report", "take_back", "hold", "wait", "end"):
            getattr(self, name)(first, second)
        elif name in ("extend_hold", "let_go"):
            self.of_a_hold(name, first)
        else:
            self.step(name, first, second)

    def check(self) -> None:
        now = ServiceCapacity.objects.in_bulk([pool.pk for pool in self.pools])
        held = Counter(Reservation.objects.filter(state=Reservation.State.HELD).values_list("pool", flat=True))
        living = Counter(ReferralTask.objects.filter(took_place=True).values_list("pool", flat=True))
        reports = defaultdict(list)
        for row in CapacityReport.objects.exclude(kind=Kind.LATE).order_by("version"):
            reports[row.pool_id].append(row)
        for pk, pool in now.items():
            self.check_pool(pool, held[pk], living[pk], reports[pk])
        for person in self.people:
            assert kept_for(person, self.at).count() <= 2
        for referral in Referral.objects.prefetch_related("tasks"):
            assert sum(task.status in TAKEN_ON for task in referral.tasks.all()) <= 1
        for task in ReferralTask.objects.select_related("reservation", "referral__episode").prefetch_related("transitions"):
            steps = list(task.transitions.all())
            assert (task.version, task.status) == (len(steps), steps[-1].to_status)
            assert all(before.to_status == after.from_status for before, after in pairwise(steps))
            if task.reservation and task.reservation.state == Reservation.State.HELD:
                assert task.status == Status.REQUESTED
            if task.took_place:
                assert task.status in Status.known_to_provider() or task.status == Status.ENTERED_IN_ERROR

    def check_pool(self, pool: ServiceCapacity, held: int, living: int, rows: list[CapacityReport]) -> None:
        assert pool.held == held
        assert pool.available is None or 0 <= pool.held <= pool.available
        for before, after in pairwise(rows):
            if after.kind == Kind.REPORT:
                assert after.held == before.held
            else:
                assert (after.available - before.available, after.held - before.held) in MOVES_OF_A_ROW[after.kind]
        if rows:
            assert (rows[-1].available, rows[-1].held) == (pool.available, pool.held)
        taken = sum((row.kind == Kind.FILL) - (row.kind == Kind.REOPEN) for row in rows)
        # A place given back to a pool that already shows its maximum leaves no row.
        assert taken == living if pool.maximum is None else taken >= living


ACTIONS = [
    "send", "accept", "decline", "withdraw", "start", "pause", "resume", "complete", "fail", "retract", "report", "wait", "end",
    "hold", "take_back", "extend_hold", "let_go",
]  # fmt: skip
#: Sending and accepting oftener than the rest: without them nothing else can happen.
move = st.tuples(st.sampled_from(["send", "send", "accept", "accept", "hold", *ACTIONS]), st.integers(0, 11), st.integers(0, 255))


def written() -> tuple[int, ...]:
    """How many rows there are of what is only ever added to."""
    tables = (f"(SELECT count(*) FROM {model._meta.db_table})" for model in (Event, Transition, CapacityReport))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(tables)}")
        return cursor.fetchone()


@pytest.fixture
def region() -> Region:
    """Made once; each example is rolled back to it."""
    return Region()


@pytest.mark.req("R008")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(move, min_size=4, max_size=30))
def test_any_history_keeps_the_promises(region, moves):
    start = region.at
    with rolled_back():
        for name, first, second in moves:
            before = written()
            try:
                region.act(name, first, second)
            except LuneError:
                assert written() == before, "what is refused leaves nothing, by the operation's own transaction"
            region.check()
    region.at = start


def test_the_checks_notice_a_place_that_was_lost(region):
    """They can fail: forget one hold, and they do."""
    region.act("send", 0, 0b0001_0010)
    ServiceCapacity.objects.filter(pk=region.pools[1].pk).update(held=0)
    with pytest.raises(AssertionError):
        region.check()
