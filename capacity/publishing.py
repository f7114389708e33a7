"""Places free, as the open catalogue shows them: `capacities` of HSDS 3.1."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from capacity.models import CapacityStatus, ServiceCapacity
from capacity.queries import PoolState, with_state
from capacity.status import Rag
from core.ids import derived

#: Of these no place can be had now, whatever the figure.
_CLOSED_TO_NEWCOMERS = {CapacityStatus.NO_CAPACITY, CapacityStatus.WAITLIST}


def capacities(services: Collection[UUID], at: datetime) -> dict[UUID, list[dict[str, Any]]]:
    """For each service, the pools that anybody may see and whose figure is still believed.

    HSDS has no way to say that a figure is old, and a stale one would be taken for true: such a pool is left out.
    """
    pools = ServiceCapacity.objects.visible_to(AnonymousUser()).filter(service__in=services, is_open=True).offered(at)
    found: dict[UUID, list[dict[str, Any]]] = {}
    for state in with_state(pools.order_by("service", "name", "pk"), at):
        if state.rag is not Rag.GREY and state.reported_at is not None:
            found.setdefault(state.service, []).append(_capacity(state, state.reported_at))
    return found


def _capacity(state: PoolState, reported_at: datetime) -> dict[str, Any]:
    entry = {
        "id": str(state.id),
        "service_id": str(state.service),
        "unit": {"id": str(derived("unit", state.unit)), "name": state.unit},
        "available": 0 if state.status in _CLOSED_TO_NEWCOMERS else state.free or 0,
        "description": "; ".join([f"{state.name}: {state.word}", *state.conditions]),
        "updated": reported_at.isoformat(timespec="seconds"),
    }
    return entry if state.maximum is None else entry | {"maximum": state.maximum}
