"""`manage.py open_pools`"""

from django.core.management.base import BaseCommand

from capacity.opening import open_pools


class Command(BaseCommand):
    help = "Give each imported service that has no places yet one pool, not known until its provider reports."

    def handle(self, **options) -> None:
        self.stdout.write(f"Opened {open_pools():,} pools. Each is “not known” until its provider reports.")
