"""The ledger of unmet need: one row for a need and a day, met when the need is met, told in numbers that name nobody."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from core import clock
from matching import ledger, operations, unmet
from matching.models import NeedProfile, Tariff, UnmetNeed
from tests.factories import CriterionFactory, NeedProfileFactory, OrganizationFactory, OutcodeFactory, PoolFactory, UserFactory, term

pytestmark = pytest.mark.django_db


def again(profile: NeedProfile, **changes) -> NeedProfile:
    """The same need, typed once more."""
    profile.pk = None
    profile._state.adding = True
    for name, value in changes.items():
        setattr(profile, name, value)
    profile.save()
    return profile


def rows(count: int, **fields) -> None:
    """That many different needs in the ledger."""
    now = timezone.now()
    organization = fields.pop("organization", None) or OrganizationFactory(hospital=True)
    common = {"at": now, "on": clock.local_date(now), "organization": organization}
    common |= {"care_types": ["home-care"], "outcode": "PR1", "reason": "place"}
    already = UnmetNeed.objects.count()
    UnmetNeed.objects.bulk_create(UnmetNeed(**(common | fields), digest=f"{already + number}") for number in range(count))


def told(user, **chosen):
    today = clock.local_date(timezone.now())
    return unmet.ledger(user, **({"first": today - timedelta(days=27), "last": today} | chosen))


def test_a_need_is_in_the_ledger_once_a_day_and_closed_when_it_is_met():
    profile, at = NeedProfileFactory(needs=["dementia"]), timezone.now()
    operations.match(profile, by=None, at=at)
    operations.match(again(profile), by=None, at=at)
    assert UnmetNeed.objects.count() == 1, "the same need on the same day"
    operations.match(again(profile), by=None, at=at + timedelta(days=1))
    assert UnmetNeed.objects.count() == 2
    operations.match(again(profile, age=profile.age + 1), by=None, at=at)
    assert UnmetNeed.objects.count() == 3, "another person"
    row = UnmetNeed.objects.earliest("at")
    assert (row.in_hospital, row.reason, row.resolved_at) == (True, "no-service", None)
    PoolFactory()
    later = at + timedelta(days=1, hours=1)
    operations.match(again(profile, age=profile.age - 1), by=None, at=later)
    assert sorted(UnmetNeed.objects.values_list("resolved_at", flat=True), key=str) == [later, later, None]


def test_two_organisations_or_another_longest_journey_are_two_needs():
    """One organisation's need is not counted as another's, and a search that asks for less does not close the one that asked for more."""
    profile = NeedProfileFactory(max_minutes=20)
    digests = {ledger.digest(profile), ledger.digest(again(profile, max_minutes=None))}
    digests.add(ledger.digest(again(profile, organization=OrganizationFactory(hospital=True))))
    assert len(digests) == 3


def test_a_row_names_nobody_and_nothing_of_it_can_be_guessed_from_the_need(settings):
    profile = NeedProfileFactory()
    operations.match(profile, by=None, at=timezone.now())
    row = UnmetNeed.objects.get()
    assert not {field.name for field in UnmetNeed._meta.get_fields()} & {"profile", "patient", "created_by", "age", "sex", "point"}
    assert ledger.digest(profile) == row.digest
    settings.SECRET_KEY = "another"
    assert ledger.digest(profile) != row.digest


def test_a_process_of_the_version_before_goes_on_writing_until_it_is_restarted():
    """It does not know the columns that came since. What it enters counts as a need of its own each time."""
    entry = "INSERT INTO matching_unmetneed (id, at, care_types, outcode, needs, reason, organization_id)"
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(
                f"{entry} VALUES (gen_random_uuid(), now(), '{{home-care}}', 'PR1', '{{}}', 'place', %s)", [OrganizationFactory().pk]
            )
        cursor.execute("SELECT table_name || '.' || column_name FROM information_schema.columns WHERE column_default IS NOT NULL")
        given = {name for (name,) in cursor.fetchall()}
    assert UnmetNeed.objects.values("digest").distinct().count() == 2
    assert {row.on for row in UnmetNeed.objects.all()} == {clock.local_date(timezone.now())}
    assert given >= {"matching_matchrun.part", "matching_matchrun.because", "flow_planline.together", "flow_acceptancemodel.outcomes"}
    assert given >= {"flow_followup.tool", "flow_pathwayversion.outcome_days", "capacity_updatelink.told"}


def test_a_package_enters_each_kind_by_itself_and_a_suggestion_none():
    PoolFactory()
    profile = NeedProfileFactory(care_types=["home-general-residential", "equipment"], all_wanted=True, needs=["isolated"])
    run = operations.match(profile, by=None, at=timezone.now())
    assert [row.care_types for row in UnmetNeed.objects.all()] == [["equipment"]]
    assert [part.name for part in operations.parts_of(run)] == [
        "Care home: general residential",
        "Aids, equipment and adaptations",
        "Befriending",
        "Somebody who goes along the first time",
    ]


@pytest.mark.req("R013")
def test_only_services_that_carry_a_diagnosis_are_listed_when_that_is_asked():
    carries, silent = PoolFactory(), PoolFactory()
    CriterionFactory(service=carries.service, term=term("condition", "snomed|52448006"))
    alzheimers = {"conditions": ["snomed|26929004"]}
    both = operations.match(NeedProfileFactory(**alzheimers), by=None, at=timezone.now())
    assert {line.pool_id for line in operations.lines(both)} == {carries.pk, silent.pk}
    run = operations.match(NeedProfileFactory(**alzheimers, carried_only=True), by=None, at=timezone.now())
    assert [line.pool_id for line in operations.lines(run)] == [carries.pk]
    assert [line.pool_id for line in operations.replay(run)] == [carries.pk]
    assert "has not said that it takes people" in operations.why_not(run, silent.pk).failed[0].sentence
    none = operations.match(NeedProfileFactory(conditions=["snomed|230690007"], carried_only=True), by=None, at=timezone.now())
    assert operations.nearest_misses(none).openings[0].words == "2 would fit if having said that they take these diagnoses did not matter."
    assert UnmetNeed.objects.get().reason == "carried-only"


def test_figures_by_kind_area_and_reason_with_estimates_and_without_small_numbers():
    OutcodeFactory()
    Tariff.objects.create(code="home-care", pounds=Decimal("412.50"))
    Tariff.objects.create(code=Tariff.BED_DAY, pounds=Decimal("395.00"))
    rows(6, in_hospital=True)
    rows(4, reason="age")
    rows(5, care_types=["equipment"], resolved_at=timezone.now())
    found = told(UserFactory(manager=True))
    assert [(row.care_types, row.reason, row.needs, row.still_open) for row in found.rows] == [
        (("home-care",), "place", 6, 6),
        (("equipment",), "place", 5, 0),
    ]
    assert (found.few, found.untold) == (1, ("equipment",))
    assert (found.rows[0].a_week, found.rows[0].in_beds) == (Decimal("2475.00"), Decimal("2370.00"))
    assert found.rows[1].a_week is None
    assert [(area.outcode, area.at_least) for area in found.areas] == [("PR1", 10)], "15 needs, told as 10 to 19"
    assert told(UserFactory(manager=True), reason="age").rows == ()
    assert [row.needs for row in told(UserFactory(manager=True), care_type="equipment").rows] == [5]


def test_what_is_not_told_cannot_be_had_from_the_rest_or_from_a_map_of_one_kind_and_reason():
    OutcodeFactory()
    Tariff.objects.create(code=Tariff.BED_DAY, pounds=Decimal("395.00"))
    rows(5, in_hospital=True)
    rows(1, resolved_at=timezone.now())
    rows(3, care_types=["equipment"], reason="age", outcode="PR2")
    board = UserFactory(manager=True)
    [row] = told(board).rows
    assert (row.needs, row.days) == (6, 6)
    assert (row.still_open, row.bed_days, row.in_beds) == (None, None, None), "5 of 6: the one would be told"
    assert [(area.outcode, area.at_least) for area in told(board).areas] == [("PR1", 5), ("PR2", 0)]
    assert told(board, care_type="equipment", reason="age").areas == told(board, reason="age").areas == ()
    assert (told(board, reason="age").few, told(board, reason="age", outcode="PR2").few) == (1, 0)
    assert [area.outcode for area in told(board, reason="place").areas] == ["PR1"]


def test_a_board_sees_the_region_a_trust_its_own_and_nobody_else_anything():
    own = UserFactory()
    rows(5, organization=own.organization)
    rows(7)
    assert sum(row.needs for row in told(UserFactory(manager=True)).rows) == 12
    assert sum(row.needs for row in told(UserFactory(role="manager", organization=own.organization)).rows) == 5
    assert told(own).rows == ()
    assert told(UserFactory(curator=True)).rows == ()
