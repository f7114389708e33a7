"""The pages behind a letter's link: nobody needs an account, looking changes nothing, and no answer helps a guesser."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.assurance import answer_link, issue_links
from catalogue.models import AssuranceLink, Contact, ProposedChange, Service
from tests import factories

pytestmark = pytest.mark.django_db
STEPS = ("still-correct", "still-correct-change", "still-correct-closed")


@pytest.fixture
def service() -> Service:
    return factories.ServiceFactory(name="Tea and Talk", assured_date=date(2026, 1, 1), email="tea@example.org")


@pytest.fixture
def token(service) -> str:
    return issue_links(services=[service], sent_to="owner@example.org", at=timezone.now())[0][1]


def strict() -> Client:
    """A mail program's browser: no cookies, no token of the page, and as origin “null”, as it sends after `no-referrer`."""
    return Client(enforce_csrf_checks=True, headers={"Origin": "null"})


@pytest.mark.req("R239")
@pytest.mark.req("R151")
def test_one_press_and_the_record_is_checked(service, token):
    shown = strict().get(reverse("still-correct", args=[token])).content.decode()
    assert all(words in shown for words in ("Tea and Talk", "tea@example.org", "Still correct", "Change something", "Closed"))
    answer = strict().post(reverse("still-correct", args=[token]))
    assert (answer.status_code, answer.url) == (302, reverse("still-correct-done", args=["correct"]))
    assert token not in answer.url
    service.refresh_from_db()
    assert service.assured_date == timezone.localdate()
    assert "marked as checked today" in strict().get(answer.url).content.decode()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_programs_that_open_links_change_nothing(service, token, step, method):
    before = list(Service.objects.values()), list(AssuranceLink.objects.values())
    answer = getattr(strict(), method)(reverse(step, args=[token]))
    assert answer.status_code == (200 if method in ("get", "head") else 405)
    assert before == (list(Service.objects.values()), list(AssuranceLink.objects.values()))
    assert not ProposedChange.objects.exists()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", ["open", "wrong", "spent"])
def test_nobody_keeps_indexes_or_passes_on_the_address(service, token, step, state):
    if state == "spent":
        answer_link(token=token, answer="correct", at=timezone.now())
    for method in ("get", "post"):
        answer = getattr(strict(), method)(reverse(step, args=["x" * 43 if state == "wrong" else token]), {"email": "not an address"})
        headers = ("Cache-Control", "Referrer-Policy", "X-Robots-Tag")
        assert [answer[name] for name in headers] == ["no-store", "no-referrer", "noindex, nofollow"]
        if state == "open" and method == "post":
            AssuranceLink.objects.update(answer="", answered_at=None, revoked_at=None)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_wrong_and_spent_links_get_the_same_page_that_says_what_to_do(service, token, step, method):
    answer_link(token=token, answer="correct", at=timezone.now())
    spent = getattr(strict(), method)(reverse(step, args=[token]))
    wrong = getattr(strict(), method)(reverse(step, args=["A" * 43]))
    assert (spent.status_code, wrong.status_code) == (410, 404)
    pages = [answer.content.decode() for answer in (spent, wrong)]
    assert "Each link works once" in pages[0]
    assert "Tea and Talk" not in pages[0]
    nonce = [page.split('nonce="')[1].split('"')[0] for page in pages]
    assert pages[0].replace(nonce[0], "") == pages[1].replace(nonce[1], "")


def test_the_page_shows_only_what_the_public_sees(service, token):
    secret = factories.LocationFactory(is_confidential=True)
    secret.addresses.create(address_1="1 Hidden Lane", city="Preston", postal_code="PR1 7QQ")
    service.service_at_locations.create(location=secret)
    Contact.objects.create(service=service, name="Zebedee Quillfeather", email="zebedee@example.org")
    shown = strict().get(reverse("still-correct", args=[token])).content.decode()
    assert [word for word in ("Hidden Lane", "PR1 7QQ", "Zebedee", "zebedee@", "owner@example.org") if word in shown] == []


def test_a_change_keeps_what_was_typed_until_it_can_be_used(service, token):
    address = reverse("still-correct-change", args=[token])
    assert "tea@example.org" in strict().get(address).content.decode()
    refused = strict().post(address, {"email": "tea at example", "phone": "01772 999999"})
    assert refused.status_code == 422
    assert "There is a problem" in refused.content.decode()
    assert "tea at example" in refused.content.decode()
    assert "01772 999999" in refused.content.decode()
    sent = strict().post(address, {"email": "new@example.org", "phone": "01772 999999", "description": "", "url": "", "opening": ""})
    assert (sent.status_code, sent.url) == (302, reverse("still-correct-done", args=["change"]))
    assert ProposedChange.objects.get().content == {"email": "new@example.org", "phone": "01772 999999"}


def test_nothing_changed_is_said_and_the_link_stays_good(service, token):
    answer = strict().post(reverse("still-correct-change", args=[token]), {"email": "tea@example.org"})
    assert answer.status_code == 422
    assert "You have changed nothing" in answer.content.decode()
    assert strict().get(reverse("still-correct", args=[token])).status_code == 200


def test_closed_asks_first_and_then_the_directory_says_that_we_are_checking(service, token):
    assert "closed for good" in strict().get(reverse("still-correct-closed", args=[token])).content.decode()
    words = "We were told that this service has closed"
    for address in (reverse("service", args=[service.pk]), reverse("directory")):
        assert words not in Client().get(address).content.decode()
    strict().post(reverse("still-correct-closed", args=[token]))
    for address in (reverse("service", args=[service.pk]), reverse("directory")):
        assert words in Client().get(address).content.decode()
    ProposedChange.objects.update(status=ProposedChange.Status.REFUSED)
    assert words not in Client().get(reverse("service", args=[service.pk])).content.decode()


def test_whoever_asks_too_often_waits(service, token, monkeypatch):
    monkeypatch.setattr("frontend.views.still_correct.A_MINUTE", 3)
    monkeypatch.setattr("frontend.limits.time.time", lambda: 1_000_000.0)
    answers = [strict().get(reverse("still-correct", args=["A" * 43])).status_code for _ in range(5)]
    assert answers == [404, 404, 404, 429, 429]
    assert strict().post(reverse("still-correct", args=[token])).status_code == 429
    assert strict().get(reverse("still-correct", args=[token]), REMOTE_ADDR="203.0.113.9").status_code == 200
    monkeypatch.setattr("frontend.limits.time.time", lambda: 1_000_061.0)
    assert strict().get(reverse("still-correct", args=[token])).status_code == 200


def test_an_answer_that_there_is_not_has_no_page():
    assert Client().get(reverse("still-correct-done", args=["perhaps"])).status_code == 404
