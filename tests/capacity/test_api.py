"""Places over the API: read by those who may see them, changed by their own provider, on the version that it saw."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from capacity import operations
from capacity.models import CapacityReport
from catalogue.models import Service
from tests.factories import OrganizationFactory, PoolFactory, ServiceFactory, UserFactory, term

pytestmark = pytest.mark.django_db
LIST = "/api/v1/capacities/"


def client(user) -> APIClient:
    api = APIClient()
    api.force_authenticate(user)
    return api


def own(pool):
    return client(UserFactory(provider=True, organization=pool.service.organization))


def test_a_list_says_the_colour_the_word_and_who_told(referrer, django_assert_num_queries):
    pool = PoolFactory()
    PoolFactory.create_batch(3)
    PoolFactory(service=ServiceFactory(status=Service.Status.INACTIVE))
    with django_assert_num_queries(3):
        answer = client(referrer).get(LIST).json()
    assert answer["count"] == 4
    row = next(row for row in answer["results"] if row["id"] == str(pool.pk))
    assert (row["rag"], row["word"], row["free"], row["told_by"]) == ("green", "3 free", 3, "on Lune")
    assert [moment["rag"] for moment in row["timeline"]] == ["green", "amber", "grey"]


def test_a_list_is_narrowed_by_service_kind_and_colour(referrer):
    full, free = PoolFactory(full=True), PoolFactory()
    friends = PoolFactory(service=ServiceFactory(care_type=term("care-type", "befriending")))

    def found(**query) -> set[str]:
        return {row["id"] for row in client(referrer).get(LIST, query).json()["results"]}

    assert found(service=full.service_id) == {str(full.pk)}
    assert found(care_type="befriending") == {str(friends.pk)}
    assert found(rag="red") == {str(full.pk)}
    assert found(rag="green") == {str(free.pk), str(friends.pk)}
    assert client(referrer).get(LIST, {"rag": "blue"}).status_code == 400
    assert client(referrer).get(LIST, {"service": "x"}).status_code == 400


def test_a_change_needs_the_version_it_was_made_on():
    pool = PoolFactory(available=3)
    api, address = own(pool), f"{LIST}{pool.pk}/"
    assert api.patch(address, {"available": 2}).status_code == 428
    assert api.patch(address, {"available": 2}, headers={"If-Match": 'W/"v1"'}).status_code == 412
    tag = api.get(address).headers["ETag"]
    assert tag == '"v1"'
    done = api.patch(address, {"available": 2}, headers={"If-Match": tag})
    assert (done.status_code, done.json()["free"], done.headers["ETag"]) == (200, 2, '"v2"')
    stale = api.patch(address, {"available": 9}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (412, "stale-version", 2)
    assert "It now says 2 free" in stale.json()["detail"]
    report = CapacityReport.objects.get()
    assert (report.via, report.available) == ("api", 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"available": -1}, 400),
        ({"available": "two"}, 400),
        ({"status": "open"}, 400),
        ({"available": 11}, 422),
        ({"note": "x" * 201}, 400),
    ],
)
def test_a_wrong_figure_is_refused_and_changes_nothing(body, status):
    pool = PoolFactory(maximum=10)
    answer = own(pool).patch(f"{LIST}{pool.pk}/", body, headers={"If-Match": '"v1"'})
    assert answer.status_code == status
    pool.refresh_from_db()
    assert pool.version == 1


def test_a_figure_below_what_is_held_is_a_conflict():
    pool = PoolFactory()
    operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=timezone.now())
    answer = own(pool).patch(f"{LIST}{pool.pk}/", {"available": 0}, headers={"If-Match": '"v2"'})
    assert (answer.status_code, answer.json()["code"], answer.json()["held"]) == (409, "below-held", 1)


def test_a_figure_that_was_seen_earlier_carries_its_time():
    pool = PoolFactory(reported_at=timezone.now() - timedelta(hours=5))
    seen = timezone.now() - timedelta(hours=1)
    answer = own(pool).patch(f"{LIST}{pool.pk}/", {"available": 1, "observed_at": seen.isoformat()}, headers={"If-Match": '"v1"'})
    assert answer.status_code == 200
    pool.refresh_from_db()
    assert pool.reported_at == seen


def test_only_the_own_provider_changes_a_figure(referrer):
    pool = PoolFactory()
    for stranger in (UserFactory(provider=True), referrer, UserFactory(manager=True, organization=pool.service.organization)):
        answer = client(stranger).patch(f"{LIST}{pool.pk}/", {"available": 9}, headers={"If-Match": '"v1"'})
        assert answer.status_code == 403
    hidden = PoolFactory(service=ServiceFactory(status=Service.Status.INACTIVE))
    for pk in (hidden.pk, uuid4()):
        assert client(referrer).get(f"{LIST}{pk}/").status_code == 404
        assert client(referrer).patch(f"{LIST}{pk}/", {}, headers={"If-Match": '"v1"'}).status_code == 404
    assert APIClient().get(LIST).status_code in (401, 403)
