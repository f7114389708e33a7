"""Looks whether the read audit is as it was sealed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock, sealing


class Command(BaseCommand):
    help = "Check that no entry of the read audit was altered, taken away or slipped in since it was sealed. Ends with 1 when one was."

    def handle(self, *args: Any, **options: Any) -> None:
        found = sealing.check()
        for complaint in found.complaints:
            self.stderr.write(complaint)
        since = f", since {clock.local_time(found.waiting_since)}" if found.waiting_since else ""
        self.stdout.write(f"{found.entries} entries under {found.seals} seals; {found.waiting} wait for the next one{since}.")
        if found.complaints:
            raise CommandError("The audit is not as it was sealed. Compare with the seals in the log, and with a backup.")
        self.stdout.write("Every sealed entry is as it was.")
