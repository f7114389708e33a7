"""`manage.py relay`."""

import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand

from notifications.relay import Relay


class Command(BaseCommand):
    help = "Tell the web processes of every change. Run one; a second stands by and takes over when the first dies."

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(run())


async def run() -> None:
    """Relay until asked to stop (SIGTERM or SIGINT)."""
    task = asyncio.create_task(Relay().run())
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
