"""`manage.py load_postcodes FILE`"""

from pathlib import Path

from catalogue.importers import postcodes
from catalogue.importers.command import ImportCommand
from catalogue.importers.publishers import POSTCODES, source_of
from catalogue.models import Source


class Command(ImportCommand):
    help = "Load postcodes from Code-Point Open (CSV, or CSV with gzip) or the ONS Postcode Directory."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options) -> None:
        feed = source_of(POSTCODES, Source.Kind.POSTCODES)
        self.perform("postcodes", file.name, lambda importing: postcodes.load(file, importing), feed=feed)
