"""What screens are told of a pool: one query, no person's name, and the truth about its age."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from capacity import operations, queries
from capacity.models import FreshnessPolicy, ServiceCapacity
from tests.factories import PoolFactory, ServiceFactory, UserFactory, term

pytestmark = pytest.mark.django_db


def test_a_state_names_the_organisation_and_the_route_but_never_the_person():
    pool = PoolFactory()
    teller = UserFactory(provider=True, organization=pool.service.organization, last_name="Featherstonehaugh")
    at = timezone.now()
    operations.report(pool_id=pool.pk, available=2, by=teller, at=at)
    state = queries.pool_states([pool.pk], at + timedelta(hours=3))[pool.pk]
    assert state.told == f"told 3 hours ago by {pool.service.organization.name}, on Lune"
    assert "Featherstonehaugh" not in json.dumps(state.as_json()) + repr(state)


def test_a_state_carries_what_it_will_decay_to():
    pool = PoolFactory(available=3)
    policy = FreshnessPolicy.objects.get(care_type=pool.care_type)
    state = queries.pool_states([pool.pk], timezone.now())[pool.pk]
    assert (state.rag, state.word, state.free) == ("green", "3 free", 3)
    assert [row[1] for row in state.as_json()["timeline"]] == ["green", "amber", "grey"]
    assert state.timeline[1][0] == pool.reported_at + policy.fresh_for
    assert state.timeline[2][0] == pool.reported_at + policy.expires_after


@pytest.mark.req("R024")
def test_each_bed_type_of_a_home_has_a_state_of_its_own():
    home = ServiceFactory()
    general = PoolFactory(service=home, name="General beds", available=2)
    nursing = PoolFactory(
        service=home, location=general.location, name="Dementia nursing beds", available=1,
        care_type=term("care-type", "home-dementia-nursing"),
    )  # fmt: skip
    at = timezone.now()
    operations.fill(pool_id=nursing.pk, reservation_id=None, by=None, at=at)
    states = queries.with_state(ServiceCapacity.objects.filter(service=home).order_by("name"), at)
    assert [(s.name, s.care_type, s.word) for s in states] == [
        ("Dementia nursing beds", "home-dementia-nursing", "Full"),
        ("General beds", "home-general-residential", "2 free"),
    ]


def test_a_care_type_without_a_policy_uses_the_default():
    pool = PoolFactory()
    FreshnessPolicy.objects.all().delete()
    state = queries.pool_states([pool.pk], pool.reported_at + timedelta(hours=25))[pool.pk]
    assert (state.rag, state.word) == ("amber", "3 free, check first")


def test_nobody_told_yet_says_so():
    pool = PoolFactory(unknown=True)
    state = queries.pool_states([pool.pk], timezone.now())[pool.pk]
    assert (state.told, state.rag, state.free) == ("never told", "grey", None)
    assert state.as_json()["reported_at"] is None


def test_many_states_take_one_query(django_assert_num_queries):
    pools = PoolFactory.create_batch(5)
    with django_assert_num_queries(1):
        states = queries.with_state(ServiceCapacity.objects.order_by("service__name"), timezone.now())
    assert {state.id for state in states} == {pool.pk for pool in pools}
    assert [state.service_name for state in states] == sorted(pool.service.name for pool in pools)


def test_history_is_in_the_order_of_what_was_seen():
    pool = PoolFactory(available=3)
    at = timezone.now()
    operations.report(pool_id=pool.pk, available=5, by=None, at=at)
    operations.report(pool_id=pool.pk, available=4, by=None, at=at, observed_at=at - timedelta(hours=2))
    points = queries.history(pool.pk, at - timedelta(days=1))
    assert [(point.available, point.free) for point in points] == [(4, 4), (5, 5)]
    assert queries.history(pool.pk, at + timedelta(seconds=1)) == []


@pytest.mark.req("R028")
def test_colours_are_counted_by_group_and_free_places_added_up(django_assert_num_queries):
    PoolFactory(available=3)
    PoolFactory(full=True)
    PoolFactory(unknown=True)
    PoolFactory(service=ServiceFactory(care_type=term("care-type", "befriending")), status="waitlist", available=2)
    PoolFactory(service=ServiceFactory(is_confidential=True))
    with django_assert_num_queries(1):
        counts = {c.group: c for c in queries.rag_counts(AnonymousUser(), timezone.now())}
    homes, community = counts["Care homes"], counts["Community and voluntary"]
    assert (homes.green, homes.amber, homes.red, homes.grey, homes.free, homes.total) == (1, 0, 1, 1, 3, 3)
    assert (community.amber, community.free) == (1, 0)
