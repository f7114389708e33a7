"""Days summed from reports: exact against a walk over every report, the same when done twice, across the change of clocks."""

from collections import deque
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity import series
from capacity.history import sum_days
from capacity.models import CapacityReport, FreshnessPolicy, PoolDay, ServiceCapacity
from capacity.status import CLOCK_SKEW, Freshness, Rag, rag
from core.clock import local_date
from tests.factories import AreaFactory, LocationFactory, PoolFactory, ServiceFactory, UserFactory, near, term

pytestmark = pytest.mark.django_db

#: The Monday after the day of 25 hours; the day of 23 hours of that year is 29 March.
AUTUMN, SPRING = date(2026, 10, 26), date(2026, 3, 30)
Kind = CapacityReport.Kind


def noon(day: date) -> datetime:
    return series.midnight(day) + timedelta(hours=12)


def say(pool: ServiceCapacity, at: datetime, available: int | None, **values) -> CapacityReport:
    """One row of history."""
    given = {"kind": Kind.REPORT, "held": 0, "maximum": 10, "status": "capacity", "via": "web", "observed_at": at, **values}
    given.setdefault("version", pool.reports.count() + 1)
    return CapacityReport.objects.create(pool=pool, available=available, received_at=at, **given)


# --- the walk

EVENT = st.fixed_dictionaries(
    {
        # A quarter of an hour, so that ties and midnights are hit; now and then a clock that runs behind.
        "minutes": st.integers(0, 8 * 96).map(lambda quarters: quarters * 15),
        "kind": st.sampled_from(
            [Kind.REPORT, Kind.REPORT, Kind.REPORT, Kind.LATE, Kind.HOLD, Kind.RELEASE, Kind.FILL, Kind.REOPEN, Kind.EXPIRE]
        ),
        "available": st.one_of(st.none(), st.integers(0, 3)),
        "held": st.integers(0, 1),
        "status": st.sampled_from(["capacity", "capacity", "no-capacity", "waitlist", "additional-assessment-required"]),
        "is_open": st.sampled_from([True, True, True, False]),
        "age": st.sampled_from([0, 0, 30, 600]),
        "slip": st.sampled_from([0, 0, 0, -5]),
        "occupied": st.one_of(st.none(), st.integers(0, 5)),
    }
)


def rows_of(pool: ServiceCapacity, events: list[dict], begins: datetime) -> list[CapacityReport]:
    rows, seen = [], begins - timedelta(days=90)
    for number, event in enumerate(sorted(events, key=lambda event: event["minutes"]), start=1):
        at = begins + timedelta(minutes=event["minutes"])
        observed = at
        if event["kind"] == Kind.REPORT:
            observed = seen = max(seen, at - timedelta(minutes=event["age"]))
        available = event["available"]
        rows.append(
            CapacityReport(
                pool=pool, version=number, kind=event["kind"], received_at=at + timedelta(minutes=event["slip"]), observed_at=observed,
                available=available, held=min(event["held"], available or 0), status=event["status"], is_open=event["is_open"],
                maximum=10, occupied=event["occupied"], via="web",
            )
        )  # fmt: skip
    return rows


def walked(rows: list[CapacityReport], day: date, freshness: Freshness) -> dict | None:
    """The same line by looking at every instant at which anything changes, with the function that screens use."""
    begins, ends = series.midnight(day), series.midnight(day + timedelta(days=1))
    figures, since, told = [], begins - timedelta(days=900), None
    for row in (row for row in rows if row.kind != Kind.LATE):
        since = max(since, row.received_at)
        told = row.observed_at if row.kind == Kind.REPORT else told
        figures.append((since, told, row))
    if not figures or figures[0][0] >= ends:
        return None
    expiries = [told + freshness.expires_after for _, told, _ in figures if told]
    moments = sorted({begins, ends, *(at for at in [*(s for s, _, _ in figures), *expiries] if begins < at < ends)})
    known = free = 0.0
    offered = []

    def state(at: datetime):
        in_force = [(told, row) for since, told, row in figures if since <= at]
        if not in_force:
            return None
        told, row = in_force[-1]
        left = None if row.available is None else row.available - row.held
        shown = rag(
            status=row.status, free=left, maximum=10, is_open=row.is_open, reported_at=told, at=max(at, told - CLOCK_SKEW) if told else at,
            freshness=freshness,
        )  # fmt: skip
        accepting = row.is_open and row.status in ("capacity", "additional-assessment-required")
        return row, shown.rag is not Rag.GREY, (left or 0) if accepting else 0

    for start, stop in pairwise(moments):
        if (found := state(start)) and found[1]:
            hours = (stop.timestamp() - start.timestamp()) / 3600
            known += hours
            free += hours if found[2] else 0
            offered.append(found[2])
    row, at_end, _ = state(ends - timedelta(microseconds=1))
    happened = [each.kind for each in rows if begins <= each.received_at < ends]
    return {
        "maximum": row.maximum,
        "available": row.available if at_end else None,
        "held": row.held,
        "occupied": row.occupied if at_end else None,
        "least_free": min(offered, default=None),
        "most_free": max(offered, default=None),
        "free_hours": free,
        "known_hours": known,
        "reports": happened.count(Kind.REPORT) + happened.count(Kind.LATE),
        "filled": happened.count(Kind.FILL),
        "reopened": happened.count(Kind.REOPEN),
        "holds": happened.count(Kind.HOLD),
        "expired": happened.count(Kind.EXPIRE),
    }


