"""What pages and the API ask about notices and messages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from notifications.models import Delivery, Notice, PersonChoices
from notifications.models.delivery import Route, State

#: Beyond this nobody counts.
MOST_COUNTED = 99


def unread(user: Any) -> int:
    """How many notices wait for this person, up to one more than is counted. One look into an index of nothing but those."""
    return Notice.objects.visible_to(user).unread().order_by()[: MOST_COUNTED + 1].count()


def own_choices(user: Any) -> PersonChoices:
    """What this person has chosen; where nothing, an empty row that is not kept."""
    return PersonChoices.objects.visible_to(user).first() or PersonChoices(user=user)


class Told(NamedTuple):
    """A message about one request to one service: how it went, when, and what became of it."""

    task: UUID
    route: str
    state: str
    at: datetime


def told_about(task_ids: Iterable[UUID]) -> dict[UUID, list[Told]]:
    """Whether the services that were asked have been told, for whoever asked them: no name and no address. Newest last.

    The caller has seen to it that the reader may see these requests.
    """
    wanted = {str(pk): pk for pk in task_ids}
    found: dict[UUID, list[Told]] = {pk: [] for pk in wanted.values()}
    sent = Delivery.objects.filter(
        notices__kind="referral-new", notices__data__task__in=list(wanted), route__in=[Route.EMAIL, Route.SMS],
    ).exclude(state=State.NOT_NEEDED).order_by("created_at", "pk")  # fmt: skip
    for delivery, task in ((delivery, delivery.about) for delivery in sent.annotate(about=_task())):
        at = delivery.arrived_at or delivery.failed_at or delivery.sent_at or delivery.due_at
        found[wanted[task]].append(Told(wanted[task], delivery.get_route_display(), delivery.get_state_display(), at))
    return found


def _task() -> Any:
    from django.db.models.fields.json import KT

    return KT("notices__data__task")
