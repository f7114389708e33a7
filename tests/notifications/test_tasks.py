"""What the clock starts."""

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from config.run import BASE_DIR, procfile
from core.events import publish
from core.models import Event, IdempotencyKey
from notifications import journal, tasks


@pytest.mark.django_db
def test_old_rows_are_pruned_from_the_beginning_and_the_newest_stays():
    now = timezone.now()
    for days in (20, 15, 3, 15, 1):  # the second 15: a slow clock after a younger row must not make a hole
        event = publish("x", topics=["region"])
        Event.objects.filter(pk=event.pk).delete()
        Event(pk=event.pk, type="x", topics=["region"], at=now - timedelta(days=days)).save(force_insert=True)
    assert tasks.prune_events(timestamp=0) == 2
    assert Event.objects.count() == 3
    assert journal.prune(at=now + timedelta(days=365)) == 2
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_answers_to_repeated_requests_are_forgotten_after_a_week():
    now = timezone.now()
    for days in (1, 6, 8, 30):
        IdempotencyKey.objects.create(key=str(days), user_id=uuid.uuid4(), fingerprint="", at=now - timedelta(days=days))
    assert tasks.forget_answers(timestamp=0) == 2
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"1", "6"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_finds_and_runs_the_tasks():
    assert {"capacity.tasks.expire_holds", "notifications.tasks.prune_events", "notifications.tasks.retry_stalled_jobs"} <= set(app.tasks)
    tasks.prune_events.defer(timestamp=0)
    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    assert ProcrastinateJob.objects.get(task_name="notifications.tasks.prune_events").status == "succeeded"


def test_long_work_waits_in_a_queue_of_its_own_and_every_queue_has_one_worker():
    """Somebody's simulation of a minute keeps no hold from expiring."""
    long = {"simulate_what_if", "draw_up_plan", "look_again", "learn_acceptance", "tell_chances"}
    assert {name for name, task in app.tasks.items() if task.queue == "long"} == {f"flow.tasks.{name}" for name in long}
    here = re.findall(r"procrastinate worker --queues (\S+)", "\n".join(procfile().values()))
    in_containers = re.findall(r"procrastinate, worker, --queues, (\w+)", (BASE_DIR / "compose.yaml").read_text())
    assert sorted(here) == sorted(in_containers) == sorted({task.queue for task in app.tasks.values()} - {"builtin"})
