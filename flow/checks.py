"""What is looked at before a referral is sent: the stay, the service and its live figures. Reached through `flow.operations`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import capacity.operations as places
from capacity.models import ServiceCapacity
from capacity.status import Rag
from catalogue.models import Service, User
from core.errors import Conflict, Invalid, NotFound
from flow import deadlines, fit
from flow.models import Episode, Patient, ReferralTask, SessionCancellation
from matching.engine import explain


def require_waiting(patient: Patient, episode_id: UUID, by: User) -> None:
    episode = Episode.objects.visible_to(by).filter(pk=episode_id, patient=patient).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    if episode.ended_at is not None:
        raise Conflict("That stay has ended. Record a new one if the person waits again.", code="ended")


def require_kept(pools: dict[UUID, ServiceCapacity]) -> None:
    """Refuse a service that a curator is merging into another at this moment: the lock waits for the merge, or makes it wait."""
    services = Service.objects.select_for_update(of=("self",), no_key=True).filter(pk__in={pool.service_id for pool in pools.values()})
    gone = {pk for pk, merged_into in services.order_by("pk").values_list("pk", "merged_into") if merged_into}
    for pool in pools.values():
        if pool.service_id in gone:
            raise Conflict(
                f"{pool.service.name} has just been merged with another record of the same service. Search again; nothing has been sent.",
                code="no-place",
                pool=str(pool.pk),
            )


def require_live(pools: dict[UUID, ServiceCapacity], standing: Mapping[UUID, fit.Standing]) -> None:
    """Refuse a place that is known to be closed or full: sending there only costs the person time."""
    for pool in pools.values():
        state = standing[pool.pk].state
        if state.rag != Rag.RED:
            continue
        if state.word.startswith("Full"):
            raise places.no_place(pool)
        raise Conflict(
            f"{pool.service.name} is not accepting anybody now. Choose another service; nothing has been sent.",
            code="no-place",
            pool=str(pool.pk),
        )


def require_sensible(wanted: int, asked: int, answer_within: timedelta | None) -> None:
    """How many are wanted of those asked, and how long they have to answer."""
    if not 1 <= wanted <= asked:
        raise Invalid(
            f"You ask {asked} service{'' if asked == 1 else 's'}, so from 1 to {asked} can be wanted.",
            code="too-many-wanted",
            field="wanted",
        )
    if answer_within is not None and not deadlines.SHORTEST <= answer_within <= deadlines.LONGEST:
        raise Invalid("Give from a quarter of an hour to 14 days to answer.", code="deadline", field="answer_within")


def require_fit(pools: dict[UUID, ServiceCapacity], standing: Mapping[UUID, fit.Standing]) -> None:
    """Refuse a service whose entry has come to speak against this person since the list was made."""
    for pool_id, pool in pools.items():
        if codes := standing[pool_id].against:
            raise Conflict(
                f"By its entry {pool.service.name} does not fit this person now: {' and '.join(explain.label(code) for code in codes)}. "
                "Leave it out, or say that you ask it even so. Nothing has been sent.",
                code="no-longer-fits",
                pool=str(pool_id),
                rules=list(codes),
            )


def require_takes_place(task: ReferralTask) -> None:
    """Refuse a yes to a session that was called off: the person would come to a closed door. Undone, it can be said."""
    pool = task.pool
    off = SessionCancellation.objects.standing().filter(service=pool.service_id)
    if pool.starts_at is not None and off.filter(starts_at=pool.starts_at).exists():
        raise Conflict(
            "This session is cancelled, so nobody can be taken on for it. Say no to this request, and why: the team then asks elsewhere.",
            code="called-off",
            pool=str(task.pool_id),
        )


def require_unchanged(task: ReferralTask, at: datetime) -> None:
    """Refuse a yes to something that is not as it was when the service was asked, until somebody says: yes, even so."""
    found = [change for change in fit.changes(task, at) if change.to_confirm]
    if found:
        raise Conflict(
            f"{' '.join(change.words for change in found)} If you can help even so, tick that you have read it, then say yes.",
            code="changed-since",
            changes=[change.code for change in found],
        )
