"""How one step is taken: lock, see whether it is allowed, save it with its transition row and its event.

The verbs are in `flow.operations`, with the order in which locks are taken.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

import capacity.operations as places
from capacity.models import CapacityStatus, Reservation, Via
from core.errors import Conflict, Invalid, NotFound
from core.events import drafted, publish_all
from core.models import Event
from flow import workflow
from flow.behalf import Actor, OnBehalf, account_of
from flow.casework import outcomes
from flow.deadlines import start_by
from flow.holds import give_back_waiting, pools_held
from flow.models import Booking, Episode, Referral, ReferralTask, RuleVersion, Transition
from flow.outside import asked
from flow.people import lock_whose
from flow.self_referral import news
from flow.workflow import Action, Reason, Side, Status, Step

ANOTHER_ACCEPTED = "Another service has said yes for this person."


def tasks_to_lock() -> QuerySet[ReferralTask]:
    """Tasks to be locked, in their order, with what the steps read."""
    return ReferralTask.objects.select_for_update(of=("self",), no_key=True).select_related("referral", "pool__service").order_by("pk")


def lock(task_id: UUID) -> tuple[ReferralTask, list[ReferralTask]]:
    """Lock a task's referral and then all its tasks: an answer to one is an answer for all."""
    referral_id = ReferralTask.objects.filter(pk=task_id).values_list("referral_id", flat=True).first()
    if referral_id is None:
        raise NotFound("There is no such referral.")
    tasks = lock_referral(referral_id)
    return next(task for task in tasks if task.pk == task_id), tasks


def lock_referral(referral_id: UUID, *, with_person: bool = False) -> list[ReferralTask]:
    """Lock a referral and its tasks, and return these.

    Of what was sent together the person is locked before, so that of two parts that begin at once the later sees the earlier; and where
    some of the parts are enough, all of these. So is the person for whom one service is asked after the other: a place may be held.
    """
    sent = Referral.objects.values("patient_id", "package", "package_wanted", "in_order").get(pk=referral_id)
    if with_person or sent["package"] is not None or sent["in_order"]:
        lock_whose(sent["patient_id"], Referral.objects.filter(pk=referral_id))
    together = Q(package=sent["package"]) if sent["package_wanted"] else Q(pk=referral_id)
    referrals = [r.pk for r in Referral.objects.select_for_update(no_key=True).filter(together).order_by("pk")]
    return [task for task in list(tasks_to_lock().filter(referral__in=referrals)) if task.referral_id == referral_id]


def permit(action: Action, task: ReferralTask, tasks: list[ReferralTask], *, by: Actor | None, expected_version: int | None) -> Step:
    """The step, if `by` may take it now."""
    side = Side.SYSTEM if by is None else task.side_of(by)
    if side is None:
        raise NotFound("There is no such referral.")
    settled = sum(other.status in Status.known_to_provider() for other in tasks if other.pk != task.pk) >= task.referral.wanted
    if action == Action.ACCEPT and side == Side.PROVIDER and task.status == Status.CANCELLED and settled:
        raise Conflict(f"{ANOTHER_ACCEPTED} Nothing more is needed from you.", code="moved-on")
    step = workflow.step(action, status=task.status, side=side)
    if expected_version is not None and expected_version != task.version:
        raise Conflict("This referral has changed since you looked. Look again, then answer.", code="stale-version", version=task.version)
    return step


def reason_of(step: Step, reason: str, text: str) -> tuple[str, str]:
    """The code and words of a reason, when the step needs one. Words may be left out when the code says enough."""
    text = text.strip()
    if reason and reason not in Reason.values:
        raise Invalid(f"“{reason}” is not a reason. Use one of: {', '.join(Reason.values)}.", code="unknown-reason")
    if len(text) > 300:
        raise Invalid("Shorten the reason to 300 letters or fewer.")
    if step.action == Action.DECLINE and not reason:
        raise Invalid("Choose why you cannot take this person, so that the team can do better next time.", code="reason-needed")
    if reason == Reason.OTHER and not text:
        raise Invalid("Say in a few words what the other reason is.", code="reason-needed")
    if step.needs_reason and not (reason or text):
        raise Invalid("Say why in a few words.", code="reason-needed")
    return reason, text or (str(Reason(reason).label) if reason else "")


def take(
    task: ReferralTask,
    step: Step,
    *,
    by: Actor | None,
    at: datetime,
    reason: tuple[str, str] = ("", ""),
    rule: RuleVersion | None = None,
) -> None:
    """Save a step that was checked: the status, its transition row and the event for both sides. `rule`: the process rule that took it."""
    source = task.status
    # Of two who wait for the lock, the second step is told as the second, also where its clock was read before.
    told_at = at if task._state.adding else max(at, task.changed_at)
    task.status = step.target
    task.status_reason, task.status_reason_text = reason
    task.changed_at = told_at
    task.late = 0
    if step.action == Action.ACCEPT:
        task.start_by = start_by(task.referral, at)
    if step.action in (Action.ACCEPT, Action.DECLINE):
        task.answered_at = at
    if not task._state.adding:
        task.version += 1
    task.save()
    _transition(task, step, source, by=by, at=told_at, reason=reason, rule=rule).save(force_insert=True)
    if source in Status.taken_on() and step.target not in Status.taken_on():
        outcomes.cancel_scores(task=task, by=by, at=told_at)
    publish_all([_event(task)])
    if step.action == Action.SEND and task.referral.source != Referral.Source.SELF:
        asked.tell([task])
    if by is not None and task.referral.source == Referral.Source.SELF and source != Status.REQUESTED:
        news.tell(task.referral.self_referral.pk)


