"""Any history keeps the promises: of two teams, those who answer, the clock and the rules. Hypothesis looks for one that does not.

`LUNE_HISTORIES=3000` tries so many; `make nightly` does.
"""

import os
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import capacity.operations as places
from capacity.models import CapacityReport, Reservation, ServiceCapacity
from core.errors import LuneError
from core.models import Event
from flow import asking, lateness, operations, queries
from flow.holds import kept_for
from flow.models import QueuedAsk, Referral, ReferralTask, RuleDeed, Transition
from flow.rules import operations as rules
from flow.workflow import Reason, Status
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of

pytestmark = pytest.mark.django_db

HISTORIES = int(os.environ.get("LUNE_HISTORIES", "4"))
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
        self.administrator = UserFactory(administrator=True)
        self.rules = [
            rules.write(name=f"Rule {number}", trigger=trigger, action=action, reason="Trial", by=self.administrator, at=self.at)
            for number, (trigger, action) in enumerate(
                [("overdue", "withdraw"), ("declined", "offer-next"), ("not-started", "escalate"), ("nobody-left", "follow-up")]
            )
        ]
        self.seen_rows: dict[int, str] = {}

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
            by=self.teams[team], at=self.at, consent=True, in_order=bool(which & 4), keep_asked=bool(which & 8),
            wanted=1 + (which >= 10), answer_within=timedelta(hours=1) if which & 1 else None,
        )  # fmt: skip

    def step(self, action: str, which: int, side: int) -> None:
        task = self.task(which)
        if task is None:
            return
        sender = next(team for team in self.teams if team.organization_id == task.referral.organization_id)
        by = self.answerers[task.pool_id] if side % 4 else sender
        getattr(operations, action)(task_id=task.pk, by=by, at=self.at, reason=Reason.OTHER, reason_text="Words")

    def of_a_list(self, verb: str, which: int, up: int) -> None:
        """What a sender does with a referral that is under way."""
        referrals = list(Referral.objects.order_by("created_at", "pk"))
        if not referrals:
            return
        referral = referrals[which % len(referrals)]
        team = next(team for team in self.teams if team.organization_id == referral.organization_id)
        if verb == "move":
            for entry in referral.queue.filter(state="waiting")[:1]:
                asking.move(entry_id=entry.pk, up=bool(up % 2), by=team, at=self.at)
        elif verb == "ask_next":
            asking.ask_next(referral_id=referral.pk, by=team, at=self.at)
        elif verb == "ask_also":
            asking.ask_also(referral_id=referral.pk, pool_ids=[self.pools[up % 4].pk], by=team, at=self.at)
        else:
            asking.close(referral_id=referral.pk, reason="Enough", by=team, at=self.at)

    def switch(self, which: int, on: int) -> None:
        """An administrator switches a rule on or off."""
        version = self.rules[which % 4]
        if on % 2:
            rules.switch_on(version_id=version.pk, reason="Trial", by=self.administrator, at=self.at)
        else:
            rules.switch_off(rule_id=version.rule_id, reason="Trial", by=self.administrator, at=self.at)

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
        self.at += timedelta(hours=hours if hours > 20 else hours % 6)
        places.expire_due(at=self.at)
        lateness.look(at=self.at)
        rules.run(at=self.at)
        before = written()
        assert lateness.look(at=self.at) + rules.run(at=self.at) == 0, "what was done is not done again"
        assert written() == before

    def end(self, which: int, _: int) -> None:
        operations.end_episode(episode_id=self.stays[which % 4].pk, by=self.teams[which % 4 // 2], at=self.at)

    def act(self, name: str, first: int, second: int) -> None:
        self.at += timedelta(minutes=1)
        if name in ("move", "ask_next", "ask_also", "close"):
            self.of_a_list(name, first, second)
        elif name in ("send", "report", "take_back", "hold", "wait", "end", "switch"):
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
        for referral in Referral.objects.prefetch_related("tasks", "queue"):
            tasks = referral.tasks.all()
            assert sum(task.status in Status.taken_on() for task in tasks) <= referral.wanted
            if referral.in_order:
                asked = Counter(entry.state for entry in referral.queue.all())
                assert asked["asked"] == len(tasks)
                if sum(task.status in Status.taken_on() for task in tasks) == referral.wanted:
                    assert not asked["waiting"]
        for task in ReferralTask.objects.select_related("reservation", "referral__episode").prefetch_related("transitions"):
            steps = list(task.transitions.all())
            assert (task.version, task.status) == (len(steps), steps[-1].to_status)
            assert all(before.to_status == after.from_status for before, after in pairwise(steps))
            if task.reservation and task.reservation.state == Reservation.State.HELD:
                assert task.status == Status.REQUESTED
            if task.took_place:
                assert task.status in Status.known_to_provider() or task.status == Status.ENTERED_IN_ERROR

    def check_sight(self) -> None:
        """No name before a yes, nothing of a list, nothing of another team's, no yes by anybody but a person; and no row is rewritten."""
        rows = {row.pk: f"{row.action} {row.from_status} {row.to_status} {row.at} {row.reason_text}" for row in Transition.objects.all()}
        assert self.seen_rows.items() <= rows.items()
        self.seen_rows = rows
        answers = Transition.objects.filter(action__in=["accept", "decline"])
        assert not answers.filter(Q(by=None) | Q(rule__isnull=False)).exists(), "only a person says yes or no"
        for pool in self.pools:
            answerer = self.answerers[pool.pk]
            for task in ReferralTask.objects.visible_to(answerer).select_related(
                "referral__organization", "referral__profile", "referral__patient", "pool__service", "reservation"
            ):
                assert task.provider_id == answerer.organization_id
                view = queries.provider_view(task, answerer)
                assert (view.identity is not None) == (task.status in Status.known_to_provider())
            assert not QueuedAsk.objects.visible_to(answerer).exists()
            assert not RuleDeed.objects.visible_to(answerer).exists()
        for team in self.teams:
            for model in (Referral, QueuedAsk, RuleDeed):
                of = "organization" if model is Referral else "referral__organization"
                assert not model.objects.visible_to(team).exclude(**{of: team.organization}).exists()

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


def written() -> tuple[int, ...]:
    """How many rows there are of what is only ever added to."""
    tables = (f"(SELECT count(*) FROM {model._meta.db_table})" for model in (Event, Transition, CapacityReport))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(tables)}")
        return cursor.fetchone()


@pytest.fixture
def region() -> Region:
    """Made once; each history is rolled back to it."""
    return Region()


first, second = st.integers(0, 11), st.integers(0, 255)


class Histories(RuleBasedStateMachine):
    """What each actor may try, in any order. A refusal is an answer too: it leaves nothing behind."""

    region: Region

    def __init__(self) -> None:
        super().__init__()
        self.start = self.region.at
        self.region.seen_rows = {}
        self.moves = 0
        self.history = transaction.atomic()
        self.history.__enter__()

    def teardown(self) -> None:
        try:
            self.region.check_sight()
        finally:
            transaction.set_rollback(True)
            self.history.__exit__(None, None, None)
            self.region.at = self.start

    def attempt(self, name: str, one: int, other: int) -> None:
        before = written()
        try:
            self.region.act(name, one, other)
        except LuneError:
            assert written() == before, "what is refused leaves nothing, by the operation's own transaction"

    @rule(one=first, other=second)
    def a_team_sends(self, one, other):
        self.attempt("send", one, other)

    @rule(name=st.sampled_from(["move", "ask_next", "ask_also", "close", "end"]), one=first, other=second)
    def a_team_changes_whom_it_asks(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["hold", "extend_hold", "let_go"]), one=first, other=second)
    def a_team_keeps_a_place(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["accept", "accept", "decline", "withdraw"]), one=first, other=second)
    def somebody_answers(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["start", "pause", "resume", "complete", "fail", "retract"]), one=first, other=second)
    def support_goes_on(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["report", "take_back"]), one=first, other=second)
    def figures_change(self, name, one, other):
        self.attempt(name, one, other)

    @rule(one=first)
    def time_passes(self, one):
        self.region.act("wait", one * (24 if one > 8 else 1), 0)

    @rule(one=first, other=second)
    def a_rule_is_switched(self, one, other):
        self.attempt("switch", one, other)

    @invariant()
    def the_promises_are_kept(self):
        self.region.check()
        self.moves += 1
        if self.moves % 10 == 0:
            self.region.check_sight()


@pytest.mark.req("R008")
@pytest.mark.req("R026")
def test_any_history_keeps_the_promises(region):
    Histories.region = region
    budget = settings(max_examples=HISTORIES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Histories, settings=budget)


def test_the_checks_notice_a_place_that_was_lost(region):
    """They can fail: forget one hold, and they do."""
    region.act("send", 0, 0b0001_0010)
    ServiceCapacity.objects.filter(pk=region.pools[1].pk).update(held=0)
    with pytest.raises(AssertionError):
        region.check()
