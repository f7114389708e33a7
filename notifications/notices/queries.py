"""What pages and the API ask about notices and messages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Max
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from notifications.models import Notice, PersonChoices
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
    """How a service was told of one request: so many messages by this route, what became of them, and when the last did."""

    route: str
    state: str
    people: int
    at: datetime


def told_about(task_ids: Iterable[UUID]) -> dict[UUID, list[Told]]:
    """Whether the services that were asked have been told, for whoever asked them: no name and no address.

    The caller has seen to it that the reader may see these requests.
    """
    wanted = {str(pk): pk for pk in task_ids}
    notices = Notice.objects.filter(kind="referral-new").annotate(task=KT("data__task")).filter(task__in=list(wanted))
    sent = notices.filter(deliveries__isnull=False).exclude(deliveries__state=State.NOT_NEEDED).order_by()
    when = Coalesce("deliveries__arrived_at", "deliveries__failed_at", "deliveries__sent_at", "deliveries__due_at")
    found: dict[UUID, list[Told]] = {}
    counted = sent.values("task", "deliveries__route", "deliveries__state").annotate(people=Count("pk"), last=Max(when))
    for row in counted.order_by("deliveries__route", "deliveries__state"):
        told = Told(Route(row["deliveries__route"]).label, State(row["deliveries__state"]).label.lower(), row["people"], row["last"])
        found.setdefault(wanted[row["task"]], []).append(told)
    return found
