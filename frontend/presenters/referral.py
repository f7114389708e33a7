"""A referral as its sender reads it: one line for each service asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from capacity.models import Reservation
from flow.hubs.steps import HubState
from flow.models import Referral, ReferralTask
from flow.queries import summary_status
from flow.workflow import REFERRER_WORDS, Action, Side, Status, steps_open_to
from frontend.presenters.holds import ended

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
    held_until: datetime | None
    hold_lost: bool
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
            hold=hold_words(task, at) if task.status == Status.REQUESTED else "",
            held_until=_held_until(task),
            hold_lost=task.status == Status.REQUESTED and task.reservation is not None and _held_until(task) is None,
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

    is_open_to_more: bool
    """Fewer have said yes than are wanted."""

    @classmethod
    def of(cls, referral: Referral, at: datetime) -> "Ask":
        tasks = list(referral.tasks.all())
        status = summary_status(task.status for task in tasks) or Status.DRAFT
        entry = None if tasks else getattr(referral, "hub_entry", None)
        waits = entry is not None and entry.state in HubState.open()
        return cls(
            id=referral.pk,
            created_at=referral.created_at,
            words=str(HubState(entry.state).label) if entry is not None else REFERRER_WORDS[status],
            tone="waiting" if waits else TONES.get(status, "ended"),
            urgency=referral.get_urgency_display(),
            asked=[Asked.of(task, at) for task in tasks],
            is_open_to_more=sum(task.status in Status.taken_on() for task in tasks) < referral.wanted,
        )


def hold_words(task: ReferralTask, at: datetime) -> str:
    """What has become of the place that was held for a request that still waits; empty while it is held, or when none was."""
    hold = task.reservation
    if hold is None:
        return ""
    name = task.pool.service.name
    return ended(hold.state, service=name, moment=hold.ended_at, because=hold.ended_because, asked=True, at=at)


def _held_until(task: ReferralTask) -> datetime | None:
    """Until when a place is held for a request that still waits; None when none is."""
    hold = task.reservation
    return hold.expires_at if hold and hold.state == Reservation.State.HELD and task.status == Status.REQUESTED else None
