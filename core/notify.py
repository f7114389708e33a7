"""Text messages by GOV.UK Notify, through its own client.

Notify sends templates: the operator makes one that is nothing but `((message))`, and names it in `LUNE_NOTIFY_TEMPLATE`. Its two callbacks,
for delivery receipts and for what comes in, both go to `/hooks/sms/`, with `LUNE_SMS_SECRET` as their bearer token.
"""

import json
from typing import Any
from uuid import uuid4

import requests
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from core.errors import Invalid, NotAllowed
from core.sms import LARGEST_BODY, GatewayAway, Inbound, Receipt, Refused, number, sendable

_SECONDS = 20
#: A number or message that Notify never takes. Of 403 and 429 somebody may mend the cause.
_NEVER = 400
#: What Notify says became of a message. Of others nothing is known yet.
_ARRIVED, _FAILED = {"delivered"}, {"permanent-failure", "temporary-failure", "technical-failure"}
_WHY = {
    "permanent-failure": "The number does not exist.",
    "temporary-failure": "The telephone could not be reached for three days.",
    "technical-failure": "The carrier had a fault.",
}


class NotifyGateway:
    """GOV.UK Notify behind the interface of `core.sms`. One for each message: its client is not for several threads."""

    def send(self, to: str, text: str) -> str:
        message = sendable(text)
        client = NotificationsAPIClient(settings.NOTIFY_KEY, base_url=settings.NOTIFY_URL, timeout=_SECONDS)
        client.request_session.trust_env = False
        try:
            with client.request_session:
                answer = client.send_sms_notification(
                    phone_number=to, template_id=settings.NOTIFY_TEMPLATE, personalisation={"message": message}, reference=str(uuid4()),
                    sms_sender_id=settings.SMS_SENDER or None,
                )  # fmt: skip
            return str(answer["id"])
        except APIError as error:
            # What Notify says may quote the number: only the status is kept.
            if error.status_code == _NEVER:
                raise Refused(f"The gateway refused it ({_NEVER}).") from None
            raise GatewayAway(f"The gateway answered {error.status_code}.") from None
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise GatewayAway(f"The gateway could not be reached ({type(error).__name__}).") from None

    def parse_inbound(self, request: HttpRequest) -> list[Inbound | Receipt]:
        body = request.body
        told = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not settings.SMS_SECRET or len(body) > LARGEST_BODY or not constant_time_compare(told, settings.SMS_SECRET):
            raise NotAllowed("This message does not bear the token of the gateway that this site knows.", code="not-signed")
        try:
            return _read(json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Invalid("This is not a message that we can read.", code="unreadable") from error


def _read(content: dict[str, Any]) -> list[Inbound | Receipt]:
    """A receipt (`id`, `status`), or what came in (`id`, `source_number`, `message`)."""
    name = content["id"]
    if not isinstance(name, str):
        raise TypeError("id")
    if "source_number" in content:
        text = content["message"]
        if not isinstance(text, str):
            raise TypeError("message")
        # Notify writes numbers of other countries without their “+”.
        sender = content["source_number"]
        return [Inbound(id=name[:200], sender=number(sender if sender.startswith(("+", "0")) else f"+{sender}"), text=text[:2_000])]
    status = content["status"]
    if status in _ARRIVED:
        return [Receipt(id=name[:200], delivered=True)]
    return [Receipt(id=name[:200], delivered=False, reason=_WHY[status])] if status in _FAILED else []
