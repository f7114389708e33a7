"""Work that the clock starts. `manage.py procrastinate worker` runs it."""

from procrastinate.contrib.django import app

from capacity import operations
from core import clock


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="expire_holds")
def expire_holds(timestamp: int) -> int:
    """Each minute: give back the places whose hold has run out. Returns how many; `timestamp` is the minute it is due for."""
    return operations.expire_due(at=clock.now())
