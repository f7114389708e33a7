"""`manage.py api_token`: give a computer of somebody's the right to use the API, or take it back."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from knox.models import AuthToken

from catalogue.models import User

MOST_DAYS = 365


class Command(BaseCommand):
    help = "Print a new token for the API. It may do what the user may do, is shown once, and ends after some days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="E-mail address of the user for whom the computer acts.")
        parser.add_argument("--days", type=int, default=90, help=f"How long it is good, at most {MOST_DAYS} (default %(default)s).")
        parser.add_argument("--revoke", action="store_true", help="Give none; take back all that the user has.")

    def handle(self, *args: Any, email: str, days: int, revoke: bool, **options: Any) -> None:
        user = User.objects.filter(email=email.lower(), is_active=True).first()
        if user is None:
            raise CommandError("There is no such user who may sign in. Make one on the administrator's site first.")
        if revoke:
            number, _ = AuthToken.objects.filter(user=user).delete()
            self.stdout.write(f"{number} taken back.")
            return
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"Give a number of days from 1 to {MOST_DAYS}.")
        _, token = AuthToken.objects.create(user=user, expiry=timedelta(days=days))
        self.stdout.write(token)
