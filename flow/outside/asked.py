"""Asking somebody who has no account: once a request is sent, whoever answers for the service gets a message with a link."""

from collections.abc import Sequence
from contextlib import suppress

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from flow.models import ReferralTask, ReplyContact


def tell(tasks: Sequence[ReferralTask]) -> None:
    """Send a link to each of these requests for which somebody answers by one, once this transaction is done."""
    services = {task.pool.service_id for task in tasks}
    by_link = set(ReplyContact.objects.active().filter(service__in=services).values_list("service_id", flat=True))
    if not by_link:
        return
    from flow.outside.jobs import send_task_link  # the job sends by way of the verbs, which call this

    for task in tasks:
        if task.pool.service_id in by_link:
            # Pressed twice is sent once: one that waits already is enough.
            with suppress(AlreadyEnqueued), transaction.atomic():
                send_task_link.configure(queueing_lock=f"link to {task.pk}").defer(task_id=str(task.pk))
