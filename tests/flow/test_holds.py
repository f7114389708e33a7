"""A team holds a place for somebody while the family decides; what comes of it, and what each side may know."""

from datetime import timedelta

import pytest
from django.utils import timezone

import capacity.operations as places
from capacity.holding import held_at
from capacity.models import CapacityReport, FreshnessPolicy, Reservation
from core.errors import Conflict, NotAllowed, NotFound
from flow import operations
from flow.figures import dashboard
from flow.hold_queries import holds, lost
from flow.workflow import Status
from tests.factories import EpisodeFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
State, Kind = Reservation.State, CapacityReport.Kind


@pytest.fixture
def team():
    return UserFactory()


@pytest.fixture
def stay(team):
    return EpisodeFactory(patient__organization=team.organization)


def hold(team, stay, pool, at=NOW) -> Reservation:
    return operations.hold_place(episode_id=stay.pk, pool_id=pool.pk, by=team, at=at).reservation


def figures(pool) -> tuple[int, int]:
    pool.refresh_from_db()
    return pool.available, pool.held


def test_a_held_place_is_nobody_elses_and_the_provider_reads_whose_it_is_not_for_whom(team, stay):
    pool = PoolFactory(available=1)
    held = hold(team, stay, pool)
    other = UserFactory()
    with pytest.raises(Conflict, match="was taken at"):
        hold(other, EpisodeFactory(patient__organization=other.organization), pool)
    with pytest.raises(Conflict, match="is held for this person already"):
        hold(team, stay, pool)
    (known,) = held_at(provider_of(pool))
    assert (known.team, known.until) == (team.organization.name, held.expires_at)
    assert stay.patient.family_name not in repr(known)
    assert held_at(provider_of(PoolFactory())) == []
    (own,) = holds(team, NOW)
    assert (own.name, own.may_extend) == (stay.patient.full_name, True)
    assert holds(other, NOW) == []


def test_only_the_team_may_change_its_hold_and_only_for_its_own_people(team, stay):
    pool = PoolFactory()
    held = hold(team, stay, pool)
    with pytest.raises(NotAllowed):
        operations.let_go(hold_id=held.pk, by=provider_of(pool), at=NOW)
    with pytest.raises(NotFound):
        operations.extend_hold(hold_id=held.pk, by=UserFactory(), at=NOW)
    with pytest.raises(NotFound):
        hold(UserFactory(), stay, PoolFactory())
    with pytest.raises(NotAllowed):
        hold(UserFactory(provider=True), stay, pool)
    assert operations.extend_hold(hold_id=held.pk, by=team, at=NOW).expires_at == NOW + 8 * HOUR
    for _ in range(2):
        assert operations.let_go(hold_id=held.pk, by=team, at=NOW).state == State.RELEASED
    assert figures(pool) == (3, 0)


def test_places_are_not_hoarded(team, stay):
    first, second, third = PoolFactory.create_batch(3)
    held = hold(team, stay, first)
    hold(team, stay, second)
    with pytest.raises(Conflict, match="2 places are held for this person already, at") as refused:
        hold(team, stay, third)
    assert refused.value.code == "too-many-holds"
    with pytest.raises(Conflict, match="Let one go first"):
        send(team, [third], hold=[third], patient=stay.patient, at=NOW)
    operations.let_go(hold_id=held.pk, by=team, at=NOW)
    hold(team, stay, third)
    FreshnessPolicy.objects.filter(pk=first.care_type_id).update(holds_per_team=1)
    hold(team, EpisodeFactory(patient__organization=team.organization), first)
    with pytest.raises(Conflict, match="Your organisation holds 1 of these places already"):
        hold(team, EpisodeFactory(patient__organization=team.organization), first)


@pytest.mark.parametrize("already", [0, 1])
def test_one_sending_keeps_no_more_places_than_one_may_one_by_one(team, stay, already):
    """What it has kept so far belongs to no request yet, and counts all the same."""
    for pool in PoolFactory.create_batch(already):
        hold(team, stay, pool)
    pools = PoolFactory.create_batch(3 - already)
    with pytest.raises(Conflict, match=r"At most 2 places are held for one person\..*Hold fewer") as refused:
        send(team, pools, hold=pools, patient=stay.patient, at=NOW)
    assert refused.value.code == "too-many-holds"
    assert Reservation.objects.count() == already
    assert send(team, pools, hold=pools[1:], patient=stay.patient, at=NOW).tasks.filter(reservation=None).count() == 1


