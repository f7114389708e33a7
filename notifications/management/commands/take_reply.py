"""Take in an answer that came by e-mail."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from capacity import replies, reply_mail
from core.clock import now
from notifications.notices import bounces


class Command(BaseCommand):
    help = "Read an e-mail (RFC 5322) from standard input or files: the mail server hands on what comes to the address for answers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, help="Messages, one a file; none: standard input.")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        try:
            messages = [file.read_bytes() for file in files] if files else [sys.stdin.buffer.read(reply_mail.LARGEST)]
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
        for message in messages:
            if bounces.take(message, at=now()):
                self.stdout.write("One of our messages did not arrive: kept.")
                continue
            reply = replies.receive_mail(mail=reply_mail.read(message), at=now())
            self.stdout.write(f"{reply.get_outcome_display()}." if reply else "Sent by a machine: not kept.")
