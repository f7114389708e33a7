"""Places by the session: a clinic or group says once how many each session has, and the coming ones get pools of their own from its times.

What says it ("the places a session") is a pool that is never offered itself; each session made from it counts its own places down.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from capacity import operations
from capacity.models import CapacityReport, Per, ServiceCapacity, Via
from capacity.recording import record, tell
from catalogue.entry.queries import school_holidays
from catalogue.models import User
from catalogue.schedules import Occurrence, occurrences
from core.clock import local_date

#: So far ahead sessions are made.
AHEAD = timedelta(weeks=8)
OVER = "This session is over."
CANCELLED = "This session does not take place."
#: What a session has from what it was made from, and keeps having.
_SHARED = ("name", "unit", "location_id", "care_type_id", "bed_type", "for_sex", "shown_to_public")
#: What is said of all sessions at once.
_SAID = ("status", "note")


def make_due(*, at: datetime) -> int:
    """Make the pools of the coming sessions of every service, and close those that are over. Returns how many were made."""
    due = ServiceCapacity.objects.filter(per=Per.SESSION, starts_at=None).order_by("pk").values_list("pk", flat=True)
    made = sum(make(pool_id=pk, at=at) for pk in due)
    over = Q(ends_at__lte=at) | Q(ends_at=None, starts_at__lte=at)
    for pk in ServiceCapacity.objects.filter(over, is_open=True).order_by("pk").values_list("pk", flat=True):
        operations.report(pool_id=pk, by=None, at=at, is_open=False, closed_reason=OVER, via=Via.SYSTEM)
    return made


@transaction.atomic
def make(*, pool_id: UUID, at: datetime) -> int:
    """Bring the coming sessions of one pool up to date with the times of its service. Returns how many were made.

    A session that no longer takes place is closed, and opened again when it does after all; one that somebody closed stays so. What was
    last said of all of them counts for those of which nothing was said since. Raises NotFound.
    """
    series = operations.lock([pool_id])[pool_id]
    if not series.makes_sessions:
        return 0
    times = {each.starts_at: each for each in _times(series, at)}
    coming = {session.starts_at: session for session in series.sessions.filter(starts_at__gt=at).order_by("pk")}
    for starts_at, session in coming.items():
        _follow(session, series, takes_place=starts_at in times, at=at)
    made = [_session(series, each) for each in times.values() if each.starts_at not in coming]
    ServiceCapacity.objects.bulk_create(made)
    CapacityReport.objects.bulk_create(_first(session, at) for session in made)
    for session in made:
        tell(session, kind=CapacityReport.Kind.REPORT)
    return len(made)


def follow(series: ServiceCapacity, maximum_before: int | None, *, by: User | None, at: datetime) -> None:
    """What was just said of all sessions, whose series is locked, counts for each coming one. `capacity.operations.report` calls it.

    More or fewer places in all are added to or taken from what each session has free; never below what is held.
    """
    lock_coming([series.pk], at)
    grown = None if maximum_before is None or series.maximum is None else series.maximum - maximum_before
    if grown:
        for session in series.sessions.filter(starts_at__gt=at, is_open=True).order_by("pk"):
            left = None if session.available is None else min(max(session.held, session.available + grown), series.maximum or 0)
            seen_at = max(filter(None, (series.reported_at, session.reported_at)), default=at)
            told: dict[str, Any] = {"maximum": series.maximum, "available": left, "via": series.reported_via}
            operations.report(pool_id=session.pk, by=by, at=at, observed_at=seen_at, **told)
    make(pool_id=series.pk, at=at)


@transaction.atomic
def close(*, service_id: UUID, starts_at: datetime, by: User, at: datetime) -> list[ServiceCapacity]:
    """Close all places of one session, by whatever name and wherever they are. Returns those that were open.

    Who says so has not looked at the figures: they stay as old as they are.
    """
    pools = [pool for pool in _of_session(service_id, starts_at) if pool.is_open]
    for pool in pools:
        pool.is_open, pool.closed_reason = False, CANCELLED
    _keep(pools, by=by, at=at)
    return pools


@transaction.atomic
def open_again(*, service_id: UUID, starts_at: datetime, closed_by_id: UUID | None, closed_at: datetime, by: User, at: datetime) -> None:
    """Open what `close` closed then; what somebody else closed, before or since, stays closed. The figures stay as old as they are."""
    pools = []
    for pool in _of_session(service_id, starts_at):
        closing = _closing(pool)
        if closing is not None and (closing.received_at, closing.by_id) == (closed_at, closed_by_id):
            pool.is_open, pool.closed_reason, pool.closed_until = True, "", None
            pools.append(pool)
    _keep(pools, by=by, at=at)


def _of_session(service_id: UUID, starts_at: datetime) -> list[ServiceCapacity]:
    """The places of one session, locked: a session of two groups or at two sites has several."""
    found = ServiceCapacity.objects.filter(service=service_id, starts_at=starts_at, per=Per.SESSION)
    return list(operations.lock(found.values_list("pk", flat=True)).values())


def _keep(pools: list[ServiceCapacity], *, by: User, at: datetime) -> None:
    if pools:
        kind, keys = CapacityReport.Kind.REPORT, [""] * len(pools)
        record(pools, kind=kind, by=by, via=Via.WEB, observed_at=at, at=at, keys=keys)


def _closing(pool: ServiceCapacity) -> CapacityReport | None:
    """The report that closed a pool which is closed; none where somebody has given another reason since."""
    if pool.is_open:
        return None
    told = pool.reports.exclude(kind=CapacityReport.Kind.LATE)
    opened = told.filter(is_open=True).order_by("-version").values_list("version", flat=True).first()
    closing = told.filter(version__gt=opened or 0).order_by("version").first()
    return closing if closing is not None and closing.closed_reason == pool.closed_reason else None


def lock_coming(series_ids: Collection[UUID], at: datetime) -> None:
    """Lock the coming sessions of these series, which are locked already: first what makes sessions, then the sessions, in their order."""
    operations.lock(ServiceCapacity.objects.filter(session_of__in=series_ids, starts_at__gt=at).values_list("pk", flat=True))


def _follow(session: ServiceCapacity, series: ServiceCapacity, *, takes_place: bool, at: datetime) -> None:
    """Give a coming session what was said of all of them."""
    other = [name for name in _SHARED if getattr(session, name) != getattr(series, name)]
    if other:
        for name in other:
            setattr(session, name, getattr(series, name))
        session.save(update_fields=other)
    told: dict[str, Any] = {}
    # Who reported last may have told a figure alone: what counts is who closed it.
    closing = _closing(session) if takes_place else None
    if closing is not None and closing.via == Via.SYSTEM:
        told = {"is_open": True}
    elif not takes_place and session.is_open:
        told = {"is_open": False, "closed_reason": series.closed_reason or CANCELLED}
    if told:
        operations.report(pool_id=session.pk, by=None, at=at, via=Via.SYSTEM, observed_at=session.reported_at, **told)
    newer = series.reported_at is not None and (session.reported_at is None or session.reported_at < series.reported_at)
    if newer and takes_place:
        said = {name: getattr(series, name) for name in _SAID}
        operations.report(
            pool_id=session.pk, by=series.reported_by, at=at, via=series.reported_via, observed_at=series.reported_at, **said
        )  # fmt: skip


def _times(series: ServiceCapacity, at: datetime) -> list[Occurrence]:
    """The sessions that take place within the next weeks. What has no times makes none, nor does what is closed."""
    if series.schedule is None:
        return []
    service = series.service
    holidays = school_holidays(service)
    usual = {local_date(each.starts_at) for each in occurrences([series.schedule], [], holidays, at, at + AHEAD)}
    found = occurrences([series.schedule], service.schedule_exceptions.all(), holidays, at, at + AHEAD)
    alone = service.schedules.count() == 1
    return [
        each
        for each in found
        if not each.all_day
        and each.starts_at > at
        # A day out of the usual belongs to the only times that there are, or else to those of that day.
        and (alone or local_date(each.starts_at) in usual)
        and (series.is_open or (series.closed_until is not None and local_date(each.starts_at) >= series.closed_until))
    ]


def _session(series: ServiceCapacity, when: Occurrence) -> ServiceCapacity:
    return ServiceCapacity(
        service_id=series.service_id, session_of=series, per=Per.SESSION, schedule_id=series.schedule_id,
        starts_at=when.starts_at, ends_at=when.ends_at if when.ends_at > when.starts_at else None,
        maximum=series.maximum, available=series.available,
        reported_at=series.reported_at, reported_by_id=series.reported_by_id, reported_via=series.reported_via,
        **{name: getattr(series, name) for name in (*_SHARED, *_SAID)},
    )  # fmt: skip


def _first(session: ServiceCapacity, at: datetime) -> CapacityReport:
    return CapacityReport(
        pool=session, kind=CapacityReport.Kind.REPORT, available=session.available, maximum=session.maximum, status=session.status,
        note=session.note, version=session.version, observed_at=session.reported_at or at, received_at=at, by_id=session.reported_by_id,
        via=Via.SYSTEM,
    )  # fmt: skip
