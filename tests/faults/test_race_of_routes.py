"""One pool told by several routes at once, on connections of their own: the later observation wins, and all are kept."""

import itertools
import json
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from capacity import operations
from capacity.models import CapacityReport, Via
from tests.factories import PoolFactory, UserFactory
from tests.faults.test_races import race, reconcile

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_routes_that_tell_at_once_the_later_observation_wins_and_all_are_kept():
    pool = PoolFactory(maximum=10, reported_at=timezone.now() - timedelta(hours=9))
    user = UserFactory(provider=True, organization=pool.service.organization)
    now = timezone.now()
    seen = {number: now - timedelta(minutes=10 - number) for number in range(1, 7)}

    def by_many(number: int, key: str) -> str:
        api = APIClient()
        api.force_authenticate(user)
        line = {"pool": str(pool.pk), "available": number, "observed_at": seen[number].isoformat()}
        answer = api.post("/api/v1/capacities/reports/", json.dumps({"reports": [line]}), content_type="application/json",
                          headers={"Idempotency-Key": key})  # fmt: skip
        return answer.json()["reports"][0]["outcome"]

    def by_message(number: int, via: str) -> str:
        operations.report(pool_id=pool.pk, by=None, at=now, available=number, observed_at=seen[number], via=via, key=f"message {number}")
        return CapacityReport.objects.get(pool=pool, key=f"message {number}").kind

    acts = [
        *(lambda n=n: by_many(n, f"batch {n}") for n in (1, 6, 3)),
        *(lambda n=n, via=via: by_message(n, via) for n, via in ((2, Via.LINK), (5, Via.SMS), (4, Via.EMAIL))),
        *(lambda: by_many(6, "batch 6") for _ in range(2)),  # sent again while the first is under way
    ]
    race(*acts)
    pool.refresh_from_db()
    assert (pool.available, pool.reported_at, pool.reported_via) == (6, seen[6], Via.API)
    rows = list(pool.reports.order_by("version"))
    assert sorted(row.available for row in rows) == [1, 2, 3, 4, 5, 6]
    shown = [row.observed_at for row in rows if row.kind == CapacityReport.Kind.REPORT]
    assert all(one < two for one, two in itertools.pairwise(shown))
    assert {row.via for row in rows} == {Via.API, Via.LINK, Via.SMS, Via.EMAIL}
    reconcile(pool)
