"""The curator's pages for the words of the vocabulary."""

import pytest
from django.test import Client
from django.urls import reverse

from catalogue.models import TaxonomyTerm, TermMerge
from tests import factories
from tests.factories import term

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def desk(curator) -> Client:
    client = Client()
    client.force_login(curator, backend=BACKEND)
    return client


def page_of(one: TaxonomyTerm) -> str:
    return reverse("term", args=[one.pk])


def words(one: TaxonomyTerm, **changed) -> dict[str, str]:
    return {
        "save": "yes",
        "name": one.name,
        "synonyms": "\n".join(one.synonyms),
        "description": one.description,
        "group": one.group,
        **changed,
    }


def test_terms_are_found_by_what_people_call_them(desk):
    shown = desk.get(reverse("terms"), {"q": "lonel"}).content.decode()
    assert "Befriending" in shown
    assert "Debt and money advice" not in shown
    for name in ("q", "list", "state", "page"):
        assert desk.get(reverse("terms"), {name: "🦄" * 300}).status_code == 200


def test_a_synonym_that_a_curator_adds_finds_the_service(desk):
    factories.ServiceFactory(name="Friends of Leyland", care_type=term("care-type", "befriending"))
    befriending = term("care-type", "befriending")
    found = desk.get(reverse("directory"), {"q": "tea pals"}).content.decode()
    assert "Friends of Leyland" not in found
    answer = desk.post(page_of(befriending), words(befriending, synonyms="lonely\r\n tea pals \r\n\r\n"), follow=True)
    assert "Saved." in answer.content.decode()
    assert term("care-type", "befriending").synonyms == ["lonely", "tea pals"]
    found = desk.get(reverse("directory"), {"q": "tea pals"}).content.decode()
    assert "Friends of Leyland" in found


def test_what_cannot_be_saved_is_told_and_kept_as_typed(desk):
    music = term("need", "music")
    answer = desk.post(page_of(music), words(music, name="", snomed_refset="twelve", synonyms="x" * 101))
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Write a name" in shown
    assert "x" * 101 in shown
    answer = desk.post(page_of(music), words(music, snomed_refset="twelve"))
    assert "6 to 18 digits" in answer.content.decode()
    assert term("need", "music").snomed_refset == ""
    for button in ("retire", "merge"):
        assert desk.post(page_of(music), {button: "yes"}).status_code == 422


def test_a_term_is_retired_and_used_again(desk):
    music = term("need", "music")
    shown = desk.post(page_of(music), {"retire": "yes", "reason": "Nobody asks"}, follow=True).content.decode()
    assert "No longer used" in shown
    assert "Nobody asks" in shown
    assert "No longer used" in desk.get(reverse("terms"), {"q": "music"}).content.decode()
    referrer = Client()
    referrer.force_login(factories.UserFactory(), backend=BACKEND)
    offered = referrer.get(reverse("find")).content.decode()
    assert ("Music and singing" in offered, "Arts and crafts" in offered) == (False, True)
    desk.post(page_of(music), {"restore": "yes"})
    assert "Music and singing" in referrer.get(reverse("find")).content.decode()
    assert term("need", "music").retired_at is None


def test_two_terms_are_merged_and_taken_apart_again(desk):
    music, crafts = term("need", "music"), term("need", "crafts")
    criterion = factories.CriterionFactory(term=music)
    assert "1 service" in desk.get(page_of(music)).content.decode()
    desk.post(page_of(music), {"merge": "yes", "kept": str(crafts.pk)})
    criterion.refresh_from_db()
    assert criterion.term == crafts
    assert "Music and singing into Arts and crafts" in desk.get(page_of(crafts)).content.decode()
    desk.post(page_of(crafts), {"undo": str(TermMerge.objects.get().pk)})
    criterion.refresh_from_db()
    assert criterion.term == music
    assert desk.post(page_of(crafts), {"undo": str(TermMerge.objects.get().pk)}).status_code == 409
    assert desk.post(page_of(crafts), {"undo": "nonsense"}).status_code == 404


def test_a_term_is_added(desk):
    made = {"taxonomy": "need", "name": "Sewing", "synonyms": "quilting", "description": "", "group": "Interests"}
    answer = desk.post(reverse("term-new"), made, follow=True)
    assert "“Sewing” is added." in answer.content.decode()
    again = desk.post(reverse("term-new"), made)
    assert again.status_code == 422
    assert TaxonomyTerm.objects.filter(name="Sewing").count() == 1


@pytest.mark.parametrize("role", ["provider", "referrer", "manager"])
def test_others_have_no_such_pages(role, request):
    client = Client()
    client.force_login(request.getfixturevalue(role), backend=BACKEND)
    music = term("need", "music")
    for address in (reverse("terms"), reverse("term-new"), page_of(music)):
        assert client.get(address).status_code == 403
    assert client.post(page_of(music), {"retire": "yes", "reason": "x"}).status_code == 403
    assert term("need", "music").retired_at is None
