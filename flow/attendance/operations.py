"""What a provider does with its register. Each function is one transaction: lock, read, change, record, publish.

Locks are taken as `flow.operations` takes them: referral and tasks, then the organisation, then places; bookings come last.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

import capacity.operations as places
from capacity.models import ServiceCapacity
from catalogue.models import Organization, Service, User
from core import acting
from core.clock import LONDON, local_date
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow import operations as referrals
from flow import steps
from flow.attendance.calling_off import call_off, carry_out, undo
from flow.attendance.missed import tell_missed
from flow.behalf import Actor, OnBehalf, account_of
from flow.models import Attendance, Booking, ReferralTask, SessionCancellation, WalkIns
from flow.reminders import messages, sending
from flow.reminders.messages import COMING
from flow.workflow import Side, Status

__all__ = ["book_appointment", "book_coming", "book_session", "call_off", "cancel", "carry_out", "count_walk_ins", "mark", "note", "undo"]

Mark, Reason = Attendance.Mark, Attendance.Reason
#: Sessions are booked so far ahead, and written down so long afterwards.
AHEAD, BACK = timedelta(days=366), timedelta(days=120)
LONGEST = timedelta(hours=12)
USUAL = timedelta(hours=1)
MOST_WALK_INS = 2_000


def _asked(**told: Any) -> QuerySet[ReferralTask]:
    """The request that a verb is about, as whoever calls it sees it."""
    return ReferralTask.objects.filter(pk=told["task_id"])


@acting.across("what is booked and marked is read by both sides", seen=_asked)
@transaction.atomic
def book_session(*, task_id: UUID, session_id: UUID, by: User, at: datetime) -> Booking:
    """Expect somebody at one session. One of its places is counted down, unless the request was for that session itself.

    Raises NotFound, NotAllowed, Conflict (`booked-already`, `no-place`, `moved-on`) and Invalid.
    """
    task = _lock(task_id, by)
    session = ServiceCapacity.objects.filter(pk=session_id, service=task.pool.service_id, starts_at__isnull=False).first()
    if session is None or session.starts_at is None:
        raise NotFound("There is no such session of this service.")
    if not session.is_open or session.starts_at <= at - BACK:
        raise Conflict("This session does not take place, or is over. Choose another one.", code="moved-on")
    booking = _begin(task, session.starts_at, session.ends_at or session.starts_at + USUAL, by=by, at=at)
    booking.session = session
    # Looked at behind the lock: whoever calls a session off takes it too. Places made since then are open.
    before = places.lock([session.pk])[session.pk].version
    if SessionCancellation.objects.standing().filter(service=session.service_id, starts_at=session.starts_at).exists():
        raise Conflict("This session has been cancelled. Choose another one.", code="moved-on")
    if session.pk != task.pool_id:
        booking.took_place = places.fill(pool_id=session.pk, reservation_id=None, by=by, at=at).version > before
    return _keep(booking, task)


def book_coming(*, task_id: UUID, by: User, at: datetime, session_ids: Iterable[UUID]) -> tuple[list[Booking], list[str]]:
    """Expect somebody at several sessions: each is booked or refused by itself. Returns what was booked and the refusals in words."""
    booked, refused = [], []
    for session_id in session_ids:
        try:
            booked.append(book_session(task_id=task_id, session_id=session_id, by=by, at=at))
        except Conflict as error:
            refused.append(error.message)
    return booked, refused


@acting.across("what is booked and marked is read by both sides", seen=_asked)
@transaction.atomic
def book_appointment(*, task_id: UUID, starts_at: datetime, minutes: int, worker: str, by: User, at: datetime) -> Booking:
    """Book somebody with a named worker, who meets one person at a time. Raises NotFound, NotAllowed, Invalid and Conflict."""
    task = _lock(task_id, by)
    worker = " ".join(worker.split())
    if not worker or len(worker) > 80:
        raise Invalid("Say with whom the appointment is, in at most 80 letters.", field="worker")
    if not 0 < minutes <= LONGEST / timedelta(minutes=1):
        raise Invalid("Say how long it takes, in minutes.", field="minutes")
    if starts_at <= at:
        raise Invalid("Choose a time that is still to come.", field="starts_at")
    booking = _begin(task, starts_at, starts_at + timedelta(minutes=minutes), by=by, at=at)
    booking.worker = worker
    busy = Booking.objects.standing().filter(service__organization=task.provider_id, worker__iexact=worker, session=None)
    if taken := busy.filter(starts_at__lt=booking.ends_at, ends_at__gt=starts_at).first():
        raise Conflict(
            f"{worker} has another appointment from {_clock(taken.starts_at)} to {_clock(taken.ends_at)}. Choose another time.",
            code="booked-already",
        )
    return _keep(booking, task)


@acting.across("what is booked and marked is read by both sides", seen=lambda **told: Booking.objects.filter(pk=told["booking_id"]))
@transaction.atomic
def cancel(*, booking_id: UUID, by: User, at: datetime) -> Booking:
    """Expect somebody no more at one time; a place that was counted is free again. Cancelling twice changes nothing."""
    found = Booking.objects.visible_to(by).filter(pk=booking_id).first()
    if found is None:
        raise NotFound("There is no such appointment.")
    task = _lock(found.task_id, by, statuses=Status.known_to_provider())
    booking = Booking.objects.select_for_update(of=("self",)).get(pk=booking_id)
    if booking.cancelled_at is not None:
        return booking
    if booking.marks.exists():
        raise Conflict("It is already written down who came. Correct that instead.", code="moved-on")
    if booking.took_place and booking.session_id and booking.starts_at > at:
        places.reopen(pool_id=booking.session_id, by=by, at=at)
    booking.cancelled_at, booking.cancelled_by = at, by
    booking.save(update_fields=["cancelled_at", "cancelled_by"])
    if booking.starts_at > at:
        sending.tell_off(task, starts_at=booking.starts_at, at=at)
    _tell(task)
    return booking


@acting.across("what is booked and marked is read by both sides", seen=_asked)
@transaction.atomic
def mark(*, task_id: UUID, service_id: UUID, starts_at: datetime, mark: str, by: User, at: datetime, reason: str = "") -> Attendance:
    """Write down that somebody who was expected came, or did not. Said again otherwise it is a correction; said again alike, nothing.

    Who comes for the first time has started. Raises NotFound, NotAllowed, Conflict and Invalid (with `field`).
    """
    task = _lock(task_id, by, statuses=Status.known_to_provider())
    if task.pool.service_id != service_id:
        raise NotFound("This person is not expected there.")
    if not at - BACK <= starts_at or local_date(starts_at) > local_date(at):
        raise Invalid("Write down who came on the day, or afterwards.", field="mark")
    booking = Booking.objects.standing().select_for_update(of=("self",)).filter(task=task, starts_at=starts_at).first()
    if booking is None:
        if task.pool.starts_at != starts_at:
            raise NotFound("This person is not expected then. Add them to the list first.")
        booking = _new(task, starts_at, task.pool.ends_at or starts_at + USUAL, by=by, at=at)
        booking.session = task.pool
        booking.save()
    return _mark(task, booking, mark, reason, by, at)


@acting.across("what is booked and marked is read by both sides", seen=_asked)
@transaction.atomic
def note(*, task_id: UUID, starts_at: datetime, mark: str, reason: str, by: OnBehalf, at: datetime) -> Attendance:
    """The same by somebody without an account, who keeps no list: the time is written with it. Raises what `mark` does."""
    task, _ = steps.lock(task_id)
    if task.provider_id != by.organization_id or task.status not in COMING:
        raise Conflict("This request has ended or has not been accepted, so nobody is expected.", code="moved-on")
    booking = Booking.objects.standing().filter(task=task, starts_at=starts_at).first()
    if booking is None:
        booking = _new(task, starts_at, starts_at + USUAL, by=by, at=at)
        booking.save()
    return _mark(task, booking, mark, reason, by, at)


@transaction.atomic
def count_walk_ins(*, service_id: UUID, starts_at: datetime, number: int, by: User, at: datetime) -> WalkIns:
    """How many came whom nobody had expected. The last number counts. Raises NotFound and Invalid."""
    if not Service.objects.visible_to(by).owned_by(by).filter(pk=service_id).exists() or not by.is_provider:
        raise NotFound("That is not one of your services.")
    if not 0 <= number <= MOST_WALK_INS:
        raise Invalid(f"Write a number from 0 to {MOST_WALK_INS}.", field="number")
    if not at - BACK <= starts_at or local_date(starts_at) > local_date(at):
        raise Invalid("Count who came on the day, or afterwards.", field="number")
    return WalkIns.objects.create(service_id=service_id, starts_at=starts_at, number=number, by=by, at=at)


# --- what they share


def _lock(task_id: UUID, by: User, *, statuses: Iterable[str] = COMING) -> ReferralTask:
    """A request that `by` answers for, locked, whose person is taken on."""
    if not ReferralTask.objects.visible_to(by).filter(pk=task_id).exists():
        raise NotFound("There is no such referral.")
    task, _ = steps.lock(task_id)
    if task.side_of(by) != Side.PROVIDER:
        raise NotAllowed("Only those who run the service keep its register.")
    if task.status not in list(statuses):
        raise Conflict("This person is not expected any more: the referral has ended or was never accepted.", code="moved-on")
    return task


def _new(task: ReferralTask, starts_at: datetime, ends_at: datetime, *, by: Actor, at: datetime) -> Booking:
    service = task.pool.service_id
    return Booking(task=task, service_id=service, starts_at=starts_at, ends_at=ends_at, booked_by=account_of(by), booked_at=at)


def _begin(task: ReferralTask, starts_at: datetime, ends_at: datetime, *, by: User, at: datetime) -> Booking:
    """A booking that does not meet another one of the same person with this organisation. What others have booked is theirs alone."""
    if starts_at > at + AHEAD:
        raise Invalid("Choose a time within a year.", field="starts_at")
    Organization.objects.select_for_update(no_key=True).get(pk=task.provider_id)
    own = Booking.objects.standing().filter(task__referral__patient=task.referral.patient_id, service__organization=task.provider_id)
    if other := own.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).select_related("service").first():
        raise Conflict(f"This person is expected at {other.service.name} from {_clock(other.starts_at)} already.", code="booked-already")
    return _new(task, starts_at, ends_at, by=by, at=at)


def _keep(booking: Booking, task: ReferralTask) -> Booking:
    booking.save()
    if booking.starts_at > booking.booked_at:
        messages.tell(task, messages.Kind.BOOKED, at=booking.booked_at, starts_at=booking.starts_at)
    _tell(task)
    return booking


def _mark(task: ReferralTask, booking: Booking, mark: str, reason: str, by: Actor, at: datetime) -> Attendance:
    if mark not in Mark.values:
        raise Invalid("Say whether the person came.", field="mark")
    if mark == Mark.ABSENT and reason not in Reason.values:
        raise Invalid("Say why the person did not come.", field="reason")
    reason = reason if mark == Mark.ABSENT else ""
    before = booking.marks.last()
    if before is not None and (before.mark, before.reason) == (mark, reason):
        return before
    contact = by.contact if isinstance(by, OnBehalf) else None
    written = Attendance.objects.create(booking=booking, mark=mark, reason=reason, by=account_of(by), contact=contact, at=at)
    if mark == Mark.PRESENT and task.status == Status.ACCEPTED:
        referrals.start(task_id=task.pk, by=by, at=at)
    was_missed = before is not None and before.mark == Mark.ABSENT and before.reason != Reason.CANCELLED
    if mark == Mark.ABSENT and reason != Reason.CANCELLED and not was_missed:
        tell_missed(task, booking, at=at)
    _tell(task)
    return written


def _tell(task: ReferralTask) -> None:
    """Publish to both sides that the list or the register has changed."""
    sides = [task.referral.organization_id, task.provider_id]
    topics = [*(f"org:{side}" for side in sides), f"referral:{task.referral_id}"]
    publish("session.changed", topics=topics, audience=sides, data={"task": str(task.pk), "referral": str(task.referral_id)})


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%H:%M on %-d %B}"
