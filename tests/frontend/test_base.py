"""What every page has: a skip link, its own title, the menu of the role; and pages for what goes wrong."""

import re
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from catalogue.models import User
from core.api import handle_exception
from core.errors import Conflict
from frontend.views import errors
from tests import factories


def test_somebody_not_signed_in_is_asked_to_sign_in(client, db):
    answer = client.get(reverse("home"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_part_of_a_page_never_fills_itself_with_the_sign_in_page(client, db):
    answer = client.get(reverse("home"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == reverse("account_login")


@pytest.mark.parametrize("role", ["referrer", "provider", "manager", "curator", "administrator"])
def test_home_opens_for_every_role(client, request, role):
    user: User = request.getfixturevalue(role)
    client.force_login(user)
    page = client.get(reverse("home")).content.decode()
    assert "<title>Home – Lune</title>" in page
    assert 'href="#maincontent"' in page
    assert 'id="live-status"' in page
    assert user.organization is None or user.organization.name in page


def test_sign_in_page_opens_and_refuses_a_wrong_password_in_plain_words(client, referrer):
    address = reverse("account_login")
    page = client.get(address).content.decode()
    assert page.index("You need no account") < page.index("Sign in to Lune"), "who looks for help comes first"
    page = client.post(address, {"login": referrer.email, "password": "wrong"}).content.decode()
    assert "There is a problem" in page
    assert "<title>Error: Sign in – Lune</title>" in page


def test_too_many_tries_are_told_to_wait(client, referrer, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login": "3/m/ip"}
    for _ in range(4):
        answer = client.post(reverse("account_login"), {"login": referrer.email, "password": "wrong"})
    assert answer.status_code == 429
    assert "Wait a minute, then try again." in answer.content.decode()


@pytest.mark.parametrize("name", ["account_reset_password", "account_reset_password_done", "account_signup", "account_inactive"])
def test_account_pages_are_ours(client, db, name):
    assert "lune-wordmark" in client.get(reverse(name)).content.decode()


def test_sign_out_and_change_password(client, referrer):
    client.force_login(referrer)
    assert "lune-wordmark" in client.get(reverse("account_change_password")).content.decode()
    client.post(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 302


def test_no_such_page(client, db):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()


def test_a_refusal_is_told_in_its_own_words_with_its_status(rf, referrer):
    request = rf.get("/")
    request.user = referrer
    request.csp_nonce = ""
    answer = errors.refused(request, Conflict("This place was taken at 10:42."))
    assert answer.status_code == 409
    assert "This place was taken at 10:42." in answer.content.decode()


def test_server_error_page_needs_no_database(rf):
    answer = errors.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/api/v1/referrals/"])
def test_when_no_connection_is_free_everybody_is_told_to_come_back(rf, path):
    try:
        raise OperationalError("couldn't get a connection after 20.00 sec")
    except OperationalError:
        answer = errors.server_error(rf.get(path))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "couldn't get" not in answer.content.decode()


def test_the_api_answers_503_when_it_gets_no_connection(caplog):
    answer = handle_exception(OperationalError("couldn't get a connection"), {})
    assert ("OperationalError" in caplog.text, "couldn't get" in caplog.text) == (True, False), "its words may hold what was sent"
    assert (answer.status_code, answer["Retry-After"], answer.data["code"]) == (503, "5", "busy")


def test_a_form_without_its_token_is_explained(referrer):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    answer = client.post(reverse("account_login"), {"login": referrer.email, "password": "x"})
    assert answer.status_code == 403
    assert "Please send that again" in answer.content.decode()


def test_pages_carry_no_inline_style_or_foreign_address(client, referrer):
    client.force_login(referrer)
    answer = client.get(reverse("home"))
    page = answer.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert "//cdn" not in page
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("referrer", ["people waiting", "nobody asked yet", "waiting for an answer"]),
        ("provider", ["new referrals to answer", "places you show as free"]),
        ("manager", ["people waiting", "referrals late for an answer"]),
        ("curator", ["records to check", "pairs that may be doubles", "proposals waiting", "records with a mistake reported"]),
        ("administrator", ["people who can sign in"]),
    ],
)
def test_home_says_what_needs_each_role(client, request, role, words):
    client.force_login(request.getfixturevalue(role))
    page = client.get(reverse("home"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    for text in words:
        assert text in page


def test_the_numbers_at_home_are_ones_own_and_lead_to_their_list(client, referrer):
    factories.EpisodeFactory(patient__organization=referrer.organization)
    factories.EpisodeFactory()
    client.force_login(referrer)
    page = client.get(reverse("home")).content.decode()
    waiting = re.search(r'<span class="lune-count__number">(\d+)</span>\s*<a href="([^"]+)">nobody asked yet</a>', page)
    assert waiting
    assert waiting.groups() == ("1", f"{reverse('worklist')}?show=waiting&amp;status=none")


def test_the_numbers_of_a_provider_lead_to_the_part_of_the_inbox_that_they_count(client, provider):
    at = timezone.now()
    pool = factories.PoolFactory(service__organization=provider.organization)
    for status, fields in (
        ("requested", {"respond_by": at + timedelta(hours=1)}),
        ("requested", {"respond_by": at - timedelta(hours=1)}),
        ("accepted", {"start_by": at - timedelta(days=1)}),
        ("in-progress", {}),
        ("on-hold", {}),
    ):
        factories.ReferralTaskFactory(pool=pool, status=status, **fields)
    client.force_login(provider)
    page = client.get(reverse("home")).content.decode()
    for number, words, part, label in (
        ("2", "new referrals to answer", "new", "New (2)"),
        ("2", "late to be answered or begun", "late", "Late (2)"),
        ("3", "people you have said yes to", "helping", "We’re helping (3)"),
    ):
        found = re.search(rf'<span class="lune-count__number">(\d+)</span>\s*<a href="([^"]+)">{words}</a>', page)
        assert found
        assert found.groups() == (number, f"{reverse('inbox')}?show={part}")
        assert label in client.get(found[2]).content.decode()


def test_what_a_referrer_does_most_stands_before_the_numbers(client, referrer):
    client.force_login(referrer)
    page = client.get(reverse("home")).content.decode()
    assert page.index("<h1") < page.index(f'href="{reverse("patient-new")}"') < page.index('id="counts"')


def test_demonstration_log_ins_are_shown_only_in_a_demonstration(client, db, settings):
    assert "discharge@demo.lune.example" in client.get(reverse("account_login")).content.decode()
    settings.DEMO = False
    page = client.get(reverse("account_login")).content.decode()
    assert "demo.lune.example" not in page
    assert "lune-demo" not in page
