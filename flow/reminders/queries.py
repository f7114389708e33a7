"""What became of the messages to a person, for those who see the request that they are about."""

from collections.abc import Iterable
from uuid import UUID

from catalogue.models import User
from flow.models import PersonMessage, SessionCancellation

#: On the page of one referral: the newest.
MOST_SHOWN = 20


def sent(tasks: Iterable[UUID], *, user: User) -> list[PersonMessage]:
    """The messages about these requests, the newest first, as far as `user` may see them."""
    found = PersonMessage.objects.visible_to(user).filter(task__in=list(tasks)).exclude(state=PersonMessage.State.NOT_NEEDED)
    return list(found.order_by("-created_at", "-pk")[:MOST_SHOWN])


def to_go(cancellation: SessionCancellation | None, *, user: User) -> int:
    """How many have not been told yet that a session is off: their message waits for the morning, or for the carrier."""
    found = PersonMessage.objects.visible_to(user).filter(cancellation=cancellation, state=PersonMessage.State.WAITING)
    return found.count() if cancellation is not None and cancellation.told_at is not None else 0
