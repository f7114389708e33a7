"""What a register shows: the sessions of a day, who is expected at one, and how a person's sessions stand for those who referred them.

A session is a service and a time. It comes from places by the session, from the times of the service, or from an appointment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from capacity.models import Per, ServiceCapacity
from catalogue.entry.queries import school_holidays
from catalogue.models import Service, User
from catalogue.schedules import occurrences
from core import audit
from core.clock import LONDON
from core.errors import NotFound
from flow.attendance.operations import COMING, USUAL
from flow.models import Attendance, Booking, PersonMessage, Referral, ReferralTask, SessionCancellation, WalkIns
from flow.workflow import Status

#: So many coming sessions are offered for booking.
MOST_OFFERED = 12


@dataclass(frozen=True, slots=True)
class Session:
    """One line of a day."""

    service: UUID
    service_name: str
    name: str
    starts_at: datetime
    ends_at: datetime
    expected: int
    present: int
    absent: int
    walk_ins: int | None
    takes_place: bool

    @property
    def to_mark(self) -> int:
        return self.expected - self.present - self.absent


@dataclass(frozen=True, slots=True)
class Expected:
    """One person on the list of a session."""

    task: UUID
    booking: UUID | None
    name: str
    worker: str
    starts_at: datetime
    ends_at: datetime
    first_time: bool
    mark: str
    reason: str
    reason_words: str
    history: tuple[Attendance, ...]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    session: Session
    lines: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of one person, for those who sent them and those who expect them. `mark` is empty while nobody has said."""

    booking: UUID
    service_name: str
    starts_at: datetime
    ends_at: datetime
    worker: str
    mark: str
    words: str
    can_cancel: bool
    said: str = ""


def sessions_on(user: User, day: date, *, service_id: UUID | None = None) -> list[Session]:
    """The sessions and appointments of the user's services on a day, earliest first."""
    start = datetime.combine(day, time(0), tzinfo=LONDON)
    end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=LONDON)
    services = {service.pk: service for service in _own(user) if service_id in (None, service.pk)}
    found: dict[tuple[UUID, datetime], tuple[str, datetime, bool]] = {}
    holding = _booked(user).filter(service__in=services, starts_at__gte=start, starts_at__lt=end)
    for booking in holding:
        found[booking.service_id, booking.starts_at] = ("Appointments" if booking.worker else "", booking.ends_at, True)
    timed = Service.objects.filter(pk__in=services, schedules__isnull=False).distinct().prefetch_related("schedules", "schedule_exceptions")
    for service in timed:
        for each in occurrences(service.schedules.all(), service.schedule_exceptions.all(), school_holidays(service), start, end):
            if not each.all_day and not each.is_long and start <= each.starts_at < end:
                ends_at = each.ends_at if each.ends_at > each.starts_at else each.starts_at + USUAL
                found[service.pk, each.starts_at] = (each.description, ends_at, True)
    pools = ServiceCapacity.objects.filter(service__in=services, starts_at__gte=start, starts_at__lt=end, per=Per.SESSION)
    for pool in pools.order_by("name"):
        assert pool.starts_at is not None  # the filter leaves the others out
        # One that is over is closed by the clock; one that is closed before its time does not take place.
        found[pool.service_id, pool.starts_at] = (pool.name, pool.ends_at or pool.starts_at + USUAL, pool.is_open or not pool.closed_reason)
    expected = _expected(user, services, start, end)
    walk_ins = {(row.service_id, row.starts_at): row.number for row in WalkIns.objects.filter(service__in=services, starts_at__gte=start)}
    off = SessionCancellation.objects.standing().filter(service__in=services, starts_at__gte=start, starts_at__lt=end)
    called_off = set(off.values_list("service", "starts_at"))
    lines = []
    for (service_id, starts_at), (name, ends_at, takes_place) in found.items():
        marks = [line.mark for line in expected.get((service_id, starts_at), [])]
        lines.append(
            Session(
                service=service_id,
                service_name=services[service_id].name,
                name=name,
                starts_at=starts_at,
                ends_at=ends_at,
                expected=len(marks),
                present=marks.count(Attendance.Mark.PRESENT),
                absent=marks.count(Attendance.Mark.ABSENT),
                walk_ins=walk_ins.get((service_id, starts_at)),
                takes_place=(takes_place or bool(marks)) and (service_id, starts_at) not in called_off,
            )
        )
    return sorted(lines, key=lambda line: (line.starts_at, line.service_name))


@transaction.atomic
def register(user: User, service_id: UUID, starts_at: datetime) -> Register:
    """Who is expected at one session. Each person that is shown is written to the read audit. Raises NotFound."""
    day = starts_at.astimezone(LONDON).date()
    session = next((one for one in sessions_on(user, day, service_id=service_id) if one.starts_at == starts_at), None)
    if session is None:
        raise NotFound("There is no such session of your services.")
    services = {service.pk: service for service in _own(user) if service.pk == service_id}
    lines = _expected(user, services, starts_at, starts_at + timedelta(microseconds=1)).get((service_id, starts_at), [])
    tasks = ReferralTask.objects.visible_to(user).filter(pk__in=[line.task for line in lines])
    people = set(tasks.values_list("referral__patient_id", flat=True))
    audit.record_reads(user=user, record_type="patient", record_ids=people)
    return Register(session, tuple(lines))


