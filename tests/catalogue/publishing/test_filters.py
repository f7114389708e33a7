"""The filters do what the standard says of them, and a wrong one is refused in words."""

from datetime import date, time, timedelta

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.test import Client
from django.utils import timezone

from catalogue.models import (
    Address,
    Contact,
    CostOption,
    Eligibility,
    Phone,
    PublicationChange,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    Service,
    ServiceArea,
    TaxonomyTerm,
)
from tests.factories import (
    AreaFactory,
    CriterionFactory,
    EligibilityFactory,
    LocationFactory,
    OrganizationFactory,
    PoolFactory,
    PostcodeFactory,
    ServiceFactory,
    near,
    term,
)

from .samples import BASE, get, names

pytestmark = pytest.mark.django_db


def aged(name: str, lowest: int | None, highest: int | None) -> None:
    EligibilityFactory(service__name=name, minimum_age=lowest, maximum_age=highest)


@pytest.mark.req("R098")
def test_ages_are_those_that_the_service_states():
    aged("toddlers", 0, 4)
    aged("teens", 13, 19)
    aged("adults", 18, None)
    ServiceFactory(name="silent")
    assert names(minimum_age=13) == ["adults", "teens"]
    assert names(maximum_age=19) == ["teens", "toddlers"]
    assert names(minimum_age=13, maximum_age=19) == ["teens"]
    assert names(minimum_age=0) == ["adults", "teens", "toddlers"]
    assert names("/service_at_locations", minimum_age=13) == []


def timed(name: str, *schedules: dict) -> None:
    service = ServiceFactory(name=name)
    for values in schedules:
        Schedule.objects.create(service=service, **values)


@pytest.mark.req("R098")
def test_day_and_times_are_met_by_one_schedule_together():
    timed("morning", {"byday": "MO,TU", "opens_at": time(9), "closes_at": time(12)})
    timed("evening", {"byday": "TU", "opens_at": time(18), "closes_at": time(21)})
    timed("both", {"byday": "MO", "opens_at": time(9), "closes_at": time(10)}, {"byday": "TU", "opens_at": time(19), "closes_at": time(20)})
    timed("monthly", {"freq": "MONTHLY", "byday": "2TU,-1FR", "opens_at": time(14), "closes_at": time(15)})
    timed("all night", {"byday": "SA", "opens_at": time(20), "closes_at": time(0)})
    timed("since a Wednesday", {"dtstart": date(2026, 1, 7)})
    timed("over", {"byday": "MO", "opens_at": time(9), "closes_at": time(10), "valid_to": date(2020, 1, 1)})
    assert names(day="MO") == ["both", "morning"]
    assert names(day="tuesday") == ["both", "evening", "monthly", "morning"]
    assert names(day="FR") == ["monthly"]
    assert names(day="WE") == ["since a Wednesday"]
    assert names(start_time="18:00") == ["all night", "both", "evening"]
    assert names(end_time="10:00") == ["both"]
    assert names(end_time="23:59", day="SA") == ["all night"]
    assert names(end_time="22:00", day="SA") == []
    assert names(day="MO", start_time="18:00") == []
    assert names(day="TU", start_time="18:00", end_time="20:00") == ["both"]


def placed(name: str, east: float, **values) -> Service:
    return PoolFactory(service=ServiceFactory(name=name, **values), location=LocationFactory(point=near(east))).service


@pytest.fixture
def around_preston() -> None:
    """PR1 2HE is the middle of Preston."""
    PostcodeFactory()
    placed("next door", 100)
    placed("three miles off", 4_800)
    placed("far off", 40_000)
    PoolFactory(service__name="hidden place", location__is_confidential=True)
    ServiceFactory(name="nowhere")


@pytest.mark.req("R091")
def test_a_postcode_is_held_against_the_areas_that_a_service_states(around_preston):
    square = AreaFactory()
    elsewhere = AreaFactory(outline=MultiPolygon(near(100_000).buffer(5_000, quadsegs=1), srid=27700))
    for name, areas in {"ours": [square], "theirs": [elsewhere], "both": [elsewhere, square]}.items():
        service = placed(name, 0)
        for area in areas:
            ServiceArea.objects.create(service=service, area=area)
    ServiceArea.objects.create(service=placed("drawn", 0), extent=MultiPolygon(near().buffer(500, quadsegs=1), srid=27700))
    ServiceArea.objects.create(service=placed("drawn away", 0), extent=MultiPolygon(near(9_000).buffer(500, quadsegs=1), srid=27700))
    ServiceArea.objects.create(service=placed("in words", 0), name="Somewhere in the north")
    placed("short reach", 4_000, catchment_m=3_000)
    placed("long reach", 4_000, catchment_m=5_000)
    taken = names("/service_at_locations", postcode="PR1 2HE")
    assert {"ours", "both", "drawn", "in words", "long reach", "far off"} <= set(taken)
    assert not {"theirs", "drawn away", "short reach"} & set(taken)
    assert set(names(postcode="pr12he")) == set(taken) | {"nowhere", "hidden place"}


