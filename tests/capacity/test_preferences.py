"""An address is used only when somebody who reads there has typed the code that went to it."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail

from capacity import ask_messages, asking, preferences
from capacity.models import AskingPreference, UpdateLink
from core import sms
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def service(provider):
    return factories.PoolFactory(service__organization=provider.organization, service__name="Fir Grove").service


def save(service, by, at=AT, **how) -> AskingPreference:
    usual = {
        "channel": "email", "address": "Fir@Example.org", "days": [4, 0], "from_time": time(9), "until_time": time(17), "when_stale": True,
        "on_demand": False,
    }  # fmt: skip
    return preferences.save(service_id=service.pk, by=by, at=at, **usual | how)


def code_sent(service, at=AT) -> str:
    made = preferences.make_code(service_id=service.pk, at=at)
    ask_messages.send_code(*made)
    text = mail.outbox[-1].body if made[0].channel == "email" else sms.KeepingGateway.outbox[-1][2]
    return re.match(r"\d{6}", text)[0]


@pytest.mark.req("R153")
@pytest.mark.parametrize(
    ("channel", "address", "kept"), [("email", "Fir@Example.org", "fir@example.org"), ("sms", "07700 900123", "+447700900123")]
)
def test_an_address_is_confirmed_by_the_code_that_went_to_it(service, provider, channel, address, kept):
    preference = save(service, provider, channel=channel, address=address)
    assert (preference.address, preference.days, preference.confirmed_at) == (kept, [0, 4], None)
    with pytest.raises(Conflict):
        preferences.ask_now(service_id=service.pk, by=provider, at=AT)
    code = code_sent(service)
    assert code not in str(AskingPreference.objects.values().get())
    with pytest.raises(Invalid):
        preferences.confirm(service_id=service.pk, code="12", by=provider, at=AT)
    confirmed = preferences.confirm(service_id=service.pk, code=f" {code[:3]} {code[3:]}", by=provider, at=AT + MINUTE)
    assert (confirmed.confirmed_at, confirmed.code_hash) == (AT + MINUTE, "")
    assert preferences.ask_now(service_id=service.pk, by=provider, at=AT + MINUTE).sent_to == kept
    sms.KeepingGateway.forget()


def test_a_code_is_not_guessed_nor_used_late_or_twice(service, provider):
    save(service, provider)
    code = code_sent(service)
    with pytest.raises(Invalid, match="can no longer"):
        preferences.confirm(service_id=service.pk, code=code, by=provider, at=AT + preferences.CODE_LASTS)
    for _ in range(preferences.MOST_TRIES):
        with pytest.raises(Invalid):
            preferences.confirm(service_id=service.pk, code="no", by=provider, at=AT)
    with pytest.raises(Invalid, match="can no longer"):
        preferences.confirm(service_id=service.pk, code=code, by=provider, at=AT)
    preferences.new_code(service_id=service.pk, by=provider, at=AT + MINUTE)
    with pytest.raises(Invalid):
        preferences.confirm(service_id=service.pk, code=code, by=provider, at=AT + MINUTE)
    assert preferences.confirm(service_id=service.pk, code=code_sent(service, AT + MINUTE), by=provider, at=AT + MINUTE).confirmed_at


def test_nobodys_telephone_is_rung_all_night_from_our_screen(service, provider):
    save(service, provider)
    with pytest.raises(Conflict):
        save(service, provider, address="another@example.org")
    for tick in range(1, preferences.MOST_CODES):
        save(service, provider, address=f"{tick}@example.org", at=AT + tick * MINUTE)
    with pytest.raises(Conflict, match="Too many codes"):
        preferences.new_code(service_id=service.pk, by=provider, at=AT + timedelta(days=9))


def test_another_address_is_confirmed_anew_and_the_old_ones_links_end(service, provider):
    save(service, provider)
    preferences.confirm(service_id=service.pk, code=code_sent(service), by=provider, at=AT)
    asking.issue_link(service=service, channel="email", sent_to="fir@example.org", at=AT)
    assert save(service, provider, days=[6], at=AT + MINUTE).confirmed_at == AT
    assert UpdateLink.objects.get().is_open(AT + MINUTE)
    assert save(service, provider, address="new@example.org", at=AT + MINUTE).confirmed_at is None
    assert not UpdateLink.objects.get().is_open(AT + MINUTE)


def test_the_provider_stops_and_starts(service, provider):
    save(service, provider)
    preferences.confirm(service_id=service.pk, code=code_sent(service), by=provider, at=AT)
    assert preferences.switch(service_id=service.pk, on=False, by=provider, at=AT).stopped_at == AT
    with pytest.raises(Conflict):
        preferences.ask_now(service_id=service.pk, by=provider, at=AT)
    assert preferences.switch(service_id=service.pk, on=True, by=provider, at=AT).stopped_at is None


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"address": "nobody"}, "address"), ({"channel": "sms", "address": "12"}, "address"), ({"channel": "pigeon"}, "channel"),
        ({"days": []}, "days"), ({"days": [7]}, "days"), ({"until_time": time(9)}, "until_time"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_beside_its_field(service, provider, how, field):
    with pytest.raises(Invalid) as error:
        save(service, provider, **how)
    assert list(error.value.details["errors"]) == [field]
    assert not AskingPreference.objects.exists()


def test_only_those_who_run_a_service_say_how_it_is_asked(service, curator, referrer):
    for by in (factories.UserFactory(provider=True), curator, referrer):
        with pytest.raises((NotAllowed, NotFound)):
            save(service, by)


def test_no_links_to_a_refuge(service, provider):
    type(service).objects.filter(pk=service.pk).update(is_confidential=True)
    with pytest.raises(Invalid, match="confidential"):
        save(service, provider)


def test_one_address_for_all_services_is_confirmed_once(service, provider):
    second, third = (factories.PoolFactory(service__organization=provider.organization).service for _ in range(2))
    refuge = factories.PoolFactory(service__organization=provider.organization, service__is_confidential=True).service
    foreign = factories.PoolFactory().service
    save(service, provider, everywhere=True)
    asked = AskingPreference.objects.filter(address="fir@example.org", confirmed_at=None)
    assert set(asked.values_list("pk", flat=True)) == {service.pk, second.pk, third.pk}
    preferences.confirm(service_id=service.pk, code=code_sent(service), by=provider, at=AT + MINUTE)
    assert AskingPreference.objects.filter(confirmed_at=AT + MINUTE).count() == 3
    assert not AskingPreference.objects.filter(service__in=[refuge, foreign]).exists()
    # another address for one of them needs its own code; back to the known one, none
    assert save(second, provider, address="other@example.org", at=AT + 2 * MINUTE).confirmed_at is None
    assert save(second, provider, at=AT + 3 * MINUTE).confirmed_at == AT + 3 * MINUTE
    # what another organisation has confirmed is no proof for this one
    stranger = factories.UserFactory(provider=True, organization=foreign.organization)
    assert save(foreign, stranger, at=AT + 4 * MINUTE).confirmed_at is None
