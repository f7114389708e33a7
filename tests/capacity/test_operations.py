"""Places are never lost and never given twice."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from capacity import operations
from capacity.models import CapacityReport
from core.errors import Conflict
from core.models import Event
from tests.factories import OrganizationFactory, PoolFactory

pytestmark = pytest.mark.django_db


def test_hold_then_fill_takes_one_place():
    pool = PoolFactory(available=1)
    now = timezone.now()
    held = operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=now)
    with pytest.raises(Conflict, match="has just gone"):
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
