"""What waited on a phone: kept with the time it was made, once; and the screen of the keys of systems."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from capacity.models import CapacityReport, SystemKey
from catalogue.models import User
from tests.factories import PoolFactory, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "/places/waiting/"


@pytest.fixture
def pool(provider):
    return PoolFactory(service__organization=provider.organization, reported_at=timezone.now() - timedelta(hours=3))


@pytest.fixture
def signed_in(client, provider):
    client.force_login(provider)
    return client


def waited(pool, minutes=60, *, pool_id="", clock=timedelta(0), key="a" * 32, **fields):
    """What the phone sends: made so many minutes ago, by a clock that may be wrong."""
    now = timezone.now() + clock
    times = {"made_at": (now - timedelta(minutes=minutes)).isoformat(), "sent_at": now.isoformat()}
    return {"pool": pool_id or pool.pk, "key": key, "action": "more", "available": "4"} | times | fields


@pytest.mark.parametrize("clock", [timedelta(0), timedelta(hours=9), -timedelta(days=2)], ids=["right", "fast", "slow"])
def test_it_is_kept_once_with_the_time_it_was_made_whatever_the_phones_clock_says(signed_in, pool, clock):
    sent = waited(pool, 60, clock=clock)
    first, again = (signed_in.post(ADDRESS, sent).json() for _ in range(2))
    assert first == again == {"outcome": "kept", "said": "Sent and kept."}
    pool.refresh_from_db()
    assert (pool.available, CapacityReport.objects.count()) == (4, 1)
    assert abs(timezone.now() - timedelta(hours=1) - pool.reported_at) < timedelta(minutes=1)


def test_the_press_that_arrived_although_its_answer_did_not_counts_once(signed_in, pool):
    signed_in.post(reverse("place", args=[pool.pk]), {"action": "more", "version": 1, "key": "b" * 32})
    assert signed_in.post(ADDRESS, waited(pool, 1, key="b" * 32)).json()["outcome"] == "kept"
    pool.refresh_from_db()
    assert (pool.available, CapacityReport.objects.count()) == (4, 1)


def test_later_than_another_it_is_kept_in_history_and_the_later_one_stands(signed_in, pool):
    pool.reported_at = timezone.now() - timedelta(minutes=5)
    pool.save()
    answer = signed_in.post(ADDRESS, waited(pool, 60)).json()
    assert (answer["outcome"], "stands" in answer["said"]) == ("late", True)
    pool.refresh_from_db()
    assert (pool.available, CapacityReport.objects.get().kind) == (3, "late")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"available": "11"}, "10 in all"),
        ({"available": "many"}, "in figures"),
        ({"minutes": 60 * 24 * 40}, "more than a month ago"),
        ({"key": ""}, "incomplete"),
        ({"made_at": "soon"}, "incomplete"),
        ({"pool_id": "x"}, "does not say"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(signed_in, pool, change, words):
    answer = signed_in.post(ADDRESS, waited(pool, **change))
    assert (answer.status_code, answer.json()["outcome"]) == (422, "refused")
    assert words in answer.json()["said"]
    assert CapacityReport.objects.count() == 0


def test_nobody_tells_of_anothers_places_and_the_whole_form_waits_too(signed_in, client, pool):
    assert signed_in.post(ADDRESS, waited(PoolFactory())).json()["outcome"] == "refused"
    typed = {"action": "set", "available": "2", "status": "waitlist", "note": "Ground floor only"}
    assert signed_in.post(ADDRESS, waited(pool, 1, **typed)).json()["outcome"] == "kept"
    pool.refresh_from_db()
    assert (pool.available, pool.status, pool.note) == (2, "waitlist", "Ground floor only")
    client.force_login(UserFactory())
    assert client.post(ADDRESS, waited(pool)).status_code == 403
    client.logout()
    assert client.post(ADDRESS, waited(pool)).status_code == 302


def test_a_provider_makes_a_key_sees_it_once_and_takes_it_back(signed_in, client, pool, provider):
    address = reverse("place-keys")
    # a colleague who keeps no keys reads who does
    User.objects.filter(pk=provider.pk).update(keeps_keys=True)
    client.force_login(UserFactory(provider=True, organization=provider.organization))
    assert f"In your organisation: {provider}." in client.get(address).content.decode()
    assert client.post(address, {"name": "Care records", "days": "30"}).status_code == 403
    client.force_login(provider)
    assert "Say which system" in signed_in.post(address, {"days": "30"}).content.decode()
    html = signed_in.post(address, {"name": "Care records", "days": "30"}).content.decode()
    text = html.split('lune-key-text">')[1].split("<")[0]
    key = SystemKey.objects.get()
    assert (len(text), key.begins_with, str(provider) in html, "Never used" in html) == (64, text[:6], True, True)
    assert text not in signed_in.get(address).content.decode()
    api, system = {"Authorization": f"Token {text}"}, Client()
    assert system.get("/api/v1/capacities/", headers=api).status_code == 200
    client.force_login(UserFactory(provider=True))
    assert key.begins_with not in client.get(address).content.decode()
    assert client.post(reverse("place-key-revoke", args=[key.pk])).status_code == 404
    client.force_login(provider)
    assert client.post(reverse("place-key-revoke", args=[key.pk]), follow=True).status_code == 200
    assert system.get("/api/v1/capacities/", headers=api).status_code in (401, 403)
