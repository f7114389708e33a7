"""What the clock, the relay and each message start. `manage.py procrastinate worker` runs it, by way of `notifications.tasks`."""

from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from core import clock
from notifications.notices import choosing, delivering, operations, outbox

#: Pages of the journal in one go; what is left is begun again, so that other work gets its turn.
_PAGES = 50


@app.task(lock="read_journal", queueing_lock="read_journal")
def read_journal() -> int:
    """Turn what happened into notices, up to the end of the journal. Returns how many pages that were."""
    pages = 0
    while pages < _PAGES and operations.read_on(at=clock.now()):
        pages += 1
    return pages


def look() -> bool:
    """Have the journal read soon. Returns False when that is to be done already."""
    try:
        with transaction.atomic():
            read_journal.defer()
    except AlreadyEnqueued:
        return False
    return True


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="look_at_journal")
def look_at_journal(timestamp: int) -> int:
    """Each minute: read the journal even if no hint came, and hand on messages that got stuck. Returns how many of those."""
    look()
    return outbox.look_after(at=clock.now())


@app.task
def deliver(delivery_id: str) -> str:
    """Send one message. Returns what became of it; a try that fails puts by the next one itself."""
    return str(delivering.deliver(delivery_id=UUID(delivery_id), at=clock.now()) or "")


@app.task
def send_code(user_id: str) -> bool:
    """Send the code by which a mobile number is confirmed. Returns whether one was needed."""
    return choosing.send_code(user_id=UUID(user_id), at=clock.now())


@app.periodic(cron="35 3 * * *")
@app.task(queueing_lock="forget_notices")
def forget_notices(timestamp: int) -> int:
    """Each night: delete what is older than the site keeps it. Returns how many rows; `timestamp` is when it is due for."""
    return operations.forget(at=clock.now())
