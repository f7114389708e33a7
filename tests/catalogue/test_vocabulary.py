"""The vocabulary covers the kinds of care that the requirements name."""

import pytest
from django.conf import settings

from catalogue import vocabulary
from catalogue.models import Organization, Service, TaxonomyTerm
from matching.models import NeedProfile
from tests import factories

CODES = {term.code for term in vocabulary.CARE_TYPES}


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(
            {"recovery", "home-care", "home-general-residential", "crisis-outreach", "community-bed", "community-nursing", "befriending"},
            marks=pytest.mark.req("R016"),
            id="recovery, home, residential, mental health, hospital, community, other",
        ),
        pytest.param(
            {"hospital-at-home", "community-bed", "outpatient", "physiotherapy", "podiatry"}, marks=pytest.mark.req("R017"), id="step-down"
        ),
        pytest.param(
            {"home-general-nursing", "home-general-residential", "assisted-living", "hospice-inpatient"},
            marks=pytest.mark.req("R018"),
            id="homes and hospice",
        ),
        pytest.param(
            {"crisis-outreach", "case-management", "youth-support"}, marks=pytest.mark.req("R019"), id="crisis, rehabilitation, youth"
        ),
    ],
)
@pytest.mark.django_db
def test_the_kinds_of_care_are_there_to_be_used(codes):
    assert codes <= set(TaxonomyTerm.objects.of("care-type").values_list("code", flat=True))
    for code in codes:
        assert factories.ServiceFactory(care_type=factories.term("care-type", code)).care_type.code == code


@pytest.mark.req("R016")
def test_there_are_ten_kinds_and_more():
    assert len(CODES) >= 10


@pytest.mark.req("R021")
@pytest.mark.django_db
def test_money_community_charity_private_and_council_routes_exist(referrer):
    from catalogue.queries import search_services

    routes = [
        ("debt-advice", Organization.Kind.CHARITY),
        ("lunch-club", Organization.Kind.CHARITY),
        ("home-care", Organization.Kind.PROVIDER),
        ("reablement", Organization.Kind.COUNCIL),
    ]
    for code, kind in routes:
        factories.ServiceFactory(care_type=factories.term("care-type", code), organization__kind=kind)
    found = [search_services(referrer, care_type=code).get().organization.kind for code, _ in routes]
    assert found == [kind for _, kind in routes]
    assert "social-care" in {term.code for term in vocabulary.REFERRAL_SOURCES}


@pytest.mark.req("R014")
@pytest.mark.django_db
def test_the_need_and_the_catalogue_are_two_records_that_share_their_words():
    profile = factories.NeedProfileFactory(needs=["dementia"])
    service = factories.CriterionFactory().service
    assert isinstance(profile, NeedProfile)
    assert isinstance(service, Service)
    assert profile.needs == list(service.criteria.values_list("term__code", flat=True))
    assert profile.care_types == [service.care_type.code]


@pytest.mark.req("R040")
@pytest.mark.django_db
def test_one_provider_lists_many_services_each_with_its_own_criteria_and_places():
    organization = factories.OrganizationFactory(charity=True)
    for number in range(25):
        service = factories.ServiceFactory(organization=organization)
        factories.EligibilityFactory(service=service, minimum_age=number)
        factories.PoolFactory(service=service, available=number % 5)
    ages = organization.services.values_list("eligibility__minimum_age", "capacities__available")
    assert set(ages) == {(number, number % 5) for number in range(25)}


@pytest.mark.req("R104")
def test_the_software_is_open_source():
    licence = (settings.BASE_DIR / "LICENSE").read_text()
    assert licence.startswith("MIT License")
    assert 'license = "MIT"' in (settings.BASE_DIR / "pyproject.toml").read_text()


@pytest.mark.parametrize("slug", vocabulary.TAXONOMIES)
def test_bits_are_single_and_fit_a_mask(slug):
    bits = [term.bit for term in vocabulary.TAXONOMIES[slug][2]]
    assert len(set(bits)) == len(bits)
    assert max(bits) <= 61
