"""A whole session does not take place: said once, undone until it is told, and then told to everybody who was expected.

Its places are closed at once, so that nobody is booked meanwhile. After ten minutes each person who was expected is marked as “cancelled
by us”, which counts as nobody's absence; whoever is reached by messages gets one, with the session that is offered instead; of the
others those who referred them get a follow-up. Locks are taken as `flow.attendance.operations` takes them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from capacity import sessions
from capacity.models import Per, ServiceCapacity
from catalogue.models import Service, User
from core import acting
from core.errors import Conflict, Invalid, NotFound
from core.events import publish
from flow import steps
from flow.apart import apart
from flow.models import Attendance, Booking, ReferralTask, SessionCancellation
from flow.reminders import reaching, sending
from flow.reminders.messages import COMING

#: So long it can be undone, before anybody is told.
UNDO_WITHIN = timedelta(minutes=10)
#: How long a session takes of which nobody has said.
USUAL = timedelta(hours=1)
_Mark, _Reason = Attendance.Mark, Attendance.Reason


@dataclass(frozen=True, slots=True)
class ToTell:
    """Somebody who is expected, and how they will hear that it does not take place."""

    name: str
    by_message: str
    otherwise: str


@acting.across("its places close, and whoever is expected is told", seen=lambda **told: Service.objects.filter(pk=told["service_id"]))
@transaction.atomic
def call_off(
    *, service_id: UUID, starts_at: datetime, reason: str, by: User, at: datetime, instead_id: UUID | None = None
) -> SessionCancellation:
    """Say that a session does not take place. Nobody is told for ten minutes.

    Raises NotFound, Invalid (with `field`) and Conflict (`called-off`, `too-late`).
    """
    service = _own(service_id, by)
    reason = " ".join(reason.split())
    if not reason or len(reason) > 200:
        raise Invalid("Say why it does not take place, in at most 200 letters. The teams that referred people read it.", field="reason")
    if starts_at <= at:
        raise Conflict("This session has begun or is over. Write down who came instead.", code="too-late")
    already = Conflict("This session is cancelled already.", code="called-off")
    if SessionCancellation.objects.standing().filter(service=service, starts_at=starts_at).exists():
        raise already
    instead = None
    if instead_id is not None:
        instead = sessions_instead(service_id, starts_at, at=at).get(instead_id)
        if instead is None:
            raise Invalid("That session is no longer free. Choose another one, or none.", field="instead")
    closed = max((pool.version for pool in sessions.close(service_id=service_id, starts_at=starts_at, by=by, at=at)), default=None)
    made = SessionCancellation(
        service=service, starts_at=starts_at, reason=reason, instead=instead, closed_version=closed, by=by, at=at, tell_at=at + UNDO_WITHIN,
    )  # fmt: skip
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:  # a colleague has pressed in the same moment
        raise already from error
    from flow.reminders.jobs import tell_called_off  # the job calls this module

    tell_called_off.configure(schedule_at=made.tell_at).defer(cancellation_id=str(made.pk))
    _tell(service)
    return made


@acting.across("its places open again", seen=lambda **told: SessionCancellation.objects.filter(pk=told["cancellation_id"]))
@transaction.atomic
def undo(*, cancellation_id: UUID, by: User, at: datetime) -> SessionCancellation:
    """It takes place after all; nobody has been told otherwise. Undoing twice changes nothing. Raises NotFound and Conflict (`told`)."""
    found = SessionCancellation.objects.visible_to(by).select_for_update(of=("self",)).select_related("service").filter(pk=cancellation_id)
    cancellation = found.first()
    if cancellation is None:
        raise NotFound("There is no such session of your services.")
    if cancellation.undone_at is not None:
        return cancellation
    if cancellation.told_at is not None:
        raise Conflict("People have been told that it does not take place, so this cannot be undone. Book them again.", code="told")
    cancellation.undone_at, cancellation.undone_by = at, by
    cancellation.save(update_fields=["undone_at", "undone_by"])
    if cancellation.closed_version is not None:
        session: dict[str, Any] = {"service_id": cancellation.service_id, "starts_at": cancellation.starts_at}
        sessions.open_again(**session, closed_by_id=cancellation.by_id, closed_at=cancellation.at, by=by, at=at)
    _tell(cancellation.service)
    return cancellation


@acting.across("whoever is expected is told")
@transaction.atomic
def carry_out(*, cancellation_id: UUID, at: datetime) -> bool:
    """Tell everybody, if the ten minutes are over and nobody has undone it. Returns whether that was still to be done."""
    found = SessionCancellation.objects.select_for_update(of=("self",)).select_related("service", "by")
    cancellation = found.filter(pk=cancellation_id, undone_at=None, told_at=None, tell_at__lte=at).first()
    if cancellation is None:
        return False
    cancellation.told_at = at
    cancellation.save(update_fields=["told_at"])
    # In the order in which whoever locks several referrals takes them.
    tasks = ReferralTask.objects.filter(pk__in=expected(cancellation.service_id, cancellation.starts_at)).order_by("referral_id", "pk")
    for task_id in list(tasks.values_list("pk", flat=True)):
        _take_off(task_id, cancellation, at=at)
    _tell(cancellation.service)
    return True


def look(*, at: datetime) -> int:
    """Carry out what is due and was lost with its job. Returns how many."""
    done = 0
    for pk in SessionCancellation.objects.filter(undone_at=None, told_at=None, tell_at__lte=at).values_list("pk", flat=True)[:50]:
        with apart("called off:", str(pk)):
            done += carry_out(cancellation_id=pk, at=at)
    return done


def standing(user: User, service_id: UUID, starts_at: datetime) -> SessionCancellation | None:
    """The cancellation of one session, if it is cancelled."""
    found = SessionCancellation.objects.visible_to(user).standing().filter(service=service_id, starts_at=starts_at)
    return found.select_related("instead", "by").first()


def sessions_instead(service_id: UUID, starts_at: datetime, *, at: datetime) -> dict[UUID, ServiceCapacity]:
    """The coming sessions that may be offered: not full, and not the one that does not take place."""
    coming = ServiceCapacity.objects.filter(service=service_id, per=Per.SESSION, starts_at__gt=at, is_open=True).exclude(
        starts_at=starts_at
    )
    return {pool.pk: pool for pool in coming.exclude(available=0).order_by("starts_at")[:20]}


def expected(service_id: UUID, starts_at: datetime) -> list[UUID]:
    """The requests whose people are expected at a session: by a booking, or because they were referred to it."""
    booked = Booking.objects.standing().filter(service=service_id, starts_at=starts_at, task__status__in=COMING)
    waiting = ReferralTask.objects.filter(pool__service=service_id, pool__starts_at=starts_at, status__in=COMING)
    found = {*booked.values_list("task", flat=True), *waiting.values_list("pk", flat=True)}
    marked = Booking.objects.standing().filter(task__in=found, starts_at=starts_at, marks__isnull=False)
    return sorted(found - set(marked.values_list("task", flat=True)))


def to_tell(user: User, service_id: UUID, starts_at: datetime) -> list[ToTell]:
    """How everybody who is expected will hear of it, by name. The register of the same session has written down that they are read."""
    if user.organization_id is None:
        return []
    tasks = ReferralTask.objects.visible_to(user).taken_on_by(user.organization_id).filter(pk__in=expected(service_id, starts_at))
    lines = []
    for task in tasks.select_related("referral__patient"):
        patient = task.referral.patient
        with acting.system("by which way a person is told"):
            reach = reaching.way(patient)
        by = "" if reach is None else "Text message" if reach.channel == "sms" else "E-mail"
        through = " to whoever is told in their place" if reach is not None and reach.related is not None else ""
        lines.append(ToTell(patient.full_name, f"{by}{through}", reaching.in_words(patient)))
    return sorted(lines, key=lambda line: line.name)


def _take_off(task_id: UUID, cancellation: SessionCancellation, *, at: datetime) -> None:
    """Nobody expects this person then; they hear of it, or whoever referred them does."""
    task, _ = steps.lock(task_id)
    if task.status not in COMING:
        return
    booking = Booking.objects.standing().select_for_update(of=("self",)).filter(task=task, starts_at=cancellation.starts_at).first()
    if booking is None:
        booking = Booking.objects.create(
            task=task, service_id=cancellation.service_id, session=task.pool, starts_at=cancellation.starts_at,
            ends_at=task.pool.ends_at or cancellation.starts_at + USUAL, booked_by=cancellation.by, booked_at=at,
        )  # fmt: skip
    if booking.marks.exists():
        return
    Attendance.objects.create(booking=booking, mark=_Mark.ABSENT, reason=_Reason.CANCELLED, by=cancellation.by, at=at)
    sending.tell_off(task, starts_at=cancellation.starts_at, at=at, cancellation=cancellation)
    sides = [task.referral.organization_id, task.provider_id]
    topics = [*(f"org:{side}" for side in sides), f"referral:{task.referral_id}"]
    data = {"task": str(task.pk), "referral": str(task.referral_id)}
    publish("session.changed", topics=topics, audience=sides, data=data)
    sender, home = task.referral.created_by, task.referral.organization_id
    told_to = {"to": [str(sender.pk)]} if sender is not None and sender.is_active and sender.organization_id == home else {}
    publish("session.called-off", topics=[f"org:{home}"], audience=[home], data={**data, **told_to, "by": str(cancellation.by_id or "")})


def _own(service_id: UUID, by: User) -> Service:
    service = Service.objects.visible_to(by).owned_by(by).filter(pk=service_id).first() if by.is_provider else None
    if service is None:
        raise NotFound("There is no such session of your services.")
    return service


def _tell(service: Service) -> None:
    """The register of the provider's others is drawn anew."""
    owner = service.organization_id
    publish("session.changed", topics=[f"org:{owner}"], audience=[owner])
