"""Searching the catalogue by everything that the directory offers, and the packed rows that it compares."""

from datetime import time, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone

from catalogue.models import Address, CostOption, EligibilityCriterion, Organization, Schedule, Service, ServiceSearch, TaxonomyTerm
from catalogue.queries import search_services
from catalogue.search import in_full, search_lines
from catalogue.spelling import alike_words, learn
from core.geo import METRES_PER_MILE
from tests import factories

pytestmark = pytest.mark.django_db
PUBLIC = AnonymousUser()


def service(name: str, *, east: float | None = None, kind: str = "befriending", **fields) -> Service:
    made = factories.ServiceFactory(name=name, care_type=factories.term("care-type", kind), **fields)
    if east is not None:
        made.service_at_locations.create(location=factories.LocationFactory(point=factories.near(east)))
    return made


def found(**search) -> list[str]:
    return [each.name for each in search_services(PUBLIC, **search)]


@pytest.mark.req("R091")
@pytest.mark.parametrize(
    "text", ["lonely", "I am lonely", "loneliness", "befriend", "befreinding", "tea", "preston tea", "prestn", "kettle"]
)
def test_people_find_it_in_their_own_words(text):
    tea = service("Tea and Talk", description="Put the kettle on and talk.", east=0)
    Address.objects.create(location=tea.service_at_locations.get().location, address_1="1 Road", city="Preston", postal_code="PR1 2HE")
    service("Benefits advice", kind="welfare-benefits")
    learn()
    assert found(text=text) == ["Tea and Talk"]


def test_slips_of_spelling_are_those_of_words_that_the_viewer_may_know():
    service("Lunch Club")
    service("Rosehaven", is_confidential=True)
    learn()
    assert found(text="lunchclub") == ["Lunch Club"]
    assert found(text="unch") == ["Lunch Club"]
    assert alike_words(["rosehavn", "lunchclub", "zzzz"], public=False) == {"rosehavn": ["rosehaven"], "lunchclub": ["lunch club"]}
    assert alike_words(["rosehavn"], public=True) == {}


def test_lines_are_those_of_the_services_that_somebody_may_see():
    """A list is counted by packed rows, and shown by services: the two rules must be one."""
    shown, secret = service("Shown"), service("Secret", is_confidential=True)
    for name, fields in (("Inside", {"is_internal": True}), ("Asleep", {"status": "inactive"}), ("Twin", {"merged_into": shown})):
        service(name, **fields)
    service("Hidden house", organization=factories.OrganizationFactory(is_confidential=True))
    for user, count in ((PUBLIC, 1), (factories.UserFactory(), 4), (factories.UserFactory(curator=True), 6)):
        lines = list(search_lines(user))
        assert {line.pk for line in lines} == set(Service.objects.visible_to(user).values_list("pk", flat=True))
        assert [each.pk for each in in_full(lines, user)] == [line.pk for line in lines] == [each.pk for each in search_services(user)]
        assert len(lines) == count
    ServiceSearch.objects.filter(pk=secret.pk).update(is_public=True)  # even if a row were wrong
    assert [each.name for each in in_full(search_lines(PUBLIC), PUBLIC)] == ["Shown"]


def test_pages_of_any_length_ask_one_prepared_statement():
    for name in ("One", "Two", "Three"):
        service(name)
    lines = list(search_lines(PUBLIC))
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%told_closed%%'"
    for some in (lines[:1], lines[:2], lines, []):
        assert [each.search for each in in_full(some, PUBLIC)] == some
    with connection.cursor() as cursor:
        cursor.execute(kept)
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "text", ["'", "''", "\\", "' | '", "a & b", ":*", "!", "((", "the", "%", "_", "<->", "x" * 5_000, "😀", "o'brien's"]
)
def test_no_text_is_taken_for_a_question_to_the_database(text):
    service("Tea and Talk")
    list(search_services(PUBLIC, text=text, near=factories.near(), within_m=1_000))


def test_words_in_a_name_come_before_words_elsewhere():
    service("Zebra Lunch")
    service("A club", description="We have lunch together.")
    assert found(text="lunch") == ["Zebra Lunch", "A club"]


def test_needs_and_access_are_those_that_the_service_has_said_yes_to():
    for name, rule in (("Yes", "accepts"), ("Only", "required"), ("No", "excluded")):
        EligibilityCriterion.objects.create(service=service(name), term=factories.term("need", "wheelchair"), rule=rule)
    service("Silent")
    assert set(found(needs=["wheelchair"])) == {"Yes", "Only"}
    assert found(needs=["wheelchair", "dementia"]) == []
    assert found(needs=["nonsense"]) == []


def test_days_and_times_of_day():
    for name, byday, opens, closes in (
        ("Early", "MO,TU", time(9), time(11)),
        ("Long", "TU", time(10), time(20)),
        ("Night", "WE", time(22), time(2)),
        ("Unknown time", "1TH", None, None),
    ):
        Schedule.objects.create(service=service(name), byday=byday, opens_at=opens, closes_at=closes)
    assert set(found(days=["TU"])) == {"Early", "Long"}
    assert set(found(days=["MO", "WE"])) == {"Early", "Night"}
    assert set(found(part_of_day="eve")) == {"Long", "Night", "Unknown time"}
    assert found(days=["TU"], part_of_day="pm") == ["Long"]
    assert found(days=["TH"], part_of_day="am") == ["Unknown time"]


