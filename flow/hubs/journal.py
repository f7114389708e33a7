"""What is written of each step of a hub's entry: its row in the log, and the event for both sides."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from catalogue.models import User
from core.events import publish
from flow.hubs.steps import HubAction
from flow.models import HubEntry, HubStep, ReferralTask


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