@pytest.mark.req("R091")
def test_proximity_counts_metres_from_the_middle_of_the_postcode_and_never_measures_a_secret_place(around_preston):
    for path in ("/services", "/service_at_locations"):
        assert names(path, postcode="PR1 2HE", proximity=500) == ["next door"]
        assert names(path, postcode="PR1 2HE", proximity=5_000) == ["next door", "three miles off"]
        assert names(path, postcode="PR1 2HE", proximity=99.5) == []


def test_it_is_this_place_of_a_service_that_is_near(around_preston):
    service = placed("of two places", 200)
    PoolFactory(service=service, name="Other beds", location=LocationFactory(point=near(60_000)))
    assert names("/service_at_locations", postcode="PR1 2HE", proximity=500).count("of two places") == 1
    assert names("/service_at_locations").count("of two places") == 2


@pytest.mark.req("R091")
def test_taxonomies_find_kind_topic_and_what_is_taken_but_not_what_is_refused():
    home = term("care-type", "home-general-residential")
    meals = ServiceFactory(name="meals", care_type=term("care-type", "meals-at-home"))
    topic = ServiceFactory(name="gardeners", care_type=None)
    topic.taxonomy_terms.add(term("need", "gardening"))
    CriterionFactory(service=ServiceFactory(name="takes dementia", care_type=home))
    CriterionFactory(service=ServiceFactory(name="refuses dementia", care_type=home), rule="excluded")
    assert names(taxonomy_term_id=meals.care_type_id) == ["meals"]
    assert names(taxonomy_term_id=term("need", "gardening").pk) == ["gardeners"]
    assert names(taxonomy_term_id=term("need", "dementia").pk) == ["takes dementia"]
    assert names(taxonomy_id=home.taxonomy_id) == ["meals", "refuses dementia", "takes dementia"]
    assert names(taxonomy_id=term("need", "dementia").taxonomy_id) == ["gardeners", "takes dementia"]
    assert names(taxonomy_id=home.taxonomy_id, taxonomy_term_id=term("need", "dementia").pk) == ["takes dementia"]
    old = TaxonomyTerm.objects.create(
        taxonomy=home.taxonomy, code="lunches", name="Lunches", replaced_by=meals.care_type, retired_at=timezone.now()
    )
    assert names(taxonomy_term_id=old.pk) == ["meals"]
    assert names(taxonomy_term_id="00000000-0000-4000-8000-000000000000") == []
    assert names("/taxonomy_terms", taxonomy_id=home.taxonomy_id, search="meals on wheels") == ["Meals at home"]
    assert names("/taxonomies", search="fund") == ["Funding"]


@pytest.mark.req("R091")
def test_words_find_names_and_what_they_mean():
    ServiceFactory(name="Fir Grove")
    ServiceFactory(name="Meadow Lunches", care_type=term("care-type", "meals-at-home"))
    assert names(search="fir") == ["Fir Grove"]
    assert names(search="meals on wheels") == ["Meadow Lunches"]
    assert names(search="  ") == ["Fir Grove", "Meadow Lunches"]


def test_organisations_with_public_services_alone():
    service = ServiceFactory(organization=OrganizationFactory(name="Grove"))
    OrganizationFactory(name="No services")
    ServiceFactory(is_confidential=True, organization=OrganizationFactory(name="Refuge trust"))
    assert names("/organizations") == ["Grove"]
    assert names("/services", organization_id=service.organization_id) == [service.name]


CHANGES = {
    "service": lambda service: Service.objects.filter(pk=service.pk).update(description="New"),
    "organisation": lambda service: service.organization.save(),
    "phone": lambda service: Phone.objects.create(service=service, number="1"),
    "eligibility": lambda service: Eligibility.objects.create(service=service, minimum_age=3),
    "registration": lambda service: RegistrationCriterion.objects.create(service=service, kind="icb", code="QE1", name="Board"),
    "criterion": lambda service: CriterionFactory(service=service),
    "cost": lambda service: CostOption.objects.create(service=service, option="Tea"),
    "schedule": lambda service: Schedule.objects.create(service=service, byday="MO"),
    "area": lambda service: ServiceArea.objects.create(service=service, name="Here"),
    "contact": lambda service: Contact.objects.create(service=service, title="Desk"),
    "topic": lambda service: service.taxonomy_terms.add(term("need", "music")),
    "mark": lambda service: QualityMark.objects.create(service=service, scheme="ncvo", name="Mark"),
    "mark of the organisation": lambda service: QualityMark.objects.create(organization=service.organization, scheme="ncvo", name="Mark"),
    "term": lambda service: TaxonomyTerm.objects.filter(pk=service.care_type_id).update(name="New words"),
    "place": lambda service: service.service_at_locations.create(location=LocationFactory()),
    "address": lambda service: Address.objects.create(
        location=service.service_at_locations.get().location, address_1="1", city="Preston", postal_code="PR1 2HE"
    ),
    "name of the place": lambda service: service.service_at_locations.get().location.__class__.objects.update(name="New"),
}


