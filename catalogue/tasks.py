"""Work that the clock starts, and letters. `manage.py procrastinate worker` runs it."""

from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from catalogue import ingest, reminders, spelling, terms, usage
from catalogue.dedupe import find
from catalogue.entry import batches
from core import clock

#: A mail server that is away is tried again after 6 and 36 seconds, 4 and 22 minutes, and 2 hours.
TRIES_AGAIN = 5


@app.periodic(cron="10 * * * *")
@app.task(queueing_lock="ask_those_due")
def ask_those_due(timestamp: int) -> int:
    """Each hour, to find the hour of letters in England whatever the worker's clock shows: write to the owners of records that are due.

    Returns how many letters; `timestamp` is when it is due for.
    """
    at = clock.now()
    begun = reminders.ask_those_due(at=at) if reminders.is_time(at) else None
    return begun.letters if begun else 0


@app.task(retry=RetryStrategy(max_attempts=TRIES_AGAIN, exponential_wait=6), pass_context=True)
def send_letter(context: JobContext, service_ids: list[str], round_id: str) -> bool:
    """Write one letter to one owner. Returns whether it was taken."""
    try:
        return reminders.write(service_ids=[UUID(pk) for pk in service_ids], round_id=UUID(round_id), at=clock.now())
    except OSError:  # of which every fault of the mail server is one
        if context.job.attempts >= TRIES_AGAIN:
            reminders.give_up(round_id=UUID(round_id))
        raise


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="start_due_sources")
def start_due_sources(timestamp: int) -> int:
    """Every five minutes: start reading the sources that are due. Returns how many; `timestamp` is when it is due for."""
    return len(ingest.start_due(at=clock.now()))


@app.task(lock="import")
def import_source(run_id: str, file: str, whole: bool) -> str:
    """Read one source. Returns how it went."""
    return ingest.carry_out(run_id=UUID(run_id), file=file, whole=whole)


@app.task
def work_on_sheet(batch: str) -> str:
    """Go on with a spreadsheet of entries. Returns how it ended."""
    return batches.carry_on(batch=UUID(batch), at=clock.now)


@app.task(lock="find_duplicates")
def find_duplicates_of_import(run_id: str) -> int:
    """After an import: look for doubles of what it wrote. Returns how many pairs a person should look at."""
    return find.of_import(UUID(run_id), at=clock.now()).found


@app.periodic(cron="30 1 * * 0")
@app.task(lock="find_duplicates", queueing_lock="find_all_duplicates")
def find_all_duplicates(timestamp: int) -> int:
    """Each Sunday night: compare all services, for what no import tells, such as a place that moved. Returns how many pairs stand."""
    return find.find_duplicates(at=clock.now()).found


@app.periodic(cron="50 3 * * *")
@app.task(queueing_lock="follow_merged_terms")
def follow_merged_terms(timestamp: int) -> int:
    """Each night: what came from feeds with a merged term gets the one that is kept. Returns how many rows; `timestamp`: when it is due."""
    return terms.follow_merges()


@app.periodic(cron="* * * * *")
@app.task(lock="collect_usage", queueing_lock="collect_usage")
def collect_usage(timestamp: int) -> int:
    """Each minute: bring what pages counted into the database. Returns how many different things; `timestamp` is when it is due for."""
    return usage.collect(at=clock.now())


@app.periodic(cron="20 4 * * *")
@app.task(queueing_lock="forget_usage")
def forget_usage(timestamp: int) -> int:
    """Each night: forget old figures, and words that few ever used. Returns how many rows; `timestamp` is when it is due for."""
    return usage.forget(at=clock.now())


@app.periodic(cron="40 * * * *")
@app.task(queueing_lock="learn_words")
def learn_words(timestamp: int) -> None:
    """Each hour: read the words of names anew, for slips of spelling. `timestamp` is when it is due for."""
    spelling.learn()
