"""Many reports in one transaction: the same as each by itself."""

import json

import pytest
from django.utils import timezone

from capacity import operations
from capacity.batch import Line, report_each
from capacity.models import CapacityReport, ServiceCapacity
from capacity.recording import FIGURES
from core.errors import LuneError
from core.models import Event
from tests.factories import OrganizationFactory, PoolFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
LINES = (
    {"available": 4},
    {"available": 0, "status": "no-capacity", "note": 'Full, "really", since Monday\\ – ask again'},
    {"available": 11},
    {"available": 3, "expected_version": 9},
    {"available": 3, "expected_version": 2},
    {"occupied": 6, "reserved": 1, "available": 3, "maximum": 10, "waiting": 4, "expected_wait_days": 21},
    {"is_open": False, "closed_reason": "norovirus", "closed_until": timezone.now().date()},
    {"available": -1},
    {"available": 0},
    {},
)


def twins(user, team):
    """As many pools as lines, alike each time; of one a place is held, another is closed, a third says that it is full."""
    service = ServiceFactory(organization=user.organization)
    pools = [PoolFactory(service=service, maximum=10, available=2, reported_at=timezone.now()) for _ in LINES]
    operations.hold(pool_id=pools[8].pk, organization=team, by=None, at=timezone.now())
    for pool in pools[4:6]:
        operations.report(pool_id=pool.pk, available=0, status="no-capacity", by=None, at=timezone.now())
    return pools


def seen(pools):
    """All that can be seen of pools, with numbers in place of ids."""
    fields = (*FIGURES, "held", "version", "reported_via", "reported_by")
    number = {str(pool.pk): place for place, pool in enumerate(pools)}
    rows = (
        CapacityReport.objects.filter(pool__in=pools).order_by("pool", "version").values_list("pool", "kind", "by", "via", "held", *FIGURES)
    )
    events = Event.objects.filter(type="capacity.changed", data__pool__in=number).order_by("id")
    return (
        [[getattr(ServiceCapacity.objects.get(pk=pool.pk), name) for name in fields] for pool in pools],
        sorted((number[str(pool)], *map(str, rest)) for pool, *rest in rows),
        sorted((number[event.data["pool"]], event.data["version"], event.data["kind"], len(event.topics)) for event in events),
    )


def test_what_is_kept_together_is_kept_as_each_by_itself(django_assert_max_num_queries):
    user, team = UserFactory(provider=True), OrganizationFactory()
    together, alone, at = twins(user, team), twins(user, team), timezone.now()
    lines = [Line(pool.pk, figures) for pool, figures in zip(together, LINES, strict=True)]
    with django_assert_max_num_queries(12):
        outcomes = report_each(lines, by=user, at=at, via="api", key="monday")
    said = []
    for pool, figures in zip(alone, LINES, strict=True):
        try:
            said.append(("kept", operations.report(pool_id=pool.pk, by=user, at=at, via="api", key=str(pool.pk), **figures).version, None))
        except LuneError as error:
            said.append(("refused", None, error.message))
    assert [(each.outcome, each.version, each.error and each.error.message) for each in outcomes] == said
    assert [kind for kind, *_ in said].count("refused") == 4
    assert json.dumps(seen(together), default=str) == json.dumps(seen(alone), default=str)
    again = report_each(lines, by=user, at=at, via="api", key="monday")
    assert [each.outcome for each in again] == [each.outcome for each in outcomes]
    assert CapacityReport.objects.filter(pool__in=together).count() == CapacityReport.objects.filter(pool__in=alone).count()
