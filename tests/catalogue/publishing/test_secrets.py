"""What is not public is in no answer of the open catalogue: not in a list, a count, an error or a difference between two."""

import json
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from catalogue.models import QualityMark, Service
from tests.factories import OrganizationFactory, PostcodeFactory, ServiceFactory, UserFactory

from .samples import BASE, SECRET, get, hidden_services, rich_service

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"

LISTS = [
    *(f"{BASE}/{path}" for path in ("services", "taxonomies", "service_at_locations", "organizations", "taxonomy_terms", "changes")),
    *(f"/api/oruk/v1/{path}" for path in ("services", "taxonomies", "organizations", "locations", "reviews")),
]
SEARCHES = [
    {}, {"full": "true"}, {"minimal": "true"}, {"format": "ndjson", "full": "true"}, {"search": SECRET}, {"minimum_age": "18"},
    {"maximum_age": "60"}, {"day": "MO"}, {"start_time": "09:00", "end_time": "17:00"}, {"postcode": "PR1 2HE"},
    {"postcode": "PR1 2HE", "proximity": "1000"}, {"modified_after": "2020-01-01"}, {"per_page": "1000"},
]  # fmt: skip


def text(client: Client, path: str, parameters: dict) -> str:
    answer = client.get(path, parameters)
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


@pytest.fixture
def stage() -> list[Service]:
    PostcodeFactory()
    rich_service()
    return hidden_services()


@pytest.mark.parametrize("who", ["anonymous", "curator"])
def test_no_list_search_or_stream_tells_of_it_whoever_is_signed_in(stage, who):
    client = Client()
    if who == "curator":
        client.force_login(UserFactory(curator=True), backend=BACKEND)
    ids = [str(service.pk) for service in stage]
    for path in LISTS:
        for parameters in SEARCHES:
            told = text(client, path, parameters)
            assert [word for word in (SECRET, *ids) if word in told and not told.startswith('{"code"')] == [], (path, parameters)


def test_nothing_tells_a_secret_from_what_never_was(stage):
    for service in stage:
        mark = QualityMark.objects.create(service=service, scheme="app-review", name=SECRET, score=1, out_of=2)
        place = service.service_at_locations.get()
        for path, key in {
            "services": service.pk, "service_at_locations": place.pk, "organizations": service.organization_id,
        }.items():  # fmt: skip
            answers = [Client().get(f"{BASE}/{path}/{identity}") for identity in (key, uuid4(), "no-uuid")]
            assert {answer.status_code for answer in answers} == {404}
            assert len({answer.content for answer in answers}) == 1
        for path, key in {
            "services": service.pk, "organizations": service.organization_id, "locations": place.location_id, "reviews": mark.pk,
        }.items():  # fmt: skip
            assert Client().get(f"/api/oruk/v1/{path}/{key}").status_code == 404
        assert Client().get(f"{BASE}/services", {"organization_id": str(service.organization_id)}).json()["total_items"] == 0
    assert SECRET not in text(Client(), "/api/oruk/v1/reviews", {})


def test_counts_are_those_of_what_is_public(stage):
    public = Service.objects.visible_to(AnonymousUser()).count()
    assert public == 2  # the rich one, and the one that a double was merged into
    assert get("/services")["total_items"] == public
    assert get("/services", search=SECRET)["total_items"] == 0
    assert get("/organizations")["total_items"] == public + 1  # and a partner of the rich one
    assert Client().get("/api/oruk/v1/services").json()["totalElements"] == public
    assert len(text(Client(), f"{BASE}/services", {"format": "ndjson"}).splitlines()) == public


def test_a_place_that_a_secret_service_shares_is_told_for_the_public_one_alone(stage):
    secret, public = stage[0], ServiceFactory(name="Open house", organization=OrganizationFactory(name="Open trust"))
    location = secret.service_at_locations.get().location
    location.name = "Shared hall"
    location.save()
    public.service_at_locations.create(location=location)
    there = get("/service_at_locations")["contents"]
    assert [place["name"] for place in there if place["location"].get("name") == "Shared hall"] == ["Open house"]
    [old] = [place for place in Client().get("/api/oruk/v1/locations").json()["content"] if place.get("name") == "Shared hall"]
    whole = Client().get(f"/api/oruk/v1/locations/{old['id']}").json()
    assert [each["service"]["name"] for each in whole["service_at_locations"]] == ["Open house"]
    assert str(secret.pk) not in json.dumps([there, whole])