def test_age_leaves_out_only_those_that_say_no():
    for name, low, high in (("Old", 60, None), ("Young", None, 25), ("All", 0, None)):
        factories.EligibilityFactory(service=service(name), minimum_age=low, maximum_age=high)
    service("Silent")
    assert set(found(age=70)) == {"Old", "All", "Silent"}
    assert set(found(age=25)) == {"Young", "All", "Silent"}


def test_free_is_what_costs_nothing():
    service("By price", price_week=0)
    CostOption.objects.create(service=service("By option"), amount=0)
    factories.CriterionFactory(service=service("By funding"), term=factories.term("funding", "free"))
    CostOption.objects.create(service=service("Not free"), amount=2)
    service("Silent")
    assert set(found(free=True)) == {"By price", "By option", "By funding"}


@pytest.mark.req("R119")
@pytest.mark.req("R232")
def test_language_and_coming_by_oneself():
    factories.CriterionFactory(service=service("Urdu"), term=factories.term("language", "ur"))
    factories.CriterionFactory(service=service("Open door"), term=factories.term("referral-source", "self"))
    assert found(languages=["ur"]) == ["Urdu"]
    assert found(self_referral=True) == ["Open door"]


@pytest.mark.req("R116")
def test_an_area_holds_what_is_in_it_and_what_says_that_it_serves_it():
    area = factories.AreaFactory()
    service("Inside", east=0)
    service("Outside", east=50_000)
    service("National line").service_areas.create(area=area)
    assert set(found(area=area)) == {"Inside", "National line"}


@pytest.mark.req("R132")
@pytest.mark.req("R166")
def test_online_services_are_services_like_others():
    service("An app", kind="digital-service")
    phone = service("A line")
    phone.service_at_locations.create(location=factories.LocationFactory(location_type="virtual", point=None))
    service("A place", east=0)
    assert set(found(online=True)) == {"An app", "A line"}
    assert found(online=False) == ["A place"]


@pytest.mark.req("R127")
def test_what_nobody_checked_for_long_is_listed_lower():
    today = timezone.localdate()
    service("Stale", east=1_000, assured_date=today - timedelta(days=400))
    service("Fresh", east=3_000, assured_date=today)
    service("Far", east=9_000, assured_date=today)
    assert found() == ["Far", "Fresh", "Stale"]
    near = search_services(PUBLIC, near=factories.near(), within_m=20_000)
    assert [(each.name, each.is_overdue) for each in near] == [("Fresh", False), ("Stale", True), ("Far", False)]
    assert 1_000 + 2 * METRES_PER_MILE > 3_000  # two miles are what it costs
    assert found(text="befriending")[-1] == "Stale"


def packed(made: Service) -> ServiceSearch:
    return ServiceSearch.objects.get(pk=made.pk)


def test_a_packed_row_follows_every_change():
    made = service("Tea", east=0)
    assert packed(made).is_public
    Organization.objects.filter(pk=made.organization_id).update(name="Kettle Trust")
    assert found(text="kettle trust") == ["Tea"]
    term = TaxonomyTerm.objects.get(pk=made.care_type_id)
    TaxonomyTerm.objects.filter(pk=term.pk).update(name="Sitting together")
    assert found(text="sitting") == ["Tea"]
    schedule = Schedule.objects.create(service=made, byday="MO")
    assert found(days=["MO"]) == ["Tea"]
    schedule.delete()
    assert found(days=["MO"]) == []
    made.service_at_locations.all().delete()
    assert packed(made).points is None
    Service.objects.filter(pk=made.pk).update(is_internal=True)
    assert not packed(made).is_public
    pk = made.pk
    made.delete()
    assert not ServiceSearch.objects.filter(pk=pk).exists()


def test_two_campuses_are_measured_to_the_nearer():
    made = service("Two", east=5_000)
    made.service_at_locations.create(location=factories.LocationFactory(point=factories.near(-1_000)))
    [each] = search_services(PUBLIC, near=factories.near(), within_m=2_000)
    assert each.distance_m == 1_000


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_packed_when_their_transaction_commits():
    organization = factories.OrganizationFactory()
    Service.objects.bulk_create([Service(organization=organization, name=f"Club {n}", source="a file") for n in range(150)])
    assert ServiceSearch.objects.filter(name__startswith="Club").count() == 150
    assert search_services(PUBLIC, text="club").count() == 150
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalogue_servicesearch_due")
        assert cursor.fetchone() == (0,)
    Service.objects.filter(organization=organization).update(status="inactive")
    assert not ServiceSearch.objects.filter(is_public=True).exists()
    Service.objects.filter(organization=organization).delete()
    assert not ServiceSearch.objects.exists()
