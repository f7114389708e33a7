"""`manage.py learn_acceptance`"""

from typing import Any

from django.core.management.base import BaseCommand

from core import clock
from flow.acceptance import operations
from flow.acceptance.words import summary


class Command(BaseCommand):
    help = "Learn now from the answers to requests how likely a yes is. Nothing is switched on by it."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in summary(operations.learn(by=None, at=clock.now())):
            self.stdout.write(line)
