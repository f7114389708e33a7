"""Messages put by, each with the job that sends it, in the transaction that made it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from notifications.models import Delivery, Notice
from notifications.models.delivery import Route, State
from notifications.notices.preferences import Preferences

#: A message that is due for so long, and of which no worker seems to know, is handed to one again.
_FORGOTTEN = timedelta(minutes=10)


def address(chosen: Preferences, route: Route) -> str:
    """Where messages to this person go by that route; empty when none do."""
    return chosen.email if route == Route.EMAIL else chosen.mobile


def put_by(messages: Mapping[tuple[UUID, Route, datetime], Sequence[Notice]], *, at: datetime) -> None:
    """For each person, route and time one message, which may be waiting already: then it tells of this too."""
    through = Delivery.notices.through
    parts = []
    for (user_id, route, due_at), notices in sorted(messages.items(), key=lambda item: (str(item[0][0]), item[0][1], item[0][2])):
        # Locked: a worker that begins to send it now comes too late or waits.
        found = Delivery.objects.select_for_update().filter(
            user_id=user_id, route=route, due_at=due_at, state=State.WAITING, attempts=0
        )  # fmt: skip
        delivery = found.first()
        if delivery is None:
            organization_id = notices[0].organization_id
            delivery = Delivery.objects.create(
                user_id=user_id, route=route, due_at=due_at, created_at=at, organization_id=organization_id
            )  # fmt: skip
            enqueue(delivery)
        parts += [through(delivery_id=delivery.pk, notice_id=notice.pk) for notice in notices]
    through.objects.bulk_create(parts)


def enqueue(delivery: Delivery) -> None:
    """Have it sent when it is due. The job is a row of this transaction."""
    from notifications.notices.tasks import deliver  # the task calls what calls this

    # What is due at once has no time of its own: a worker whose clock is behind would wait.
    later = delivery.due_at > delivery.created_at or delivery.attempts > 0
    deliver.configure(schedule_at=delivery.due_at if later else None, lock=_lock(delivery)).defer(delivery_id=str(delivery.pk))


def look_after(*, at: datetime) -> int:
    """Hand on what is overdue and stuck: a job that was lost, or a worker that died while it sent. Returns how many."""
    from notifications.notices.tasks import deliver

    stuck = Delivery.objects.filter(state__in=[State.WAITING, State.TRYING], due_at__lt=at - _FORGOTTEN).order_by("due_at")[:500]
    handed_on = 0
    for delivery in stuck:
        try:
            with transaction.atomic():
                deliver.configure(queueing_lock=_lock(delivery), lock=_lock(delivery)).defer(delivery_id=str(delivery.pk))
            handed_on += 1
        except AlreadyEnqueued:
            continue
    return handed_on


def _lock(delivery: Delivery) -> str:
    """Two jobs for one message run one after the other: the second finds it sent."""
    return f"delivery {delivery.pk}"
