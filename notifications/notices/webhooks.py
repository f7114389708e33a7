"""Addresses of organisations' own systems: set up, tried, given a new key, switched off when they no longer answer."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from notifications.models import Delivery, Webhook
from notifications.models.delivery import Route, State, manages
from notifications.notices import hearing, operations, outbox, signing

MOST = 10
#: For so long after a new key was made the old one signs too.
OLD_KEY_LASTS = timedelta(hours=24)
#: So many failures in a row, with no answer between, and it is switched off before its two days are over.
MOST_FAILURES = 100
TRIAL = "lune.trial"


def require_manager(user: User) -> None:
    """Refuse whoever does not connect the organisation's systems. Raises NotAllowed."""
    if not manages(user):
        raise NotAllowed("Webhooks are made by your organisation’s manager, or by whoever keeps its keys.")


@transaction.atomic
def make(*, name: str, url: str, types: list[str], by: User, at: datetime) -> tuple[Webhook, str]:
    """A new address of `by`'s organisation, and its key, which is told this once. Raises Invalid or NotAllowed."""
    require_manager(by)
    assert by.organization_id is not None
    name, url = name.strip(), url.strip()
    if not 1 <= len(name) <= 80:
        raise Invalid("Say which system it is, in 80 letters or fewer.")
    _check(url)
    if unknown := set(types) - set(hearing.FOR_SYSTEMS):
        raise Invalid(f"“{sorted(unknown)[0]}” is not an event. Choose among: {', '.join(hearing.FOR_SYSTEMS)}.")
    if Webhook.objects.filter(organization=by.organization_id, removed_at=None).count() >= MOST:
        raise Invalid(f"Your organisation has {MOST} webhooks. Remove one that no system uses any more.")
    webhook = Webhook.objects.create(
        organization_id=by.organization_id, name=name, url=url, types=sorted(set(types)), created_by=by, created_at=at
    )  # fmt: skip
    return webhook, signing.key_of(webhook)


@transaction.atomic
def rotate(*, webhook_id: UUID, by: User, at: datetime) -> tuple[Webhook, str]:
    """A new key, told this once. Messages bear both signatures for a day. Raises NotFound, or Conflict while two are in use."""
    webhook = _own(webhook_id, by)
    if webhook.old_key_until is not None and at < webhook.old_key_until:
        raise Conflict("The key before is still in use, so that you have time to put in the new one. Make another when it has ended.")
    webhook.key_number += 1
    webhook.old_key_until = at + OLD_KEY_LASTS
    webhook.save(update_fields=["key_number", "old_key_until"])
    return webhook, signing.key_of(webhook)


@transaction.atomic
def switch(*, webhook_id: UUID, on: bool, by: User, at: datetime) -> Webhook:
    """Stop messages to this address, or let them come again. Raises NotFound."""
    webhook = _own(webhook_id, by)
    webhook.stopped_at, webhook.stopped_because, webhook.failures = (None, "", 0) if on else (at, "Switched off by hand.", 0)
    webhook.save(update_fields=["stopped_at", "stopped_because", "failures"])
    return webhook


@transaction.atomic
def remove(*, webhook_id: UUID, by: User, at: datetime) -> Webhook:
    """Tell this address nothing any more. Raises NotFound."""
    webhook = _own(webhook_id, by)
    webhook.removed_at = at
    webhook.save(update_fields=["removed_at"])
    return webhook


@transaction.atomic
def send_trial(*, webhook_id: UUID, by: User, at: datetime) -> Delivery:
    """A message that says nothing, to see whether it arrives. Raises NotFound, or Conflict when it is switched off."""
    webhook = _own(webhook_id, by)
    if not webhook.works:
        raise Conflict("This webhook is switched off. Switch it on, then try it.")
    delivery = Delivery.objects.create(
        route=Route.WEBHOOK, webhook=webhook, organization_id=webhook.organization_id, sent_to=webhook.url, due_at=at, created_at=at,
        payload={"type": TRIAL, "timestamp": at.isoformat(), "data": {}},
    )  # fmt: skip
    outbox.enqueue(delivery)
    return delivery


@transaction.atomic
def replay(*, delivery_id: UUID, by: User, at: datetime) -> Delivery:
    """Send a message again, under the same id. Raises NotFound, or Conflict while it is under way."""
    require_manager(by)
    delivery = (
        Delivery.objects.visible_to(by).select_for_update(of=("self",)).select_related("webhook")
        .filter(pk=delivery_id, route=Route.WEBHOOK).first()
    )  # fmt: skip
    if delivery is None or delivery.webhook is None or delivery.webhook.removed_at is not None:
        raise NotFound("There is no such message.")
    if delivery.state in (State.WAITING, State.TRYING):
        raise Conflict("This message is on its way. Wait until it has arrived or failed.")
    if not delivery.webhook.works:
        raise Conflict("This webhook is switched off. Switch it on, then send the message again.")
    delivery.state, delivery.attempts, delivery.due_at, delivery.failed_at, delivery.failed_because = State.WAITING, 0, at, None, ""
    delivery.save()
    outbox.enqueue(delivery)
    return delivery


def answered(webhook: Webhook, *, at: datetime) -> None:
    """It took a message. Within the caller's transaction."""
    Webhook.objects.filter(pk=webhook.pk).update(failures=0, answered_at=at)


def failed(webhook: Webhook, *, for_good: bool, because: str, at: datetime) -> None:
    """It did not take a message. One that failed for two days, or is gone, is switched off, and its keepers are told."""
    own = Webhook.objects.select_for_update().get(pk=webhook.pk)
    own.failures += 1
    if own.works and (for_good or own.failures >= MOST_FAILURES):
        own.stopped_at, own.stopped_because = at, because[:200]
        keepers = [user for user in User.objects.filter(organization=own.organization_id, is_active=True) if manages(user)]
        operations.say("stopped", users=keepers, data={"what": Route.WEBHOOK}, at=at)
    own.save(update_fields=["failures", "stopped_at", "stopped_because"])


def _own(webhook_id: UUID, by: User) -> Webhook:
    webhook = Webhook.objects.visible_to(by).select_for_update().filter(pk=webhook_id, removed_at=None).first()
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def _check(url: str) -> None:
    """Where the name leads is looked at each time that something is sent; here only what is plainly wrong."""
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and not parts.username and not parts.password and (parts.port is None or parts.port > 0)
    except ValueError:
        sound, parts = False, urlsplit("")
    secure = parts.scheme == "https" or (settings.WEBHOOK_PRIVATE and parts.scheme == "http")
    if not sound or not secure or len(url) > 500 or not url.isprintable() or " " in url:
        raise Invalid("Enter a web address that begins with https://, without a user name or password.")
