"""Places are never lost and never given twice."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.utils import timezone

from capacity import operations, tasks
from capacity.models import CapacityReport
from core.errors import Conflict, Invalid, NotFound
from core.models import Event
from tests.factories import OrganizationFactory, PoolFactory

pytestmark = pytest.mark.django_db


def test_hold_then_fill_takes_one_place():
    pool = PoolFactory(available=1)
    now = timezone.now()
    held = operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=now)
    with pytest.raises(Conflict, match="was taken at"):
        operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=now)
    operations.fill(pool_id=pool.pk, reservation_id=held.pk, by=None, at=now)
    pool.refresh_from_db()
    assert (pool.available, pool.held, pool.version) == (0, 0, 3)
    assert [r.kind for r in pool.reports.all()] == ["hold", "fill"]
    assert Event.objects.filter(topics__contains=[f"pool:{pool.pk}"]).count() == 2


def test_release_twice_gives_back_once():
    pool = PoolFactory(available=1)
    now = timezone.now()
    held = operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=now)
    for _ in range(2):
        operations.release(reservation_id=held.pk, by=None, at=now)
    pool.refresh_from_db()
    assert (pool.available, pool.held) == (1, 0)


def test_a_figure_below_what_is_held_is_refused():
    pool = PoolFactory(available=2)
    operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=timezone.now())
    with pytest.raises(Conflict, match="held for people"):
        operations.report(pool_id=pool.pk, available=0, by=None, at=timezone.now())


def test_a_stale_version_is_refused():
    pool = PoolFactory(available=2)
    operations.report(pool_id=pool.pk, available=3, by=None, at=timezone.now(), expected_version=1)
    with pytest.raises(Conflict, match="It now says 3 free"):
        operations.report(pool_id=pool.pk, available=1, by=None, at=timezone.now(), expected_version=1)


def test_an_older_look_is_kept_but_not_shown():
    pool = PoolFactory(available=2)

    early = pool.reported_at - timedelta(hours=1)
    operations.report(pool_id=pool.pk, available=7, by=None, at=timezone.now(), observed_at=early)
    pool.refresh_from_db()
    assert pool.available == 2
    assert pool.reports.get().available == 7


def test_history_cannot_be_changed():
    pool = PoolFactory()
    operations.report(pool_id=pool.pk, available=1, by=None, at=timezone.now())
    with pytest.raises(DatabaseError, match="append_only"):
        CapacityReport.objects.update(available=9)


def test_a_late_look_announces_nothing_and_the_newest_row_still_holds_the_figures():
    pool = PoolFactory(available=2)
    operations.report(pool_id=pool.pk, available=4, by=None, at=timezone.now())
    events = Event.objects.count()
    operations.report(pool_id=pool.pk, available=7, by=None, at=timezone.now(), observed_at=timezone.now() - timedelta(hours=1))
    pool.refresh_from_db()
    assert Event.objects.count() == events
    newest = pool.reports.exclude(kind=CapacityReport.Kind.LATE).latest("version")
    assert (newest.available, newest.held) == (pool.available, pool.held) == (4, 0)


def test_a_look_made_before_a_place_was_taken_does_not_give_it_back():
    pool = PoolFactory(available=3)
    looked, taken = pool.reported_at + timedelta(seconds=10), pool.reported_at + timedelta(seconds=20)
    operations.fill(pool_id=pool.pk, reservation_id=None, by=None, at=taken)
    operations.report(pool_id=pool.pk, available=3, by=None, at=taken + timedelta(seconds=5), observed_at=looked)
    pool.refresh_from_db()
    assert pool.available == 2


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"available": -1}, "less than nothing"),
        ({"maximum": -1}, "less than nothing"),
        ({"available": 11}, "there are 10 in all"),
        ({"maximum": 2}, "there are 2 in all"),
        ({"status": "perhaps"}, "not a status"),
        ({"note": "x" * 201}, "200 letters"),
        ({"available": 1, "observed_at": timezone.now() + timedelta(days=1)}, "has not come yet"),
    ],
)
def test_figures_that_cannot_be_are_refused_in_words(figures, words):
    pool = PoolFactory(available=3, maximum=10)
    with pytest.raises(Invalid, match=words):
        operations.report(pool_id=pool.pk, by=None, at=timezone.now(), **figures)
    pool.refresh_from_db()
    assert (pool.available, pool.maximum, pool.version) == (3, 10, 1)


def test_an_unknown_pool_or_hold_is_not_found():
    with pytest.raises(NotFound):
        operations.report(pool_id=uuid4(), available=1, by=None, at=timezone.now())
    with pytest.raises(NotFound):
        operations.release(reservation_id=uuid4(), by=None, at=timezone.now())


def test_a_full_pool_says_when_its_last_place_went():
    pool = PoolFactory(available=1)
    at = datetime(2026, 7, 1, 9, 42, tzinfo=UTC)
    operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=at)
    with pytest.raises(Conflict, match="was taken at 10:42") as refused:
        operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=at)
    assert refused.value.details["taken_at"] == at.isoformat()


def test_a_waiting_list_has_nothing_to_count_down():
    pool = PoolFactory(available=0, status="waitlist")
    assert operations.fill(pool_id=pool.pk, reservation_id=None, by=None, at=timezone.now()).version == 1
    unknown = PoolFactory(unknown=True)
    assert operations.fill(pool_id=unknown.pk, reservation_id=None, by=None, at=timezone.now()).available is None


def test_the_clock_gives_back_holds_whose_time_is_up_and_tells_both_sides():
    pool = PoolFactory(available=1)
    at, holder = timezone.now(), OrganizationFactory()
    operations.hold(pool_id=pool.pk, organization=holder, by=None, at=at, until=at - timedelta(seconds=1))
    assert tasks.expire_holds(timestamp=0) == 1
    assert tasks.expire_holds(timestamp=0) == 0
    pool.refresh_from_db()
    assert (pool.available, pool.held, pool.free) == (1, 0, 1)
    ended = Event.objects.get(type="hold.ended")
    assert set(ended.audience) == {holder.pk, pool.service.organization_id}


def test_a_place_given_back_never_exceeds_the_total():
    pool = PoolFactory(available=10, maximum=10)
    assert operations.reopen(pool_id=pool.pk, by=None, at=timezone.now()).available == 10
    taken = PoolFactory(available=0)
    assert operations.reopen(pool_id=taken.pk, by=None, at=timezone.now()).available == 1
