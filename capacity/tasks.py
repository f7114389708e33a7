"""Work that the clock starts. `manage.py procrastinate worker` runs it."""

from contextlib import suppress

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, JobAborted

from capacity import forecast, history, operations, outlook, sessions
from capacity.ask_tasks import nudge_due, send_ask, send_code  # noqa: F401 (a worker finds them here)
from capacity.reply_tasks import forget_replies, send_answer  # noqa: F401 (the same)
from core import clock


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="expire_holds")
def expire_holds(timestamp: int) -> int:
    """Each minute: give back the places whose hold has run out. Returns how many; `timestamp` is the minute it is due for."""
    return operations.expire_due(at=clock.now())


@app.periodic(cron="40 0 * * *")
@app.task(queueing_lock="make_sessions")
def make_sessions(timestamp: int) -> int:
    """Each night: places for the sessions of the coming weeks. Returns how many were made; `timestamp` is when it is due for."""
    return sessions.make_due(at=clock.now())


@app.periodic(cron="20 0 * * *")
@app.task(lock="history", queueing_lock="sum_history", pass_context=True)
def sum_history(context: JobContext, timestamp: int) -> int:
    """Each night: sum the days that are over, then forecast. Returns how many lines; `timestamp` is when it is due for."""
    written = history.sum_days(at=clock.now(), stop=context.should_abort)
    if context.should_abort():
        raise JobAborted
    with suppress(AlreadyEnqueued):
        make_forecasts.configure(queueing_lock="make_forecasts").defer()
    return written


@app.task(lock="history", pass_context=True)
def make_forecasts(context: JobContext) -> int:
    """Say how likely a place is in the coming days. Returns for how many pools. `manage.py make_forecasts --stop` ends it."""
    try:
        done = forecast.make(at=clock.now(), say=outlook.tell_progress, stop=context.should_abort)
    finally:
        outlook.forget_progress()
    if done.stopped:
        raise JobAborted
    return done.told
