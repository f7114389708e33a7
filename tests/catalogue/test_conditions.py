"""Diagnoses, guidelines, practices: which falls under which, who is where, and what can be asked by them."""

import pytest
from django.apps import apps
from django.urls import reverse
from rest_framework.test import APIClient

from catalogue import conditions, criteria, terms
from catalogue.models import Practice, RegistrationCriterion, Service, TaxonomyTerm
from core.clock import now
from core.errors import Invalid
from tests.factories import CriterionFactory, OrganizationFactory, ServiceFactory, UserFactory, term

#: Tables of Verhoeff's check digit, by which every SNOMED CT id ends.
_PRODUCT = ["0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104",
            "9876543210"]  # fmt: skip
_SHIFT = ["0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"]


def checks(number: str) -> bool:
    value = 0
    for place, digit in enumerate(reversed(number)):
        value = int(_PRODUCT[value][int(_SHIFT[place % 8][int(digit)])])
    return value == 0


@pytest.mark.parametrize("condition", conditions.CONDITIONS, ids=lambda condition: condition.code)
def test_every_code_is_well_formed_and_its_parent_stands_before_it(condition):
    system, code = condition.code.split("|")
    assert checks(code) if system == "snomed" else code[:2] in ("NG", "CG") and code[2:].isdigit()
    earlier = [one.code for one in conditions.CONDITIONS[: conditions.CONDITIONS.index(condition)]]
    assert condition.code not in earlier
    assert not condition.parent or condition.parent in earlier


def test_a_wrong_digit_is_noticed():
    assert checks("73211009")
    assert not checks("73211008")


@pytest.mark.parametrize("condition", [one for one in conditions.CONDITIONS if one.refset], ids=lambda condition: condition.refset)
def test_a_reference_set_is_one(condition):
    assert checks(condition.refset)
    assert condition.refset[-3:-1] == "10"


@pytest.mark.django_db
def test_a_code_that_could_not_be_confirmed_says_so_until_a_clinician_has_looked():
    doubtful = TaxonomyTerm.objects.filter(unconfirmed=True)
    assert {one.code for one in doubtful} == {one.code for one in conditions.CONDITIONS if one.unconfirmed}
    terms.confirm_term(term_id=doubtful[0].pk, by=UserFactory(curator=True), at=now())
    conditions.load(apps)
    assert len(doubtful.all()) == sum(one.unconfirmed for one in conditions.CONDITIONS) - 1


@pytest.mark.django_db
def test_a_diagnosis_brings_what_it_falls_under_and_what_falls_under_it():
    chains, under = criteria.condition_chains(["snomed|52448006", "snomed|13645005"])
    assert chains == (("snomed|52448006", "nice|NG97"), ("snomed|13645005", "nice|NG115"))
    assert under == ("snomed|26929004", "snomed|312991009", "snomed|429998004")
    assert criteria.condition_chains([]) == ((), ())
    with pytest.raises(Invalid, match="not a diagnosis"):
        criteria.condition_chains(["snomed|0"])


@pytest.mark.django_db
def test_a_circle_of_terms_and_a_merged_one_do_no_harm():
    dementia, alzheimers, copd = (term("condition", f"snomed|{code}") for code in ("52448006", "26929004", "13645005"))
    TaxonomyTerm.objects.filter(pk=dementia.pk).update(parent=alzheimers)
    chains, _ = criteria.condition_chains([alzheimers.code])
    assert chains == ((alzheimers.code, dementia.code),)
    TaxonomyTerm.objects.filter(pk=dementia.pk).update(replaced_by=copd)
    assert criteria.condition_chains([dementia.code])[0] == ((copd.code, "nice|NG115"),)


@pytest.mark.django_db
def test_a_curators_words_are_left_alone_when_the_list_is_loaded_again():
    TaxonomyTerm.objects.filter(code="nice|NG28").update(name="Diabetes, type 2")
    TaxonomyTerm.objects.filter(code="nice|NG115").delete()
    conditions.load(apps)
    assert term("condition", "nice|NG28").name == "Diabetes, type 2"
    assert term("condition", "nice|NG115").name == "COPD (NICE NG115)"


@pytest.mark.req("R013")
@pytest.mark.django_db
def test_services_are_filtered_by_the_diagnosis_or_guideline_they_say_they_take():
    guideline, diagnosis, refuses, silent = (ServiceFactory(name=name) for name in ("Guideline", "Diagnosis", "Refuses", "Silent"))
    CriterionFactory(service=guideline, term=term("condition", "nice|NG28"), rule="required")
    CriterionFactory(service=diagnosis, term=term("condition", "snomed|44054006"))
    CriterionFactory(service=refuses, term=term("condition", "nice|NG28"), rule="excluded")
    signed_in = APIClient()
    signed_in.force_authenticate(UserFactory())

    def named(code: str) -> set[str]:
        answer = signed_in.get(reverse("api-services"), {"condition": code})
        assert answer.status_code == 200
        return {row["name"] for row in answer.json()["results"]}

    assert named("snomed|44054006") == {"Guideline", "Diagnosis"}
    assert named("nice|NG28") == {"Guideline"}
    assert named("nice|NG115") == set()
    assert signed_in.get(reverse("api-services"), {"condition": "nice|NG0"}).status_code == 422
    assert {service.name for service in Service.objects.all()} == {"Guideline", "Diagnosis", "Refuses", silent.name}


def practice(name: str, code: str, **places) -> Practice:
    return Practice.objects.create(organization=OrganizationFactory(practice=True, name=name, ods_code=code), **places)


@pytest.mark.django_db
def test_a_practice_is_found_by_its_code_or_its_name():
    lane, road = practice("Moor Lane Surgery", "P81001"), practice("Moor Road Surgery", "P81002")
    practice("Hidden Surgery", "P81003").organization.__class__.objects.filter(ods_code="P81003").update(is_confidential=True)
    assert criteria.find_practice(" p81001 ") == lane
    assert criteria.find_practice("moor road") == road
    for text, says in (
        ("moor", r"More than one practice has that name: Moor Lane Surgery \(P81001\), Moor Road Surgery \(P81002\)\. Give the code"),
        ("mo", "We do not know the practice"),
        ("Nowhere", "We do not know the practice “Nowhere”"),
        ("P81003", "We do not know the practice"),
    ):
        with pytest.raises(Invalid, match=says):
            criteria.find_practice(text)


@pytest.mark.django_db
def test_somebody_is_registered_with_a_practice_its_network_and_its_board():
    practice("Moor Lane Surgery", "P81001", pcn_code="U11111", icb_code="QE1")
    practice("Moor Road Surgery", "P81002")
    assert criteria.registrations_of("P81001") == ("practice|P81001", "pcn|U11111", "icb|QE1")
    assert criteria.registrations_of("P81002") == ("practice|P81002",)
    assert criteria.registrations_of("P89999") == ("practice|P89999",)
    assert criteria.registrations_of("") == ()


@pytest.mark.django_db
def test_names_of_codes_come_from_the_list_and_from_what_services_said():
    RegistrationCriterion.objects.create(service=ServiceFactory(), kind="pcn", code="U11111", name="Lune Valley")
    assert criteria.names_of({"nice|NG28", "pcn|U11111", "icb|U11111"}) == {
        "nice|NG28": "Type 2 diabetes (NICE NG28)",
        "pcn|U11111": "Lune Valley",
    }
    assert criteria.names_of(set()) == {}
