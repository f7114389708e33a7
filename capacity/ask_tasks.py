"""Asking providers: what the clock starts, and each message. `manage.py procrastinate worker` runs it, by way of `capacity.tasks`."""

from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from capacity import ask_messages, nudging, preferences
from core import clock

#: Mail server or gateway that is away: tried again after 6 and 36 seconds, 4 and 22 minutes, and 2 hours.
TRIES_AGAIN = 5


@app.periodic(cron="*/15 * * * *")
@app.task(lock="nudge_due", queueing_lock="nudge_due")
def nudge_due(timestamp: int) -> int:
    """Each quarter of an hour: ask providers whose figure is about to get old, or near whom people wait. Returns how many."""
    return nudging.nudge_due(at=clock.now())


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6), pass_context=True)
def send_ask(context: JobContext, ask_id: str) -> bool:
    """Send one question. Returns whether it was taken."""
    try:
        return nudging.deliver(ask_id=UUID(ask_id), at=clock.now())
    except OSError:  # of which every fault of mail server and gateway is one
        if context.job.attempts >= TRIES_AGAIN:
            nudging.give_up(ask_id=UUID(ask_id), at=clock.now())
        raise


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6))
def send_code(service_id: str) -> bool:
    """Send the code by which an address is confirmed; a new one at each try. Returns whether one was needed."""
    made = preferences.make_code(service_id=UUID(service_id), at=clock.now())
    if made is not None:
        ask_messages.send_code(*made)
    return made is not None
