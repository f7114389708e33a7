"""Messages put by for people, each with the job that sends it, in the transaction of what it tells. Never in the night."""

from base64 import urlsafe_b64encode
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac

from catalogue.assurance import token_hash
from core.quiet import after_quiet
from flow.apart import apart
from flow.models import Attendance, Booking, Consent, Patient, PersonMessage, ReferralTask, SelfReferral, SessionCancellation
from flow.reminders import reaching
from flow.workflow import Status

Kind, State = PersonMessage.Kind, PersonMessage.State
QUIET_FROM, QUIET_UNTIL = time(20), time(8)
#: People are reminded the day before, and no more when it begins so soon that they were told just now.
BEFORE, TOO_LATE = timedelta(hours=24), timedelta(hours=2)
#: Who was told of a time so lately needs no reminder of it.
TOLD_LATELY = timedelta(hours=12)
#: So many are looked at in one go.
AT_ONCE = 1_000
#: Who may be expected: taken on, and support not over.
COMING = (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD)


def token(message_id: UUID) -> str:
    """What stands in the link of a message: 96 bits that only this site can work out, the same at each try, and kept nowhere."""
    return urlsafe_b64encode(salted_hmac("flow.reminders", str(message_id), algorithm="sha256").digest()[:12]).decode()


def lock(message_id: UUID) -> str:
    """Two jobs for one message run one after the other: the second finds it sent."""
    return f"message to a person {message_id}"


def tell(
    task: ReferralTask, kind: str, *, at: datetime, starts_at: datetime | None = None, cancellation: SessionCancellation | None = None
) -> PersonMessage | None:
    """Tell the person of a request, within the caller's transaction. None where no message reaches them, or they agreed to none."""
    from flow.reminders.jobs import send_message  # the job calls this module's neighbours

    patient = Patient.objects.filter(pk=task.referral.patient_id, preferred_contact__in=reaching.WRITTEN).first()
    reach = reaching.way(patient) if patient is not None else None
    if patient is None or reach is None:
        return None
    if kind == Kind.ACCEPTED and SelfReferral.objects.filter(referral=task.referral_id).exists():
        return None  # who asked for themselves hears of it by `flow.self_referral.news`
    pk = uuid4()
    due_at = after_quiet(at, begins=QUIET_FROM, ends=QUIET_UNTIL)
    if starts_at is not None and due_at > starts_at - TOO_LATE:
        due_at = at  # better at an odd hour than when they are on their way
    message = PersonMessage.objects.create(
        pk=pk, patient=patient, task=task, kind=kind, starts_at=starts_at, cancellation=cancellation, related=reach.related,
        channel=reach.channel, sent_to=reach.address, token_hash=token_hash(token(pk)), created_at=at, due_at=due_at,
    )  # fmt: skip
    send_message.configure(schedule_at=due_at if due_at > at else None, lock=lock(pk)).defer(message_id=str(pk))
    return message


def remind_due(*, at: datetime) -> int:
    """Put by a reminder for each session and appointment of the next day of which none was. Returns how many."""
    reminded = 0
    for task_id, starts_at in _due(at):
        with apart("reminder of:", task_id):
            reminded += _remind(task_id, starts_at, at)
    return reminded


