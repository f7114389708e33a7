"""`manage.py sum_days`"""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from capacity.history import sum_days
from core import clock


class Command(BaseCommand):
    help = "Sum each pool's reports into a line a day. Days that were summed before are summed anew and come out the same."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", metavar="YYYY-MM-DD", help="The first day to sum (default: the first that is not summed yet).")

    def handle(self, *args: Any, since: str | None, **options: Any) -> None:
        try:
            first = date.fromisoformat(since) if since else None
        except ValueError as error:
            raise CommandError(f"“{since}” is not a day. Write it like 2026-03-29.") from error
        self.stdout.write(f"Wrote {sum_days(at=clock.now(), since=first):,} lines.")
