"""What every import command shares: a bar while it runs, a summary when it has ended, plain words when it cannot."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from catalogue.models import Source
from core.errors import LuneError

from .run import Importing, run_import


class ImportCommand(BaseCommand):
    """Subclasses call `perform` from `handle`."""

    def perform(self, kind: str, source: str, work: Callable[[Importing], None], *, feed: Source | None = None) -> None:
        """Run the import and print what came of it. A source that cannot be used ends in exit code 1 and one sentence."""
        self.watch(lambda bar: run_import(kind, source, work, bar=bar, feed=feed))

    def watch(self, run: Callable[[Progress | None], Importing]) -> None:
        """The same for an import that somebody else starts."""
        began = time.perf_counter()
        try:
            importing = run(_bar())
        except LuneError as error:
            nothing = "" if "Nothing was changed" in error.message else " Nothing was changed."
            raise CommandError(f"{error.message}{nothing}") from error
        self._summarise(importing, time.perf_counter() - began)

    def _summarise(self, importing: Importing, seconds: float) -> None:
        console = Console(file=self.stdout, width=120, highlight=False, markup=False)  # type: ignore[arg-type]
        table = Table("", "added", "changed", "unchanged")
        for kind, tally in importing.tallies.items():
            table.add_row(kind, f"{tally.added:,}", f"{tally.changed:,}", f"{tally.unchanged:,}")
        console.print(table)
        console.print(f"Rejected: {importing.rejected.total():,}")
        for (field, reason), times in importing.rejected.most_common():
            console.print(f"  {times:,} × {field}: {reason}" if field else f"  {times:,} × {reason}")
        if importing.incomplete:
            console.print(f"Taken without a value that could not be used: {importing.incomplete.total():,}")
            for (field, reason), times in importing.incomplete.most_common():
                console.print(f"  {times:,} × {field}: {reason}")
        for reason, times in importing.skipped.most_common():
            console.print(f"Note: {times:,} × {reason}")
        for example in importing.examples[:10]:
            console.print(f"  {example.row}, {example.field}: {example.reason} {example.advice}")
        if len(importing.examples) > 10:
            console.print(f"  … {len(importing.examples) - 10:,} more examples are stored with import run {importing.run.pk}.")
        console.print(f"Took {seconds:.1f} s.")


def source_name(paths: Iterable[Path]) -> str:
    """What a run over files is called: their names, not where they lie."""
    return ", ".join(path.name for path in paths)


def _bar() -> Progress | None:
    """A progress bar for a person who watches; None when the output goes elsewhere."""
    if not sys.stderr.isatty():
        return None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
