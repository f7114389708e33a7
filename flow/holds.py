"""Keeping a place for one person while they or their family decide. Reached through `flow.operations`.

Locks are taken in the order that `flow.operations` says: the patient, then pools, then reservations.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

import capacity.operations as places
from capacity.models import Reservation, ServiceCapacity
from catalogue.models import User
from core.errors import Conflict, NotAllowed, NotFound
from flow.models import Episode, EpisodeHold, Patient, ReferralTask
from flow.people import lock_whose, tell_colleagues


@transaction.atomic
def hold_place(*, episode_id: UUID, pool_id: UUID, by: User, at: datetime) -> EpisodeHold:
    """Keep one place for the person of a stay or wait, for as long as the policy of its care type says.

    Raises NotAllowed (not a referrer), NotFound (a record that `by` may not see) and Conflict: `no-place`, `not-known`, `ended`,
    `already-held`, `already-asked`, and `too-many-holds` when the policy allows no more for this person or this team.
    """
    _require_referrer(by)
    episode = Episode.objects.of_ones_own(by).filter(pk=episode_id).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    patient = lock_whose(episode.patient_id, Episode.objects.filter(pk=episode.pk))
    episode.refresh_from_db()
    if episode.ended_at is not None:
        raise Conflict("That stay has ended, so no place is kept for it. Record a new one if the person waits again.", code="ended")
    pool = ServiceCapacity.objects.visible_to(by).offered(at).filter(pk=pool_id).select_related("service").first()
    if pool is None or pool.service.merged_into_id:
        raise NotFound("That service no longer lists these places. Search again.", code="no-such-pool")
    held = kept_for(patient, at)
    if held.filter(pool=pool_id).exists():
        raise Conflict(f"A place at {pool.service.name} is held for this person already.", code="already-held")
    if ReferralTask.objects.open().filter(referral__patient=patient, pool=pool_id).exists():
        raise Conflict(f"{pool.service.name} has already been asked for this person. Open that referral instead.", code="already-asked")
    require_fewer(patient, pool, at)
    reservation = places.hold(pool_id=pool_id, organization=episode.organization, by=by, at=at)
    hold = EpisodeHold.objects.create(reservation=reservation, episode=episode, by=by)
    tell_colleagues(episode.organization_id)
    return hold


def extend_hold(*, hold_id: UUID, by: User, at: datetime) -> Reservation:
    """Keep a held place longer, once. `hold_id` is the reservation's. Raises NotAllowed, NotFound and Conflict in words."""
    return places.extend(reservation_id=_own(hold_id, by), by=by, at=at)


def let_go(*, hold_id: UUID, by: User, at: datetime) -> Reservation:
    """Give a held place back before its time. A referral that was sent with it stays sent. Twice changes nothing."""
    return places.release(reservation_id=_own(hold_id, by), by=by, at=at)


def kept_for(patient: Patient, at: datetime) -> QuerySet[Reservation]:
    """The places that are held for a person now, with a referral or before one."""
    whose = Q(episode_hold__episode__patient=patient) | Q(referral_task__referral__patient=patient)
    return Reservation.objects.filter(whose, state=Reservation.State.HELD, expires_at__gt=at).distinct()


def require_fewer(patient: Patient, pool: ServiceCapacity, at: datetime, *, beside: int = 0) -> None:
    """Refuse one more hold for a person whose patient row is locked, when the policy of the pool's care type allows no more.

    `beside`: how many were held a moment ago for the same sending, which no row says yet are this person's.
    """
    most = places.policy_of(pool).holds_per_person
    names = list(kept_for(patient, at).values_list("pool__service__name", flat=True))
    if beside and len(names) + beside >= most:
        already = f" Held already: {' and '.join(names)}." if names else ""
        raise Conflict(
            f"At most {'one place is' if most == 1 else f'{most} places are'} held for one person.{already} Hold fewer with this referral.",
            code="too-many-holds",
        )
    if len(names) >= most:
        raise Conflict(
            f"{'A place is' if most == 1 else f'{most} places are'} held for this person already, at {' and '.join(names)}. "
            "Let one go first, or send the referral without a hold.",
            code="too-many-holds",
        )


def waiting_holds(whose: Q) -> QuerySet[EpisodeHold]:
    """Places that are held for somebody and not sent with a referral yet. Lock the pools before you act on it."""
    return EpisodeHold.objects.filter(whose, reservation__state=Reservation.State.HELD, reservation__referral_task__isnull=True)


def held_for_sending(patient: Patient, pool_ids: Iterable[UUID], at: datetime) -> dict[UUID, UUID]:
    """Pool → the reservation that a referral of this person to it takes over. The pools are locked."""
    held = waiting_holds(Q(episode__patient=patient)).filter(reservation__pool__in=set(pool_ids), reservation__expires_at__gt=at)
    return dict(held.values_list("reservation__pool", "reservation"))


def pools_held(whose: Q) -> set[UUID]:
    """Of which pools places are held and not sent: to be locked together with others."""
    return set(waiting_holds(whose).values_list("reservation__pool", flat=True))


def give_back_waiting(whose: Q, pool_ids: Iterable[UUID], *, at: datetime) -> None:
    """Let go what is held and not sent, of pools that are locked: a place has been found, or the wait is over."""
    held = waiting_holds(whose).filter(reservation__pool__in=set(pool_ids)).order_by("reservation__pool", "reservation")
    for reservation_id in list(held.values_list("reservation", flat=True)):
        places.release(reservation_id=reservation_id, by=None, at=at)


def _require_referrer(by: User) -> None:
    if not by.is_referrer or by.organization_id is None:
        raise NotAllowed("Only a team that refers people can hold a place.")


def _own(hold_id: UUID, by: User) -> UUID:
    """The id, if it is a hold of the team of `by`. A provider that knows of it is told that it is not its to change."""
    _require_referrer(by)
    hold = Reservation.objects.visible_to(by).filter(pk=hold_id).first()
    if hold is None or hold.organization_id != by.organization_id:
        raise NotFound("That hold is not one of your organisation’s.", code="no-such-hold")
    return hold_id
