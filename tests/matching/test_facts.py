"""The packed facts are always what a full computation would give, whatever changes and however."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from capacity import operations as capacity
from capacity.models import FreshnessPolicy, ServiceCapacity
from catalogue.models import (
    Eligibility,
    EligibilityCriterion,
    Location,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    Service,
    ServiceArea,
    TaxonomyTerm,
)
from catalogue.schedules import occurrences
from core import clock
from core.clock import LONDON
from matching import operations, tasks
from matching.engine import times as week
from matching.models import PoolFact
from tests.factories import AreaFactory, CriterionFactory, EligibilityFactory, LocationFactory, OrganizationFactory, PoolFactory, near, term

pytestmark = pytest.mark.django_db

FIELDS = ", ".join(field.column for field in PoolFact._meta.concrete_fields)


def stale() -> list[tuple]:
    """Rows that stand in the table and should not, or should and do not."""
    whole = (
        "(SELECT s.*, c.leaning, c.said_yes, c.answers FROM matching_poolfact_source s LEFT JOIN matching_poolchance c USING (pool_id)) f"
    )
    table, view = (f"SELECT {FIELDS} FROM {name}" for name in ("matching_poolfact", whole))
    with connection.cursor() as cursor:
        cursor.execute(f"({table} EXCEPT {view}) UNION ALL ({view} EXCEPT {table})")
        return cursor.fetchall()


def fact(pool: ServiceCapacity) -> PoolFact:
    assert stale() == []
    return PoolFact.objects.get(pk=pool.pk)


def places(pool, **changes):
    ServiceCapacity.objects.filter(pk=pool.pk).update(**changes)


def service(pool, **changes):
    Service.objects.filter(pk=pool.service_id).update(**changes)


def location(pool, **changes):
    Location.objects.filter(pk=pool.location_id).update(**changes)


def hours(pool, **fields):
    Schedule.objects.create(service=pool.service, **fields)


def rename(criterion):
    TaxonomyTerm.objects.filter(pk=criterion.term_id).update(code="nice|NG999")


CHANGES = {
    "free": (lambda p: places(p, available=7, held=2), {"free": 5}),
    "unknown": (lambda p: places(p, available=None), {"free": None}),
    "maximum": (lambda p: places(p, maximum=None), {"maximum": None}),
    "status": (lambda p: places(p, status="waitlist"), {"status": 2}),
    "closed": (lambda p: places(p, is_open=False), {"is_open": False}),
    "a longer list": (lambda p: places(p, expected_wait_days=21), {"wait_days": 21}),
    "women's beds": (lambda p: places(p, for_sex="female"), {"sex": 1}),
    "women's beds of a service for men": (
        lambda p: (EligibilityFactory(service=p.service, sex="male"), places(p, for_sex="female")),
        {"sex": 4},
    ),
    "another kind": (lambda p: places(p, care_type=term("care-type", "befriending")), {"care_type": 33}),
    "no place": (lambda p: places(p, location=None), {"point": None, "online": False}),
    "inactive": (lambda p: service(p, status="inactive"), {"is_open": False}),
    "catchment": (lambda p: service(p, catchment_m=900), {"catchment_m": 900}),
    "price": (lambda p: service(p, price_week="950.50"), {"price_pence": 95_050}),
    "rating": (lambda p: service(p, cqc_rating=4), {"cqc_rating": 4}),
    "checked": (lambda p: service(p, assured_date=date(2026, 5, 1)), {"assured_on": date(2026, 5, 1)}),
    "moved": (lambda p: location(p, point=near(100.4, 0)), {"point": near(100, 0)}),
    "online": (lambda p: location(p, location_type="virtual"), {"point": None, "online": True}),
    "ages": (lambda p: EligibilityFactory(service=p.service, minimum_age=65, maximum_age=90), {"min_age": 65, "max_age": 90}),
    "sex": (lambda p: EligibilityFactory(service=p.service, sex="female"), {"sex": 1}),
    "accepts": (lambda p: CriterionFactory(service=p.service), {"accepts": 1}),
    "requires": (lambda p: CriterionFactory(service=p.service, rule="required"), {"accepts": 1, "requires": 1}),
    "prefers": (lambda p: CriterionFactory(service=p.service, rule="preferred"), {"accepts": 1, "prefers": 1}),
    "excludes": (lambda p: CriterionFactory(service=p.service, rule="excluded"), {"accepts": 0, "excludes": 1}),
    "funding": (lambda p: CriterionFactory(service=p.service, term=term("funding", "nhs")), {"funding": 4, "accepts": 0}),
    "language": (lambda p: CriterionFactory(service=p.service, term=term("language", "ur")), {"languages": 2}),
    "source": (lambda p: CriterionFactory(service=p.service, term=term("referral-source", "self")), {"sources": 128}),
    "who must pay": (lambda p: CriterionFactory(service=p.service, term=term("funding", "nhs"), rule="required"), {"funding": 4}),
    "taken first by who pays": (
        lambda p: CriterionFactory(service=p.service, term=term("funding", "nhs"), rule="preferred"),
        {"funding": 4, "funding_first": 4, "funding_out": None, "coded": True},
    ),
    "who does not pay": (
        lambda p: CriterionFactory(service=p.service, term=term("funding", "nhs"), rule="excluded"),
        {"funding": 0, "funding_out": 4, "coded": True},
    ),
    "no such language": (lambda p: CriterionFactory(service=p.service, term=term("language", "ur"), rule="excluded"), {"languages_out": 2}),
    "not from them": (
        lambda p: CriterionFactory(service=p.service, term=term("referral-source", "self"), rule="excluded"),
        {"sources_out": 128},
    ),
    "diagnosis": (
        lambda p: CriterionFactory(service=p.service, term=term("condition", "nice|NG28"), rule="preferred"),
        {"conditions_ok": ["nice|NG28"], "conditions_first": ["nice|NG28"], "conditions_in": None, "coded": True},
    ),
    "diagnosis ruled out": (
        lambda p: CriterionFactory(service=p.service, term=term("condition", "nice|NG28"), rule="excluded"),
        {"conditions_out": ["nice|NG28"], "conditions_ok": None},
    ),
    "a term's code": (
        lambda p: rename(CriterionFactory(service=p.service, term=term("condition", "nice|NG28"))),
        {"conditions_ok": ["nice|NG999"]},
    ),
    "registered": (
        lambda p: RegistrationCriterion.objects.create(service=p.service, kind="pcn", code="U11111", name="Lune Valley"),
        {"registered_in": ["pcn|U11111"], "coded": True},
    ),
    "mark": (
        lambda p: QualityMark.objects.create(service=p.service, scheme="qismet", name="Level 1", expires_on=date(2027, 1, 1)),
        {"marks_until": [None, date(2027, 1, 1), None], "coded": False},
    ),
    "mark of the organisation": (
        lambda p: QualityMark.objects.create(organization=p.service.organization, scheme="ncvo", name="Level 1"),
        {"marks_until": [date(9999, 12, 31), None, None]},
    ),
    "a poor review": (
        lambda p: QualityMark.objects.create(service=p.service, scheme="app-review", name="Review", score=64, out_of=100),
        {"marks_until": None},
    ),
    "hours": (lambda p: hours(p, byday="SA,SU", opens_at=time(14), closes_at=time(16)), {"times": week.mask(["SA", "SU", "afternoon"])}),
    "hours that have ended": (lambda p: hours(p, byday="SA", valid_to=clock.local_date(clock.now()) - timedelta(days=1)), {"times": None}),
    "a session at its own time": (
        lambda p: (hours(p, byday="MO"), places(p, per="session", starts_at=datetime(2026, 7, 1, 17, 30, tzinfo=UTC))),
        {"times": week.mask(["WE", "evening"])},
    ),
    "outline": (lambda p: ServiceArea.objects.create(service=p.service, extent=AreaFactory().outline), {"has_extent": True}),
    "freshness": (
        lambda p: FreshnessPolicy.objects.filter(pk=p.care_type_id).update(fresh_for=timedelta(hours=1), expires_after=timedelta(hours=2)),
        {"fresh_s": 3_600, "expire_s": 7_200},
    ),
    "no policy": (lambda p: FreshnessPolicy.objects.filter(pk=p.care_type_id).delete(), {"fresh_s": 86_400, "expire_s": 259_200}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reaches_the_facts_in_its_transaction(name):
    pool, other = PoolFactory(), PoolFactory()
    before = PoolFact.objects.filter(pk=other.pk).values().get()
    change, expected = CHANGES[name]
    change(pool)
    now = fact(pool)
    assert {key: getattr(now, key) for key in expected} == expected
    if name not in ("freshness", "no policy"):
        assert PoolFact.objects.filter(pk=other.pk).values().get() == before


def test_areas_come_and_go():
    pool, area = PoolFactory(), AreaFactory()
    row = ServiceArea.objects.create(service=pool.service, area=area)
    assert fact(pool).area_ids == [area.pk]
    row.delete()
    assert fact(pool).area_ids is None


def test_marks_that_move_or_go_leave_their_service():
    pool, other = PoolFactory(), PoolFactory()
    mark = QualityMark.objects.create(service=pool.service, scheme="ncvo", name="Level 1")
    QualityMark.objects.filter(pk=mark.pk).update(service=None, organization=other.service.organization)
    assert (fact(pool).marks_until, fact(other).marks_until) == (None, [date(9999, 12, 31), None, None])
    mark.delete()
    assert fact(other).marks_until is None


def test_what_a_service_no_longer_says_is_forgotten():
    pool = PoolFactory()
    EligibilityFactory(service=pool.service, minimum_age=65)
    criterion = CriterionFactory(service=pool.service)
    EligibilityCriterion.objects.filter(pk=criterion.pk).update(rule="excluded")
    assert (fact(pool).accepts, fact(pool).excludes) == (0, 1)
    criterion.delete()
    Eligibility.objects.all().delete()
    assert (fact(pool).excludes, fact(pool).min_age) == (0, None)


def test_a_criterion_that_moves_to_another_service_leaves_the_first():
    first, second = PoolFactory(), PoolFactory()
    criterion = CriterionFactory(service=first.service)
    EligibilityCriterion.objects.filter(pk=criterion.pk).update(service=second.service)
    assert (fact(first).accepts, fact(second).accepts) == (0, 1)


def test_a_pool_that_moves_to_another_service_takes_on_its_facts():
    first, second = PoolFactory(), PoolFactory(name="Others")
    CriterionFactory(service=second.service)
    places(first, service=second.service)
    assert fact(first).accepts == 1


def test_a_deleted_pool_leaves_no_fact():
    pool = PoolFactory()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM capacity_servicecapacity WHERE id = %s", [pool.pk])
    assert not PoolFact.objects.exists()


def test_the_steps_of_a_place_reach_the_facts():
    pool, now = PoolFactory(available=2), timezone.now()
    held = capacity.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=now)
    assert fact(pool).free == 1
    capacity.release(reservation_id=held.pk, by=None, at=now)
    assert fact(pool).free == 2
    capacity.report(pool_id=pool.pk, available=0, status="no-capacity", by=None, at=now)
    assert (fact(pool).free, fact(pool).status, fact(pool).reported_at) == (0, 1, now)


def test_a_merged_service_is_offered_no_more_and_comes_back_when_that_is_undone():
    pool, kept = PoolFactory(), PoolFactory()
    service(pool, merged_into=kept.service)
    assert stale() == []
    assert list(PoolFact.objects.values_list("pk", flat=True)) == [kept.pk]
    CriterionFactory(service=pool.service)
    places(pool, available=1)
    assert not PoolFact.objects.filter(pk=pool.pk).exists()
    service(pool, merged_into=None)
    assert fact(pool).free == 1


def test_a_bulk_load_may_put_the_work_off():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lune.defer_facts = 'on'")
        pool = PoolFactory()
        CriterionFactory(service=pool.service)
        assert not PoolFact.objects.exists()
        operations.refresh_facts()
        cursor.execute("SET LOCAL lune.defer_facts = 'off'")
    assert fact(pool).accepts == 1


def test_a_refresh_of_everything_takes_away_what_is_gone_and_changes_nothing_else():
    pool = PoolFactory()
    PoolFactory(location=LocationFactory())
    PoolFact.objects.filter(pk=pool.pk).update(free=99, accepts=7)
    operations.refresh_facts([pool.service_id])
    assert stale() == []
    before = list(PoolFact.objects.order_by("pk").values())
    operations.refresh_facts()
    assert list(PoolFact.objects.order_by("pk").values()) == before


def test_a_count_touches_no_index():
    """Only then can PostgreSQL write the new row beside the old one (HOT)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'matching_poolfact'")
        indexed = " ".join(row[0].split("USING")[1] for row in cursor.fetchall())
    assert "care_type, point" in indexed
    assert not any(column in indexed for column in ("free", "maximum", "status", "reported_at"))


