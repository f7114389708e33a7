"""Messages to providers without an account. `manage.py procrastinate worker` runs them, by way of `flow.tasks`."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from core import clock
from flow.outside import messages

#: Mail server or gateway that is away: tried again after 6 and 36 seconds, 4 and 22 minutes, and 2 hours.
TRIES_AGAIN = 5


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6))
def send_task_link(task_id: str) -> bool:
    """Send one link to one request. Returns whether a message was taken."""
    return messages.send_link(task_id=UUID(task_id), at=clock.now())


#: A code that comes after ten minutes is of no use: tried again after 6 and 36 seconds.
@app.task(retry=RetryStrategy(max_attempts=2, exponential_wait=6))
def send_release_code(code_id: str) -> bool:
    """Send one code. Returns whether a message was taken."""
    return messages.send_code(code_id=UUID(code_id), at=clock.now())
