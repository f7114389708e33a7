"""Writing back to those who answered, and forgetting their words. `manage.py procrastinate worker` runs it."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from capacity import replies
from core import clock

#: A gateway that is away is tried again after 6 and 36 seconds, 4 and 22 minutes; later than that nobody wants the answer.
TRIES_AGAIN = 5


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6))
def send_answer(reply_id: str) -> bool:
    """Write back to one person. Returns whether it was taken. The job holds no word of theirs."""
    return replies.send_answer(reply_id=UUID(reply_id))


@app.periodic(cron="35 3 * * *")
@app.task(queueing_lock="forget_replies")
def forget_replies(timestamp: int) -> int:
    """Each night: delete the words of old replies. Returns of how many; `timestamp` is when it is due for."""
    return replies.forget_words(at=clock.now())
