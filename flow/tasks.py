"""Work that the clock starts, messages to people who asked for help, and what takes long. `manage.py procrastinate worker` runs it."""

from contextlib import suppress
from uuid import UUID

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from core import clock
from flow import lateness
from flow.acceptance import operations as acceptance
from flow.acceptance.words import summary
from flow.apart import apart
from flow.casework import operations as casework
from flow.hubs import closing
from flow.launch import operations as launching
from flow.outside import jobs as outside_jobs  # noqa: F401 - its tasks
from flow.planning import keeping, renewing
from flow.planning import operations as planning
from flow.reminders import jobs as reminder_jobs  # noqa: F401 - its tasks
from flow.rules import operations as rules
from flow.self_referral import news, operations
from flow.whatif import operations as what_if

#: Work of a minute or more waits in a queue of its own, for a worker of its own: holds expire and messages go out meanwhile.
LONG = "long"
#: Mail server or gateway that is away: tried again after 6 and 36 seconds, 4 and 22 minutes, and 2 hours.
TRIES_AGAIN = 5


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6))
def send_self_referral_news(request_id: str) -> bool:
    """Tell one person that there is news. Returns whether a message was taken."""
    return news.send(request_id=UUID(request_id), at=clock.now())


@app.periodic(cron="30 4 * * *")
@app.task(queueing_lock="forget_self_referrals")
def forget_self_referrals(timestamp: int) -> int:
    """Each night: delete what people typed and no service took on. Returns how many; `timestamp` is when it is due for."""
    return operations.forget(at=clock.now())


@app.periodic(cron="10 2 * * *")
@app.task(queue=LONG, queueing_lock="learn_acceptance")
def learn_acceptance(timestamp: int) -> str:
    """Each night: learn from the answers how likely a yes is. Returns what came of it; `timestamp` is when it is due for."""
    return " ".join(summary(acceptance.learn(by=None, at=clock.now())))


@app.task(queue=LONG)
def tell_chances() -> int:
    """After a version was switched on: tell the ranking what each pool leans to. Returns for how many."""
    return acceptance.tell(at=clock.now())


@app.task(queue=LONG)
def draw_up_plan(plan_id: str) -> str:
    """Draw up a plan for many people. Returns how it ended."""
    return planning.carry_out(plan_id=UUID(plan_id), at=clock.now)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="look_at_plans")
def look_at_plans(timestamp: int) -> int:
    """Each minute: ask for a look at each plan in force about which something has changed. Returns how many."""
    found = renewing.due(clock.now())
    for organization in found:
        # One at a time for each organisation, and not beside a plan that is being drawn up; who waits already is not asked for twice.
        with suppress(AlreadyEnqueued), transaction.atomic():
            look_again.configure(lock=f"plan {organization}", queueing_lock=f"look at the plan of {organization}").defer(
                organization_id=str(organization)
            )
    return len(found)


@app.task(queue=LONG)
def look_again(organization_id: str) -> str:
    """Work out whether a better plan can be suggested than the one in force. Returns what came of it."""
    return renewing.look_again(organization_id=UUID(organization_id), at=clock.now())


@app.periodic(cron="50 4 * * *")
@app.task(queueing_lock="forget_plans")
def forget_plans(timestamp: int) -> int:
    """Each night: empty plans that were replaced long ago; what was decided stays. Returns how many."""
    return keeping.forget(at=clock.now())


@app.task(queue=LONG)
def simulate_what_if(what_if_id: str) -> str:
    """Simulate a what-if question, or what is left of it. Returns how it ended."""
    return what_if.carry_out(what_if_id=UUID(what_if_id), at=clock.now)


@app.periodic(cron="50 4 * * *")
@app.task(queueing_lock="forget_what_if_copies")
def forget_what_if_copies(timestamp: int) -> int:
    """Each night: throw away old copies of the region's state. Returns how many; `timestamp` is when it is due for."""
    return what_if.forget(at=clock.now())


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6))
def scan_document(document_id: str) -> str:
    """Have one document looked through by the virus scanner. Returns the state that it is in then."""
    return casework.scan(document_id=UUID(document_id), at=clock.now())


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="scan_waiting_documents")
def scan_waiting_documents(timestamp: int) -> int:
    """Every ten minutes: scan what still waits, and tell who added what waits long. Returns how many; `timestamp` is when it is due for."""
    return casework.scan_waiting(at=clock.now())


@app.periodic(cron="20 4 * * *")
@app.task(queueing_lock="forget_documents")
def forget_documents(timestamp: int) -> int:
    """Each night: erase the files of documents that were withdrawn or locked away. Returns how many."""
    return casework.forget(at=clock.now())


@app.periodic(cron="*/15 7-19 * * *")
@app.task(queueing_lock="tell_follow_ups_due")
def tell_follow_ups_due(timestamp: int) -> int:
    """By day, every quarter of an hour: tell once of each follow-up whose day has come. Returns how many."""
    return casework.tell_due(at=clock.now())


@app.periodic(cron="*/15 * * * *")
@app.task(queueing_lock="forget_launches")
def forget_launches(timestamp: int) -> int:
    """Each quarter of an hour: wipe what launches from record systems told and nobody used. Returns how many are gone."""
    return launching.forget(at=clock.now())


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="look_at_deadlines")
def look_at_deadlines(timestamp: int) -> int:
    """Each minute: tell the deadlines that have passed, go on in the lists, give back what hubs may read no longer, carry out the rules.

    Returns how many were acted on.
    """
    at, acted = clock.now(), 0
    for look in (lateness.look, closing.look, rules.run):
        with apart("deadlines:", look.__module__):
            acted += look(at=at)
    return acted
