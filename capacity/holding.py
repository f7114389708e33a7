"""What is held of a pool, by which team and until when: all that a provider may know before it says yes to somebody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from capacity.models import Reservation
from catalogue.models import User


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """One place that a team keeps. For whom stands nowhere here."""

    id: UUID
    pool: UUID
    pool_name: str
    service_name: str
    team: str
    since: datetime
    until: datetime
    extended: bool


def held_at(user: User, pool_ids: Iterable[UUID] | None = None) -> list[HeldPlace]:
    """What is held of the places that `user`'s organisation runs, or of these alone: what ends soonest first."""
    if user.organization_id is None:
        return []
    held = Reservation.objects.visible_to(user).filter(state=Reservation.State.HELD, pool__service__organization_id=user.organization_id)
    return _listed(held if pool_ids is None else held.filter(pool__in=set(pool_ids)))


def held_of(pool_ids: Iterable[UUID]) -> list[HeldPlace]:
    """What is held of these pools, for whoever may tell their figures without an account: by a signed link of their service."""
    return _listed(Reservation.objects.filter(state=Reservation.State.HELD, pool__in=set(pool_ids)))


def _listed(held: QuerySet[Reservation]) -> list[HeldPlace]:
    return [
        HeldPlace(
            id=hold.pk,
            pool=hold.pool_id,
            pool_name=hold.pool.name,
            service_name=hold.pool.service.name,
            team=hold.organization.name,
            since=hold.created_at,
            until=hold.expires_at,
            extended=hold.extended_at is not None,
        )
        for hold in held.select_related("pool__service", "organization").order_by("expires_at", "pk")
    ]
