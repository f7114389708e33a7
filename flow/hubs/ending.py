"""When a referral is at a hub no more because of what its sender did, and when it is there again because that was undone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core import acting
from core.errors import Conflict, NotFound
from flow.hubs.journal import finish, log_step, tell_change
from flow.hubs.operations import triage_by
from flow.hubs.queries import nothing_left
from flow.hubs.steps import BY_ACTION, HubAction, HubState
from flow.models import HubEntry, Referral
from flow.sharing.hubs import close_for, open_for

ASKED_AGAIN = "Asked again by the sender, who had taken it back."
TAKEN_BACK = "The sender took back what was asked, or needs nothing more. No service is asked any more."


def _seen(*, entry_id: UUID, **told: Any) -> Any:
    return HubEntry.objects.filter(pk=entry_id)


@acting.across("what is asked anew is opened to the hub that had it", seen=_seen)
@transaction.atomic
def carry_on(*, entry_id: UUID, referral_id: UUID, by: User, at: datetime) -> HubEntry:
    """A referral that its sender has just asked anew, because taking it back was undone, is at the hub that had sent on the one before:
    opened to its team, and sent on as that was. The entry of the one before is closed, if it was not.

    Raises NotFound, and Conflict (`no-agreement`, `moved-on` where there is no such hub any more).
    """
    found = HubEntry.objects.visible_to(by).filter(pk=entry_id, referral__organization=by.organization_id)
    again = Referral.objects.visible_to(by).select_related("patient", "pathway_version").filter(pk=referral_id)
    if not by.is_referrer or (referral := again.filter(organization=by.organization_id).first()) is None or not found.exists():
        raise NotFound("There is no such referral.")
    Referral.objects.select_for_update(no_key=True).get(hub_entry=entry_id)
    before = HubEntry.objects.select_for_update(of=("self",)).select_related("hub__organization", "referral").get(pk=entry_id)
    if not before.hub.is_active:
        raise Conflict(f"{before.hub.name} takes no referrals any more. Nothing has been sent.", code="moved-on")
    if before.state == HubState.ROUTED:
        finish(before, BY_ACTION[HubAction.END], by=by, at=at, words=TAKEN_BACK)
        close_for(before.referral, by=by, at=at)
    open_for(referral, before.hub, by=by, at=at)
    entry = HubEntry.objects.create(
        referral=referral, hub=before.hub, state=HubState.ROUTED, assigned_to_id=before.assigned_to_id,
        due_at=triage_by(referral, before.hub, at), queued_at=at, changed_at=at,
    )  # fmt: skip
    log_step(entry, HubAction.ROUTE, "", by=by, at=at, words=ASKED_AGAIN)
    tell_change(entry)
    return entry


def end(referral_ids: Iterable[UUID], *, why: str, by: User | None, at: datetime) -> None:
    """Take back what still waits at hubs, because the sender needs nothing more. Called with the referrals locked, as the system.

    What a hub has sent on is closed by `end_sent_on`, once the requests are.
    """
    waiting = HubEntry.objects.filter(referral__in=referral_ids, state__in=BY_ACTION[HubAction.WITHDRAW].sources)
    for entry in waiting.select_for_update(of=("self",)).select_related("hub", "referral").order_by("pk"):
        entry.assigned_to = None
        finish(entry, BY_ACTION[HubAction.WITHDRAW], by=by, at=at, words=why)
        close_for(entry.referral, by=by, at=at)


def end_sent_on(referral_ids: Iterable[UUID], *, by: User | None, at: datetime) -> int:
    """Close what a hub has sent on and whose sender has taken back every request, or needs nothing more: no service is asked, and the hub
    is not to move. It reads the referral no longer. Called as the system with the referrals locked, after what was changed of them.

    Returns how many were closed. What a service has taken on, or the hub is to send elsewhere, stays.
    """
    left = HubEntry.objects.filter(nothing_left(), referral__in=referral_ids).order_by("pk").values_list("pk", flat=True)
    entries = HubEntry.objects.select_for_update(of=("self",)).select_related("hub", "referral").filter(pk__in=list(left)).order_by("pk")
    for entry in (closed := list(entries)):
        finish(entry, BY_ACTION[HubAction.END], by=by, at=at, words=TAKEN_BACK)
        close_for(entry.referral, by=by, at=at)
    return len(closed)
