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


@transaction.atomic
def send(
    *,
    patient_id: UUID,
    parts: Sequence[Part],
    by: User,
    at: datetime,
    hold_pool_ids: Iterable[UUID] = (),
    episode_id: UUID | None = None,
    **asked: Any,
) -> list[Referral]:
    """One referral for each part, in their order; for a single part that is all there is to it. `asked` is what `flow.operations.send`
    takes besides, the same for all.

    Raises what that raises; then nothing is sent at all. A service may be asked for one part only.
    """
    pools = [pool for part in parts for pool in part.pool_ids]
    held = set(hold_pool_ids)
    if len(set(pools)) < len(pools):
        raise Invalid("Ask each service for one thing only.")
    if not held <= set(pools):
        raise Invalid("A place can be held only at a service that you send to.")
    # In the order that `flow.operations` says: the person, then all the places at once, whatever part they are for.
    Patient.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    places.lock(pools)
    package = uuid.uuid4() if len(parts) > 1 else None
    return [
        flow.operations.send(
            patient_id=patient_id,
            profile_id=part.profile_id,
            match_run_id=part.match_run_id,
            pool_ids=part.pool_ids,
            hold_pool_ids=held.intersection(part.pool_ids),
            episode_id=None if part.is_help else episode_id,
            package=package,
            by=by,
            at=at,
            **asked,
        )
        for part in parts
    ]
