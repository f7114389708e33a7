"""What became of the messages to a person, for those who see the request that they are about."""

from collections.abc import Iterable
from uuid import UUID

from catalogue.models import User
from flow.models import PersonMessage

#: On the page of one referral: the newest.
MOST_SHOWN = 20


def sent(tasks: Iterable[UUID], *, user: User) -> list[PersonMessage]:
    """The messages about these requests, the newest first, as far as `user` may see them."""
    found = PersonMessage.objects.visible_to(user).filter(task__in=list(tasks)).exclude(state=PersonMessage.State.NOT_NEEDED)
    return list(found.order_by("-created_at", "-pk")[:MOST_SHOWN])
