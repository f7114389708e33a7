"""“How we ask you”: a provider decides, without losing what it typed; curators see whom messages do not reach."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from capacity import preferences
from capacity.models import Ask, AskingPreference, UpdateLink
from tests import factories

pytestmark = pytest.mark.django_db
SENT = {
    "do": "save",
    "channel": "sms",
    "address": "07700 900123",
    "days": ["0", "6"],
    "from_time": "09:30",
    "until_time": "16:00",
    "when_stale": "on",
}


@pytest.fixture
def service(provider):
    return factories.PoolFactory(service__organization=provider.organization, service__name="Fir Grove").service


@pytest.fixture
def signed_in(client, provider):
    client.force_login(provider)
    return client


@pytest.fixture
def address(service) -> str:
    return reverse("asking-service", args=[service.pk])


def ask(service, **how) -> Ask:
    at = timezone.now() - timedelta(hours=1)
    return Ask.objects.create(
        **{"service": service, "why": "stale", "channel": "email", "sent_to": "a@example.org", "created_at": at, "sent_at": at} | how
    )


@pytest.mark.req("R153")
def test_a_provider_says_how_confirms_asks_stops_and_starts(signed_in, service, address):
    assert "Not asked" in signed_in.get(reverse("asking")).content.decode()
    assert signed_in.post(address, SENT).status_code == 302
    saved = AskingPreference.objects.get()
    assert (saved.address, saved.days, f"{saved.from_time:%H:%M}", saved.when_stale, saved.on_demand) == (
        "+447700900123",
        [0, 6],
        "09:30",
        True,
        False,
    )
    _, code = preferences.make_code(service_id=service.pk, at=timezone.now())
    wrong = signed_in.post(address, {"do": "confirm", "code": "no"})
    assert (wrong.status_code, "That is not the code" in wrong.content.decode()) == (422, True)
    signed_in.post(address, {"do": "confirm", "code": code})
    for do, words in (
        ("send", "A link is on its way"),
        ("send", "a moment ago"),
        ("stop", "are stopped"),
        ("send", "Start them first"),
        ("start", "started again"),
    ):
        assert words in signed_in.post(address, {"do": do}, follow=True).content.decode()
    assert "Asked by text message" in signed_in.get(reverse("asking")).content.decode()
    assert [line.why for line in Ask.objects.all()] == ["request"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"address": "12"}, "too few or too many"),
        ({"days": []}, "Choose at least one day"),
        ({"until_time": "09:00"}, "must end later"),
        ({"from_time": "noon"}, "09:30"),
    ],
)
def test_what_cannot_be_used_is_said_and_what_was_typed_stays(signed_in, address, wrong, words):
    answer = signed_in.post(address, SENT | wrong)
    page = answer.content.decode()
    assert (answer.status_code, words in page, "There is a problem" in page) == (422, True, True)
    assert f'value="{wrong.get("address", SENT["address"])}"' in page
    assert not AskingPreference.objects.exists()


def test_a_site_without_a_gateway_offers_e_mail_alone(signed_in, address, settings):
    settings.SMS_GATEWAY = ""
    assert "Text message" not in signed_in.get(address).content.decode()
    assert signed_in.post(address, SENT).status_code == 422


def test_the_history_says_what_became_of_each_message(signed_in, service, address):
    at = timezone.now()
    ask(service, waiting_near=4, answered_at=at)
    ask(service, waiting_near=1)
    ask(service, sent_at=None, failed_at=at, failed_because="The text message cannot be delivered to this number.")
    page = signed_in.get(address).content.decode()
    words = ("4 people near you", "Some people near you", "Answered", "Sent, no answer yet", "Not delivered. The text message cannot")
    assert [word for word in words if word not in page] == []


def test_open_links_are_taken_back_by_a_press(signed_in, service, address):
    at = timezone.now()
    UpdateLink.objects.create(
        service=service, token_hash="x", channel="email", sent_to="a@example.org", created_at=at, expires_at=at + timedelta(days=1)
    )
    assert "1 link taken back" in signed_in.post(address, {"do": "revoke"}, follow=True).content.decode()


def test_curators_see_whom_messages_do_not_reach(client, service, curator):
    at = timezone.now()
    others = [factories.PoolFactory(service__name=name).service for name in ("Silent House", "Stopped House", "Good House")]
    for each, how in zip([service, *others], ({}, {}, {"stopped_at": at}, {}), strict=True):
        AskingPreference.objects.create(service=each, channel="email", address="a@example.org", changed_at=at, confirmed_at=at, **how)
    ask(service, sent_at=None, failed_at=at, failed_because="Refused.")
    for _ in range(3):
        ask(others[0])
    ask(others[2], answered_at=at)
    client.force_login(curator)
    names = ["Fir Grove", "Silent House", "Stopped House", "Good House"]
    for show, seen in (("", [0, 1]), ("failed", [0]), ("silent", [1]), ("stopped", [2]), ("unconfirmed", []), ("x", [0, 1])):
        page = client.get(reverse("asking-failing"), {"show": show}).content.decode()
        assert [name for name in names if name in page] == [names[number] for number in seen], show
