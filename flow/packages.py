"""Sending what is wanted all together: a package of several services, and help with the first step.

A referral asks several services for one thing, and the first that says yes settles it. Each part of a package is therefore a referral of
its own: all are sent in one transaction or none is, and each is answered by itself. Only the parts that the wait is for end it.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

import capacity.operations as places
import flow.operations
from catalogue.models import User
from core.errors import Invalid
from flow.models import Patient, Referral


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is wanted, and the services that are asked for it. `is_help` goes along with the rest: nobody waits for it alone."""

    profile_id: UUID
    match_run_id: UUID
    pool_ids: Sequence[UUID]
    is_help: bool = False


def send(
    *,
    patient_id: UUID,
    parts: Sequence[Part],
    by: User,
    at: datetime,
    hold_pool_ids: Iterable[UUID] = (),
    episode_id: UUID | None = None,
    parts_wanted: int | None = None,
    **asked: Any,
) -> list[Referral]:
    """One referral for each part, in their order. `asked` is what `flow.operations.send` takes besides, the same for all.

    With `parts_wanted`, so many of the parts are enough: when so many have a yes, the others are withdrawn. Help is not counted.

    Raises what that raises; then nothing is sent at all. A service may be asked for one part only.
    """
    pools = [pool for part in parts for pool in part.pool_ids]
    held = set(hold_pool_ids)
    if len(set(pools)) < len(pools):
        raise Invalid("Ask each service for one thing only.")
    if not held <= set(pools):
        raise Invalid("A place can be held only at a service that you send to.")
    counted = sum(not part.is_help for part in parts)
    if parts_wanted is not None and not 1 <= parts_wanted <= counted:
        raise Invalid(f"{counted} are asked for, so from 1 to {counted} can be enough.", code="too-many-wanted", field="parts_wanted")
    about = {"patient_id": patient_id, "by": by, "at": at, **asked}
    if len(parts) < 2:
        return [_send(part, held, episode_id, about) for part in parts]
    with transaction.atomic():
        # In the order that `flow.operations` says: the person, then all the places at once, whatever part they are for.
        Patient.objects.kept_by(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
        places.lock(pools)
        about["package"] = uuid.uuid4()
        about["package_wanted"] = parts_wanted if parts_wanted != counted else None
        return [_send(part, held, episode_id, about) for part in parts]


def _send(part: Part, held: set[UUID], episode_id: UUID | None, about: dict[str, Any]) -> Referral:
    return flow.operations.send(
        profile_id=part.profile_id,
        match_run_id=part.match_run_id,
        pool_ids=part.pool_ids,
        hold_pool_ids=held.intersection(part.pool_ids),
        episode_id=None if part.is_help else episode_id,
        **(about | {"package_wanted": None} if part.is_help else about),
    )
