"""What people do with places. Each function is one transaction: lock, read, change, record, publish."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from capacity.models import CapacityReport, CapacityStatus, FreshnessPolicy, Reservation, ServiceCapacity, Via
from capacity.recording import FIGURES, record, tell
from capacity.status import CLOCK_SKEW
from catalogue.models import Organization, User
from core.clock import local_time
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from core.events import publish

#: How long a held place is kept where the operator has no policy for its care type.
HOLD_FOR = timedelta(hours=4)
_COUNTS = ("available", "maximum", "occupied", "reserved", "waiting", "expected_wait_days")

UNSET: Any = object()


def lock(pool_ids: Iterable[UUID]) -> dict[UUID, ServiceCapacity]:
    """Lock pools, in primary-key order so that two callers never wait for each other in a circle.

    The lock leaves keys alone (FOR NO KEY UPDATE), so that rows which only point at a pool, such as the lines of a
    ranking, never wait for it. Raises NotFound when a pool does not exist.
    """
    wanted = set(pool_ids)
    locked = _lock(ServiceCapacity.objects.filter(pk__in=wanted))
    if len(locked) < len(wanted):
        raise NotFound("That service no longer lists these places. Search again.", code="no-such-pool")
    return locked


def _lock(pools: QuerySet[ServiceCapacity]) -> dict[UUID, ServiceCapacity]:
    found = pools.select_for_update(of=("self",), no_key=True).select_related("service").order_by("pk")
    return {pool.pk: pool for pool in found}


@transaction.atomic
def show_to_public(*, pool_id: UUID, shown: bool, by: User, at: datetime) -> ServiceCapacity:
    """Let everybody see what is free, or professionals alone. Raises NotFound or NotAllowed."""
    pool = lock([pool_id])[pool_id]
    if not ServiceCapacity.objects.run_by(by).filter(pk=pool_id).exists():
        raise NotAllowed("Only those who run these places decide who sees them.")
    if pool.shown_to_public != shown:
        pool.shown_to_public = shown
        pool.save(update_fields=["shown_to_public"])
        tell(pool, kind="shown" if shown else "hidden")
    return pool


@transaction.atomic
def report(
    *,
    pool_id: UUID,
    by: User | None,
    at: datetime,
    available: int | None = UNSET,
    maximum: int | None = UNSET,
    occupied: int | None = UNSET,
    reserved: int | None = UNSET,
    waiting: int | None = UNSET,
    expected_wait_days: int | None = UNSET,
    status: str = UNSET,
    is_open: bool = UNSET,
    closed_reason: str = UNSET,
    closed_until: date | None = UNSET,
    note: str = UNSET,
    observed_at: datetime | None = None,
    via: str = Via.WEB,
    expected_version: int | None = None,
    key: str = "",
    withdraw_because: str | None = None,
) -> ServiceCapacity:
    """Set what a provider sees now. A field left out keeps its value; the time of the report is always renewed.

    `observed_at` (default `at`) is when somebody looked; an observation older than the one on record is kept in history
    but does not replace it. With `expected_version` the change is refused if the pool has changed since. An update with a
    `key` that this pool has had before changes nothing: it arrived twice.

    Places given or given back through Lune after `observed_at` are counted off or on. What is said of the places a session is said of the
    coming sessions too, by whatever route it came.

    Fewer free places than are held are refused, with the teams that hold them, unless `withdraw_because` says why: then
    the youngest holds are taken back until the figure fits, and their teams are told.

    Raises NotFound, Conflict (`stale-version`, `below-held`) and Invalid.
    """
    observed_at = observed_at or at
    everything = locals()
    told: dict[str, Any] = {name: everything[name] for name in FIGURES if everything[name] is not UNSET}
    _check_alone(told, observed_at=observed_at, at=at)
    pool = lock([pool_id])[pool_id]
    if key and pool.reports.filter(key=key).exists():
        return pool
    _check_version(pool, expected_version)
    if pool.reported_at is not None and observed_at < pool.reported_at:
        return _keep_late(pool, told, observed_at=observed_at, at=at, by=by, via=via, key=key)
    if told.get("available") is not None and observed_at < at:
        told["available"] = max(0, told["available"] - _taken_since(pool, observed_at))
    maximum_before = pool.maximum
    if withdraw_because is not None:
        _withdraw_holds(pool, told.get("available", pool.available), because=withdraw_because, by=by, via=via, at=at)
    _take_over(pool, told, observed_at=observed_at, by=by, via=via)
    record([pool], kind=CapacityReport.Kind.REPORT, by=by, via=via, observed_at=observed_at, at=at, keys=[key])
    if pool.makes_sessions:
        from capacity import sessions  # it reports of each session by this module

        sessions.follow(pool, maximum_before, by=by, at=at)
    return pool


@transaction.atomic
def report_together(
    *, told: Mapping[UUID, dict[str, Any]], versions: Mapping[UUID, int], keys: Mapping[UUID, str], by: User, at: datetime, via: str
) -> dict[UUID, ServiceCapacity | LuneError]:
    """What `report` does, for many pools in one transaction and a handful of statements; a refused one leaves the others alone.

    `told` says what is seen now (figures of `FIGURES`), `versions` what some were changed on, `keys` tells an update that came before.
    Left out of the answer, for `report` to deal with: pools that `by` does not run, those that make sessions, those that had the key,
    and those that somebody told of later than `at`.
    """
    pools = _lock(ServiceCapacity.objects.visible_to(by).run_by(by).filter(pk__in=told))
    had = set(CapacityReport.objects.filter(pool_id__in=told, key__in=set(keys.values())).values_list("pool_id", "key"))
    outcomes: dict[UUID, ServiceCapacity | LuneError] = {}
    changed = []
    for pool in pools.values():
        if (pool.pk, keys[pool.pk]) in had or pool.makes_sessions or (pool.reported_at is not None and at < pool.reported_at):
            continue
        try:
            _check_alone(told[pool.pk], observed_at=at, at=at)
            _check_version(pool, versions.get(pool.pk))
            _take_over(pool, dict(told[pool.pk]), observed_at=at, by=by, via=via)
        except LuneError as error:
            outcomes[pool.pk] = error
        else:
            outcomes[pool.pk] = pool
            changed.append(pool)
    if changed:
        record(changed, kind=CapacityReport.Kind.REPORT, by=by, via=via, observed_at=at, at=at, keys=[keys[pool.pk] for pool in changed])
    return outcomes


def _take_over(pool: ServiceCapacity, told: dict[str, Any], *, observed_at: datetime, by: User | None, via: str) -> None:
    """Write what was told into a locked pool. Raises what `_check_together` does."""
    if pool.is_open is False and told.get("is_open"):
        told = {"closed_reason": "", "closed_until": None} | told
    for name, value in told.items():
        setattr(pool, name, value)
    _check_together(pool)
    if pool.available and "available" in told and "status" not in told and pool.status == CapacityStatus.NO_CAPACITY:
        pool.status = CapacityStatus.CAPACITY
    pool.reported_at, pool.reported_by, pool.reported_via = observed_at, by, via


def _check_version(pool: ServiceCapacity, expected: int | None) -> None:
    if expected is not None and expected != pool.version:
        raise Conflict(
            f"Somebody changed this figure before you. It now says {_words(pool)}. Look again, then save.",
            code="stale-version",
            version=pool.version,
        )


@transaction.atomic
def take_back(*, pool_id: UUID, version: int, before: dict[str, Any], by: User | None, at: datetime, via: str) -> ServiceCapacity:
    """Undo the report that made this version: the figures are what they were, and as old as they were, so that nothing stale looks fresh.

    `before` holds `FIGURES`, `reported_at`, `reported_by_id` and `reported_via`. Raises Conflict (`changed-since`) when anything has
    happened to these places since.
    """
    pool = lock([pool_id])[pool_id]
    if pool.version != version:
        raise Conflict("Something has happened to these places since. Tell us what you see now instead.", code="changed-since")
    for name, value in before.items():
        setattr(pool, name, value)
    _check_together(pool)
    record([pool], kind=CapacityReport.Kind.REPORT, by=by, via=via, observed_at=at, at=at)
    return pool


def _check_alone(told: dict[str, Any], *, observed_at: datetime, at: datetime) -> None:
    """Refuse what could not be true of any pool."""
    if observed_at > at + CLOCK_SKEW:
        raise Invalid("The time of this report has not come yet. Check the clock of your computer or phone.", code="in-the-future")
    for name in _COUNTS:
        if told.get(name) is not None and told[name] < 0:
            raise Invalid("A number of places cannot be less than nothing.")
    if "status" in told and told["status"] not in CapacityStatus.values:
        raise Invalid(f"“{told['status']}” is not a status. Use one of: {', '.join(CapacityStatus.values)}.")
    if max(len(told.get("note", "")), len(told.get("closed_reason", ""))) > 200:
        raise Invalid("Shorten the note to 200 letters or fewer.")


def _check_together(pool: ServiceCapacity) -> None:
    """Refuse figures that contradict each other, in words; the database's constraints say the same."""
    if pool.available is not None and pool.maximum is not None and pool.available > pool.maximum:
        raise Invalid(f"You said {pool.available} free, but there are {pool.maximum} in all. Change the total first if it has grown.")
    parts = (pool.occupied or 0) + (pool.reserved or 0) + (pool.available or 0)
    if pool.maximum is not None and parts > pool.maximum:
        raise Invalid(
            f"{pool.occupied or 0} taken, {pool.reserved or 0} reserved and {pool.available or 0} free make {parts}, but there are "
            f"{pool.maximum} in all. Check the numbers.",
            code="more-than-all",
        )
    if pool.is_open and (pool.closed_reason or pool.closed_until):
        raise Invalid("Open places need no reason for being closed. Leave it out, or say that they are closed.")
    if pool.held and (pool.available is None or pool.available < pool.held):
        holders = _holders(pool)
        teams = ", ".join(dict.fromkeys(str(holder["team"]) for holder in holders))
        raise Conflict(
            f"{pool.held} of these places {'is' if pool.held == 1 else 'are'} held for people whose families are "
            f"deciding, by {teams}. Answer or release those first, tell us at least {pool.held}, "
            "or take the places back and say why.",
            code="below-held",
            held=pool.held,
            holders=holders,
        )


