"""`manage.py make_sessions`: pools for the sessions of the coming weeks."""

from typing import Any

from django.core.management.base import BaseCommand

from capacity import sessions
from core import clock


class Command(BaseCommand):
    help = "Make places for the sessions of the next 8 weeks from the times of services, and close those that are over."

    def handle(self, *args: Any, **options: Any) -> None:
        made = sessions.make_due(at=clock.now())
        self.stdout.write(f"{made} session{'' if made == 1 else 's'} made.")
