"""Reminders and news to people. `manage.py procrastinate worker` runs them, by way of `flow.tasks`."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from core import clock
from flow.attendance import calling_off
from flow.reminders import answers, messages, sending


@app.task
def send_message(message_id: str) -> str:
    """Send one message to one person. Returns what became of it; a try that fails puts by the next one itself."""
    return str(sending.send(message_id=UUID(message_id), at=clock.now()) or "")


#: A gateway that is away is tried again after 6 and 36 seconds, 4 and 22 minutes; later than that nobody wants the answer.
@app.task(retry=RetryStrategy(max_attempts=5, exponential_wait=6))
def answer_text(message_id: str, code: str) -> bool:
    """Write back to somebody who answered by text. Returns whether it was taken."""
    return answers.send_reply(message_id=UUID(message_id), code=code)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="remind_people")
def remind_people(timestamp: int) -> int:
    """Every ten minutes: remind people of what they are booked for within a day, and see to what was called off. Returns how many."""
    at = clock.now()
    return messages.remind_due(at=at) + calling_off.look(at=at) + sending.look_after(at=at)


@app.task
def tell_called_off(cancellation_id: str) -> bool:
    """Tell everybody expected that a session does not take place. Returns whether that was still to be done."""
    return calling_off.carry_out(cancellation_id=UUID(cancellation_id), at=clock.now())