def _holders(pool: ServiceCapacity) -> list[dict[str, str | bool]]:
    """Which teams hold places of a pool, until when, and whether this figure would cost them theirs; never for whom."""
    held = pool.reservations.filter(state=Reservation.State.HELD).select_related("organization").order_by("created_at", "pk")
    return [
        {"team": hold.organization.name, "until": hold.expires_at.isoformat(), "affected": number >= (pool.available or 0)}
        for number, hold in enumerate(held)
    ]


def _withdraw_holds(pool: ServiceCapacity, available: int | None, *, because: str, by: User | None, via: str, at: datetime) -> None:
    """End the youngest holds of a locked pool until `available` covers the rest, a row of history for each; tell the teams.

    Raises Invalid when no reason is given.
    """
    left = min(pool.held, available or 0)
    if left == pool.held:
        return
    if not because.strip():
        raise Invalid("Say why you take held places back: the teams and families will read it.", code="say-why")
    held = pool.reservations.select_for_update(of=("self",), no_key=True).filter(state=Reservation.State.HELD)
    for reservation in held.order_by("-created_at", "-pk")[: pool.held - left]:
        reservation.state, reservation.ended_at, reservation.ended_because = Reservation.State.WITHDRAWN, at, because.strip()[:200]
        reservation.save(update_fields=["state", "ended_at", "ended_because"])
        pool.held -= 1
        record([pool], kind=CapacityReport.Kind.WITHDRAW, by=by, via=via, observed_at=at, at=at)
        _tell_hold(reservation, pool, kind="hold.ended")


