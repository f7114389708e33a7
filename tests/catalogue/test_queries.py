"""Finding places and services."""

import pytest

from catalogue.eligibility_text import eligibility_sentences
from catalogue.models import Address, EligibilityCriterion, Service
from catalogue.queries import areas_at, find_place, search_services
from catalogue.spelling import learn
from core.errors import Invalid
from tests import factories

pytestmark = pytest.mark.django_db


def placed(name: str, metres_east: float = 0, **fields) -> Service:
    service = factories.ServiceFactory(name=name, **fields)
    location = factories.LocationFactory(point=factories.near(metres_east))
    service.service_at_locations.create(location=location)
    return service


def names(services) -> list[str]:
    return [service.name for service in services]


def test_a_whole_postcode_is_found_exactly():
    factories.PostcodeFactory(postcode="PR1 2HE", at=factories.near(50))
    place = find_place("pr12he")
    assert (place.point.coords, place.outcode, place.postcode, place.approximate) == (factories.near(50).coords, "PR1", "PR1 2HE", False)


@pytest.mark.parametrize("text", ["PR1", "pr1 9zz"])
def test_half_a_postcode_or_an_unknown_one_is_placed_roughly(text):
    factories.OutcodeFactory(code="PR1")
    place = find_place(text)
    assert place.approximate
    assert place.point.coords == factories.near().coords


@pytest.mark.parametrize(("text", "code"), [("Preston", "postcode-form"), ("", "postcode-form"), ("ZZ1 1ZZ", "postcode-unknown")])
def test_what_is_no_postcode_is_refused_with_advice(text, code):
    with pytest.raises(Invalid) as refusal:
        find_place(text)
    assert refusal.value.code == code


def test_the_areas_that_hold_a_point():
    inside = factories.AreaFactory()
    assert areas_at(factories.near()) == [inside.pk]
    assert areas_at(factories.near(50_000)) == []


def test_services_near_come_closest_first_and_those_too_far_not_at_all(referrer):
    placed("Far", 5_000)
    placed("Near", 1_000)
    placed("Too far", 90_000)
    factories.ServiceFactory(name="Nowhere")
    found = search_services(referrer, near=factories.near(), within_m=10_000)
    assert [(service.name, service.distance_m) for service in found] == [("Near", 1_000), ("Far", 5_000)]
    assert names(search_services(referrer, near=factories.near())) == ["Near", "Far", "Too far", "Nowhere"]


def test_a_confidential_place_is_never_measured(referrer):
    refuge = placed("Refuge", 1_000)
    refuge.service_at_locations.get().location.__class__.objects.update(is_confidential=True)
    assert [service.distance_m for service in search_services(referrer, near=factories.near())] == [None]


@pytest.mark.parametrize(
    "text", ["meals on wheels", "Meals-at-home", "Hot Dinners", "hot diners", "dinners in Preston", "dementia", "demenita"]
)
def test_words_that_people_use_find_the_service(referrer, text):
    meals = placed("Hot Dinners", care_type=factories.term("care-type", "meals-at-home"))
    at = meals.service_at_locations.get()
    Address.objects.create(location=at.location, address_1="1 Church Street", city="Preston", postal_code="PR1 2HE")
    factories.CriterionFactory(service=meals)
    placed("Badminton", care_type=factories.term("care-type", "physical-activity"))
    learn()
    assert names(search_services(referrer, text=text)) == ["Hot Dinners"]


def test_a_need_that_a_service_cannot_meet_does_not_find_it(referrer):
    factories.CriterionFactory(rule=EligibilityCriterion.Rule.EXCLUDED)
    assert not search_services(referrer, text="dementia").exists()


def test_the_best_name_comes_first(referrer):
    placed("Moor Lane Home for all")
    placed("Moor Lane")
    assert names(search_services(referrer, text="moor lane"))[0] == "Moor Lane"


def test_services_of_one_kind_and_status(curator):
    placed("Nursing", care_type=factories.term("care-type", "home-general-nursing"))
    placed("Shut", status=Service.Status.INACTIVE)
    assert names(search_services(curator, care_type="home-general-nursing")) == ["Nursing"]
    assert names(search_services(curator, status="inactive")) == ["Shut"]


def test_each_sees_what_is_theirs_to_see(referrer, curator):
    from django.contrib.auth.models import AnonymousUser

    placed("Open")
    placed("Inactive", status=Service.Status.INACTIVE)
    placed("Refuge", is_confidential=True)
    placed("Hidden", organization=factories.OrganizationFactory(is_confidential=True))
    placed("Internal", is_internal=True)
    assert set(names(search_services(AnonymousUser()))) == {"Open"}
    assert set(names(search_services(referrer))) == {"Open", "Refuge", "Hidden", "Internal"}
    assert len(search_services(curator)) == 5


def test_eligibility_is_said_in_sentences():
    service = factories.ServiceFactory()
    factories.EligibilityFactory(service=service, minimum_age=65, sex="female", notes="Ring first")
    rules = EligibilityCriterion.Rule
    for code, rule in [
        ("oxygen", rules.ACCEPTS),
        ("dementia", rules.ACCEPTS),
        ("under-section", rules.EXCLUDED),
        ("parkinsons", rules.PREFERRED),
    ]:
        factories.CriterionFactory(service=service, term=factories.term("need", code), rule=rule)
    factories.CriterionFactory(service=service, term=factories.term("funding", "nhs"))
    factories.CriterionFactory(service=service, term=factories.term("language", "ur"))
    assert eligibility_sentences(service) == [
        "Ages 65 and over.",
        "Women only.",
        "Can meet: dementia, oxygen.",
        "Takes first people with these needs: Parkinson's.",
        "Cannot take people with these needs: detained or on a legal order.",
        "Paid for by: NHS funded (including discharge to assess).",
        "Languages: Urdu.",
        "Ring first.",
        "Not said: who may refer.",
    ]


def test_what_was_not_said_is_never_made_a_yes_or_no():
    assert eligibility_sentences(factories.ServiceFactory()) == [
        "Not said: ages, which needs it can meet, who pays, languages, who may refer."
    ]


@pytest.mark.parametrize(("low", "high", "said"), [(18, 64, "Ages 18 to 64."), (None, 17, "Ages up to 17."), (0, None, "All ages.")])
def test_ages_are_said_as_they_are_limited(low, high, said):
    eligibility = factories.EligibilityFactory(minimum_age=low, maximum_age=high)
    assert eligibility_sentences(eligibility.service)[0] == said
