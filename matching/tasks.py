"""Work that the clock starts. `manage.py procrastinate worker` runs it."""

from datetime import timedelta

from procrastinate.contrib.django import app

from core import clock
from matching.models import FactChange

#: How long it is kept which facts changed: far longer than `matching.snapshot.held.LASTS`, and than any transaction is open.
KEEP = timedelta(days=1)


@app.periodic(cron="30 3 * * *")
@app.task(queueing_lock="prune_fact_changes", pass_context=False)
def prune_fact_changes(timestamp: int) -> int:
    """Each night: delete what was noted of changed facts longer ago than `KEEP`. Returns how many."""
    return FactChange.objects.filter(at__lt=clock.now() - KEEP).delete()[0]
