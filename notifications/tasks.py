"""Work that the clock starts. `manage.py procrastinate worker` runs it."""

import logging

from procrastinate import JobContext
from procrastinate.contrib.django import app

from core import clock, idempotency, sealing
from notifications import journal
from notifications.notices.tasks import (  # noqa: F401 (a worker finds them here)
    deliver,
    forget_notices,
    look_at_journal,
    read_journal,
    send_code,
)

logger = logging.getLogger(__name__)


@app.periodic(cron="20 3 * * *")
@app.task(queueing_lock="prune_events", pass_context=False)
def prune_events(timestamp: int) -> int:
    """Each night: delete event rows older than `journal.KEEP`. Returns how many; `timestamp` is the time it is due for."""
    return journal.prune(at=clock.now())


@app.periodic(cron="40 3 * * *")
@app.task(queueing_lock="forget_answers", pass_context=False)
def forget_answers(timestamp: int) -> int:
    """Each night: delete the answers kept for repeated requests longer than `idempotency.KEEP`. Returns how many."""
    return idempotency.forget(at=clock.now())


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="seal_audit", pass_context=False)
def seal_audit(timestamp: int) -> int:
    """Every five minutes: seal the read audit's new entries. Returns how many."""
    sealed = 0
    while (some := sealing.seal(at=clock.now())) == sealing.BATCH:
        sealed += some
    return sealed + some


@app.periodic(cron="10 5 * * *")
@app.task(queueing_lock="check_audit", pass_context=False)
def check_audit(timestamp: int) -> int:
    """Each night: look whether the sealed entries are as they were. Returns the number of complaints, which are told to the log."""
    complaints = sealing.check().complaints
    for complaint in complaints:
        logger.error("audit: %s", complaint)
    return len(complaints)


@app.periodic(cron="*/2 * * * *")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> int:
    """Every two minutes: put jobs back whose worker died in the middle of them. Returns how many."""
    manager = context.app.job_manager
    stalled = list(await manager.get_stalled_jobs())
    for job in stalled:
        await manager.retry_job(job)
    if stalled:
        logger.warning("worker: %d stalled jobs were put back", len(stalled))
    return len(stalled)
