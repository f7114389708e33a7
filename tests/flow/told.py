"""People who are told of their appointments by message, for tests: whom, what was sent, and what a gateway says."""

import json
from datetime import datetime, timedelta

from django.urls import reverse

from core import sms
from core.clock import LONDON, local_date
from flow import consents
from flow import operations as referrals
from flow.models import Consent, PersonMessage
from flow.reminders import messages, sending
from tests import factories
from tests.flow.helpers import send

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=LONDON)
NUMBER = "+447700900123"


def person(nurse, route="text", *, agrees=True, **fields):
    told = {"phone": "07700 900123", "email": "ann@example.org", "given_name": "Canaryann", "preferred_contact": route} | fields
    patient = factories.PatientFactory(organization=nurse.organization, **told)
    if agrees:
        for purpose in (Consent.Purpose.TEXT, Consent.Purpose.EMAIL):
            consents.keep(
                patient, purpose=purpose, decision="given", source="said", decided_on=local_date(NOW), by=nurse, at=NOW - timedelta(days=1)
            )  # fmt: skip
    return patient


def joins(patient, pool, nurse, staff):
    task = send(nurse, [pool], patient=patient, at=NOW).tasks.get()
    return referrals.accept(task_id=task.pk, by=staff, at=NOW)


def session(pool, *, days=3, hours=0, places=5):
    starts_at = NOW + timedelta(days=days, hours=hours)
    return factories.PoolFactory(
        service=pool.service, name=f"Group {days}", per="session", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1),
        maximum=places, available=places,
    )  # fmt: skip


def send_due(at=NOW):
    due = PersonMessage.objects.filter(state="waiting", due_at__lte=at).order_by("created_at", "kind")
    return [sending.send(message_id=message.pk, at=at) for message in due]


def texts():
    return [text for _, _, text in sms.KeepingGateway.outbox]


def gateway_says(client, settings, told):
    """As a gateway does: signed, and as nobody who is signed in."""
    body = json.dumps(told).encode()
    signed = sms.signature(body, secret=settings.SMS_SECRET, at=NOW)
    answer = client.post(reverse("hook-sms"), body, content_type="application/json", headers={sms.SIGNATURE_HEADER: signed})
    assert answer.status_code == 204


def token_of(message):
    return messages.token(message.pk)