@pytest.mark.parametrize("after", [AUTUMN, SPRING], ids=["25 hours", "23 hours"])
def test_lines_are_what_a_walk_over_every_report_gives(after):
    begins = series.midnight(after - timedelta(days=4))
    pools = PoolFactory.create_batch(2)
    policy = FreshnessPolicy.objects.get(care_type=pools[0].care_type)
    freshness = Freshness(policy.fresh_for, policy.expires_after)

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(EVENT, max_size=9), min_size=2, max_size=2), st.integers(0, 6))
    def holds(stories, resumed):
        with transaction.atomic():
            told = {pool.pk: rows_of(pool, story, begins) for pool, story in zip(pools, stories, strict=True)}
            CapacityReport.objects.bulk_create([row for rows in told.values() for row in rows])
            # in two goes, then some of it again
            sum_days(at=noon(after - timedelta(days=2)))
            sum_days(at=noon(after + timedelta(days=4)))
            sum_days(at=noon(after + timedelta(days=4)), since=after - timedelta(days=4) + timedelta(days=resumed))
            lines = {(line.pool_id, line.day): line for line in PoolDay.objects.all()}
            for pool, rows in told.items():
                for number in range(-1, 8):
                    day = after + timedelta(days=number - 4)
                    wanted, line = walked(rows, day, freshness), lines.pop((pool, day), None)
                    if wanted is None:
                        assert line is None
                        continue
                    assert line is not None
                    found = {name: getattr(line, name) for name in wanted}
                    for name in ("free_hours", "known_hours"):
                        assert float(found.pop(name)) == pytest.approx(wanted.pop(name), abs=0.006), name
                    assert found == wanted
            assert lines == {}
            transaction.set_rollback(True)

    holds()


def test_a_day_has_as_many_hours_as_london_gives_it():
    pool = PoolFactory(service=ServiceFactory(care_type=term("care-type", "befriending")))  # believed for four weeks
    say(pool, noon(AUTUMN - timedelta(days=4)), 2)
    sum_days(at=noon(AUTUMN + timedelta(days=1)))
    hours = dict(PoolDay.objects.values_list("day", "known_hours"))
    assert hours[AUTUMN - timedelta(days=1)] == Decimal(25)
    assert hours[AUTUMN] == Decimal(24)
    assert [series.hours_of(AUTUMN - timedelta(days=1)), series.hours_of(SPRING - timedelta(days=1))] == [25, 23]


def test_summing_ends_when_it_is_asked_to_and_goes_on_where_it_was():
    pool = PoolFactory()
    say(pool, noon(AUTUMN - timedelta(days=30)), 2)
    asked = iter([False, True])
    assert sum_days(at=noon(AUTUMN), stop=lambda: next(asked)) == 7
    assert sum_days(at=noon(AUTUMN)) == 23
    assert sum_days(at=noon(AUTUMN)) == 0


def test_the_command_sums_again_from_a_day_and_says_what_a_day_looks_like():
    say(PoolFactory(), noon(AUTUMN), 2)
    out = StringIO()
    call_command("sum_days", since="1066-10-14", stdout=out)
    assert out.getvalue().startswith("Wrote ")
    assert PoolDay.objects.order_by("day").first().day == AUTUMN
    with pytest.raises(CommandError, match="2026-03-29"):
        call_command("sum_days", since="Michaelmas", stdout=out)


# --- figures


