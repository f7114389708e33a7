"""The curators' list of answers that nobody could keep."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from capacity.models import Reply
from tests.factories import ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
Outcome = Reply.Outcome


@pytest.fixture
def answers():
    now = timezone.now()
    for age, (outcome, words) in enumerate(
        [
            (Outcome.ASKED_AGAIN, "the newest <b>maybe</b>"),
            (Outcome.ASKED_AGAIN, "an older one"),
            (Outcome.APPLIED, "2 general"),
            (Outcome.STRANGER, "a stranger's words"),
        ]
    ):
        Reply.objects.create(
            channel="sms", gateway_id=str(age), sender="+447700900123", words=words, received_at=now - timedelta(hours=age),
            service=ServiceFactory(name=f"House {age}") if outcome != Outcome.STRANGER else None, outcome=outcome, answer="We read: 2.",
        )  # fmt: skip


def shown(client, **filters) -> str:
    return client.get(reverse("replies"), filters).content.decode()


def test_what_was_not_understood_comes_first_with_what_was_asked_back_and_the_rest_by_filter(client, answers):
    client.force_login(UserFactory(curator=True), backend="allauth.account.auth_backends.AuthenticationBackend")
    first = shown(client)
    assert first.index("the newest &lt;b&gt;maybe&lt;/b&gt;") < first.index("an older one")
    assert "We read: 2." in first
    assert "2 answers" in first
    assert "2 general" not in first
    assert "a stranger&#39;s words" in shown(client, outcome="stranger")
    assert "4 answers" in shown(client, outcome="all")
    assert "No answer fits these filters" in shown(client, outcome="all", channel="email")
    assert "1 answer<" in shown(client, outcome="all", q="House 2")


def test_a_provider_sees_answers_about_its_own_services_alone(answers):
    own = Reply.objects.exclude(service=None).first()
    provider = UserFactory(provider=True, organization=own.service.organization)
    assert list(Reply.objects.visible_to(provider)) == [own]
    assert not Reply.objects.visible_to(UserFactory()).exists()
