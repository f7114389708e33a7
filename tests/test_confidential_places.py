"""A refuge: the public never hears of it, and nobody learns where it is, however often they search."""

import json
import re
from datetime import time

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Address, Schedule, ServiceSearch
from catalogue.queries import search_services
from core.geo import to_wgs84
from matching import operations
from matching.models import PoolFact
from notifications.viewer import pools_seen, topics_seen
from tests.factories import (
    AreaFactory,
    LocationFactory,
    NeedProfileFactory,
    OrganizationFactory,
    OutcodeFactory,
    PoolFactory,
    ServiceFactory,
    UserFactory,
    near,
)

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NAME, STREET = "Larkspur Refuge", "7 Hidden Lane"
SECRETS = ["service", "organization", "location"]


def refuge(secret: str, point=None):
    """Places of which the service, its organisation or the place itself is confidential."""
    organization = OrganizationFactory(name="Larkspur Trust", is_confidential=secret == "organization")
    location = LocationFactory(name=STREET, point=point or near(1_234, 987), is_confidential=secret == "location")
    Address.objects.create(location=location, address_1=STREET, city="Secretville", postal_code="PR1 7QQ")
    service = ServiceFactory(name=NAME, organization=organization, is_confidential=secret == "service")
    return PoolFactory(service=service, location=location)


def browser(role: str) -> Client:
    OutcodeFactory()
    client = Client()
    if role != "anonymous":
        client.force_login(UserFactory(**({} if role == "referrer" else {role: True})), backend=BACKEND)
    return client


@pytest.mark.parametrize("secret", ["service", "organization"])
def test_the_public_does_not_hear_of_it(secret):
    pool, client = refuge(secret), browser("anonymous")
    pages = [f"{reverse('directory')}?q=Larkspur", reverse("directory"), f"{reverse('directory')}?where=PR1", reverse("map-areas")]
    for address in pages:
        text = client.get(address).content.decode()
        assert [word for word in (NAME, STREET, str(pool.pk), str(pool.service_id), "Secretville") if word in text] == [], address
    assert client.get(reverse("service", args=[pool.service_id])).status_code == 404
    assert client.get(reverse("api-capacity", args=[pool.pk])).status_code == 403
    nobody = AnonymousUser()
    assert (pools_seen(nobody, [pool.pk]), topics_seen(nobody, [f"pool:{pool.pk}", f"service:{pool.service_id}"])) == (set(), set())