@pytest.mark.req("R098")
@pytest.mark.parametrize("part", CHANGES)
def test_a_change_of_any_part_is_a_change_of_the_service(part):
    service, other = PoolFactory(service__name="changed").service, ServiceFactory(name="as it was", care_type=None)
    if part == "organisation":
        service.organization.description = "New"
    # As if both had been published yesterday, by another transaction.
    PublicationChange.objects.update(changed_at=timezone.now() - timedelta(days=1), xid="3")
    before = timezone.now() - timedelta(hours=1)
    assert names(modified_after=before.isoformat()) == []
    CHANGES[part](service)
    assert names(modified_after=before.isoformat()) == ["changed"]
    assert other.name not in names(modified_after=before.strftime("%Y-%m-%dT%H:%M:%S%z"))
    told = get("/services", minimal="true", modified_after=before.isoformat())["contents"]
    assert [document["id"] for document in told] == [str(service.pk)]


def test_what_is_not_shown_is_no_change():
    service = ServiceFactory()
    PublicationChange.objects.update(changed_at=timezone.now() - timedelta(days=1), xid="3")
    Service.objects.filter(pk=service.pk).update(kept_fields=["name"], source_hash="f" * 64, modified_at=timezone.now())
    assert names(modified_after=(timezone.now() - timedelta(hours=1)).isoformat()) == []


@pytest.mark.req("R096")
def test_pages_count_as_the_standard_counts(django_assert_max_num_queries):
    ServiceFactory.create_batch(5)
    pages = [get("/services", per_page=2, page=number) for number in (1, 2, 3, 4)]
    assert [page["size"] for page in pages] == [2, 2, 1, 0]
    assert [page["first_page"] for page in pages] == [True, False, False, False]
    assert [page["last_page"] for page in pages] == [False, False, True, False]
    assert [page["empty"] for page in pages] == [False, False, False, True]
    assert {(page["total_items"], page["total_pages"]) for page in pages} == {(5, 3)}
    assert len({document["id"] for page in pages for document in page["contents"]}) == 5
    nothing = get("/services", search="submarine")
    assert (nothing["total_items"], nothing["total_pages"], nothing["empty"], nothing["first_page"], nothing["last_page"]) == (
        0, 1, True, True, True,
    )  # fmt: skip
    link = Client().get(f"{BASE}/services", {"per_page": 2, "page": 2})["Link"]
    assert 'per_page=2&page=1>; rel="prev"' in link
    assert 'per_page=2&page=3>; rel="next"' in link


@pytest.mark.req("R098")
@pytest.mark.parametrize(
    ("sent", "advice"),
    [
        ({"page": "0"}, "whole number from 1"), ({"page": "two"}, "whole number"), ({"page": ""}, "whole number"),
        ({"per_page": "1001"}, "format=ndjson"), ({"per_page": "-1"}, "whole number"), ({"per_page": "9" * 5_000}, "whole number"),
        ({"minimum_age": "old"}, "0 to 150"), ({"maximum_age": "NaN"}, "0 to 150"), ({"maximum_age": "151"}, "0 to 150"),
        ({"start_time": "9am"}, "such as 09:30"), ({"end_time": "25:00"}, "such as 09:30"), ({"day": "someday"}, "one of MO"),
        ({"taxonomy_id": "7"}, "UUID"), ({"taxonomy_term_id": "esdNeed:69"}, "UUID"), ({"organization_id": "x"}, "UUID"),
        ({"postcode": "Preston"}, "not a postcode"), ({"postcode": "ZZ9 9ZZ"}, "do not know"), ({"postcode": " "}, "PR1 2HE"),
        ({"proximity": "100"}, "postcode too"), ({"postcode": "PR1 2HE", "proximity": "1e9"}, "metres"),
        ({"modified_after": "yesterday"}, "2026-11-22T09:30:00Z"), ({"modified_after": "2026-02-31"}, "2026-11-22"),
        ({"full": "yes"}, "true or false"), ({"format": "xml"}, "ndjson"),
        ({"search": "x" * 201}, "200 letters"), ({"text": "x"}, "no such parameter"), ({"page": ["1", "2"]}, "once"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_what_to_give_instead(sent, advice):
    PostcodeFactory()
    answer = Client().get(f"{BASE}/services", sent)
    # What reads well and has no answer is told from what is wrong.
    no_answer = advice in ("not a postcode", "do not know", "postcode too")
    assert (answer.status_code, answer.json()["code"]) == ((422, "cannot-be-answered") if no_answer else (400, "wrong-parameter"))
    assert answer.json()["parameter"] in sent
    assert advice in answer.json()["detail"]
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_plus_sign_that_was_not_escaped_is_understood():
    ServiceFactory(name="now")
    assert names(modified_after="2020-01-01") == ["now"]
    assert Client().get(f"{BASE}/services?modified_after=2020-01-01T00:00:00+01:00").json()["total_items"] == 1
