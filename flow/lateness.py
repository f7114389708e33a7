"""What the clock does about deadlines that have passed: tell it once, pass it up, ask the next in the list.

It looks at what is so, not at what has happened since it last looked: a worker that was away misses nothing, and of two that look at once
the second finds it done. `ReferralTask.late` says how far it was told; any step of the task sets it back.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

import capacity.operations as places
from core import acting
from core.clock import LONDON
from core.events import publish
from flow import deadlines, steps, waterfall, workflow
from flow.apart import apart
from flow.models import ReferralTask
from flow.workflow import Action, Side, Status

OVERDUE, TEAM, MANAGER = 1, 2, 3
#: Acted on in one go; what is more waits for the next minute.
AT_ONCE = 500


@acting.across("the clock tells deadlines to whomever they concern")
def look(*, at: datetime) -> int:
    """Tell every deadline that has passed and was not told, each in its own transaction: one that cannot be told stops no other.

    Returns how many tasks were acted on.
    """
    acted = 0
    for task_id in list(_found(at)):
        with apart("deadlines: request", task_id):
            acted += _move_on(task_id, at)
        if acted >= AT_ONCE:
            break
    return acted


def due_at(task: ReferralTask) -> datetime | None:
    """By when this task's provider is to take its next step; None when no day is set."""
    return {Status.REQUESTED: task.respond_by, Status.ACCEPTED: task.start_by}.get(Status(task.status))


def level(task: ReferralTask, at: datetime) -> int:
    """How far the lateness of a task should have been told by now."""
    due = due_at(task)
    if due is None or at <= due:
        return 0
    if at <= deadlines.tell_team_at(task.referral, due):
        return OVERDUE
    return TEAM if at <= deadlines.tell_manager_at(task.referral, due) else MANAGER


def _found(at: datetime) -> Iterator[UUID]:
    """Those of which more is to be told. Most that are late were told and wait for the next height: they take nobody's turn."""
    tasks = ReferralTask.objects.filter(overdue_tasks(at), late__lt=MANAGER).order_by("late", "pk")
    seen = tasks.select_related("referral__pathway_version").iterator(chunk_size=AT_ONCE)
    return (task.pk for task in seen if level(task, at) > task.late)


@transaction.atomic
def _move_on(task_id: UUID, at: datetime) -> bool:
    if not ReferralTask.objects.filter(pk=task_id).exists():
        return False
    task, tasks = steps.lock(task_id)
    reached = level(task, at)
    if reached <= task.late:
        return False
    before, task.late = task.late, reached
    task.save(update_fields=["late"])
    for number in range(before + 1, reached + 1):
        _tell(task, number)
    if task.status == Status.REQUESTED and before < OVERDUE and task.referral.in_order:
        _ask_next(task, tasks, at)
    return True


def _ask_next(task: ReferralTask, tasks: list[ReferralTask], at: datetime) -> None:
    """Go on in the list. When nobody else can be asked, who is late stays asked: to withdraw it would only lose a possible yes."""
    referral = task.referral
    places.lock({task.pool_id} | waterfall.pools_waiting(referral))
    number = waterfall.missing(referral, tasks)
    if not number or waterfall.next_ready(referral, at) is None:
        return
    if not referral.keep_asked:
        withdrawal = workflow.step(Action.WITHDRAW, status=task.status, side=Side.SYSTEM)
        due = task.respond_by.astimezone(LONDON) if task.respond_by else at
        steps.give_back(task, by=None, at=at)
        why = f"No answer by {due:%H:%M on %-d %B}, so the next service was asked."
        steps.take(task, withdrawal, by=None, at=at, reason=("", why))
    waterfall.go_on(referral, number=number, by=None, at=at)
    publish("flow.changed", topics=["region"])


def _tell(task: ReferralTask, number: int) -> None:
    sender, due = task.referral.organization_id, due_at(task)
    data = {
        "task": str(task.pk),
        "referral": str(task.referral_id),
        "step": str(Action.ACCEPT if task.status == Status.REQUESTED else Action.START),
        "due": due.isoformat() if due else "",
    }
    publish(
        "referral.overdue" if number == OVERDUE else "referral.escalated",
        topics=[f"org:{sender}", f"org:{task.provider_id}", f"referral:{task.referral_id}"],
        audience=[sender, task.provider_id],
        data=data if number == OVERDUE else data | {"level": "team" if number == TEAM else "manager"},
    )


def overdue_tasks(at: datetime) -> Q:
    """The condition that a task's next step should have been taken."""
    return Q(status=Status.REQUESTED, respond_by__lt=at) | Q(status=Status.ACCEPTED, start_by__lt=at)
