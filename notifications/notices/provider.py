"""What a provider of mail tells of our letters (django-anymail's `tracking`): arrived, or sent back, as a receipt like any other."""

from typing import Any

from core.clock import now
from flow.reminders import sending
from notifications.notices import delivering

_BACK = frozenset({"bounced", "rejected", "failed", "complained"})
_SENT_BACK = "The mail server sent it back."
_WHY = {
    "invalid": "There is no such mailbox.",
    "timed_out": "The mail server could not be reached.",
    "blocked": "The provider does not write to this address.",
    "spam": "Its reader called it spam.",
    "unsubscribed": "Its reader wants no more e-mails.",
}


def take(sender: Any, event: Any, esp_name: str, **told: Any) -> None:
    """One event. Of those that are no receipt, such as a delay, nothing is kept."""
    delivered = event.event_type == "delivered"
    if not event.message_id or not (delivered or event.event_type in _BACK):
        return
    reason = "spam" if event.event_type == "complained" else event.reject_reason
    because = "" if delivered else _WHY.get(reason, _SENT_BACK)
    said = {"gateway_id": str(event.message_id), "delivered": delivered, "because": because, "at": now(), "to": event.recipient or ""}
    delivering.receipt(route="email", **said)
    sending.receipt(**said)
