"""Two sessions missed one after the other: those who referred the person hear of it and get a follow-up."""

from datetime import datetime, timedelta

from core.clock import local_date
from core.events import publish
from flow.casework.operations import follow_up
from flow.models import Attendance, Booking, FollowUp, ReferralTask

IN_A_ROW = 2
CALL_WITHIN = timedelta(days=2)


def misses_up_to(booking: Booking) -> int:
    """How many sessions this person missed without a break, the last being this one. What the service cancelled does not count."""
    newest = Attendance.objects.filter(booking__task=booking.task_id, booking__cancelled_at=None, booking__starts_at__lte=booking.starts_at)
    last: dict[object, Attendance] = {}
    for row in newest.select_related("booking").order_by("booking__starts_at", "at", "pk"):
        last[row.booking_id] = row
    missed = 0
    for row in reversed(last.values()):
        if row.reason == Attendance.Reason.CANCELLED:
            continue
        if row.mark == Attendance.Mark.PRESENT:
            break
        missed += 1
    return missed


def tell_missed(task: ReferralTask, booking: Booking, *, at: datetime) -> FollowUp | None:
    """After an absence was written down: at each second one in a row, make the follow-up and tell the sender."""
    missed = misses_up_to(booking)
    if missed < IN_A_ROW or missed % IN_A_ROW:
        return None
    referral = task.referral
    sender = referral.created_by
    still_there = sender is not None and sender.is_active and sender.organization_id == referral.organization_id
    made = follow_up(
        patient_id=referral.patient_id,
        referral_id=referral.pk,
        organization_id=referral.organization_id,
        user_id=sender.pk if still_there and sender else None,
        kind=FollowUp.Kind.MISSED,
        words=f"{missed} sessions in a row were missed at {task.pool.service.name[:120]}. Ask how they are, and whether it suits them.",
        due_on=local_date(at) + CALL_WITHIN,
        by=None,
        at=at,
    )
    data: dict[str, object] = {"task": str(task.pk), "referral": str(referral.pk), "booking": str(booking.pk), "follow_up": str(made.pk)}
    if made.assigned_to_id:
        data["to"] = [str(made.assigned_to_id)]
    publish(
        "session.missed",
        topics=[f"org:{referral.organization_id}", f"referral:{referral.pk}"],
        audience=[referral.organization_id],
        data=data,
    )
    return made
