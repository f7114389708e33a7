"""`manage.py import_oruk URL-or-FILE`"""

import re
from pathlib import Path

from catalogue.importers.command import ImportCommand
from catalogue.importers.network import shown
from catalogue.importers.publishers import source_of
from catalogue.importers.source import run_source
from catalogue.models import Source

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://").match


class Command(ImportCommand):
    help = "Import services from an Open Referral UK feed (its base address) or a JSON or NDJSON file of one."

    def add_arguments(self, parser) -> None:
        parser.add_argument("source", help="https://… or a file")
        parser.add_argument(
            "--publisher", default="", help="Whose records these are; the same at each import. Default: address or file name."
        )
        parser.add_argument("--allow-private", action="store_true", help="Also fetch from an address inside a private network.")
        parser.add_argument("--whole", action="store_true", help="The file has all services of the publisher: mark others as missing.")

    def handle(self, *, source: str, publisher: str, allow_private: bool, whole: bool, **options) -> None:
        if _ADDRESS(source):
            address = source.rstrip("/").removesuffix("/services")
            feed = source_of(publisher or shown(address), Source.Kind.ORUK_3, url=address)
            feed.url = address
            self.watch(lambda bar: run_source(feed, allow_private=allow_private, bar=bar))
        else:
            path = Path(source)
            feed = source_of(publisher or path.name, Source.Kind.ORUK_3)
            self.watch(lambda bar: run_source(feed, path=path, whole=whole, bar=bar))
