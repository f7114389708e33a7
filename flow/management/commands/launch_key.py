"""Makes a key by which the record system of an organisation may launch referrals, or takes one back."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.models import Organization
from core import clock
from core.errors import LuneError
from flow.launch import operations
from flow.launch.tokens import audience
from flow.models import LaunchKey


class Command(BaseCommand):
    help = "Make a launch key for an organisation, by its ODS code; its secret is shown this once. See docs/launch.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ods_code")
        parser.add_argument("--name", default="Record system", help="Which system gets it.")
        parser.add_argument("--days", type=int, default=365, help="For how long it is good, at most 366.")
        parser.add_argument("--revoke", help="Take this key back instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(ods_code=options["ods_code"].strip().upper()).first()
        if organization is None:
            raise CommandError("No organisation has this ODS code.")
        if options["revoke"]:
            self._revoke(organization, options["revoke"])
            return
        try:
            key, secret = operations.make_key(
                organization=organization, name=options["name"], days=options["days"], by=None, at=clock.now()
            )
        except LuneError as error:
            raise CommandError(error.message) from error
        for what, said in (
            ("Key (kid)", key.pk),
            ("Secret", secret),
            ("Audience (aud)", audience()),
            ("Ends", f"{key.expires_at:%d %B %Y}"),
        ):
            self.stdout.write(f"{what + ':':<16}{said}")

    def _revoke(self, organization: Organization, key: str) -> None:
        try:
            wanted = UUID(key)
        except ValueError:
            raise CommandError("That is not a key.") from None
        changed = LaunchKey.objects.filter(organization=organization, pk=wanted, revoked_at=None).update(revoked_at=clock.now())
        if not changed:
            raise CommandError("That organisation has no such key that is still good.")
        self.stdout.write("The key is taken back. Nobody can launch with it any more.")
