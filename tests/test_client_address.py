"""Limits count whoever really asks: behind a proxy each client by itself, and nobody as somebody else."""

import io

import pytest
from allauth.core.internal.ratelimit import get_ip
from asgiref.testing import ApplicationCommunicator
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.test import Client
from django.urls import reverse
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from catalogue.api.oruk.base import OpenThrottle
from core.client import address_of, behind
from frontend.limits import too_often
from tests.factories import PASSWORD, ServiceFactory, UserFactory


async def counted_as(proxies: list[str], caller: str, *forwarded: str) -> set[str]:
    """The address under which each kind of limit counts a request, as it leaves the layer around the application."""
    found: set[str] = set()

    async def probe(scope, receive, send) -> None:
        request = ASGIRequest(scope, io.BytesIO())
        found.update({address_of(request), get_ip(request), AnonRateThrottle().get_ident(request)})
        found.add((OpenThrottle().get_cache_key(request, APIView()) or "").removeprefix("open-data:"))

    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, "client": (caller, 1)}
    await ApplicationCommunicator(behind(proxies, probe), scope).wait()
    return found


@pytest.mark.parametrize(
    ("proxies", "caller", "forwarded", "counted"),
    [
        ([], "203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        (["10.0.0.0/8"], "203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.5", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.5", ["1.2.3.4", "198.51.100.1, 10.0.0.7"], "198.51.100.1"),
        (["192.0.2.1"], "10.0.0.5", ["198.51.100.1"], "10.0.0.5"),
    ],
    ids=["no proxy named", "behind one", "past the proxy", "a made-up beginning", "behind two, two headers", "another proxy"],
)
async def test_all_limits_count_the_client_and_believe_only_proxies_that_are_named(proxies, caller, forwarded, counted) -> None:
    assert await counted_as(proxies, caller, *forwarded) == {counted}


@pytest.mark.parametrize("wrong", ["*", "0.0.0.0/0", "::/0", "proxy.example.org", "10.0.0.1/8"])
def test_a_setting_by_which_anybody_would_be_believed_stops_the_start(wrong) -> None:
    with pytest.raises(ImproperlyConfigured, match="LUNE_TRUSTED_PROXIES"):
        behind(["127.0.0.1", wrong], lambda: None)


def test_a_subscriber_of_version_6_is_one_however_many_addresses_it_has(rf) -> None:
    asked = [too_often(rf.get("/", REMOTE_ADDR=f"2001:db8:1:2::{n:x}"), "test", a_minute=2) for n in range(1, 5)]
    assert asked == [False, False, True, True]
    assert not too_often(rf.get("/", REMOTE_ADDR="2001:db8:1:3::1"), "test", a_minute=2)
    assert address_of(rf.get("/", REMOTE_ADDR="::ffff:198.51.100.1")) == "198.51.100.1"


@pytest.mark.django_db
def test_a_made_up_header_opens_no_new_account_of_guesses_or_mistakes(monkeypatch) -> None:
    user = UserFactory()
    for number in range(6):
        made_up = {"X-Forwarded-For": f"198.51.100.{number}"}
        Client(headers=made_up).post(reverse("account_login"), {"login": user.email, "password": "a guess"})
    assert Client().post(reverse("account_login"), {"login": user.email, "password": PASSWORD}).status_code == 200
    monkeypatch.setattr("frontend.views.directory.REPORTS_AN_HOUR", 1)
    page = reverse("service", args=[ServiceFactory().pk])
    answers = [Client(headers={"X-Forwarded-For": f"198.51.100.{n}"}).post(page, {"words": "Wrong."}).status_code for n in range(2)]
    assert answers == [302, 422]
