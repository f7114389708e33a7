"""How sessions were attended: a provider's own figures, and the same without small numbers for whoever else reads them."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from catalogue.models import Service, User
from catalogue.usage import SMALL
from core.clock import LONDON
from core.errors import Invalid
from flow.models import Attendance, Booking, WalkIns

LONGEST = timedelta(days=366)
_Mark, _Reason = Attendance.Mark, Attendance.Reason


@dataclass(frozen=True, slots=True)
class Row:
    """The sessions of one service in a stretch of days. None: not told, because it or what it is a part of is small."""

    service: UUID
    service_name: str
    sessions: int
    people: int | None
    expected: int | None
    present: int | None
    absent: dict[str, int | None]
    not_said: int | None
    walk_ins: int | None

    @property
    def rate(self) -> int | None:
        """Of those of whom it was said, how many in a hundred came; without what the service cancelled itself."""
        if self.present is None or any(number is None for number in self.absent.values()):
            return None
        missed = sum(number or 0 for code, number in self.absent.items() if code != _Reason.CANCELLED)
        return round(100 * self.present / (self.present + missed)) if self.present + missed else None


def rows(user: User, first: date, last: date, *, service_id: UUID | None = None, shared: bool = False) -> list[Row]:
    """The figures of the user's own services. `shared`: as they may leave the organisation, without small numbers. Raises Invalid."""
    if last < first or last - first > LONGEST:
        raise Invalid("The last day must not be before the first, nor more than a year after it.", field="last")
    start = datetime.combine(first, time(0), tzinfo=LONDON)
    end = datetime.combine(last + timedelta(days=1), time(0), tzinfo=LONDON)
    services = Service.objects.visible_to(user).owned_by(user) if user.is_provider else Service.objects.none()
    services = services.filter(pk=service_id) if service_id else services
    within = {"service__in": services, "starts_at__gte": start, "starts_at__lt": end}
    bookings = Booking.objects.visible_to(user).standing().filter(**within).select_related("task__referral").prefetch_related("marks")
    walked: dict[tuple[UUID, datetime], int] = {}
    for count in WalkIns.objects.visible_to(user).filter(**within).order_by("at", "pk"):
        walked[count.service_id, count.starts_at] = count.number
    by_service: dict[UUID, list[Booking]] = {}
    for booking in bookings:
        by_service.setdefault(booking.service_id, []).append(booking)
    names = dict(services.values_list("pk", "name"))
    found = [
        _row(pk, names[pk], by_service.get(pk, []), {key: number for key, number in walked.items() if key[0] == pk})
        for pk in {*by_service, *(pk for pk, _ in walked)}
    ]
    return sorted([_told(row) for row in found] if shared else found, key=lambda row: (row.service_name, str(row.service)))


def _row(pk: UUID, name: str, bookings: list[Booking], walked: dict[tuple[UUID, datetime], int]) -> Row:
    marks: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for booking in bookings:
        last = max(booking.marks.all(), key=lambda mark: (mark.at, mark.pk), default=None)
        marks[last.mark if last else ""] += 1
        if last and last.mark == _Mark.ABSENT:
            reasons[last.reason] += 1
    return Row(
        service=pk,
        service_name=name,
        sessions=len({booking.starts_at for booking in bookings} | {starts_at for _, starts_at in walked}),
        people=len({booking.task.referral.patient_id for booking in bookings}),
        expected=len(bookings),
        present=marks[_Mark.PRESENT],
        absent={code: reasons[code] for code in _Reason.values},
        not_said=marks[""],
        walk_ins=sum(walked.values()),
    )


def _told(row: Row) -> Row:
    """Without what is small, and without what a small number could be worked out from.

    The parts of `expected` add up to it. So when any part is small none of the parts is told, and when there are few people nothing is.
    """
    parts = [row.present, row.not_said, *row.absent.values()]
    few = 0 < (row.people or 0) < SMALL
    hide = few or any(0 < (part or 0) < SMALL for part in parts)
    return Row(
        service=row.service,
        service_name=row.service_name,
        sessions=row.sessions,
        people=None if few else row.people,
        expected=None if few else row.expected,
        present=None if hide else row.present,
        absent=dict.fromkeys(row.absent) if hide else row.absent,
        not_said=None if hide else row.not_said,
        walk_ins=None if 0 < (row.walk_ins or 0) < SMALL else row.walk_ins,
    )
