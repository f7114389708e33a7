"""Rules on lists and areas in the pages of an entry: each is chosen, kept, said and decided on."""

import html
import re

import pytest
from django.urls import reverse

from catalogue.eligibility_text import eligibility_sentences
from catalogue.terms import merge_terms
from core.clock import now
from tests.factories import AreaFactory, ServiceFactory, term
from tests.frontend.test_entries import publish, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(provider):
    return ServiceFactory(organization=provider.organization, name="Lunch club")


@pytest.mark.req("R013")
def test_every_rule_of_lists_and_areas_can_be_chosen_and_is_said(client, provider, service):
    client.force_login(provider)
    AreaFactory(name="Ribbleton")
    AreaFactory(name="Ashton")
    found = send(client, service.pk, "areas", "find", search="o").content.decode()
    tokens = [html.unescape(value) for value in re.findall(r'name="areas"[^>]*value="([^"]*)"', found)]
    rules = re.findall(r'<label[^>]*for="id_(rule-\w+)"[^>]*>\s*(\w+)', found)
    send(client, service.pk, "areas", areas=tokens, search="o", **{name: "excluded" for name, area in rules if area == "Ashton"})
    send(client, service.pk, "cost", **{"funding-nhs": "required", "funding-council": "accepts"})
    send(client, service.pk, "access", **{"language-ur": "excluded", "language-en": "preferred"})
    send(client, service.pk, "who", **{"referrer-self": "required", "condition-snomed|52448006": "excluded"})
    publish(client, service.pk)
    text = eligibility_sentences(service)
    assert {
        "Only takes people who live in: Ribbleton.", "Cannot take people who live in: Ashton.",
        "Only takes people paid for by: NHS funded (including discharge to assess).", "Cannot work in: Urdu.",
        "Takes first those who speak: English.", "Only takes people referred by: the person themselves.",
        "Cannot take people with these diagnoses or guidelines: Dementia.",
    } <= set(text)  # fmt: skip
    before = text
    for part in ("who", "areas", "cost", "access"):
        send(client, service.pk, part)
    assert eligibility_sentences(service) == before, "a page that is saved as it stands changes nothing"


def test_a_draft_that_names_a_merged_word_means_the_one_that_was_kept(client, provider, curator, service):
    client.force_login(provider)
    send(client, service.pk, "who", **{"need-music": "required"})
    merge_terms(gone_id=term("need", "music").pk, kept_id=term("need", "crafts").pk, by=curator, at=now())
    publish(client, service.pk)
    assert service.criteria.get().term.code == "crafts"


def test_ages_have_no_rule_to_choose(client, provider, service):
    client.force_login(provider)
    text = client.get(reverse("entry-part", args=[service.pk, "who"])).content.decode()
    assert "need-dementia" in text
    assert 'name="rule-' not in text
    assert not re.search(r'<select[^>]*name="(minimum_age|maximum_age|sex)"', text)
