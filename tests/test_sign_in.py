"""Signing in and staying in: limits, cookies, one door, tokens, and a site that outlives Redis."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache, caches
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from core.cache import RedisOrMemoryCache
from core.errors import NotAllowed
from flow.demo import load
from frontend.middleware import LogMiddleware
from matching.operations import match
from tests.factories import PASSWORD, NeedProfileFactory, OutcodeFactory, PoolFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_guesses():
    cache.clear()


def sign_in(client: Client, email: str, password: str):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def test_guessing_is_stopped_and_tells_nothing(referrer):
    client = Client()
    answers = [sign_in(client, referrer.email, f"guess {number}").content.decode() for number in range(5)]
    nobody = sign_in(client, "nobody@example.org", "guess").content.decode()
    told = [line.strip() for line in nobody.splitlines() if "not correct" in line]
    assert told
    assert all(line in answer for line in told for answer in answers)
    assert sign_in(client, referrer.email, PASSWORD).status_code != 302
    assert not client.get(reverse("home")).wsgi_request.user.is_authenticated


def test_asking_for_a_new_password_tells_nobody_who_has_an_account(referrer):
    answers = [Client().post(reverse("account_reset_password"), {"email": email}) for email in (referrer.email, "nobody@example.org")]
    assert [(answer.status_code, answer.headers.get("Location")) for answer in answers] == [
        (302, reverse("account_reset_password_done"))
    ] * 2


def test_the_session_is_kept_from_scripts_and_ends_by_post_alone(referrer):
    client = Client()
    assert sign_in(client, referrer.email, PASSWORD).status_code == 302
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    client.get(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 302


def test_what_a_signed_in_person_sees_is_kept_by_no_browser(referrer):
    client = Client()
    client.force_login(referrer, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("worklist"))["Cache-Control"] == "private, no-store"
    assert "no-store" not in Client().get(reverse("directory")).headers.get("Cache-Control", "")


def test_nobody_signs_up_and_the_administrators_site_has_no_door_of_its_own():
    client = Client()
    client.post(reverse("account_signup"), {"email": "new@example.org", "password1": PASSWORD})
    assert not client.get(reverse("home")).wsgi_request.user.is_authenticated
    answer = client.post(reverse("admin:login"), {"username": "a@example.org", "password": "guess"})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, reverse("account_login"))


def test_a_weak_password_is_refused(referrer):
    client = Client()
    client.force_login(referrer, backend="allauth.account.auth_backends.AuthenticationBackend")
    for weak in ("short", "password1234", referrer.email):
        client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": weak, "password2": weak})
        referrer.refresh_from_db()
        assert referrer.check_password(PASSWORD), weak


def test_a_live_site_has_no_demonstration(settings):
    settings.DEMO = False
    with pytest.raises(NotAllowed):
        load.load(at=timezone.now())
    page = Client().get(reverse("account_login")).content.decode()
    assert not [login.email for login in load.LOGINS if login.email in page]


@pytest.fixture
def no_redis(monkeypatch):
    """The cache that a live site has, with nothing at the other end."""
    gone = RedisOrMemoryCache("unix:///nowhere/redis.sock", {"OPTIONS": {"socket_timeout": 1}})
    monkeypatch.setattr(caches._connections, "default", gone, raising=False)
    gone.clear()
    assert cache.get_or_set("there", 1) == 1
    return gone


def test_the_site_works_and_limits_guesses_while_redis_is_away(no_redis):
    OutcodeFactory()
    user, client = UserFactory(), Client()
    PoolFactory()
    assert sign_in(client, user.email, PASSWORD).status_code == 302
    run = match(NeedProfileFactory(organization=user.organization), by=user, at=timezone.now())
    for address in (reverse("directory"), reverse("map-areas"), reverse("home"), reverse("worklist"), reverse("match", args=[run.pk])):
        assert client.get(address).status_code == 200, address
    guesser = Client()
    for number in range(6):
        sign_in(guesser, user.email, f"guess {number}")
    assert sign_in(guesser, user.email, PASSWORD).status_code != 302


def test_the_cache_does_the_same_with_and_without_redis(no_redis):
    for kept in (no_redis, RedisOrMemoryCache(settings.REDIS_URL, {"KEY_PREFIX": "test_sign_in", "OPTIONS": {}})):
        kept.delete_many(["a", "b"])
        assert kept.add("a", 1, timeout=60)
        assert not kept.add("a", 2, timeout=60)
        kept.set_many({"b": [1]}, timeout=60)
        assert (kept.incr("a"), kept.get_many(["a", "b"]), kept.has_key("b")) == (2, {"a": 2, "b": [1]}, True)
        assert (kept.touch("a", 60), kept.delete("a"), kept.get("a", "none")) == (True, True, "none")
        kept.delete("b")


def test_a_token_does_what_its_user_may_until_it_ends_or_is_taken_back(referrer):
    def status(token: str) -> int:
        return APIClient().get(reverse("api-patients"), headers={"Authorization": f"Token {token}"}).status_code

    tokens = []
    for _ in range(2):
        out = StringIO()
        call_command("api_token", referrer.email, "--days", "30", stdout=out)
        tokens.append(out.getvalue().strip())
    assert [status(token) for token in tokens] == [200, 200]
    assert status("0" * 64) in (401, 403)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert status(tokens[0]) in (401, 403)
    call_command("api_token", referrer.email, "--revoke", stdout=StringIO())
    assert status(tokens[1]) in (401, 403)


@pytest.mark.parametrize("arguments", [("nobody@example.org",), ("user@example.net", "--days", "0"), ("user@example.net", "--days", "999")])
def test_a_token_is_for_somebody_and_not_for_ever(arguments):
    UserFactory(email="user@example.net")
    with pytest.raises(CommandError):
        call_command("api_token", *arguments, stdout=StringIO())


def test_the_log_has_the_kind_of_page_and_nothing_that_was_typed(caplog, rf, monkeypatch):
    client = Client(raise_request_exception=False, headers={"User-Agent": "Zebedee's telephone"}, REMOTE_ADDR="203.0.113.77")
    client.get(f"{reverse('directory')}?where=PR1+9ZQ&q=Quillfeather")
    client.get("/patients/9434765919/")
    client.get(reverse("account_reset_password_from_key", args=["1", "secret-of-the-mail"]))
    name = "Quillfeather"
    monkeypatch.setattr("frontend.views.directory.now", lambda: int(name))
    assert client.get(reverse("directory")).status_code == 500
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("django_structlog")]
    assert any("GET /directory/" in line for line in lines)
    for typed in ("PR1", "9434765919", "secret-of-the-mail", "telephone", "203.0.113", name):
        assert typed not in "".join(lines), typed
    assert LogMiddleware.format_request(rf.get("/patients/9434765919/")) == "GET no such address"
