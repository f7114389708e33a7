"""Write what teams decided of their plans to standard output, before old plans are emptied."""

import csv
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core import clock
from flow.planning import keeping


class Command(BaseCommand):
    help = "Write the decisions about plans drawn up before a day as CSV: ids, no names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--before", type=datetime.fromisoformat, help="A day like 2026-05-01; left out: all.")

    def handle(self, *args: Any, before: datetime | None = None, **options: Any) -> None:
        moment = clock.now() if before is None else timezone.make_aware(before) if timezone.is_naive(before) else before
        out = csv.writer(self.stdout)
        out.writerow(keeping.COLUMNS)
        out.writerows(keeping.decisions(before=moment))
