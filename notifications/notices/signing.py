"""Messages to organisations' systems, signed as Standard Webhooks has it (https://www.standardwebhooks.com).

A key is derived from the site's own and the address's id and number: nothing in the database could sign a message. Whoever changes the
site's secret key makes new keys for all of them.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.crypto import salted_hmac

from notifications.models import Delivery, Webhook
from notifications.notices.hearing import Happened

_SALT = "lune.notices.webhook"
PREFIX = "whsec_"


def payload(event: Happened) -> dict[str, Any]:
    """What a system is told: that it happened, when, and the ids by which it asks for more. No word and no code of what it was."""
    ids = {name: event.data[name] for name in event.data if name not in ("to", "by") and _is_id(event.data[name])}
    return {"type": event.type, "timestamp": event.at.isoformat(), "data": ids}


def body(delivery: Delivery) -> bytes:
    """The bytes that are sent, and signed."""
    return json.dumps(delivery.payload, separators=(",", ":"), sort_keys=True).encode()


def key_of(webhook: Webhook, number: int | None = None) -> str:
    """The key as a receiver has it; of a number, one before."""
    number = webhook.key_number if number is None else number
    derived = salted_hmac(_SALT, f"{webhook.pk}/{number}", algorithm="sha256").digest()
    return PREFIX + base64.b64encode(derived).decode()


def sign(key: str, *, message_id: str, stamp: int, content: bytes) -> str:
    """One signature: `v1,` and HMAC-SHA-256 over id, time and body."""
    secret = base64.b64decode(key.removeprefix(PREFIX))
    signed = hmac.new(secret, f"{message_id}.{stamp}.".encode() + content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def headers(delivery: Delivery, webhook: Webhook, content: bytes, *, at: datetime) -> dict[str, str]:
    """The id stays the same however often it is sent; while a new key is being put in place, both sign."""
    message_id, stamp = f"msg_{delivery.pk}", int(at.timestamp())
    numbers = [webhook.key_number]
    if webhook.old_key_until is not None and at < webhook.old_key_until:
        numbers.append(webhook.key_number - 1)
    signatures = [sign(key_of(webhook, number), message_id=message_id, stamp=stamp, content=content) for number in numbers]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(signatures),
    }


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False
