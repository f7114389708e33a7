"""What the tests about notices share: reading the journal on, and sending what is due."""

from datetime import datetime, timedelta

from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from core.settled import WATERMARK
from notifications.models import Delivery
from notifications.notices import delivering, operations, reading


def settle_at_once(monkeypatch) -> None:
    """For tests that are one transaction: what it has written itself counts as settled."""
    monkeypatch.setattr(reading, "_READ", reading._READ.replace(WATERMARK, "9223372036854775807"))


def read_all(at: datetime | None = None) -> int:
    """Read the journal to its end."""
    pages = 0
    while operations.read_on(at=at or timezone.now()):
        pages += 1
    return pages


def send_due(at: datetime | None = None) -> list[str]:
    """Try each message that is due, as its job would. Returns what became of each."""
    moment = at or timezone.now() + timedelta(seconds=1)
    due = Delivery.objects.filter(state="waiting", due_at__lte=moment).order_by("created_at", "pk")
    return [str(delivering.deliver(delivery_id=delivery.pk, at=moment) or "") for delivery in due]


def jobs(name: str = "deliver") -> list[dict]:
    """What is put by for workers."""
    found = ProcrastinateJob.objects.filter(task_name__endswith=f".{name}").order_by("pk")
    return list(found.values("args", "scheduled_at", "status"))
