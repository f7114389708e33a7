"""Figures by machines: many at once, by key, and by two routes at the same time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from capacity import keys, operations
from capacity.models import CapacityReport, SystemKey
from core.errors import Invalid, NotAllowed, NotFound
from tests.factories import PoolFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
MANY = "/api/v1/capacities/reports/"


def client(user) -> APIClient:
    api = APIClient()
    api.force_authenticate(user)
    return api


def provider_of(pool):
    return UserFactory(provider=True, organization=pool.service.organization)


def keeper_of(pool):
    return UserFactory(provider=True, organization=pool.service.organization, keeps_keys=True)


def send(api: APIClient, lines, key="batch"):
    return api.post(MANY, {"reports": lines}, headers={"Idempotency-Key": key})


def test_all_figures_are_told_and_read():
    pool = PoolFactory(available=3, maximum=10)
    api, address = client(provider_of(pool)), f"/api/v1/capacities/{pool.pk}/"
    told = {"occupied": 6, "reserved": 1, "waiting": 4, "expected_wait_days": 21, "available": 3}
    answer = api.patch(address, told, headers={"If-Match": '"v1"'}).json()
    assert told.items() <= answer.items()
    assert answer["reason"] == "Accepting now. 1 more is empty but reserved."
    closed = {"is_open": False, "closed_reason": "norovirus", "closed_until": "2099-06-03"}
    answer = api.patch(address, closed, headers={"If-Match": '"v2"'}).json()
    assert closed.items() <= answer.items()
    assert (answer["rag"], answer["word"]) == ("red", "Closed until 3 June 2099: norovirus")


def test_a_change_with_a_key_is_made_once_however_often_it_is_sent():
    pool = PoolFactory(available=3)
    api, address = client(provider_of(pool)), f"/api/v1/capacities/{pool.pk}/"
    sent = {"If-Match": '"v1"', "Idempotency-Key": "tuesday"}
    first, again = (api.patch(address, {"available": 2}, headers=sent) for _ in range(2))
    assert (first.json(), first.headers["ETag"]) == (again.json(), again.headers["ETag"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert CapacityReport.objects.count() == 1
    other = api.patch(address, {"available": 1}, headers=sent)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_each_of_many_lines_is_kept_or_refused_by_itself():
    now = timezone.now()
    good, late, full = (PoolFactory(maximum=10, reported_at=now - timedelta(hours=2)) for _ in range(3))
    user = provider_of(good)
    for pool in (late, full):
        pool.service.organization = user.organization
        pool.service.save()
    lines = [
        {"pool": str(good.pk), "available": 5, "observed_at": (now - timedelta(minutes=9)).isoformat()},
        {"pool": str(late.pk), "available": 1, "observed_at": (now - timedelta(hours=4)).isoformat()},
        {"pool": str(full.pk), "available": 11},
        {"pool": str(PoolFactory().pk), "available": 1},
        {"pool": str(full.pk), "available": "\0many"},
        {"pool": str(full.pk), "available": 2, "version": 7},
        {"pool": str(good.pk), "status": "\0"},
        "nonsense",
    ]
    answer = send(client(user), lines)
    body = answer.json()
    assert (answer.status_code, body["kept"], body["late"], body["refused"]) == (200, 1, 1, 6)
    assert [line["outcome"] for line in body["reports"]] == ["kept", "late", *["refused"] * 6]
    assert [line["problem"]["code"] for line in body["reports"][2:6]] == ["invalid", "no-such-pool", "invalid", "stale-version"]
    assert "there are 10 in all" in body["reports"][2]["problem"]["detail"]
    good.refresh_from_db(), late.refresh_from_db()
    assert (good.available, good.reported_at, late.available) == (5, now - timedelta(minutes=9), 3)
    assert CapacityReport.objects.get(pool=late).kind == "late"


def test_many_lines_sent_again_are_counted_once_also_after_they_broke_off(monkeypatch):
    one, two = PoolFactory(maximum=10), PoolFactory(maximum=10)
    user = provider_of(one)
    two.service.organization = user.organization
    two.service.save()
    lines = [{"pool": str(one.pk), "available": 4}, {"pool": str(two.pk), "available": 4, "observed_at": timezone.now().isoformat()}]
    real = operations.report

    def breaks(**given):
        if given["pool_id"] == two.pk:
            raise RuntimeError("the power went")
        return real(**given)

    with monkeypatch.context() as patch:
        patch.setattr(operations, "report", breaks)
        with pytest.raises(RuntimeError):
            send(client(user), lines)
    assert CapacityReport.objects.count() == 1
    first, again = send(client(user), lines), send(client(user), lines)
    assert first.json() == again.json()
    assert (first.json()["kept"], CapacityReport.objects.count()) == (2, 2)


def test_a_thousand_lines_are_the_most_and_none_is_too_few():
    api = client(UserFactory(provider=True))
    assert send(api, [{}] * 1_001).json()["code"] == "too-many"
    answer = send(api, [])
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["type"] == "urn:lune:problem:invalid"
    assert send(api, [{}], key="").json()["code"] == "idempotency-key-needed"
    wrong = api.patch(f"/api/v1/capacities/{uuid4()}/", {}, headers={"If-Match": '"v1"'})
    assert (wrong.status_code, wrong.json()["title"], wrong.json()["status"]) == (404, "Not Found", 404)


# --- keys of systems


def with_key(text: str) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return api


def test_a_key_tells_the_figures_of_its_own_places_and_opens_nothing_else():
    pool, other = PoolFactory(maximum=10), PoolFactory()
    confidential = PoolFactory(service=ServiceFactory(organization=pool.service.organization, is_confidential=True))
    user = keeper_of(pool)
    key, text = keys.make(name="Care records", days=30, by=user, at=timezone.now())
    api = with_key(text)
    assert {row["id"] for row in api.get("/api/v1/capacities/").json()["results"]} == {str(pool.pk), str(confidential.pk)}
    assert api.get(f"/api/v1/capacities/{other.pk}/").status_code == 404
    assert send(api, [{"pool": str(pool.pk), "available": 1}, {"pool": str(other.pk), "available": 9}]).json()["kept"] == 1
    for address in ("patients/", "tasks/", "referrals/", "services/", "match-runs/", "dashboard/", "taxonomy-terms/"):
        answer = api.get(f"/api/v1/{address}")
        assert (answer.status_code, "nothing else" in str(answer.json())) == (403, True), address
    key.refresh_from_db(), pool.refresh_from_db()
    assert key.last_used_at is not None
    assert str(pool.reported_by.organization) == str(pool.service.organization)
    assert text not in str(SystemKey.objects.values()) and not key.account.is_active and not key.account.has_usable_password()  # noqa: PT018
    assert str(user) not in api.get(f"/api/v1/capacities/{pool.pk}/").content.decode()


def test_a_key_ends_when_it_is_taken_back_or_its_time_is_up(time_machine):
    pool = PoolFactory()
    user, stranger = keeper_of(pool), UserFactory(provider=True)
    first, text = keys.make(name="One", days=30, by=user, at=timezone.now())
    _, other = keys.make(name="Two", days=30, by=user, at=timezone.now())
    with pytest.raises(NotFound):
        keys.revoke(key_id=first.pk, by=stranger, at=timezone.now())
    keys.revoke(key_id=first.pk, by=user, at=timezone.now())
    assert with_key(text).get("/api/v1/capacities/").status_code in (401, 403)
    assert with_key(other).get("/api/v1/capacities/").status_code == 200
    time_machine.move_to(timezone.now() + timedelta(days=31))
    assert with_key(other).get("/api/v1/capacities/").status_code in (401, 403)


@pytest.mark.parametrize("given", [{"name": ""}, {"name": "x" * 81}, {"days": 0}, {"days": 4_000}])
def test_a_key_has_a_name_and_an_end(given):
    user = UserFactory(provider=True, keeps_keys=True)
    with pytest.raises(Invalid):
        keys.make(**{"name": "Care records", "days": 30} | given, by=user, at=timezone.now())
    for other in (UserFactory(keeps_keys=True), UserFactory(provider=True)):
        with pytest.raises(NotAllowed):
            keys.make(name="Care records", days=30, by=other, at=timezone.now())