def visits(tasks: Iterable[UUID], *, user: User, at: datetime) -> list[Visit]:
    """The sessions of these requests, the next first and then the latest, as far as `user` may see them."""
    rows = Booking.objects.visible_to(user).standing().filter(task__in=list(tasks)).select_related("service").prefetch_related("marks")
    said = _said([row.task_id for row in rows])
    found = []
    for row in rows:
        last = max(row.marks.all(), key=lambda mark: (mark.at, mark.pk), default=None)
        found.append(
            Visit(
                booking=row.pk,
                service_name=row.service.name,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                worker=row.worker,
                mark=last.mark if last else "",
                words=_words(last, row.ends_at, at),
                can_cancel=last is None,
                said=said.get((row.task_id, row.starts_at), "") if row.ends_at > at and last is None else "",
            )
        )
    coming = sorted((one for one in found if one.ends_at > at), key=lambda one: one.starts_at)
    return coming + sorted((one for one in found if one.ends_at <= at), key=lambda one: one.starts_at, reverse=True)


def visits_of(referral: Referral, *, user: User, at: datetime) -> list[Visit]:
    """How the sessions of one referral stand, for its sender."""
    return visits(referral.tasks.values_list("pk", flat=True), user=user, at=at)


def sessions_to_book(task: ReferralTask, *, at: datetime) -> list[ServiceCapacity]:
    """The coming sessions of a request's service with a place, or whose number nobody has told; without those booked already."""
    taken = Booking.objects.standing().filter(task=task).values("starts_at")
    coming = ServiceCapacity.objects.filter(service=task.pool.service_id, per=Per.SESSION, starts_at__gt=at, is_open=True)
    free = Q(available=None) | Q(available__gt=0)
    return list(coming.filter(free).exclude(starts_at__in=taken).order_by("starts_at")[:MOST_OFFERED])


def can_be_expected(task: ReferralTask) -> bool:
    """Whether the person of a request can be put on a list."""
    return task.status in COMING


def _own(user: User) -> list[Service]:
    if not user.is_provider:
        return []
    return list(Service.objects.visible_to(user).owned_by(user).order_by("name"))


def _booked(user: User) -> QuerySet[Booking]:
    """Bookings whose person is still known to the provider."""
    return Booking.objects.visible_to(user).standing().filter(task__status__in=Status.known_to_provider())


def _expected(user: User, services: dict[UUID, Service], start: datetime, end: datetime) -> dict[tuple[UUID, datetime], list[Expected]]:
    """Who is expected between two times: by a booking, or by a request that was for a session itself."""
    found: dict[tuple[UUID, datetime], list[Expected]] = {}
    bookings = _booked(user).filter(service__in=services, starts_at__gte=start, starts_at__lt=end)
    rows = list(bookings.select_related("task__referral__patient").prefetch_related("marks"))
    booked = {(row.task_id, row.starts_at) for row in rows}
    tasks = ReferralTask.objects.visible_to(user).filter(
        pool__service__in=services, pool__starts_at__gte=start, pool__starts_at__lt=end, status__in=COMING
    )
    waiting = [
        (task, task.pool.starts_at, task.pool.ends_at or task.pool.starts_at + USUAL)
        for task in tasks.select_related("referral__patient", "pool")
        if task.pool.starts_at is not None and (task.pk, task.pool.starts_at) not in booked
    ]
    known = {*(row.task_id for row in rows), *(task.pk for task, _, _ in waiting)}
    came = Attendance.objects.filter(booking__task__in=known, mark=Attendance.Mark.PRESENT, booking__starts_at__lt=start)
    before = set(came.values_list("booking__task_id", flat=True))
    said = _said(known)
    for row in rows:
        history = tuple(sorted(row.marks.all(), key=lambda mark: (mark.at, mark.pk)))
        last = history[-1] if history else None
        found.setdefault((row.service_id, row.starts_at), []).append(
            Expected(
                task=row.task_id,
                booking=row.pk,
                name=row.task.referral.patient.full_name,
                worker=row.worker,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                first_time=row.task_id not in before,
                mark=last.mark if last else "",
                reason=last.reason if last else "",
                reason_words=last.get_reason_display() if last and last.reason else "",
                history=history,
                said=said.get((row.task_id, row.starts_at), ""),
            )
        )
    for task, starts_at, ends_at in waiting:
        found.setdefault((task.pool.service_id, starts_at), []).append(
            Expected(
                task=task.pk,
                booking=None,
                name=task.referral.patient.full_name,
                worker="",
                starts_at=starts_at,
                ends_at=ends_at,
                first_time=task.pk not in before,
                mark="",
                reason="",
                reason_words="",
                history=(),
                said=said.get((task.pk, starts_at), ""),
            )
        )
    for lines in found.values():
        lines.sort(key=lambda line: (line.name, str(line.task)))
    return found


def _said(tasks: Iterable[UUID]) -> dict[tuple[UUID, datetime | None], str]:
    """What people answered to our messages about their times; of each time what they said last."""
    answers = PersonMessage.objects.filter(task__in=list(tasks)).exclude(answer="").exclude(kind=PersonMessage.Kind.CALLED_OFF)
    found = sorted(answers, key=lambda one: (one.answered_at or one.created_at, one.pk))
    return {(one.task_id, one.starts_at): str(one.get_answer_display()) for one in found}


def _words(last: Attendance | None, ends_at: datetime, at: datetime) -> str:
    if last is None:
        return "Expected" if ends_at > at else "Nobody has said yet"
    if last.reason == Attendance.Reason.CANCELLED:
        return "Cancelled by the service"
    reason = f": {last.get_reason_display().lower()}" if last.reason else ""
    return f"{last.get_mark_display()}{reason}"
