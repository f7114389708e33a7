"""One import from beginning to end: counts, quarantine, one transaction, a row that says how it went."""

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from rich.progress import Progress, TaskID

from catalogue.dedupe import after_import
from catalogue.models import ImportReject, ImportRun, Source
from core.clock import now
from core.errors import LuneError
from core.events import publish

from .progress import Stopped, Watch

#: Of each kind of fault, and in all, so many examples are stored; the rest are counted.
EXAMPLES_OF_A_KIND = 100
EXAMPLES_IN_ALL = 2_000
#: PostgreSQL takes neither NUL nor half a character.
_NOT_STORED = re.compile(r"[\x00\ud800-\udfff]")


class BrokenSource(LuneError):
    """The whole source cannot be read, so nothing of it is taken."""

    code = "broken-source"


@dataclass
class Tally:
    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass
class Importing:
    """An import under way: what importers count with, complain to and move the bar of."""

    run: ImportRun
    bar: Progress | None = None
    watch: Watch | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    incomplete: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[ImportReject] = field(default_factory=list)
    _task: TaskID | None = None
    _stage: str = ""
    _done: int = 0
    _total: int | None = None

    def count(self, kind: str, *, added: int = 0, changed: int = 0, unchanged: int = 0) -> None:
        """Add to the figures of one kind of record ("services")."""
        tally = self.tallies.setdefault(kind, Tally())
        tally.added += added
        tally.changed += changed
        tally.unchanged += unchanged

    def reject(self, row: str, field: str, reason: str, advice: str, record: Any = None, *, times: int = 1) -> None:
        """Put a record into quarantine: it is left out, and the rest goes on."""
        self._note(self.rejected, row, field, reason, advice, record, kept=False, times=times)

    def leave_out(self, row: str, field: str, reason: str, advice: str, record: Any = None) -> None:
        """Take a record without a value of it that cannot be used."""
        self._note(self.incomplete, row, field, reason, advice, record, kept=True)

    def skip(self, reason: str, times: int = 1) -> None:
        """Count what is not wrong but does not belong here, such as a closed practice."""
        self.skipped[reason] += times

    def begin(self, what: str, total: int | None) -> None:
        """Start a new stage, with a bar of its own; `advance` moves it. Raises `Stopped` when somebody has asked for that."""
        self._stage, self._done, self._total = what, 0, total
        if self.bar:
            self._task = self.bar.add_task(what, total=total)
        if self.watch:
            self.watch.tell(what, 0, total, now=True)

    def advance(self, by: int = 1) -> None:
        """Move on. Raises `Stopped` as `begin` does."""
        self._done += by
        if self.bar and self._task is not None:
            self.bar.advance(self._task, by)
        if self.watch:
            self.watch.tell(self._stage, self._done, self._total)

    def _note(self, counter: Counter, row: str, field: str, reason: str, advice: str, record: Any, *, kept: bool, times: int = 1) -> None:
        counter[field, reason] += times
        if counter[field, reason] - times < EXAMPLES_OF_A_KIND and len(self.examples) < EXAMPLES_IN_ALL:
            self.examples.append(
                ImportReject(
                    run=self.run,
                    row=_storable(row)[:200],
                    field=_storable(field)[:100],
                    reason=_storable(reason)[:500],
                    advice=_storable(advice)[:500],
                    record=_storable(record),
                    record_kept=kept,
                )
            )


def run_import(
    kind: str,
    source: str,
    work: Callable[[Importing], None],
    *,
    bar: Progress | None = None,
    feed: Source | None = None,
    run: ImportRun | None = None,
    prepare: Callable[[Importing], None] | None = None,
) -> Importing:
    """Do `work` in one transaction and record how it went. `prepare` goes before it, outside: fetching takes long.

    `run` is the row when somebody has asked for the run before. Raises `BrokenSource`, `Conflict` (another import is running) or
    `Stopped`, after writing what happened into the row, when nothing was changed.
    """
    run = run or ImportRun(feed=feed)
    run.kind, run.source, run.status, run.stage, run.error = kind, source[:500], ImportRun.Status.RUNNING, "Starting", ""
    run.save()
    importing = Importing(run=run, bar=bar)
    try:
        with bar or nullcontext(), Watch(run.pk) as importing.watch:
            if prepare:
                prepare(importing)
            with transaction.atomic():
                _name_in_history(run)
                work(importing)
                # From here on this transaction holds the run's row: the watch would wait for it for ever.
                importing.watch = None
                _finish(importing)
    except Exception as error:
        run.status = ImportRun.Status.STOPPED if isinstance(error, Stopped) else ImportRun.Status.FAILED
        run.error = error.message if isinstance(error, LuneError) else "Lune itself failed. Tell whoever looks after it."
        run.finished_at = now()
        run.rejected, run.incomplete = importing.rejected.total(), importing.incomplete.total()
        run.save(update_fields=["status", "error", "finished_at", "rejected", "incomplete"])
        # What it had found wrong by then is worth reading.
        ImportReject.objects.bulk_create(importing.examples, batch_size=500)
        raise
    return importing


def _name_in_history(run: ImportRun) -> None:
    """Let the history name this run. Also the triggers that write it are much faster when these settings are there to be read."""
    settings = {
        "pghistory.context_id": str(run.pk),
        "pghistory.context_metadata": json.dumps({"import": str(run.pk), "source": run.source}),
        "pgtrigger.ignore": "{}",
    }
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _finish(importing: Importing) -> None:
    run, tallies = importing.run, importing.tallies.values()
    run.added = sum(tally.added for tally in tallies)
    run.changed = sum(tally.changed for tally in tallies)
    run.unchanged = sum(tally.unchanged for tally in tallies)
    run.rejected = importing.rejected.total()
    run.incomplete = importing.incomplete.total()
    run.notes = [[times, _storable(reason)] for reason, times in importing.skipped.most_common()]
    run.status = ImportRun.Status.DONE
    run.finished_at = now()
    run.save(update_fields=["added", "changed", "unchanged", "rejected", "incomplete", "notes", "status", "finished_at"])
    ImportReject.objects.bulk_create(importing.examples, batch_size=500)
    if run.added or run.changed:
        publish("catalogue.imported", topics=["region"], data={"run": str(run.pk), "kind": run.kind})
    written = importing.tallies.get("services")
    if written and (written.added or written.changed):
        after_import(run.pk)


def _storable(record: Any) -> Any:
    """The record as JSON that PostgreSQL takes (no NUL), cut off when it is very long."""
    if isinstance(record, dict):
        return {_storable(str(key)): _storable(value) for key, value in list(record.items())[:60]}
    if isinstance(record, list | tuple):
        return [_storable(value) for value in record[:60]]
    if record is None:
        return {}
    if isinstance(record, bool | int | float) and record == record and abs(record) != float("inf"):
        return record
    return _NOT_STORED.sub("", str(record)[:2_000])
