"""A referral as its sender reads it: one line for each service asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from capacity.models import Reservation
from flow.models import Referral, ReferralTask
from flow.queries import summary_status
from flow.workflow import REFERRER_WORDS, Action, Side, Status, steps_open_to

#: How a status looks; the words carry the meaning.
TONES: dict[str, str] = {
    Status.REQUESTED: "waiting",
    Status.ACCEPTED: "good",
    Status.IN_PROGRESS: "good",
    Status.COMPLETED: "good",
    Status.ON_HOLD: "waiting",
    Status.REJECTED: "bad",
    Status.FAILED: "bad",
}


@dataclass(frozen=True)
class Asked:
    """One service that was asked."""

    id: UUID
    pool_id: UUID
    service: str
    organization: str
    pool: str
    words: str
    tone: str
    reason: str
    answered_at: datetime | None
    respond_by: datetime | None
    hold: str
    version: int
    actions: list[str]

    @classmethod
    def of(cls, task: ReferralTask, at: datetime) -> "Asked":
        steps = steps_open_to(status=task.status, side=Side.REFERRER)
        return cls(
            id=task.pk,
            pool_id=task.pool_id,
            service=task.pool.service.name,
            organization=task.pool.service.organization.name,
            pool=task.pool.name,
            words=REFERRER_WORDS[task.status],
            tone=TONES.get(task.status, "ended"),
            reason=task.status_reason_text,
            answered_at=task.answered_at,
            respond_by=task.respond_by if task.status == Status.REQUESTED else None,
            hold=hold_words(task.reservation, at) if task.status == Status.REQUESTED else "",
            version=task.version,
            actions=[step.action for step in steps if step.action in (Action.WITHDRAW, Action.RETRACT)],
        )


@dataclass(frozen=True)
class Ask:
    """One referral in short."""

    id: UUID
    created_at: datetime
    words: str
    tone: str
    urgency: str
    asked: list[Asked]

    @classmethod
    def of(cls, referral: Referral, at: datetime) -> "Ask":
        tasks = list(referral.tasks.all())
        status = summary_status(task.status for task in tasks) or Status.DRAFT
        return cls(
            id=referral.pk,
            created_at=referral.created_at,
            words=REFERRER_WORDS[status],
            tone=TONES.get(status, "ended"),
            urgency=referral.get_urgency_display(),
            asked=[Asked.of(task, at) for task in tasks],
        )


def hold_words(reservation: Reservation | None, at: datetime) -> str:
    """What has become of a held place: how long it is still kept, or that it is not."""
    if reservation is None:
        return ""
    if reservation.state != Reservation.State.HELD:
        return f"Hold: {reservation.get_state_display().lower()}"
    minutes = int((reservation.expires_at - at).total_seconds() // 60)
    if minutes <= 0:
        return "The hold is running out now"
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'' if hours == 1 else 's'}" if hours else "", f"{rest} minute{'' if rest == 1 else 's'}" if rest else ""]
    return f"A place is kept for {' '.join(part for part in parts if part)} more"
