"""`manage.py import_ods FILE…`"""

from pathlib import Path

from catalogue.importers import ods
from catalogue.importers.command import ImportCommand, source_name
from catalogue.importers.publishers import source_of
from catalogue.models import Source


class Command(ImportCommand):
    help = "Import NHS ODS files: epraccur (practices), etr (trusts), the practice to PCN map, the list of hospitals."

    def add_arguments(self, parser) -> None:
        parser.add_argument("files", nargs="+", type=Path)

    def handle(self, *, files: list[Path], **options) -> None:
        feed = source_of(ods.SOURCE, Source.Kind.ODS)
        self.perform("ods", source_name(files), lambda importing: ods.load(files, importing), feed=feed)
