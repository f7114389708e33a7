"""How many people wait near a service: counted, never named, and only those whom it could help."""

from datetime import timedelta

import pytest
from django.utils import timezone

from capacity import demand
from catalogue.queries import areas_at, areas_at_each
from flow.workflow import Status
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return factories.PoolFactory()


def somebody(**need):
    """Somebody who is ready to move on, with what was looked for."""
    return factories.EpisodeFactory(profile=factories.NeedProfileFactory(**need))


def count(pool) -> int:
    return demand.waiting_near([pool.service_id], timezone.now()).get(pool.service_id, 0)


def test_who_waits_near_for_such_a_place_is_counted_once(pool):
    factories.PoolFactory(service=pool.service, location=pool.location, name="More beds")
    for _ in range(2):
        somebody()
    assert count(pool) == 2


@pytest.mark.parametrize(
    "need", [{"care_types": ["befriending"]}, {"point": factories.near(5_000), "max_distance_m": 4_000}], ids=["another kind", "too far"]
)
def test_whom_it_cannot_help_is_not_counted(pool, need):
    somebody(**need)
    assert count(pool) == 0


def test_age_and_sex_that_it_does_not_take_are_not_counted(pool):
    factories.EligibilityFactory(service=pool.service, minimum_age=65)
    somebody(age=64)
    somebody(age=66)
    assert count(pool) == 1


def test_whom_it_could_not_take_by_needs_or_funding_is_not_counted(pool):
    factories.CriterionFactory(service=pool.service, term=factories.term("need", "dementia"), rule="excluded")
    factories.CriterionFactory(service=pool.service, term=factories.term("funding", "self"))
    somebody(needs=["dementia"], funding=["self"])
    somebody(funding=["council"])
    assert count(pool) == 0
    somebody(funding=["self"])
    somebody()
    assert count(pool) == 2


def test_the_areas_of_many_are_those_of_each():
    for _ in range(2):
        factories.AreaFactory()
    points = [factories.near(), factories.near(60_000), factories.near(9_000, 900)]
    assert areas_at_each(points) == [areas_at(point) for point in points]
    assert [len(found) for found in areas_at_each(points)] == [2, 0, 2]


def test_a_full_place_counts_those_who_wait_for_it_in_so_many_queries(pool, django_assert_num_queries):
    type(pool).objects.filter(pk=pool.pk).update(available=0)
    somebody()
    with django_assert_num_queries(5):
        assert count(pool) == 1
    somebody(age=70)
    with django_assert_num_queries(5):
        assert count(pool) == 2


def test_who_has_gone_has_found_a_place_or_is_not_ready_waits_no_more(pool):
    gone, soon, found, asked = (somebody() for _ in range(4))
    gone.ended_at, soon.ready_at = timezone.now(), timezone.now() + timedelta(days=1)
    gone.save()
    soon.save()
    for episode, status in ((found, Status.ACCEPTED), (asked, Status.REQUESTED)):
        factories.ReferralTaskFactory(referral__episode=episode, referral__patient=episode.patient, status=status)
    assert count(pool) == 1


def test_closed_places_have_nobody_waiting(pool):
    somebody()
    type(pool).objects.filter(pk=pool.pk).update(is_open=False)
    assert count(pool) == 0


@pytest.mark.parametrize(
    ("number", "words"), [(None, ""), (0, ""), (1, "Some people"), (2, "Some people"), (3, "3 people"), (1_200, "1,200 people")]
)
def test_few_are_never_counted_out(number, words):
    assert demand.words(number) == (f"{words} near you are waiting for what you offer." if words else "")
