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
    if not messages:
        return
    # Locked: a worker that begins to send one of them now waits, or was first and has taken it from here.
    waiting = Delivery.objects.select_for_update().filter(
        user__in={user_id for user_id, _, _ in messages}, due_at__in={due_at for _, _, due_at in messages}, state=State.WAITING, attempts=0,
    ).order_by("pk")  # fmt: skip
    all_of_them: dict[tuple[UUID | None, Route, datetime], Delivery] = {
        (delivery.user_id, Route(delivery.route), delivery.due_at): delivery for delivery in waiting
    }
    made: dict[tuple[UUID | None, Route, datetime], Delivery] = {
        key: Delivery(user_id=key[0], route=key[1], due_at=key[2], created_at=at, organization_id=notices[0].organization_id)
        for key, notices in messages.items() if key not in all_of_them
    }  # fmt: skip
    Delivery.objects.bulk_create(made.values())
    for delivery in made.values():
        enqueue(delivery)
    through = Delivery.notices.through
    all_of_them.update(made)
    through.objects.bulk_create(
        through(delivery_id=all_of_them[key].pk, notice_id=notice.pk) for key, notices in messages.items() for notice in notices
    )  # fmt: skip


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