@pytest.mark.parametrize("asks_to_hold", [True, False])
def test_a_referral_takes_the_very_hold_over_and_a_yes_makes_it_a_place_taken(team, stay, asks_to_hold):
    pool = PoolFactory(available=1)
    held = hold(team, stay, pool)
    task = send(team, [pool], hold=[pool] if asks_to_hold else [], patient=stay.patient, episode_id=stay.pk, at=NOW).tasks.get()
    assert (task.reservation_id, figures(pool)) == (held.pk, (1, 1))
    operations.accept(task_id=task.pk, by=provider_of(pool), at=NOW)
    held.refresh_from_db()
    assert (held.state, figures(pool)) == (State.FILLED, (0, 0))
    assert list(pool.reports.values_list("kind", flat=True)) == [Kind.HOLD, Kind.FILL]


def test_when_a_place_is_found_or_the_wait_ends_what_is_held_elsewhere_is_given_back(team, stay):
    found, elsewhere = PoolFactory.create_batch(2)
    hold(team, stay, elsewhere)
    task = send(team, [found], patient=stay.patient, episode_id=stay.pk, at=NOW).tasks.get()
    operations.accept(task_id=task.pk, by=provider_of(found), at=NOW)
    assert figures(elsewhere) == (3, 0)
    hold(team, stay, elsewhere)
    operations.start(task_id=task.pk, by=provider_of(found), at=NOW)
    assert figures(elsewhere) == (3, 0)
    with pytest.raises(Conflict, match="has ended"):
        hold(team, stay, elsewhere)


@pytest.mark.parametrize("way", ["taken back", "ran out"])
def test_a_referral_whose_hold_is_gone_stays_sent_and_the_team_learns_it_until_it_acts(team, stay, way):
    pool, next_one = PoolFactory(available=1), PoolFactory()
    held = hold(team, stay, pool)
    task = send(team, [pool], patient=stay.patient, episode_id=stay.pk, at=NOW).tasks.get()
    later = NOW + 5 * HOUR
    if way == "taken back":
        places.report(pool_id=pool.pk, available=0, by=provider_of(pool), at=later, withdraw_because="A burst pipe")
    else:
        places.expire_due(at=later)
    task.refresh_from_db()
    held.refresh_from_db()
    assert (task.status, held.state) == (Status.REQUESTED, State.WITHDRAWN if way == "taken back" else State.EXPIRED)
    (news,) = lost(team, later)
    assert (news.id, news.waits_for_answer, news.because) == (held.pk, True, "A burst pipe" if way == "taken back" else "")
    assert lost(UserFactory(), later) == []
    hold(team, stay, next_one, at=later + HOUR)
    assert lost(team, later + HOUR) == []


def test_each_place_taken_back_is_a_row_of_history(team, stay):
    pool = PoolFactory(available=2, reported_at=NOW - HOUR)
    hold(team, stay, pool)
    places.report(pool_id=pool.pk, available=0, by=None, at=NOW, withdraw_because="Norovirus")
    assert list(pool.reports.values_list("kind", "available", "held")) == [(Kind.HOLD, 2, 1), (Kind.WITHDRAW, 2, 0), (Kind.REPORT, 0, 0)]


def test_the_dashboard_counts_holds_that_ran_out_unused(team, stay, manager):
    kept, wasted = PoolFactory.create_batch(2)
    hold(team, stay, wasted)
    places.expire_due(at=NOW + 5 * HOUR)
    hold(team, stay, kept, at=NOW + 5 * HOUR)
    for reader, seen in ((manager, (1, 1)), (UserFactory(manager=True, organization=team.organization), (1, 1)), (UserFactory(), (0, 0))):
        found = dashboard(reader, NOW + 6 * HOUR).holds
        assert (found.now, found.expired) == seen