@pytest.mark.parametrize("byday", ["MO,WE,SU", "2TU,-1FR", ""])
@pytest.mark.parametrize("freq", ["WEEKLY", "MONTHLY"])
def test_the_parts_of_the_week_are_those_of_the_diary(freq, byday):
    """Whatever the hours: what the diary says of two months, cut at noon and at five."""
    begins, until = datetime(2026, 6, 1, tzinfo=LONDON), datetime(2026, 8, 1, tzinfo=LONDON)
    bounds = [None, time(0), time(9), time(11, 59), time(12), time(17), time(17, 1), time(22)]
    for opens, closes in itertools.product(bounds, repeat=2):
        number = "1" if freq == "MONTHLY" and not byday else ""
        given = {"freq": freq, "byday": byday, "dtstart": date(2026, 6, 6), "opens_at": opens, "closes_at": closes}
        expected = 0
        for each in occurrences([Schedule(service_id=uuid4(), bymonthday=number, **given)], [], [], begins, until):
            midnight = datetime.combine(each.starts_at.date(), time(0))
            start, end = ((moment.replace(tzinfo=None) - midnight) / timedelta(hours=1) for moment in (each.starts_at, each.ends_at))
            for part, (low, high) in enumerate(((0, 12), (12, 17), (17, 24))):
                if (start < high and end > low) or (start == end and low <= start < high):
                    expected |= 1 << each.starts_at.weekday() * 3 + part
        with connection.cursor() as cursor:
            cursor.execute("SELECT matching_times(%(freq)s, %(byday)s, %(dtstart)s, %(opens_at)s, %(closes_at)s)", given)
            # Of a day of the month nobody knows which day of the week it is.
            assert cursor.fetchone()[0] == (0 if number else expected), (opens, closes)


def test_times_that_have_ended_are_forgotten_in_the_night():
    """On that day no row is written, so that no trigger says so."""
    pool = PoolFactory()
    hours(pool, byday="MO")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lune.defer_facts = 'on'")
        Schedule.objects.update(valid_to=clock.local_date(clock.now()) - timedelta(days=1))
        cursor.execute("SET LOCAL lune.defer_facts = 'off'")
    assert PoolFact.objects.get(pk=pool.pk).times
    assert tasks.forget_ended_times(timestamp=0) == 1
    assert fact(pool).times is None