def send_all(
    tasks: Sequence[ReferralTask],
    step: Step,
    *,
    by: Actor | None,
    at: datetime,
    rule: RuleVersion | None = None,
    beside: Sequence[Event] = (),
) -> None:
    """`take` for the first step of several new tasks of what a professional sends: a row each, but not a statement each.

    `beside`: events that are told in the same breath.
    """
    sources = [task.status for task in tasks]
    for task in tasks:
        task.status, task.changed_at = step.target, at
    ReferralTask.objects.bulk_create(tasks)
    Transition.objects.bulk_create(
        _transition(task, step, source, by=by, at=at, rule=rule) for task, source in zip(tasks, sources, strict=True)
    )
    publish_all([*(_event(task) for task in tasks), *beside])
    asked.tell(tasks)


def _transition(
    task: ReferralTask,
    step: Step,
    source: str,
    *,
    by: Actor | None,
    at: datetime,
    reason: tuple[str, str] = ("", ""),
    rule: RuleVersion | None = None,
) -> Transition:
    return Transition(
        task=task,
        action=step.action,
        from_status=source,
        to_status=step.target,
        reason=reason[0],
        reason_text=reason[1],
        by=account_of(by),
        organization_id=by.organization_id if by else None,
        contact=by.contact if isinstance(by, OnBehalf) else None,
        said_by=by.words if isinstance(by, OnBehalf) else "",
        at=at,
        rule=rule,
    )


def _event(task: ReferralTask) -> Event:
    sender = task.referral.organization_id
    return drafted(
        "referral.changed",
        topics=[f"org:{sender}", f"org:{task.provider_id}", f"referral:{task.referral_id}"],
        audience=[sender, task.provider_id],
        data={"task": str(task.pk), "referral": str(task.referral_id), "status": str(task.status), "version": task.version},
    )


def fill(task: ReferralTask, version: int, *, by: Actor, at: datetime) -> None:
    """Take the held place of a task, or else a free one. `version` is the pool's before: one that counts nothing stays as it is."""
    if isinstance(by, OnBehalf):
        _as_they_say(task, at)
    try:
        filled = places.fill(pool_id=task.pool_id, reservation_id=task.reservation_id, by=account_of(by), at=at)
    except Conflict as error:
        raise Conflict(
            f"Your figures say that no place is free at {task.pool.service.name}. Correct them, then say yes; or say no to this request.",
            code="no-place",
            pool=str(task.pool_id),
        ) from error
    task.took_place = filled.version > version


def _as_they_say(task: ReferralTask, at: datetime) -> None:
    """Who says yes without an account cannot correct the figures first: that there is a place, the yes itself tells."""
    pool = places.lock([task.pool_id])[task.pool_id]
    kept = task.reservation is not None and task.reservation.state == Reservation.State.HELD
    if not kept and pool.is_open and pool.status != CapacityStatus.WAITLIST and pool.free is not None and pool.free < 1:
        places.report(pool_id=pool.pk, available=pool.held + 1, by=None, at=at, via=Via.LINK)


def give_back(task: ReferralTask, *, by: Actor | None, at: datetime) -> None:
    """Free the place that a task holds or has taken, and expect the person at no session or appointment any more.

    What has already ended stays so.
    """
    if task.status in Status.known_to_provider():
        _expect_no_more(task, by, at)
    if task.took_place and task.status in Status.open():
        places.reopen(pool_id=task.pool_id, by=account_of(by), at=at)
        task.took_place = False
    elif task.reservation_id:
        places.release(reservation_id=task.reservation_id, by=account_of(by), at=at)


def _expect_no_more(task: ReferralTask, by: Actor | None, at: datetime) -> None:
    """Cancel what is booked and to come, free the places that it took, and tell the person."""
    from flow.reminders import messages, sending  # whose consents reach this module

    booked = list(Booking.objects.standing().filter(task=task, starts_at__gt=at, marks=None).order_by("session", "pk"))
    counted = [booking.session_id for booking in booked if booking.session_id and booking.took_place]
    if counted:
        places.lock({task.pool_id, *counted})
    for session_id in counted:
        places.reopen(pool_id=session_id, by=account_of(by), at=at)
    of_itself = task.pool.starts_at
    times = {booking.starts_at for booking in booked}
    if of_itself is not None and of_itself > at and messages.is_expected(task, of_itself):
        times.add(of_itself)
    Booking.objects.filter(pk__in=[booking.pk for booking in booked]).update(cancelled_at=at, cancelled_by=account_of(by))
    for starts_at in sorted(times):
        sending.tell_off(task, starts_at=starts_at, at=at)


def end_wait(episode_id: UUID | None, at: datetime) -> None:
    """End an episode that has not ended, and what is held for it. Called last: an episode's row is locked after all others."""
    if episode_id is not None:
        held = pools_held(Q(episode=episode_id))
        places.lock(held)
        give_back_waiting(Q(episode=episode_id), held, at=at)
        Episode.objects.filter(pk=episode_id, ended_at__isnull=True, started_at__lte=at).update(ended_at=at)
