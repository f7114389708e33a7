"""Search engines read of a public service on its page, in the words of schema.org, and nothing of any other."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from catalogue.models import Location, Service
from catalogue.publishing import json_ld, rows
from tests.factories import UserFactory

from .samples import get, hidden_services, poor_service, rich_service

pytestmark = pytest.mark.django_db
SCRIPT = re.compile(r'<script type="application/ld\+json" nonce="([^"]+)">(.*?)</script>', re.S)


def told(service: Service, client: Client | None = None) -> dict | None:
    answer = (client or Client()).get(reverse("service", args=[service.pk]))
    found = SCRIPT.findall(answer.content.decode())
    if not found:
        return None
    [(nonce, text)] = found
    assert f"'nonce-{nonce}'" in answer["Content-Security-Policy"]
    return json.loads(text)


@pytest.mark.req("R107")
def test_a_public_page_carries_its_service_as_linked_data():
    service = rich_service()
    linked = told(service)
    assert linked is not None
    assert (linked["@context"], linked["@type"], linked["name"]) == ("https://schema.org", "Service", "Fir Grove")
    assert linked["@id"] == linked["url"] == f"http://testserver{reverse('service', args=[service.pk])}"
    assert linked["provider"]["name"] == "Grove Homes"
    assert linked["audience"] == {"@type": "PeopleAudience", "suggestedMinAge": 60, "suggestedMaxAge": 99, "suggestedGender": "female"}
    place = next(channel["serviceLocation"] for channel in linked["availableChannel"] if "serviceLocation" in channel)
    assert place["address"]["postalCode"] == "PR1 2HE"
    assert place["geo"]["latitude"] == pytest.approx(53.7553, abs=0.001)
    week = next(hours for hours in linked["hoursAvailable"] if hours["opens"] == "09:00" and len(hours["dayOfWeek"]) == 5)
    assert week["dayOfWeek"][0] == "https://schema.org/Monday"
    assert {offer["price"] for offer in linked["offers"]} == {"950.5", "120", "0"}
    assert told(poor_service())["name"] == "Bare"


@pytest.mark.req("R107")
def test_what_the_page_has_read_says_the_same_as_the_published_document(django_assert_num_queries):
    for made in (rich_service(), poor_service()):
        read = Service.objects.select_related(*rows.WITH).prefetch_related(*rows.parts_of_a_page()).get(pk=made.pk)
        with django_assert_num_queries(1):  # whether it is public
            said = json.loads(json_ld.script(read, "https://x.example.org"))
        assert said == json_ld.linked_data(get(f"/services/{made.pk}"), "https://x.example.org")


def test_a_page_with_its_linked_data_asks_each_thing_once(client, django_assert_num_queries):
    """Of what it says in the words of schema.org, only whether the service is public is asked for that alone."""
    service = rich_service()
    address = reverse("service", args=[service.pk])
    client.get(address)  # fills what is kept between requests
    with django_assert_num_queries(22):
        client.get(address)


def test_a_confidential_place_of_a_public_service_is_not_said():
    service = rich_service()
    assert "Grove House" in json.dumps(told(service))
    Location.objects.filter(name="Grove House").update(is_confidential=True)
    assert "Grove House" not in json.dumps(told(service))


def test_no_word_of_a_record_ends_the_script():
    text = "</script><script>alert(1)</script><!-- \u2028 & >"
    service = rich_service()
    Service.objects.filter(pk=service.pk).update(description=text, name="</ScRiPt>")
    linked = told(service)
    assert (linked["description"], linked["name"]) == (text, "</ScRiPt>")
    assert "<script>alert" not in Client().get(reverse("service", args=[service.pk])).content.decode()


def test_what_is_not_public_has_none_even_where_it_is_shown():
    curator = Client()
    curator.force_login(UserFactory(curator=True), backend="allauth.account.auth_backends.AuthenticationBackend")
    for service in hidden_services():
        # A double leads to the record that it was merged into.
        assert curator.get(reverse("service", args=[service.pk])).status_code == (301 if service.merged_into_id else 200)
        assert told(service, curator) is None
