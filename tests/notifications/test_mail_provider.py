"""Mail by a provider's own interface: the same words, its errors told as those of SMTP, and its receipts as ours."""

import json
from base64 import b64encode
from smtplib import SMTPRecipientsRefused

import pytest
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from anymail.message import AnymailRecipientStatus
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from requests import Response

from core.mail import ProviderAway
from notifications.models import Delivery
from notifications.models.delivery import Route
from notifications.notices import operations
from tests.factories import UserFactory
from tests.notifications.telling import send_due

pytestmark = pytest.mark.django_db
SECRET = "postman:letters"


@pytest.fixture
def provider(settings):
    """A site that chose a provider, whose interface is django-anymail's own fake."""
    settings.EMAIL_BACKEND, settings.MAIL_PROVIDER = "core.mail.ProviderBackend", "test"
    return settings


def told() -> Delivery:
    """A notice that goes out by e-mail, sent: by day, whenever this runs, for nobody is written to at night."""
    user, noon = UserFactory(), timezone.now().replace(hour=12)
    operations.say("stopped", users=[user], data={"what": "webhook"}, at=noon)
    assert send_due(noon) == ["sent"]
    return Delivery.objects.get(user=user, route=Route.EMAIL)


def says(client: Client, settings, *events: dict, secret: str = SECRET) -> int:
    """The provider's call to our address, as Postmark makes it."""
    settings.MAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": SECRET}
    sign_in = {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"}
    answers = [
        client.post(reverse("hook-mail-receipts"), json.dumps(event), content_type="application/json", headers=sign_in) for event in events
    ]
    return answers[-1].status_code


def test_letters_go_by_the_provider_unwatched_and_known_by_its_id(provider):
    delivery = told()
    [letter] = mail.outbox
    assert letter.anymail_test_params["track_clicks"] is False
    assert letter.anymail_test_params["track_opens"] is False
    assert delivery.gateway_id == str(letter.anymail_status.message_id)


def test_its_receipts_are_ours_and_only_with_its_password(provider, client: Client):
    delivery = told()
    Delivery.objects.filter(pk=delivery.pk).update(gateway_id="883953f4-6105-42a2-a16a-77a8eac79483")
    about = {"MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Recipient": delivery.sent_to}
    arrived = {**about, "RecordType": "Delivery", "DeliveredAt": "2026-11-22T10:00:00Z"}
    assert says(client, provider, arrived, secret="postman:guessed") == 400
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    assert says(client, provider, {**arrived, "Recipient": "somebody@else.example"}) == 200
    delivery.refresh_from_db()
    assert delivery.state == "sent", "it names another reader"
    assert says(client, provider, arrived) == 200
    delivery.refresh_from_db()
    assert delivery.state == "arrived"


def test_a_letter_that_comes_back_stops_the_next_ones(provider, client: Client):
    delivery = told()
    Delivery.objects.filter(pk=delivery.pk).update(gateway_id="one")
    back = {
        "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "MessageID": "one", "Email": delivery.sent_to, "Description": "x",
        "BouncedAt": "2026-11-22T10:00:00Z",
    }  # fmt: skip
    assert says(client, provider, back) == 200
    delivery.refresh_from_db()
    assert (delivery.state, delivery.failed_because) == ("failed", "The mail server sent it back.")


def test_without_a_password_there_is_no_address(client: Client, settings):
    assert client.post(reverse("hook-mail-receipts"), "{}", content_type="application/json").status_code == 404
    settings.MAIL_PROVIDER = "postmark"
    assert client.post(reverse("hook-mail-receipts"), "{}", content_type="application/json").status_code == 404


@pytest.mark.parametrize("status", [422, 503])
def test_a_refused_call_is_tried_again_and_stops_nobodys_address(status, provider):
    """It may be our own setting, a sender that is not confirmed for example. What the provider said may quote the address."""
    letter, answer = EmailMessage(subject="x", body="y", to=["ann@example.org"]), Response()
    answer.status_code = status
    letter.anymail_test_response = AnymailAPIError("ann@example.org is not here", response=answer)
    with pytest.raises(ProviderAway) as raised:
        letter.send()
    assert "ann@" not in str(raised.value)


def test_an_address_that_it_refuses_is_like_one_that_the_mail_server_does_not_know(provider):
    letter = EmailMessage(subject="x", body="y", to=["ann@example.org"])
    status = AnymailRecipientStatus(message_id=None, status="rejected")
    letter.anymail_test_response = {"recipient_status": {"ann@example.org": status}}
    with pytest.raises(SMTPRecipientsRefused) as raised:
        letter.send()
    assert not isinstance(raised.value, AnymailRecipientsRefused)
