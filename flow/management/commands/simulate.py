"""`manage.py simulate`: make the demonstration region live, until it is stopped."""

import os
import random
import signal
import threading
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from core import clock
from flow.demo import load
from flow.demo.simulator import Simulator
from flow.models import SimulatorControl

log = structlog.get_logger(__name__)

#: Seconds between looks at the control while standing still.
PAUSE = 1.0
#: Longest wait before the database is tried again, in seconds.
LONGEST_WAIT = 30.0


class Command(BaseCommand):
    help = "Make the demonstration region live. Change the pace while it runs in the administrator's site, under Simulator control."
    requires_system_checks = ()  # pages and addresses are not its business: it starts at once

    def add_arguments(self, parser: CommandParser) -> None:
        pace = os.environ.get("LUNE_SIMULATOR_PACE")
        parser.add_argument("--pace", type=float, default=pace, help="Events a second, from 0 to 20; kept for the next time.")
        parser.add_argument("--seed", type=int, help="Repeat the same choices; otherwise each run differs.")

    def handle(self, *args: Any, pace: float | None, seed: int | None, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not a demonstration site. Set LUNE_DEMO=true only where nobody's real record is kept.")
        if pace is not None and not 0 <= pace <= 20:
            raise CommandError("Give a pace from 0 to 20 events a second.")
        if not load.is_loaded():
            raise CommandError("Load the demonstration region first: manage.py load_demo")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        if pace is not None:
            SimulatorControl.objects.update_or_create(pk=1, defaults={"pace": pace})
        self.stdout.write(f"The region is live: {SimulatorControl.current()}. Ctrl-C stops it.")
        run(Simulator(random.Random(seed), clock.now), stop)  # noqa: S311 - a game of chance
        self.stdout.write("The region stands still.")


def run(simulator: Simulator, stop: threading.Event) -> None:
    """Let things happen at the pace of the control until `stop` is set. When the database goes away, wait for it."""
    wait = 1.0
    while not stop.is_set():
        try:
            rate = SimulatorControl.current().rate
            if rate:
                log.debug("simulator.step", what=simulator.step())
            wait = 1.0
        except (DatabaseError, InterfaceError):
            log.warning("simulator.database_away", retry_in_s=wait)
            connection.close()
            stop.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)
            continue
        stop.wait(simulator.rng.expovariate(rate) if rate else PAUSE)
