"""What is looked at before a referral is sent: the stay, the service and its live figures. Reached through `flow.operations`."""

from datetime import datetime
from uuid import UUID

import capacity.operations as places
from capacity.models import ServiceCapacity
from capacity.queries import pool_states
from capacity.status import Rag
from catalogue.models import Service, User
from core.errors import Conflict, NotFound
from flow.models import Episode, Patient


def require_waiting(patient: Patient, episode_id: UUID, by: User) -> None:
    episode = Episode.objects.visible_to(by).filter(pk=episode_id, patient=patient).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    if episode.ended_at is not None:
        raise Conflict("That stay has ended. Record a new one if the person waits again.", code="ended")


def require_kept(pools: dict[UUID, ServiceCapacity]) -> None:
    """Refuse a service that a curator is merging into another at this moment: the lock waits for the merge, or makes it wait."""
    services = Service.objects.select_for_update(of=("self",), no_key=True).filter(pk__in={pool.service_id for pool in pools.values()})
    gone = {service.pk for service in services.order_by("pk") if service.merged_into_id}
    for pool in pools.values():
        if pool.service_id in gone:
            raise Conflict(
                f"{pool.service.name} has just been merged with another record of the same service. Search again; nothing has been sent.",
                code="no-place",
                pool=str(pool.pk),
            )


def require_live(pools: dict[UUID, ServiceCapacity], at: datetime) -> None:
    """Refuse a place that is known to be closed or full: sending there only costs the person time."""
    states = pool_states(pools, at)
    for pool in pools.values():
        state = states[pool.pk]
        if state.rag != Rag.RED:
            continue
        if state.word.startswith("Full"):
            raise places.no_place(pool)
        raise Conflict(
            f"{pool.service.name} is not accepting anybody now. Choose another service; nothing has been sent.",
            code="no-place",
            pool=str(pool.pk),
        )
