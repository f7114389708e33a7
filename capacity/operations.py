"""What people do with places. Each function is one transaction: lock, read, change, record, publish."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from capacity.models import CapacityReport, CapacityStatus, Reservation, ServiceCapacity, Via
from capacity.status import CLOCK_SKEW
from catalogue.models import Organization, User
from core.clock import local_time
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish

#: How long a held place is kept when nobody says otherwise.
HOLD_FOR = timedelta(hours=4)

UNSET: Any = object()


def lock(pool_ids: Iterable[UUID]) -> dict[UUID, ServiceCapacity]:
    """Lock pools, in primary-key order so that two callers never wait for each other in a circle.

    The lock leaves keys alone (FOR NO KEY UPDATE), so that rows which only point at a pool, such as the lines of a
    ranking, never wait for it. Raises NotFound when a pool does not exist.
    """
    wanted = set(pool_ids)
    pools = ServiceCapacity.objects.select_for_update(of=("self",), no_key=True).select_related("service").filter(pk__in=wanted)
    locked = {pool.pk: pool for pool in pools.order_by("pk")}
    if len(locked) < len(wanted):
        raise NotFound("That service no longer lists these places. Search again.", code="no-such-pool")
    return locked


@transaction.atomic
def show_to_public(*, pool_id: UUID, shown: bool, by: User, at: datetime) -> ServiceCapacity:
    """Let everybody see what is free, or professionals alone. Raises NotFound or NotAllowed."""
    pool = lock([pool_id])[pool_id]
    if not ServiceCapacity.objects.run_by(by).filter(pk=pool_id).exists():
        raise NotAllowed("Only those who run these places decide who sees them.")
    if pool.shown_to_public != shown:
        pool.shown_to_public = shown
        pool.save(update_fields=["shown_to_public"])
        _tell(pool, kind="shown" if shown else "hidden")
    return pool


def _record(pool: ServiceCapacity, *, kind: str, by: User | None, via: str, observed_at: datetime, at: datetime) -> None:
    """Save a changed, locked pool with its next version, its history row and its event."""
    pool.version += 1
    pool.save(
        update_fields=[
            "available", "held", "maximum", "status", "note", "is_open", "reported_at", "reported_by", "reported_via", "version",
        ]
    )  # fmt: skip
    CapacityReport.objects.create(
        pool=pool,
        kind=kind,
        available=pool.available,
        held=pool.held,
        maximum=pool.maximum,
        status=pool.status,
        note=pool.note,
        version=pool.version,
        observed_at=observed_at,
        received_at=at,
        by=by,
        via=via,
    )
    _tell(pool, kind=kind)


def _tell(pool: ServiceCapacity, *, kind: str) -> None:
    publish(
        "capacity.changed",
        topics=[f"pool:{pool.pk}", f"service:{pool.service_id}", f"org:{pool.service.organization_id}", "region"],
        data={"pool": str(pool.pk), "version": pool.version, "kind": kind},
    )


@transaction.atomic
def report(
    *,
    pool_id: UUID,
    by: User | None,
    at: datetime,
    available: int | None = UNSET,
    status: str = UNSET,
    maximum: int | None = UNSET,
    note: str = UNSET,
    is_open: bool = UNSET,
    observed_at: datetime | None = None,
    via: str = Via.WEB,
    expected_version: int | None = None,
) -> ServiceCapacity:
    """Set what a provider sees now. A field left out keeps its value; the time of the report is always renewed.

    `observed_at` (default `at`) is when somebody looked; an observation older than the one on record is kept in history
    but does not replace it. With `expected_version` the change is refused if the pool has changed since.

    Places given or given back through Lune after `observed_at` are counted off or on.

    Raises NotFound, Conflict (`stale-version`, `below-held`) and Invalid.
    """
    observed_at = observed_at or at
    told: dict[str, Any] = {
        name: value
        for name, value in (("available", available), ("status", status), ("maximum", maximum), ("note", note), ("is_open", is_open))
        if value is not UNSET
    }
    _check_alone(told, observed_at=observed_at, at=at)
    pool = lock([pool_id])[pool_id]
    if expected_version is not None and expected_version != pool.version:
        raise Conflict(
            f"Somebody changed this figure before you. It now says {_words(pool)}. Look again, then save.",
            code="stale-version",
            version=pool.version,
        )
    if pool.reported_at is not None and observed_at < pool.reported_at:
        return _keep_late(pool, told, observed_at=observed_at, at=at, by=by, via=via)
    if told.get("available") is not None and observed_at < at:
        told["available"] = max(0, told["available"] - _taken_since(pool, observed_at))
    for name, value in told.items():
        setattr(pool, name, value)
    _check_together(pool)
    if pool.available and "available" in told and "status" not in told and pool.status == CapacityStatus.NO_CAPACITY:
        pool.status = CapacityStatus.CAPACITY
    pool.reported_at, pool.reported_by, pool.reported_via = observed_at, by, via
    _record(pool, kind=CapacityReport.Kind.REPORT, by=by, via=via, observed_at=observed_at, at=at)
    return pool


def _check_alone(told: dict[str, Any], *, observed_at: datetime, at: datetime) -> None:
    """Refuse what could not be true of any pool."""
    if observed_at > at + CLOCK_SKEW:
        raise Invalid("The time of this report has not come yet. Check the clock of your computer or phone.", code="in-the-future")
    for name in ("available", "maximum"):
        if told.get(name) is not None and told[name] < 0:
            raise Invalid("A number of places cannot be less than nothing.")
    if "status" in told and told["status"] not in CapacityStatus.values:
        raise Invalid(f"“{told['status']}” is not a status. Use one of: {', '.join(CapacityStatus.values)}.")
    if len(told.get("note", "")) > 200:
        raise Invalid("Shorten the note to 200 letters or fewer.")


def _check_together(pool: ServiceCapacity) -> None:
    """Refuse figures that contradict each other, in words; the database's constraints say the same."""
    if pool.available is not None and pool.maximum is not None and pool.available > pool.maximum:
        raise Invalid(f"You said {pool.available} free, but there are {pool.maximum} in all. Change the total first if it has grown.")
    if pool.held and (pool.available is None or pool.available < pool.held):
        raise Conflict(
            f"{pool.held} of these places {'is' if pool.held == 1 else 'are'} held for people whose families are "
            f"deciding. Answer or release those first, or tell us at least {pool.held}.",
            code="below-held",
            held=pool.held,
        )


