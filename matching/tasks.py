"""Work that the clock starts. `manage.py procrastinate worker` runs it."""

from datetime import timedelta

from procrastinate.contrib.django import app

from catalogue.models import Schedule
from core import clock
from matching.models import FactChange
from matching.queries import refresh_facts

#: How long it is kept which facts changed: far longer than `matching.snapshot.held.LASTS`, and than any transaction is open.
KEEP = timedelta(days=1)
#: So many days back it is looked for times that have ended: a worker may have been down.
LOOKS_BACK = timedelta(days=14)


@app.periodic(cron="30 3 * * *")
@app.task(queueing_lock="prune_fact_changes", pass_context=False)
def prune_fact_changes(timestamp: int) -> int:
    """Each night: delete what was noted of changed facts longer ago than `KEEP`. Returns how many."""
    return FactChange.objects.filter(at__lt=clock.now() - KEEP).delete()[0]


@app.periodic(cron="10 1 * * *")
@app.task(queueing_lock="forget_ended_times", pass_context=False)
def forget_ended_times(timestamp: int) -> int:
    """Each night: work out the facts of services anew whose times have ended, because nobody writes a row on that day. Returns how many."""
    today = clock.local_date(clock.now())
    ended = Schedule.objects.filter(valid_to__lt=today, valid_to__gte=today - LOOKS_BACK)
    services = list(ended.order_by("service").values_list("service", flat=True).distinct())
    refresh_facts(services)
    return len(services)
