"""The search form asks for diagnoses, the practice, who refers and marks of quality, and keeps what was typed."""

import pytest
from django.urls import reverse

from catalogue.models import Practice, QualityMark, RegistrationCriterion
from matching.models import MatchRun, NeedProfile
from tests import factories

NEED = {"age": "84", "postcode": "PR1 2HE", "care_types": ["home-general-residential"], "miles": "15"}


@pytest.fixture
def signed_in(client, referrer):
    factories.PostcodeFactory()
    client.force_login(referrer)
    return client


@pytest.fixture
def practices(db):
    for name, code in (("Moor Lane Surgery", "P81001"), ("Moor Road Surgery", "P81002")):
        organization = factories.OrganizationFactory(practice=True, name=name, ods_code=code)
        Practice.objects.create(organization=organization, pcn_code="U11111", pcn_name="Lune network")


def find(client, **changes):
    return client.post(reverse("find"), NEED | changes)


@pytest.mark.req("R013")
def test_what_is_asked_decides_and_is_said(signed_in, practices):
    pool, other = factories.PoolFactory(service__name="Fir Grove"), factories.PoolFactory(service__name="Otter House")
    factories.CriterionFactory(service=pool.service, term=factories.term("condition", "nice|NG97"), rule="required")
    factories.CriterionFactory(service=other.service, term=factories.term("condition", "snomed|52448006"), rule="excluded")
    RegistrationCriterion.objects.create(service=pool.service, kind="pcn", code="U11111", name="Lune network")
    QualityMark.objects.create(service=pool.service, scheme="ncvo", name="Level 1")
    answer = find(signed_in, conditions=["snomed|26929004"], practice="moor lane", referral_source="hospital", marks=["ncvo"], drives="no")
    profile = NeedProfile.objects.get()
    assert (profile.conditions, profile.practice, profile.marks) == (["snomed|26929004"], "P81001", ["ncvo"])
    assert (profile.referral_source, profile.drives) == ("hospital", False)
    page = signed_in.get(answer["Location"]).content.decode()
    assert "It is for people with: Dementia (NICE NG97)." in page
    assert "Takes people registered with Lune network." in page
    assert "+20 for marks of quality: NCVO Trusted Charity" in page
    assert "Its record has never been checked, so it is overdue." in page
    listed, _, nearly = page.partition("that nearly fits")
    assert "Otter House" not in listed
    assert "Otter House" in nearly
    why = signed_in.get(reverse("match-why-not", args=[MatchRun.objects.get().pk, other.pk])).content.decode()
    assert "It cannot take people with: Dementia." in why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"practice": "moor"}, "More than one practice has that name: Moor Lane Surgery (P81001), Moor Road Surgery (P81002)."),
        ({"practice": "Elsewhere"}, "We do not know the practice “Elsewhere”."),
        ({"conditions": ["nice|NG0"]}, "Select a valid choice."),
        ({"marks": ["stars"]}, "Select a valid choice."),
        ({"referral_source": "aunt"}, "Select a valid choice."),
    ],
)
def test_what_is_not_known_is_said_where_it_was_typed(signed_in, practices, changes, words):
    answer = find(signed_in, needs=["oxygen"], **changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(words) >= 2, "in the summary and beside the field"
    assert 'value="oxygen" checked' in page
    if "practice" in changes:
        assert f'value="{changes["practice"]}"' in page
        assert page.index("<details", page.index('name="drives"')) < page.index(" open>", page.index('name="drives"'))
    assert not MatchRun.objects.exists()


def test_an_earlier_search_fills_the_form_again(signed_in, practices):
    find(signed_in, conditions=["snomed|26929004"], practice="P81002", referral_source="hospital", marks=["cqc"])
    page = signed_in.get(reverse("find"), {"profile": NeedProfile.objects.get().pk}).content.decode()
    for ticked in ("snomed|26929004", "cqc"):
        assert f'value="{ticked}" checked' in page
    assert 'value="P81002"' in page
    assert '<option value="hospital" selected>' in page


def test_diagnoses_can_be_found_by_other_names(signed_in):
    """The box that shortens the list looks at names and synonyms."""
    page = signed_in.get(reverse("find")).content.decode()
    assert 'data-filters="condition-groups"' in page
    assert 'data-words="stroke cva"' in page


def test_how_long_the_journey_may_take_times_and_pathway_are_asked_and_said(signed_in, referrer):
    """The pathway is that of the stay, else that of the work: a practice ranks as primary care unless it says otherwise."""
    factories.PoolFactory()
    answer = find(signed_in, drives="no", minutes="45", times=["TU", "evening"], pathway="P2")
    profile = NeedProfile.objects.get()
    assert (profile.max_minutes, profile.times, profile.pathway) == (45, ["TU", "evening"], "P2")
    page = signed_in.get(answer["Location"]).content.decode()
    assert "within 15 miles and 45 minutes" in page
    assert "Less than a minute on foot, reckoned from the distance." in page
    page = signed_in.get(reverse("find"), {"profile": profile.pk}).content.decode()
    for kept in ('value="45" selected', 'value="TU" checked', 'value="evening" checked', 'value="P2" selected'):
        assert kept in page
    stay = factories.EpisodeFactory(patient__organization=referrer.organization, profile=profile)
    assert 'value="P3" selected' in signed_in.get(reverse("find"), {"patient": stay.patient_id}).content.decode()
    signed_in.force_login(factories.UserFactory(organization=factories.OrganizationFactory(practice=True)))
    assert 'value="primary-care" selected' in signed_in.get(reverse("find")).content.decode().partition('name="pathway"')[2]