def _keep_late(
    pool: ServiceCapacity, told: dict[str, Any], *, observed_at: datetime, at: datetime, by: User | None, via: str
) -> ServiceCapacity:
    """Keep an observation that came after a later one: in history only, so nothing shown changes and no event is sent."""
    pool.version += 1
    pool.save(update_fields=["version"])
    figures = {name: told.get(name, getattr(pool, name)) for name in ("available", "maximum", "status", "note")}
    CapacityReport.objects.create(
        pool=pool,
        kind=CapacityReport.Kind.LATE,
        held=pool.held,
        version=pool.version,
        observed_at=observed_at,
        received_at=at,
        by=by,
        via=via,
        **figures,
    )
    return pool


def _taken_since(pool: ServiceCapacity, moment: datetime) -> int:
    """Places given through Lune, less those given back, after somebody looked: their figure does not know of them."""
    kinds = pool.reports.filter(received_at__gt=moment).values_list("kind", flat=True)
    return sum((kind == CapacityReport.Kind.FILL) - (kind == CapacityReport.Kind.REOPEN) for kind in kinds)


@transaction.atomic
def hold(*, pool_id: UUID, organization: Organization, by: User | None, at: datetime, until: datetime | None = None) -> Reservation:
    """Keep one free place for a request. Raises Conflict (`no-place`) when none is free."""
    pool = lock([pool_id])[pool_id]
    _require_free(pool)
    pool.held += 1
    _record(pool, kind=CapacityReport.Kind.HOLD, by=by, via=Via.REFERRAL, observed_at=at, at=at)
    return Reservation.objects.create(pool=pool, organization=organization, created_by=by, created_at=at, expires_at=until or at + HOLD_FOR)


