"""Every step of the table: allowed where it says, refused everywhere else."""

import pytest
from django.db import DatabaseError
from django.utils import timezone

from core.errors import Conflict, NotAllowed, NotFound
from core.models import Event
from flow import operations, workflow
from flow.models import Transition
from flow.workflow import STEPS, Action, Reason, Side, Status
from tests.factories import UserFactory
from tests.flow.helpers import asked

pytestmark = pytest.mark.django_db

#: Sending makes the task; the other steps change one.
CHANGES = [step for step in STEPS if step.action != Action.SEND]
EVERY = [(step, status, side) for step in CHANGES for status in Status if status != Status.DRAFT for side in (Side.REFERRER, Side.PROVIDER)]
ALLOWED = [case for case in EVERY if case[2] in case[0].sides and case[1] in case[0].sources]
REFUSED = [case for case in EVERY if case not in ALLOWED]


def name(case) -> str:
    step, status, side = case
    return f"{side}-{step.action}-{status}"


def attempt(task, step, side):
    person = task.sender if side == Side.REFERRER else task.answerer
    reason = {"reason": Reason.NOT_APPROPRIATE} if step.needs_reason else {}
    return getattr(operations, str(step.action))(task_id=task.pk, by=person, at=timezone.now(), **reason)


@pytest.mark.req("R004")
@pytest.mark.parametrize("case", ALLOWED, ids=name)
def test_a_step_in_the_table_is_allowed_and_leaves_its_row_and_its_event(case):
    step, status, side = case
    task = asked(status)
    attempt(task, step, side)
    task.refresh_from_db()
    assert (task.status, task.version) == (step.target, 2)
    row = task.transitions.get()
    organization = task.referral.organization_id if side == Side.REFERRER else task.provider_id
    assert (row.action, row.from_status, row.to_status, row.organization_id) == (step.action, status, step.target, organization)
    event = Event.objects.get(type="referral.changed")
    assert set(event.audience) == {task.referral.organization_id, task.provider_id}
    assert event.data == {"task": str(task.pk), "referral": str(task.referral_id), "status": step.target, "version": 2}
    assert Event.objects.filter(type="flow.changed", topics=["region"], data={}).exists()


@pytest.mark.parametrize("case", REFUSED, ids=name)
def test_any_other_step_is_refused_and_changes_nothing(case):
    step, status, side = case
    task = asked(status)
    with pytest.raises(Conflict if side in step.sides else NotAllowed) as refused:
        attempt(task, step, side)
    assert step.label in refused.value.message
    task.refresh_from_db()
    assert (task.status, task.version) == (status, 1)
    assert not Transition.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("step", CHANGES, ids=lambda step: step.action)
def test_nobody_else_can_take_a_step_or_learn_that_there_is_one(step):
    status = next(status for status in Status if status in step.sources and status != Status.DRAFT)
    task = asked(status)
    for stranger in (
        UserFactory(),
        UserFactory(provider=True),
        UserFactory(manager=True, organization=task.provider),
        UserFactory(administrator=True),
    ):
        with pytest.raises(NotFound):
            getattr(operations, str(step.action))(task_id=task.pk, by=stranger, at=timezone.now(), reason=Reason.OTHER, reason_text="x")
    task.refresh_from_db()
    assert task.version == 1


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.action)
def test_buttons_are_the_steps_that_are_allowed(step):
    for side in Side:
        for status in Status:
            shown = step in workflow.steps_open_to(status=status, side=side)
            assert shown == (side in step.sides and status in step.sources)


def test_transitions_cannot_be_rewritten():
    task = asked()
    operations.accept(task_id=task.pk, by=task.answerer, at=timezone.now())
    with pytest.raises(DatabaseError, match="append_only"):
        Transition.objects.update(reason_text="never mind")