def _keep_late(
    pool: ServiceCapacity, told: dict[str, Any], *, observed_at: datetime, at: datetime, by: User | None, via: str, key: str
) -> ServiceCapacity:
    """Keep an observation that came after a later one: in history only, so nothing shown changes and no event is sent."""
    pool.version += 1
    pool.save(update_fields=["version"])
    CapacityReport.objects.create(
        pool=pool,
        kind=CapacityReport.Kind.LATE,
        held=pool.held,
        version=pool.version,
        observed_at=observed_at,
        received_at=at,
        by=by,
        via=via,
        key=key,
        **{name: told.get(name, getattr(pool, name)) for name in FIGURES},
    )
    return pool


def _taken_since(pool: ServiceCapacity, moment: datetime) -> int:
    """Places given through Lune, less those given back, after somebody looked: their figure does not know of them."""
    kinds = pool.reports.filter(received_at__gt=moment).values_list("kind", flat=True)
    return sum((kind == CapacityReport.Kind.FILL) - (kind == CapacityReport.Kind.REOPEN) for kind in kinds)


@transaction.atomic
def hold(*, pool_id: UUID, organization: Organization, by: User | None, at: datetime, until: datetime | None = None) -> Reservation:
    """Keep one free place until `until`, or as long as the policy of its care type says.

    Raises Conflict: `no-place` when none is free, `not-known` when nobody has told how many are, `too-many-holds` when the team keeps as
    many of these places as the policy allows.
    """
    pool = lock([pool_id])[pool_id]
    if pool.makes_sessions or (pool.starts_at is not None and pool.starts_at <= at):
        raise Conflict(f"It is too late for this session of {pool.service.name}. Choose the next one.", code="no-place")
    _require_free(pool)
    policy = policy_of(pool)
    if _kept_by(organization, pool, at) >= policy.holds_per_team:
        raise Conflict(
            f"Your organisation holds {policy.holds_per_team} of these places already, the most that one may. Let one of them go, or "
            f"choose another service than {pool.service.name}.",
            code="too-many-holds",
        )
    pool.held += 1
    record([pool], kind=CapacityReport.Kind.HOLD, by=by, via=Via.REFERRAL, observed_at=at, at=at)
    ends = until or at + policy.hold_for
    return Reservation.objects.create(pool=pool, organization=organization, created_by=by, created_at=at, expires_at=ends)