def test_figures_of_a_period():
    pool = PoolFactory(maximum=10)
    day = AUTUMN
    say(pool, noon(day), 4)  # there before: nobody knows since when
    say(pool, noon(day) + timedelta(hours=6), 6)  # two more
    for number in range(5):
        kind = Kind.FILL
        say(pool, noon(day + timedelta(days=1)) + timedelta(hours=number), 5 - number, kind=kind)
    say(pool, noon(day + timedelta(days=2)), 0)
    sum_days(at=noon(day + timedelta(days=4)))
    found = series.of(ServiceCapacity.objects.all(), first=day, last=day + timedelta(days=3))
    assert [step.taken for step in found.steps] == [0, 5, 0, 0]
    assert [step.occupancy for step in found.steps] == [0.4, 0.9, 1.0, 1.0]
    # the four of the first report went first; of the two that came after them, one by the fifth yes and one by the lower figure
    assert found.whole.went == 2
    assert found.whole.days_to_fill == pytest.approx((22 / 24 + 42 / 24) / 2)
    assert found.whole.turnover == pytest.approx(50)
    assert found.steps[0].stale == pytest.approx(0.5)
    weekly = series.of(ServiceCapacity.objects.all(), first=day, last=day + timedelta(days=9), weekly=True)
    assert [step.first for step in weekly.steps] == [day, day + timedelta(days=7)]
    small = series.of(ServiceCapacity.objects.all(), first=day, last=day + timedelta(days=3), small=series.SMALL)
    assert (small.whole.taken, small.whole.went, small.whole.days_to_fill) == (5, None, None)
    assert series.told(-2, small=5) is None


@pytest.mark.parametrize("hidden", ["service", "organization", "location"])
def test_a_confidential_place_stands_in_no_district(hidden):
    area = AreaFactory()
    refuge = PoolFactory(location=LocationFactory(point=near(500), is_confidential=hidden == "location"))
    refuge.service.is_confidential = hidden == "service"
    refuge.service.save()
    refuge.service.organization.is_confidential = hidden == "organization"
    refuge.service.organization.save()
    home = PoolFactory()
    manager = UserFactory(manager=True)
    assert set(series.pools_in(manager, area=area.code)) == {home}
    assert series.districts_of(series.pools_in(manager)) == {home.pk: area.name}
    assert refuge in series.pools_in(manager)
    assert series.pools_in(None).filter(pk=refuge.pk).exists() == (hidden == "location")
    assert uuid4() not in series.districts_of(series.pools_in(manager))
    assert local_date(noon(AUTUMN)) == AUTUMN


# --- how soon a place goes


def went(ids: list[UUID], first: date, last: date) -> list[tuple[date, float]]:
    """For each place that went its day and for how many days it had been free, by looking at one report after the other."""
    found = []
    begins, ends = series.midnight(first), series.midnight(last + timedelta(days=1))
    rows = CapacityReport.objects.filter(
        pool__in=ids, received_at__gte=begins - series.LOOK_BACK, received_at__lt=ends, available__isnull=False
    )
    rows = rows.exclude(kind=CapacityReport.Kind.LATE).order_by("pool_id", "version")
    moves = rows.values_list("pool_id", "received_at", "available").iterator(chunk_size=5_000)
    of_pool: UUID | None = None
    before = 0
    free: deque[tuple[datetime | None, int]] = deque()
    for pool, at, told_free in moves:
        available = told_free or 0
        if pool != of_pool:
            of_pool, before = pool, available
            free = deque([(None, available)] if available else [])
            continue
        if available > before:
            free.append((at, available - before))
        left = before - available
        while left > 0:
            since, count = free.popleft()
            gone = min(left, count)
            left -= gone
            if count > gone:
                free.appendleft((since, count - gone))
            if since is not None and at >= begins:
                day, days = local_date(at), (at - since).total_seconds() / 86_400
                found += [(day, days)] * min(gone, 100)
        before = available
    return found


MOVE = st.tuples(
    st.integers(1_000, 3_800), st.one_of(st.none(), st.integers(0, 4), st.integers(0, 300)),
    st.sampled_from([Kind.REPORT, Kind.REPORT, Kind.FILL, Kind.LATE]),
)  # fmt: skip


def test_how_soon_places_go_is_exactly_what_a_walk_over_every_report_finds():
    """Of two pools at once, over the change of clocks, with times that slip back between versions, and with what came before the period."""
    pools = PoolFactory.create_batch(2)
    ids, first, last = [pool.pk for pool in pools], AUTUMN - timedelta(days=20), AUTUMN + timedelta(days=30)
    begins = series.midnight(first) - timedelta(days=100)
    seen = 0

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(MOVE, min_size=4, max_size=25), st.lists(MOVE, max_size=12))
    def holds(some, more):
        nonlocal seen
        with transaction.atomic():
            CapacityReport.objects.bulk_create(
                CapacityReport(
                    pool=pool, kind=kind, available=available, status="capacity", via="web", version=version, observed_at=begins,
                    received_at=begins + timedelta(hours=hours, seconds=version),
                )
                for pool, moves in zip(pools, (some, more), strict=True)
                for version, (hours, available, kind) in enumerate(sorted(moves, key=lambda move: move[0] // 48), start=1)
            )  # fmt: skip
            found = sorted(series.times_to_fill(ids, first=first, last=last))
            assert found == sorted(went(ids, first, last))
            seen += len(found)
            transaction.set_rollback(True)

    holds()
    assert seen > 10
