"""Held places over the API."""

import pytest
from rest_framework.test import APIClient

from capacity.models import Reservation
from flow import operations
from tests.factories import EpisodeFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/holds/"


def api(user) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_a_team_holds_once_extends_and_releases_and_the_provider_reads_no_person(referrer):
    pool, stay = PoolFactory(available=1), EpisodeFactory(patient__organization=referrer.organization)
    team, body = api(referrer), {"episode": str(stay.pk), "pool": str(pool.pk)}
    assert team.post(URL, body).json()["code"] == "idempotency-key-needed"
    first, again = (team.post(URL, body, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, again.json(), Reservation.objects.count()) == (201, first.json(), 1)
    assert (first.json()["episode"], first.json()["state"]) == (str(stay.pk), "held")
    refused = team.post(URL, body, headers={"Idempotency-Key": "two"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-held")
    address = f"{URL}{first.json()['id']}/"
    seen = api(provider_of(pool)).get(URL).json()["results"]
    assert [(hold["team"], hold["episode"], hold["referral"]) for hold in seen] == [(referrer.organization.name, None, None)]
    assert team.post(f"{address}extend/").json()["extended_at"]
    assert team.post(f"{address}extend/").json()["code"] == "extended-already"
    assert api(UserFactory()).post(f"{address}release/").status_code == 404
    assert team.post(f"{address}release/").json()["state"] == "released"
    assert [len(team.get(URL, {"state": state}).json()["results"]) for state in ("held", "released")] == [0, 1]
    assert team.get(URL, {"state": "lost"}).status_code == 400


def test_a_provider_that_lowers_its_number_reads_who_is_affected_and_takes_back_with_a_reason(referrer):
    pool, stay = PoolFactory(available=2), EpisodeFactory(patient__organization=referrer.organization)
    hold = operations.hold_place(episode_id=stay.pk, pool_id=pool.pk, by=referrer, at=stay.ready_at).reservation
    Reservation.objects.filter(pk=hold.pk).update(expires_at="2100-01-01T00:00Z")
    home, address = api(provider_of(pool)), f"/api/v1/capacities/{pool.pk}/"
    tag = home.get(address)["ETag"]
    refused = home.patch(address, {"available": 0}, headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["code"]) == (409, "below-held")
    assert refused.json()["holders"] == [{"team": referrer.organization.name, "until": "2100-01-01T00:00:00+00:00", "affected": True}]
    lowered = home.patch(address, {"available": 0, "withdraw_because": "A burst pipe"}, headers={"If-Match": tag})
    assert (lowered.status_code, lowered.json()["held"]) == (200, 0)
    gone = api(referrer).get(f"{URL}{hold.pk}/").json()
    assert (gone["state"], gone["ended_because"]) == ("withdrawn", "A burst pipe")
