"""The simulator: hours of life in the region break no rule, keep it in balance, and leave the visitor's work alone."""

import random
import signal
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction

from capacity.models import ServiceCapacity
from catalogue.models import User
from core.errors import Conflict
from flow import operations
from flow.demo import logins, simulator
from flow.demo.simulator import Simulator
from flow.management.commands import simulate
from flow.models import Episode, ReferralTask, SimulatorControl
from flow.workflow import Status
from tests.flow.region.checks import AT, check_demo


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sim(region, db, clock):
    return Simulator(random.Random(1), clock)


def login(name: str) -> User:
    return User.objects.get(email=f"{name}@{logins.DOMAIN}")


def live(sim: Simulator, clock: Clock, steps: int, seconds: float = 5) -> list[str]:
    happened = []
    for _ in range(steps):
        clock.at += timedelta(seconds=seconds)
        happened.append(sim.step())
    return happened


def test_hundreds_of_steps_break_no_rule(sim, clock):
    happened = live(sim, clock, 200, seconds=60)
    assert check_demo() == []
    assert {"report", "accept", "decline", "send", "arrive", "start", "finish"} <= set(happened)
    assert happened.count("nothing") < 50
    assert 240 <= Episode.objects.waiting().count() <= 360


def test_the_same_chance_lives_the_same_hour(sim, clock):
    runs = []
    for _ in range(2):
        with transaction.atomic():
            moving = Clock()
            runs.append(live(Simulator(random.Random(5), moving), moving, 30))
            transaction.set_rollback(True)
    assert runs[0] == runs[1]


def test_work_of_the_log_ins_is_left_to_the_visitor(sim, clock):
    own = [login(name).organization_id for name in ("home", "homecare", "charity")]
    pools = ServiceCapacity.objects.filter(service__organization__in=own).order_by("pk")
    answered = ReferralTask.objects.filter(provider__in=own).exclude(status__in=[Status.REQUESTED, Status.CANCELLED])
    before = list(pools.values_list("reported_at", "available")), set(answered.values_list("pk", "status"))
    live(sim, clock, 60)
    assert (list(pools.values_list("reported_at", "available")), set(answered.values_list("pk", "status"))) == before


def visitor_sends(clock: Clock) -> ReferralTask:
    """The discharge nurse asks one home that can say yes."""
    nurse = login("discharge")
    episode = Episode.objects.visible_to(nurse).waiting().filter(discharge_pathway="P3", referrals__isnull=False).first()
    own = [login(name).organization_id for name in ("home", "homecare", "charity")]
    pool = (
        ServiceCapacity.objects.visible_to(nurse)
        .filter(status="capacity", is_open=True, available__gt=3, held=0, reported_at__gte=AT - timedelta(hours=20))
        .exclude(service__organization__in=own)
        .exclude(referral_tasks__referral__patient=episode.patient)
        .order_by("pk")
        .first()
    )
    referral = operations.send(
        patient_id=episode.patient_id,
        profile_id=episode.referrals.first().profile_id,
        pool_ids=[pool.pk],
        by=nurse,
        at=clock.at,
        consent=True,
        even_so=True,  # any home that can say yes
    )
    return referral.tasks.get()


def test_a_visitors_request_is_answered_within_a_minute(sim, clock, monkeypatch):
    monkeypatch.setattr(simulator, "YES", 1.0)
    task = visitor_sends(clock)
    clock.at += timedelta(seconds=9)
    sim.step()
    task.refresh_from_db()
    assert task.status == Status.REQUESTED
    clock.at += timedelta(seconds=51)
    assert sim.step() == "accept"
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED
    assert task.answered_at - task.requested_at <= timedelta(seconds=60)


def test_no_place_left_becomes_a_decline(sim, clock, monkeypatch):
    monkeypatch.setattr(simulator, "YES", 1.0)
    task = visitor_sends(clock)
    ServiceCapacity.objects.filter(pk=task.pool_id).update(available=0)
    clock.at += timedelta(seconds=60)
    assert sim.step() == "decline"
    task.refresh_from_db()
    assert task.status == Status.REJECTED
    assert task.status_reason_text


def test_a_refusal_is_part_of_life(sim, monkeypatch):
    def refuse(self, at):
        raise Conflict("The last place has just gone.", code="no-place")

    for name in ("report", "answer", "send", "arrive", "start", "finish", "leave"):
        monkeypatch.setattr(Simulator, name, refuse)
    assert [sim.step() for _ in range(5)] == ["nothing"] * 5


class Scripted:
    """Stands for a simulator: does what each item of its script says, then sets `stop`."""

    def __init__(self, stop: threading.Event, *script: Exception | None) -> None:
        self.rng = random.Random(1)
        self.stop, self.script, self.steps = stop, list(script), 0

    def step(self) -> str:
        self.steps += 1
        item = self.script.pop(0)
        if not self.script:
            self.stop.set()
        if item:
            raise item
        return "report"


@pytest.fixture
def stop(monkeypatch):
    """A stop signal that never really waits, and remembers for how long it was asked to."""
    event = threading.Event()
    event.waited = []
    monkeypatch.setattr(event, "wait", lambda seconds: event.waited.append(seconds))
    return event


def test_a_database_that_goes_away_is_waited_for(db, stop, monkeypatch):
    monkeypatch.setattr(simulate.connection, "close", lambda: None)  # the test's transaction lives on it
    gone = OperationalError("the connection is closed")
    scripted = Scripted(stop, gone, gone, None, gone, None)
    simulate.run(scripted, stop)
    assert scripted.steps == 5
    assert [w for w in stop.waited if w in (1.0, 2.0)] == [1.0, 2.0, 1.0]


def test_pace_nothing_stands_still(db, stop, monkeypatch):
    SimulatorControl.objects.create(pace=0)
    monkeypatch.setattr(stop, "wait", lambda seconds: stop.waited.append(seconds) or (len(stop.waited) == 3 and stop.set()))
    scripted = Scripted(stop)
    simulate.run(scripted, stop)
    assert (scripted.steps, stop.waited) == (0, [simulate.PAUSE] * 3)


def test_an_administrator_stops_it_while_it_runs(db):
    control = SimulatorControl.current()
    assert control.rate == 1.0
    control.running = False
    control.save()
    assert SimulatorControl.current().rate == 0


@pytest.fixture
def signals():
    """Puts the handlers of the test run back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_command_runs_until_it_is_told_to_stop(region, db, signals, monkeypatch):
    monkeypatch.setattr(simulate, "run", lambda sim, stop: signal.raise_signal(signal.SIGTERM) or stop.wait(1))
    out = StringIO()
    call_command("simulate", pace=2.5, seed=1, stdout=out)
    assert "2.5 events a second" in out.getvalue()
    assert "stands still" in out.getvalue()
    assert SimulatorControl.current().pace == 2.5


@pytest.mark.parametrize(("pace", "demo", "words"), [(1, False, "not a demonstration"), (21, True, "0 to 20")])
def test_the_command_refuses_what_it_cannot_do(db, settings, pace, demo, words):
    settings.DEMO = demo
    with pytest.raises(CommandError, match=words):
        call_command("simulate", pace=pace, stdout=StringIO())