@pytest.mark.parametrize("role", ["referrer", "provider", "manager", "curator", "administrator"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_professional_finds_it_and_not_where_it_is(secret, role):
    pool, client = refuge(secret), browser(role)
    there = to_wgs84(pool.location.point)
    exact = [f"{there.y:.4f}", f"{there.x:.4f}"]
    addresses = [
        reverse("service", args=[pool.service_id]), f"{reverse('directory')}?q=Larkspur&where=PR1",
        f"{reverse('directory')}?where=PR1&miles=2",
        reverse("api-service", args=[pool.service_id]), f"{reverse('api-services')}?postcode=PR1&text=Larkspur",
        reverse("api-capacity", args=[pool.pk]),
    ]  # fmt: skip
    for address in addresses:
        answer = client.get(address)
        text = answer.content.decode()
        assert answer.status_code == 200, address
        assert [word for word in (STREET, "Secretville", "PR1 7QQ", "0.9 miles", "1.0 miles", *exact) if word in text] == [], address
    assert NAME in client.get(addresses[0]).content.decode()
    found = search_services(UserFactory(), text="Larkspur", near=near())
    assert [service.distance_m for service in found] == [None]
    assert not search_services(UserFactory(), text="Secretville").exists()


def test_a_managers_map_has_no_pin_for_it():
    for secret in SECRETS:
        refuge(secret)
    text = browser("manager").get(f"{reverse('dashboard')}?kind=home-general-residential").content.decode()
    assert "Hidden Lane" not in text
    assert NAME not in text


@pytest.mark.parametrize("secret", SECRETS)
def test_a_search_says_the_same_wherever_in_its_square_it_stands(secret):
    """Two refuges in one square of 5 km: distance, points, reasons and pins tell them apart for nobody."""
    here, there = refuge(secret, near(1_100, 1_100)), refuge(secret, near(4_900, 4_900))
    PoolFactory()  # an open one, which has its pin
    assert PoolFact.objects.get(pk=here.pk).point == PoolFact.objects.get(pk=there.pk).point
    by = UserFactory()
    for metres in (0, 700, 3_000):
        profile = NeedProfileFactory(organization=by.organization, point=near(metres, -metres))
        run = operations.match(profile, by=by, at=timezone.now())
        lines = {line.pool_id: line for line in operations.lines(run)}
        told = [
            json.dumps([lines[pool.pk].distance_m, lines[pool.pk].score, [str(term) for term in lines[pool.pk].terms], lines[pool.pk].met])
            for pool in (here, there)
        ]
        assert told[0] == told[1]
        why = [operations.why_not(run, pool.pk) for pool in (here, there)]
        assert (why[0].met, why[0].terms, why[0].score) == (why[1].met, why[1].terms, why[1].score)
        client = Client()
        client.force_login(by, backend=BACKEND)
        page = client.get(reverse("match", args=[run.pk])).content.decode()
        assert page.count("address is confidential") == 2
        assert len(re.findall(r'(?:"|&#34;|&quot;)lat(?:"|&#34;|&quot;)', page)) == 1


@pytest.mark.parametrize("secret", SECRETS)
def test_ranking_learns_at_once_that_a_place_has_become_confidential(secret):
    pool = PoolFactory(location=LocationFactory(point=near(1_234, 987)))
    assert PoolFact.objects.get(pk=pool.pk).point == near(1_234, 987)
    record = {"service": pool.service, "organization": pool.service.organization, "location": pool.location}[secret]
    type(record).objects.filter(pk=record.pk).update(is_confidential=True)
    coarse = PoolFact.objects.get(pk=pool.pk).point
    assert (coarse.x % 5_000, coarse.y % 5_000) == (2_500, 2_500)
    type(record).objects.filter(pk=record.pk).update(is_confidential=False)
    assert PoolFact.objects.get(pk=pool.pk).point == near(1_234, 987)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("role", ["anonymous", "referrer"])
def test_no_diary_calendar_file_or_list_of_an_area_says_where_it_is(secret, role):
    """Whoever asks, and however: by its words, its town, its area, its day, its needs, or with a slip of spelling."""
    pool, client = refuge(secret), browser(role)
    area = AreaFactory(code="E07000123", name="Secret District")
    Schedule.objects.create(service=pool.service, byday="MO,TU,WE,TH,FR,SA,SU", opens_at=time(9), closes_at=time(10))
    there = to_wgs84(pool.location.point)
    secrets = [STREET, "Secretville", "PR1 7QQ", f"{there.y:.4f}", f"{there.x:.4f}"]
    hidden = role == "anonymous" and secret != "location"
    searches = [
        "", "q=Larkspur", "q=Larkspr+Refge", "q=Secretville", "q=Hidden+Lane", f"area={area.code}", "where=PR1&miles=2", "day=MO",
        "online=not", "free=on", "care_type=home-general-residential", "print=large",
    ]  # fmt: skip
    diary = [f"{reverse(name)}?area={area.code}&care_type=home-general-residential" for name in ("diary", "diary-calendar")]
    for address in [*(f"{reverse(name)}?{query}" for query in searches for name in ("directory", "directory-csv")), *diary]:
        answer = client.get(address)
        text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        shown = re.sub(
            r"<p class=.lune-only-on-paper.*?</p>|<(form|title|ul class=.lune-(chips|tools)).*?</(form|title|ul)>", "", text, flags=re.S
        )  # what was typed comes back
        assert [word for word in secrets if word in shown] == [], address
        if hidden or "diary" in address:
            assert NAME not in shown or secret == "location", address
            assert str(pool.service_id) not in shown or secret == "location", address
    calendar = client.get(reverse("service-calendar", args=[pool.service_id]))
    assert calendar.status_code == (200 if secret == "location" else 404)
    assert STREET not in calendar.content.decode()
    reported = client.post(reverse("service", args=[pool.service_id]), {"words": "wrong"})
    assert reported.status_code in ((302, 404) if secret != "location" else (302,))


@pytest.mark.parametrize("secret", SECRETS)
def test_what_a_search_compares_does_not_know_where_it_is(secret):
    pool = refuge(secret)
    packed = ServiceSearch.objects.get(pk=pool.service_id)
    assert (packed.points, packed.towns) == (None, [])
    assert "secretville" not in packed.names
    assert packed.is_public == (secret == "location")
    assert not search_services(UserFactory(), near=near(1_234, 987), within_m=100_000).exists()
    assert not search_services(AnonymousUser(), area=AreaFactory()).exists()
