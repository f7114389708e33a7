"""Take in a letter that came back, so that nobody writes to that address again."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.letters import LARGEST_REPORT, read_report
from core.clock import now


class Command(BaseCommand):
    help = "Read the report of a mail server (RFC 3464) from a file, or from standard input: the mail server hands it on as it comes in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, help="Messages, one a file; none: standard input.")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        try:
            reports = [file.read_bytes() for file in files] if files else [sys.stdin.buffer.read(LARGEST_REPORT)]
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
        dead = [address for report in reports for address in read_report(report, at=now())]
        for address in dead:
            self.stdout.write(f"{address}: no more letters go there.")
        if not dead:  # a notice of delay, or somebody's answer: nothing that a mail server should send back for
            self.stdout.write("Nothing in it says that a letter of ours failed for good. Nothing was changed.")