def _due(at: datetime) -> list[tuple[UUID, datetime]]:
    """Which requests' times come within a day, whose people can be written to and were not told of it lately."""
    told = PersonMessage.objects.filter(task=OuterRef("task"), starts_at=OuterRef("starts_at")).filter(
        Q(kind=Kind.REMINDER) | Q(created_at__gt=at - TOLD_LATELY)
    )
    window = {"starts_at__gt": at + TOO_LATE, "starts_at__lte": at + BEFORE}
    written = ReferralTask.objects.filter(referral__patient__in=_writable().order_by().values("pk"), status__in=COMING)
    off = SessionCancellation.objects.standing()
    # While it can be undone they are reminded of nothing; afterwards they are marked, or expected as before.
    undecided = off.filter(service=OuterRef("service"), starts_at=OuterRef("starts_at"), told_at=None)
    bookings = Booking.objects.standing().filter(~Exists(told), ~Exists(undecided), **window, task__in=written.order_by().values("pk"))
    coming = bookings.exclude(marks__mark=Attendance.Mark.ABSENT).order_by("starts_at")
    found = list(coming.values_list("task", "starts_at")[:AT_ONCE])
    # Who was referred to one session itself is expected there without a booking.
    told_of_session = PersonMessage.objects.filter(task=OuterRef("pk"), starts_at=OuterRef("pool__starts_at")).filter(
        Q(kind=Kind.REMINDER) | Q(created_at__gt=at - TOLD_LATELY)
    )
    sessions = written.filter(**{f"pool__{name}": value for name, value in window.items()}).order_by("pool__starts_at")
    booked = Booking.objects.filter(task=OuterRef("pk"), starts_at=OuterRef("pool__starts_at"))
    called_off = off.filter(service=OuterRef("pool__service"), starts_at=OuterRef("pool__starts_at"))
    unbooked = sessions.filter(~Exists(told_of_session), ~Exists(booked), ~Exists(called_off))
    waiting = unbooked.values_list("pk", "pool__starts_at")[:AT_ONCE]
    return found + [(pk, starts_at) for pk, starts_at in waiting if starts_at is not None]


def _writable() -> QuerySet[Patient]:
    """Who may be written to, nearly: whether they still agree, and to what, is looked at for each."""
    agreed = Consent.objects.filter(patient=OuterRef("pk"), purpose__in=[Consent.Purpose.TEXT, Consent.Purpose.EMAIL], decision="given")
    return Patient.objects.filter(
        Q(preferred_contact=Patient.Route.THROUGH) | Exists(agreed), preferred_contact__in=reaching.WRITTEN
    )  # fmt: skip


@transaction.atomic
def _remind(task_id: UUID, starts_at: datetime, at: datetime) -> bool:
    task = ReferralTask.objects.select_for_update(of=("self",), no_key=True).select_related("referral").get(pk=task_id)
    if PersonMessage.objects.filter(task=task, starts_at=starts_at, kind=Kind.REMINDER).exists():
        return False
    return tell(task, Kind.REMINDER, at=at, starts_at=starts_at) is not None


def stands(message: PersonMessage) -> bool:
    """Whether what a message tells is still so: the person is expected then, or is not any more."""
    task, kind = message.task, message.kind
    if kind == Kind.ACCEPTED:
        return task.status in Status.taken_on()
    expected = is_expected(task, message.starts_at)
    return not expected if kind == Kind.CALLED_OFF else expected


def is_expected(task: ReferralTask, starts_at: datetime | None) -> bool:
    """Whether the person of a request is expected at a time, and nobody has said that they are not."""
    if task.status not in COMING or starts_at is None:
        return False
    booking = Booking.objects.standing().filter(task=task, starts_at=starts_at).first()
    if booking is None:
        off = SessionCancellation.objects.standing().filter(service=task.pool.service_id, starts_at=starts_at, told_at__isnull=False)
        return task.pool.starts_at == starts_at and not off.exists()
    last = booking.marks.last()
    return last is None or last.mark != Attendance.Mark.ABSENT


def is_undecided(message: PersonMessage) -> bool:
    """Whether the session that a message is about was called off, and that may still be undone."""
    off = SessionCancellation.objects.standing().filter(service=message.task.pool.service_id, told_at=None)
    return message.kind != Kind.CALLED_OFF and message.starts_at is not None and off.filter(starts_at=message.starts_at).exists()


def is_off(message: PersonMessage, *, at: datetime) -> bool:
    """Whether the person was not to come: a time to come at which nobody expects them, or one that was called off or cancelled."""
    if message.starts_at is None:
        return False
    if message.starts_at > at:
        return not is_expected(message.task, message.starts_at)
    if message.kind == Kind.CALLED_OFF:
        return True
    booked = Booking.objects.filter(task=message.task, starts_at=message.starts_at)
    booking = booked.standing().first()
    if booking is None:
        return booked.exists()
    last = booking.marks.last()
    return last is not None and last.reason == Attendance.Reason.CANCELLED
