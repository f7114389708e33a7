"""Whether what was withdrawn can be asked again as it was, and on which terms: only where nothing else has happened to it since."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import Conflict
from flow.hubs.steps import HubAction, HubState
from flow.models import HubEntry, Referral, ReferralTask, Transition
from flow.waterfall import waiting
from flow.workflow import Status

#: What the sender did alike to other parts, or has asked again: everything else is somebody's answer.
_OURS = (Status.DRAFT, Status.REQUESTED, Status.CANCELLED)
_BY_HAND = "Nobody is asked again. Open the person, and ask from there."


def terms(referral: Referral, withdrawn: list[UUID]) -> dict[str, Any]:
    """What `flow.operations.send` is told besides, for a part of a package, a list in order, or on a pathway; and `at_hub`, the entry of
    the hub that had sent it on, where it went by one. Raises Conflict where something has happened since, for what a hub has still to send
    on, and where the pathway has a newer form, whose questions are answered anew.
    """
    version = referral.pathway_version
    if version is not None and version.pathway.current != version:
        raise Conflict(f"Its pathway has changed since. {_BY_HAND}")
    told: dict[str, Any] = {"version_id": version.pk, "typed": referral.pathway_answers} if version else {}
    entry = HubEntry.objects.filter(referral=referral).first()
    if referral.package is None and not referral.in_order and entry is None:
        return told
    taken = Transition.objects.filter(task__in=withdrawn, to_status=Status.CANCELLED).order_by("-pk").first()
    since = taken.at if taken else referral.created_at
    if entry is not None:
        _require_unmoved(entry, referral, withdrawn, since)
        told["at_hub"] = entry.pk
    if referral.package is not None and _answered(ReferralTask.objects.filter(referral__package=referral.package), since):
        raise Conflict(f"Another part of the package was answered since. {_BY_HAND}")
    if referral.package is not None:
        told |= {"package": referral.package, "package_wanted": referral.package_wanted}
    if referral.in_order:
        told |= _in_order(referral, withdrawn, since)
    return told


def _require_unmoved(entry: HubEntry, referral: Referral, withdrawn: list[UUID], since: datetime) -> None:
    """The hub had sent it on, and neither it nor anybody whom it asked has done anything since."""
    tasks = referral.tasks.exclude(pk__in=withdrawn)
    newest = entry.steps.order_by("-pk").first()
    sent_on = entry.state == HubState.ROUTED or (newest is not None and newest.action == HubAction.END)
    moved = entry.steps.filter(at__gt=since).exists() or tasks.filter(changed_at__gt=since).exists()
    if not sent_on or moved or referral.closed_at is not None or tasks.filter(status__in=[Status.REQUESTED, *Status.taken_on()]).exists():
        raise Conflict(f"It went by a hub, and has gone on since or is still there. {_BY_HAND}")


def _in_order(referral: Referral, withdrawn: list[UUID], since: datetime) -> dict[str, Any]:
    """The list goes on behind whom it was withdrawn from, in the order in which it waits."""
    tasks = referral.tasks.exclude(pk__in=withdrawn)
    moved = referral.queue.filter(decided_at__gt=since).exists() or tasks.filter(changed_at__gt=since).exists()
    if moved or referral.closed_at is not None or tasks.filter(status__in=[Status.REQUESTED, *Status.taken_on()]).exists():
        raise Conflict(f"It asks one service after the other, and has gone on since. {_BY_HAND}")
    rest = waiting(referral)
    return {
        "in_order": True,
        "keep_asked": referral.keep_asked,
        "behind": [entry.pool_id for entry in rest],
        "hold_pool_ids": [entry.pool_id for entry in rest if entry.hold],
        "even_so": any(entry.even_so for entry in rest),
    }


def _answered(tasks: Any, since: datetime) -> bool:
    return bool(tasks.filter(changed_at__gt=since).exclude(status__in=_OURS).exists())
