"""`manage.py load_demo`: write the demonstration region into an empty database."""

import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from procrastinate.exceptions import AlreadyEnqueued

from capacity.tasks import sum_history
from core import clock
from core.errors import Conflict, NotAllowed
from flow.demo import living, load
from flow.tasks import learn_acceptance


class Command(BaseCommand):
    help = "Load the demonstration region: real places; services, people and events that are wholly invented."
    requires_system_checks = ()  # pages and addresses are not its business: it starts at once

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=load.SEED, help="Another seed makes another region (default %(default)s).")
        parser.add_argument("--force", action="store_true", help="Add the region to a database that already has organisations.")

    def handle(self, *args: Any, seed: int, force: bool, **options: Any) -> None:
        began = time.monotonic()
        try:
            load.load(seed=seed, at=clock.now(), force=force, say=self.stdout.write)
        except Conflict as error:
            if error.code != "already-loaded":
                raise CommandError(error.message) from error
            self.stdout.write(error.message)
        except NotAllowed as error:
            raise CommandError(error.message) from error
        if living.is_loaded():
            return
        living.load(seed=seed, at=clock.now(), say=self.stdout.write)
        # The worker does it as soon as it runs: nobody waits here for charts and forecasts.
        for task in (sum_history, learn_acceptance):
            with suppress(AlreadyEnqueued):
                task.configure().defer(timestamp=int(clock.now().timestamp()))
        self.stdout.write(self.style.SUCCESS(f"The demonstration region is ready ({time.monotonic() - began:.1f} s)."))
