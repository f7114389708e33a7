"""`manage.py find_duplicates`"""

import sys

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from catalogue.dedupe.find import Tell, find_duplicates, last_start
from core.clock import now


class Command(BaseCommand):
    help = "Look for services that stand in the catalogue twice. A curator decides about what is found; nothing is merged."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--all", action="store_true", help="Compare all services, not only those changed since the last search.")

    def handle(self, *, all: bool, **options) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            search = find_duplicates(
                at=now(),
                since=None if all else last_start(),
                tell=Tell(
                    begin=lambda what, total: bar.add_task(what, total=total),
                    advance=lambda done: bar.advance(bar.task_ids[-1], done),
                ),
            )
        self.stdout.write(f"{search.services:,} services looked at, {search.pairs:,} pairs compared, {search.found:,} may be doubles.")
        if search.passed_over:
            self.stdout.write(f"{search.passed_over:,} groups were too large to compare each with each.")
