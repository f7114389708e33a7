"""`manage.py import_oruk URL-or-FILE`"""

from pathlib import Path

from catalogue.importers import oruk
from catalogue.importers.command import ImportCommand


class Command(ImportCommand):
    help = "Import services from an Open Referral UK 3.0 feed (its base address) or a JSON file of it."

    def add_arguments(self, parser) -> None:
        parser.add_argument("source", help="https://… or a file")
        parser.add_argument(
            "--publisher", default="", help="Whose records these are; the same at each import. Default: address or file name."
        )
        parser.add_argument("--allow-private", action="store_true", help="Also fetch from an address inside a private network.")

    def handle(self, *, source: str, publisher: str, allow_private: bool, **options) -> None:
        shown = source.split("?")[0] if "://" in source else Path(source).name
        self.perform("oruk", shown, lambda importing: oruk.load(source, importing, publisher=publisher, allow_private=allow_private))