@transaction.atomic
def extend(*, reservation_id: UUID, by: User, at: datetime) -> Reservation:
    """Keep a held place longer, once, by what the policy of its care type allows. For the team that holds it.

    Raises NotFound, NotAllowed and Conflict: `hold-ended`, `extended-already`, `not-extended` when the policy allows none.
    """
    reservation, pool = _lock_reservation(reservation_id)
    if by.organization_id != reservation.organization_id:
        raise NotAllowed("Only the team that holds this place can keep it longer.")
    if reservation.state != Reservation.State.HELD or reservation.expires_at <= at:
        raise Conflict("This place is no longer held. Look for another one.", code="hold-ended")
    if reservation.extended_at is not None:
        raise Conflict("A hold can be made longer once. Decide, or let the place go.", code="extended-already")
    longer = policy_of(pool).hold_extension
    if not longer:
        raise Conflict("Holds on places of this kind cannot be made longer.", code="not-extended")
    reservation.expires_at += longer
    reservation.extended_at = at
    reservation.save(update_fields=["expires_at", "extended_at"])
    _tell_hold(reservation, pool, kind="hold.extended")
    return reservation


def policy_of(pool: ServiceCapacity) -> FreshnessPolicy:
    """How long a place of this kind is held, how much longer when asked, and how many; what is usual where nobody has said."""
    policy = FreshnessPolicy.objects.filter(care_type_id=pool.care_type_id).first()
    return policy or FreshnessPolicy(hold_for=HOLD_FOR, hold_extension=timedelta(0))


def _kept_by(organization: Organization, pool: ServiceCapacity, at: datetime) -> int:
    held = pool.reservations.filter(state=Reservation.State.HELD, organization=organization, expires_at__gt=at)
    return held.count()


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
    record([pool], kind=kind, by=by, via=Via.SYSTEM if expired else Via.REFERRAL, observed_at=at, at=at)
    _tell_hold(reservation, pool, kind="hold.ended")
    return reservation


def _tell_hold(reservation: Reservation, pool: ServiceCapacity, *, kind: str) -> None:
    """Both sides learn of it, and nobody else: also who looks at the pool, for it shows until when places are held."""
    holder, provider = reservation.organization_id, pool.service.organization_id
    publish(
        kind,
        topics=[f"org:{holder}", f"org:{provider}", f"pool:{pool.pk}"],
        audience=[holder, provider],
        data={"reservation": str(reservation.pk), "state": str(reservation.state)},
    )


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
    if pool.occupied is not None:
        pool.occupied += 1
    record([pool], kind=CapacityReport.Kind.FILL, by=by, via=Via.REFERRAL, observed_at=at, at=at)
    return pool


@transaction.atomic
def reopen(*, pool_id: UUID, by: User | None, at: datetime) -> ServiceCapacity:
    """Give back a place that had been taken: the person did not come after all."""
    pool = lock([pool_id])[pool_id]
    if pool.available is None or (pool.maximum is not None and pool.available >= pool.maximum):
        return pool
    pool.available += 1
    if pool.occupied:
        pool.occupied -= 1
    record([pool], kind=CapacityReport.Kind.REOPEN, by=by, via=Via.REFERRAL, observed_at=at, at=at)
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
