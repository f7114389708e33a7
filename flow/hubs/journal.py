"""What is written of each step of a hub's entry: its row in the log, and the event for both sides."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from catalogue.models import User
from core.errors import Invalid
from core.events import publish
from flow.hubs.steps import HubAction, HubMove
from flow.models import HubEntry, HubStep, ReferralTask

MOST_WORDS = 500


def log_step(entry: HubEntry, action: HubAction, source: str, *, by: User | None, at: datetime, words: str = "") -> None:
    """One row of the log; without `by` it was Lune."""
    HubStep.objects.create(
        entry=entry,
        action=action,
        from_state=source,
        to_state=entry.state,
        hub_id=entry.hub_id,
        assigned_to_id=entry.assigned_to_id,
        words=words,
        by=by,
        organization_id=by.organization_id if by else None,
        at=at,
    )


def finish(
    entry: HubEntry,
    step: HubMove,
    *,
    by: User | None,
    at: datetime,
    words: str = "",
    due_at: datetime | None = None,
    also: UUID | None = None,
) -> HubEntry:
    """Save a step that was checked, its row in the log and the event for both sides; and for the hub that had it before."""
    words = words.strip()
    if step.needs_words and not words:
        raise Invalid("Say why in a few words.", code="reason-needed", field="words")
    if len(words) > MOST_WORDS:
        raise Invalid(f"Shorten this to {MOST_WORDS} letters or fewer.", field="words")
    source = entry.state
    entry.state = step.target or entry.state
    entry.due_at = due_at or entry.due_at
    entry.changed_at = at
    entry.version += 1
    entry.save()
    log_step(entry, step.action, source, by=by, at=at, words=words)
    tell_change(entry, also=[also] if also else [])
    return entry


def tell_change(entry: HubEntry, *, also: Iterable[UUID] = ()) -> None:
    """The event for the sender and the hub, and for others who must know."""
    parties = {entry.referral.organization_id, entry.hub.organization_id, *also}
    publish(
        "hub.changed",
        topics=[f"referral:{entry.referral_id}", *(f"org:{party}" for party in parties)],
        audience=parties,
        data={"entry": str(entry.pk), "referral": str(entry.referral_id), "state": str(entry.state), "version": entry.version},
    )


def tell_taken_back(entry: HubEntry, task: ReferralTask, *, by: User) -> None:
    """The event for whoever sent a referral: its hub has taken back a request. The service is told by the request itself."""
    sender = entry.referral.organization_id
    publish(
        "hub.taken-back",
        topics=[f"referral:{entry.referral_id}", f"org:{sender}"],
        audience=[sender],
        data={"task": str(task.pk), "referral": str(entry.referral_id), "status": str(task.status), "by": str(by.pk)},
    )
