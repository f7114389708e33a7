"""The demonstration region says more than the usual: diagnoses, practices, marks; and what it says fits the kind of service."""

import re

import pytest
from django.db.models import Q

from capacity.models import ServiceCapacity
from catalogue.eligibility_text import eligibility_sentences
from catalogue.marks import marks_of
from catalogue.models import Eligibility, EligibilityCriterion, Practice, QualityMark, RegistrationCriterion, Service
from flow.demo import logins
from matching.models import PoolFact
from tests.flow.region.checks import AT


@pytest.fixture
def loaded(region, db):
    """The region, in a transaction of the test's own."""


def test_no_team_that_comes_to_people_speaks_of_beds_or_rooms(loaded):
    stays = Q(service__care_type__group="Care homes") | Q(service__care_type__code__in=["community-bed", "hospice-inpatient"])
    notes = ServiceCapacity.objects.exclude(note="").exclude(stays).values_list("note", flat=True)
    assert len(notes) > 100
    assert [note for note in notes if re.search(r"bed|room|admission", note, re.IGNORECASE)] == []
    assert ServiceCapacity.objects.filter(stays, note__contains="bed only").exists()


def test_some_services_say_more(loaded):
    criteria = EligibilityCriterion.objects.filter(term__taxonomy__slug="condition")
    assert criteria.count() > 100
    assert set(criteria.values_list("rule", flat=True)) == set(EligibilityCriterion.Rule.values)
    assert RegistrationCriterion.objects.count() > 20
    assert PoolFact.objects.filter(coded=True).count() > 100
    assert PoolFact.objects.exclude(marks_until=None).count() > 100
    assert set(Eligibility.objects.filter(sex="female").values_list("sex_reason", flat=True)) == {"safety"}
    networks = set(Practice.objects.values_list("pcn_code", flat=True))
    assert set(RegistrationCriterion.objects.values_list("code", flat=True)) <= networks


def test_pages_can_show_it(loaded):
    registered = RegistrationCriterion.objects.select_related("service")[0]
    assert f"Only takes people registered with: {registered.name}." in eligibility_sentences(registered.service)
    app = Service.objects.filter(quality_marks__scheme="app-review")[0]
    assert any(mark.score.endswith(" of 100") for mark in marks_of(app, today=AT.date()))
    assert QualityMark.objects.filter(expires_on__lt=AT.date()).exists()
    assert QualityMark.objects.filter(expires_on__gte=AT.date()).exists()


def test_a_log_ins_own_services_turn_nobody_away(loaded):
    own = Q(service__organization__name__in=[logins.HOME, logins.HOMECARE, logins.CHARITY])
    assert EligibilityCriterion.objects.filter(own).exists()
    assert not EligibilityCriterion.objects.filter(own, rule="excluded").exists()
    assert not RegistrationCriterion.objects.filter(own).exists()
