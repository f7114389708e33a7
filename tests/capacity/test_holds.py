"""A place kept while a family decides: how long, once longer, and taken back only with a reason that the team reads."""

from datetime import timedelta

import pytest
from django.utils import timezone

from capacity import operations
from capacity.models import FreshnessPolicy, Reservation
from core.errors import Conflict, Invalid, NotAllowed
from core.models import Event
from tests.factories import OrganizationFactory, PoolFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def pool_of(**figures):
    """Told before `NOW`, whenever the test runs."""
    return PoolFactory(reported_at=NOW - timedelta(hours=1), **figures)


@pytest.fixture
def team():
    return UserFactory()


def held_by(team, pool, at=NOW) -> Reservation:
    return operations.hold(pool_id=pool.pk, organization=team.organization, by=team, at=at)


def policy(pool, **values) -> None:
    FreshnessPolicy.objects.filter(pk=pool.care_type_id).update(**values)


def test_a_hold_lasts_as_long_as_the_policy_of_its_care_type_says_and_once_longer(team):
    pool = pool_of(available=1)
    policy(pool, hold_for=timedelta(hours=6), hold_extension=timedelta(hours=3))
    hold = held_by(team, pool)
    assert hold.expires_at == NOW + timedelta(hours=6)
    longer = operations.extend(reservation_id=hold.pk, by=team, at=NOW + timedelta(hours=1))
    assert longer.expires_at == NOW + timedelta(hours=9)
    with pytest.raises(Conflict, match="once"):
        operations.extend(reservation_id=hold.pk, by=team, at=NOW + timedelta(hours=2))
    assert operations.expire_due(at=NOW + timedelta(hours=8)) == 0
    assert operations.expire_due(at=NOW + timedelta(hours=9)) == 1


def test_nobody_else_makes_a_hold_longer_and_none_that_has_ended(team):
    hold = held_by(team, pool_of(available=1))
    with pytest.raises(NotAllowed):
        operations.extend(reservation_id=hold.pk, by=UserFactory(), at=NOW)
    with pytest.raises(Conflict, match="no longer held"):
        operations.extend(reservation_id=hold.pk, by=team, at=hold.expires_at)


def test_where_the_policy_allows_no_more_time_it_says_so(team):
    pool = pool_of(available=1)
    policy(pool, hold_extension=timedelta(0))
    with pytest.raises(Conflict, match="cannot be made longer"):
        operations.extend(reservation_id=held_by(team, pool).pk, by=team, at=NOW)


def test_a_lower_figure_names_the_teams_it_would_hurt_and_takes_back_the_youngest_holds_only_with_a_reason(team):
    pool, other = pool_of(available=3), UserFactory()
    first, second = held_by(team, pool), held_by(other, pool, at=NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=2)
    with pytest.raises(Conflict) as refused:
        operations.report(pool_id=pool.pk, available=1, by=None, at=later)
    assert [holder["team"] for holder in refused.value.details["holders"]] == [team.organization.name, other.organization.name]
    with pytest.raises(Invalid, match="Say why"):
        operations.report(pool_id=pool.pk, available=1, by=None, at=later, withdraw_because=" ")
    changed = operations.report(pool_id=pool.pk, available=1, by=None, at=later, withdraw_because="A burst pipe closed two rooms.")
    assert (changed.available, changed.held, changed.free) == (1, 1, 0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.ended_because) == ("held", "withdrawn", "A burst pipe closed two rooms.")
    told = Event.objects.get(type="hold.ended")
    assert set(told.audience) == {other.organization_id, pool.service.organization_id}


def test_what_a_provider_keeps_for_its_own_is_never_free_and_the_sum_fits():
    pool = pool_of(available=2, maximum=10)
    changed = operations.report(pool_id=pool.pk, occupied=6, reserved=2, available=2, waiting=3, expected_wait_days=14, by=None, at=NOW)
    assert (changed.free, changed.reserved, changed.waiting) == (2, 2, 3)
    with pytest.raises(Invalid, match="6 taken, 2 reserved and 3 free make 11"):
        operations.report(pool_id=pool.pk, available=3, by=None, at=NOW)
    operations.fill(pool_id=pool.pk, reservation_id=None, by=None, at=NOW)
    pool.refresh_from_db()
    assert (pool.occupied, pool.available) == (7, 1)
    operations.reopen(pool_id=pool.pk, by=None, at=NOW)
    pool.refresh_from_db()
    assert (pool.occupied, pool.available) == (6, 2)


def test_closed_places_say_why_until_they_open_again():
    pool = pool_of(available=2)
    operations.report(pool_id=pool.pk, is_open=False, closed_reason="Norovirus", closed_until=NOW.date(), by=None, at=NOW)
    with pytest.raises(Conflict, match="not accepting"):
        operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=NOW)
    opened = operations.report(pool_id=pool.pk, is_open=True, by=None, at=NOW + timedelta(minutes=1))
    assert (opened.closed_reason, opened.closed_until) == ("", None)
    with pytest.raises(Invalid, match="no reason"):
        operations.report(pool_id=pool.pk, closed_reason="Norovirus", by=None, at=NOW + timedelta(minutes=2))


def test_an_update_that_arrives_twice_counts_once():
    pool = pool_of(available=2)
    for _ in range(2):
        changed = operations.report(pool_id=pool.pk, available=5, by=None, at=NOW, key="phone-1")
    operations.report(pool_id=pool.pk, available=4, by=None, at=NOW, key="phone-2")
    assert list(pool.reports.values_list("key", "available")) == [("phone-1", 5), ("phone-2", 4)]
    assert changed.version == 2