@transaction.atomic
def release(*, reservation_id: UUID, by: User | None, at: datetime, expired: bool = False) -> Reservation:
    """Give a held place back. Releasing what has already ended changes nothing."""
    reservation, pool = _lock_reservation(reservation_id)
    if reservation.state != Reservation.State.HELD:
        return reservation
    pool.held -= 1
    reservation.state = Reservation.State.EXPIRED if expired else Reservation.State.RELEASED
    reservation.ended_at = at
    reservation.save(update_fields=["state", "ended_at"])
    kind = CapacityReport.Kind.EXPIRE if expired else CapacityReport.Kind.RELEASE
    _record(pool, kind=kind, by=by, via=Via.SYSTEM if expired else Via.REFERRAL, observed_at=at, at=at)
    holder, provider = reservation.organization_id, pool.service.organization_id
    publish(
        "hold.ended",
        topics=[f"org:{holder}", f"org:{provider}"],
        audience=[holder, provider],
        data={"reservation": str(reservation.pk), "state": str(reservation.state)},
    )
    return reservation


@transaction.atomic
def fill(*, pool_id: UUID, reservation_id: UUID | None, by: User | None, at: datetime) -> ServiceCapacity:
    """Turn a held place, or else a free one, into a taken one.

    A pool whose number nobody has told (available null) or that runs a waiting list has nothing to count down: the
    person joins, and the figure stays as it is. Raises Conflict (`no-place`) when none is left.
    """
    reservation = None
    if reservation_id is not None:
        reservation, pool = _lock_reservation(reservation_id)
    else:
        pool = lock([pool_id])[pool_id]
    if reservation is not None and reservation.state == Reservation.State.HELD:
        pool.held -= 1
        reservation.state, reservation.ended_at = Reservation.State.FILLED, at
        reservation.save(update_fields=["state", "ended_at"])
    elif pool.available is None or pool.status == CapacityStatus.WAITLIST:
        return pool
    else:
        _require_free(pool)
    assert pool.available is not None
    pool.available -= 1
    _record(pool, kind=CapacityReport.Kind.FILL, by=by, via=Via.REFERRAL, observed_at=at, at=at)
    return pool


@transaction.atomic
def reopen(*, pool_id: UUID, by: User | None, at: datetime) -> ServiceCapacity:
    """Give back a place that had been taken: the person did not come after all."""
    pool = lock([pool_id])[pool_id]
    if pool.available is None or (pool.maximum is not None and pool.available >= pool.maximum):
        return pool
    pool.available += 1
    _record(pool, kind=CapacityReport.Kind.REOPEN, by=by, via=Via.REFERRAL, observed_at=at, at=at)
    return pool


def expire_due(*, at: datetime, limit: int = 200) -> int:
    """Release the holds whose time is up; each in a transaction of its own. Returns how many."""
    due = list(Reservation.objects.due(at).order_by("expires_at").values_list("pk", flat=True)[:limit])
    return sum(release(reservation_id=pk, by=None, at=at, expired=True).state == Reservation.State.EXPIRED for pk in due)


def _lock_reservation(reservation_id: UUID) -> tuple[Reservation, ServiceCapacity]:
    """Lock a hold's pool and then the hold: the same order everywhere."""
    pool_id = Reservation.objects.filter(pk=reservation_id).values_list("pool_id", flat=True).first()
    if pool_id is None:
        raise NotFound("That hold does not exist.", code="no-such-hold")
    pool = lock([pool_id])[pool_id]
    return Reservation.objects.select_for_update(of=("self",), no_key=True).get(pk=reservation_id), pool


def _require_free(pool: ServiceCapacity) -> None:
    if not pool.is_open or pool.status == CapacityStatus.NO_CAPACITY:
        raise Conflict(f"{pool.service.name} is not accepting anybody now. Choose another service.", code="no-place")
    if pool.free is None:
        raise Conflict(
            f"Nobody has told us whether {pool.service.name} has a place, so none can be held. Send the referral without a hold.",
            code="not-known",
        )
    if pool.free < 1:
        raise no_place(pool)


def no_place(pool: ServiceCapacity) -> Conflict:
    """The refusal when the last place has gone: when that was, and what to do."""
    last = pool.reports.filter(kind__in=[CapacityReport.Kind.HOLD, CapacityReport.Kind.FILL]).order_by("-version").first()
    went = f"was taken at {local_time(last.received_at)}" if last else "has gone"
    return Conflict(
        f"The last place at {pool.service.name} {went}. Choose another service.",
        code="no-place",
        pool=str(pool.pk),
        taken_at=last.received_at.isoformat() if last else None,
    )


def _words(pool: ServiceCapacity) -> str:
    return "not known" if pool.available is None else f"{pool.available} free"
