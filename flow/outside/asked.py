"""Asking somebody who has no account: once a request is sent, whoever answers for the service gets a message with a link."""

from contextlib import suppress

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from flow.models import ReferralTask, ReplyContact


def tell(task: ReferralTask) -> bool:
    """Send a link to this request, once this transaction is done. Returns whether anybody answers for the service by one."""
    if not ReplyContact.objects.active().filter(service=task.pool.service_id).exists():
        return False
    from flow.outside.jobs import send_task_link  # the job sends by way of the verbs, which call this

    # Pressed twice is sent once: one that waits already is enough.
    with suppress(AlreadyEnqueued), transaction.atomic():
        send_task_link.configure(queueing_lock=f"link to {task.pk}").defer(task_id=str(task.pk))
    return True
