"""The directory: for anybody, without a sign-in, without script."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Address, Contact, CostOption, EligibilityCriterion, Phone, Schedule, Service
from frontend.presenters.opening import clock, opening
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    """A care home in Preston with three of ten beds free."""
    service = factories.ServiceFactory(name="Fir Grove", organization__name="Grove Homes", assured_date=timezone.localdate())
    pool = factories.PoolFactory(service=service, name="Nursing beds")
    Address.objects.create(location=pool.location, address_1="1 Moor Lane", city="Preston", postal_code="PR1 2HE")
    return service


def listed(client, **search):
    answer = client.get(reverse("directory"), search)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.req("R010")
def test_anybody_sees_services_with_what_is_free_now(client, home):
    html = listed(client)
    assert "Fir Grove" in html
    assert "3 free" in html
    assert html.index(">Nursing beds:<") < html.index("3 free")  # what it is, then how it stands
    assert "Preston" in html
    assert f'href="{reverse("service", args=[home.pk])}"' in html
    assert '"lat": 53.' in html  # the map's pins


def test_a_slip_of_spelling_and_everyday_words_are_understood(client, home):
    factories.ServiceFactory(name="Meadow Lunches", care_type=factories.term("care-type", "meals-at-home"))
    assert "Fir Grove" in listed(client, q="fir grov")
    html = listed(client, q="meals on wheels")
    assert "Meadow Lunches" in html
    assert "Fir Grove" not in html


def test_distance_from_a_postcode(client, home):
    factories.PostcodeFactory()
    far = factories.PoolFactory(service__name="Far House", location__point=factories.near(8_047))
    html = listed(client, where="pr12he")
    assert "5.0 miles away" in html
    assert html.index("Fir Grove") < html.index("Far House")
    html = listed(client, where="PR1 2HE", miles="2")
    assert far.service.name not in html
    assert "1 service" in html


def test_a_postcode_that_nobody_knows_is_told_beside_the_box_and_the_rest_still_counts(client, home):
    factories.ServiceFactory(name="Not asked for", care_type=factories.term("care-type", "befriending"))
    html = listed(client, where="ZZ9 9ZZ", care_type="home-general-residential")
    assert "We do not know the postcode ZZ9 9ZZ" in html
    assert "Fir Grove" in html
    assert "Not asked for" not in html


def test_nothing_found_says_what_to_do(client, home):
    assert "Try fewer words" in listed(client, q="submarine")


@pytest.mark.parametrize("search", [{"care_type": "nonsense"}, {"miles": "-4"}, {"page": "999"}, {"status": "defunct"}])
def test_an_odd_address_still_answers(client, home, search):
    assert "Fir Grove" in listed(client, **search)


def test_a_link_to_the_next_page_keeps_the_search(client):
    organization = factories.OrganizationFactory()
    for number in range(21):
        factories.ServiceFactory(name=f"Grove {number:02}", organization=organization)
    html = listed(client, q="grove", care_type="home-general-residential")
    assert "21 services" in html
    assert "q=grove&amp;care_type=home-general-residential&amp;page=2" in html
    assert "Grove 20" in listed(client, q="grove", page="2")


@pytest.mark.parametrize("hidden", [{"is_confidential": True}, {"is_internal": True}, {"status": Service.Status.INACTIVE}])
def test_what_is_not_public_is_nowhere_for_the_public(client, home, hidden):
    Service.objects.filter(pk=home.pk).update(**hidden)
    assert "Fir Grove" not in listed(client)
    assert client.get(reverse("service", args=[home.pk])).status_code == 404


def test_a_curator_sees_inactive_services_too(client, curator, home):
    Service.objects.filter(pk=home.pk).update(status=Service.Status.INACTIVE)
    client.force_login(curator)
    html = listed(client)
    assert "Fir Grove" in html
    assert "Inactive" in html
    assert "Fir Grove" not in listed(client, status="active")


def test_a_confidential_place_has_no_address_and_no_pin(client, referrer, home):
    location = home.service_at_locations.get().location
    location.is_confidential = True
    location.save()
    for user in (None, referrer):
        if user:
            client.force_login(user)
        for html in (listed(client), client.get(reverse("service", args=[home.pk])).content.decode()):
            assert "Fir Grove" in html
            assert "Moor Lane" not in html
            assert "PR1 2HE" not in html
            assert '"lat": 53.' not in html


def test_one_service_says_what_it_offers_and_to_whom(client, home):
    home.description = "A quiet house.\nGardens."
    home.cqc_rating, home.cqc_rated_on, home.price_week = Service.Quality.GOOD, date(2026, 1, 5), 950
    home.save()
    factories.EligibilityFactory(service=home, minimum_age=65)
    factories.CriterionFactory(service=home, rule=EligibilityCriterion.Rule.ACCEPTS)
    Phone.objects.create(service=home, number="01632 960000")
    Contact.objects.create(service=home, title="Referrals desk", email="desk@example.org", is_public=True)
    Contact.objects.create(service=home, name="Canary Contact", is_public=False)
    CostOption.objects.create(service=home, option="Respite", amount=120, amount_description="a night")
    Schedule.objects.create(service=home, byday="MO,TU,WE,TH,FR", opens_at=time(9), closes_at=time(17))
    html = client.get(reverse("service", args=[home.pk])).content.decode()
    for told in (
        "A quiet house.", "Ages 65 and over.", "dementia", "01632 960000", "Referrals desk", "desk@example.org", "1 Moor Lane",
        "Monday to Friday, 9am to 5pm", "Usually £950 a week", "Respite: £120 a night", "Good, 5 January 2026", "3 free",
    ):  # fmt: skip
        assert told in html, told
    assert "Canary Contact" not in html


def test_the_public_is_not_told_how_many_places_are_held(client, home):
    home.capacities.update(held=1)
    html = client.get(reverse("service", args=[home.pk])).content.decode()
    assert "2 free" in html
    assert "held" not in html


@pytest.mark.parametrize(("checked", "overdue"), [(timedelta(days=30), False), (timedelta(days=93), True), (None, True)])
def test_a_record_that_nobody_checked_for_three_months_is_marked(client, home, checked, overdue):
    home.assured_date = checked and timezone.localdate() - checked
    home.save()
    assert ("Check is overdue" in listed(client)) == overdue
    assert ("Check is overdue" in client.get(reverse("service", args=[home.pk])).content.decode()) == overdue


def test_a_list_costs_the_same_number_of_queries_for_many_services(client, home, django_assert_num_queries, django_assert_max_num_queries):
    listed(client)  # reads the vocabulary, which is kept
    with django_assert_max_num_queries(12) as few:
        listed(client)
    factories.PoolFactory.create_batch(5)
    with django_assert_num_queries(len(few.captured_queries)):
        listed(client)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"byday": "MO,TU,WE,TH,FR", "opens_at": time(9), "closes_at": time(17)}, "Monday to Friday, 9am to 5pm"),
        ({"byday": "MO,WE", "opens_at": time(13, 30), "closes_at": time(16)}, "Monday and Wednesday, 1:30pm to 4pm"),
        ({"byday": "MO,TU,WE,TH,FR,SA,SU"}, "Every day"),
        ({"byday": "MO,TU,WE,TH,FR,SA,SU", "opens_at": time(0), "closes_at": time(0)}, "Every day, open 24 hours"),
        ({"byday": "TU", "interval": 2, "opens_at": time(12)}, "Tuesday, every 2 weeks, from midday"),
        ({"freq": "MONTHLY", "byday": "2TU", "closes_at": time(20)}, "The second Tuesday of each month, until 8pm"),
        ({"freq": "MONTHLY", "bymonthday": "1,15"}, "Day 1 and 15 of each month"),
        ({"description": "Ring first"}, "Ring first"),
        ({"byday": "SA", "description": "term time"}, "Saturday (term time)"),
    ],
)
def test_opening_times_in_words(fields, words):
    assert opening(Schedule(**fields)) == words


@pytest.mark.parametrize(
    ("value", "words"), [(time(0), "midnight"), (time(0, 15), "12:15am"), (time(12, 5), "12:05pm"), (time(23), "11pm")]
)
def test_the_clock_in_words(value, words):
    assert clock(value) == words
