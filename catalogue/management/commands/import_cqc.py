"""`manage.py import_cqc FILE…`"""

from pathlib import Path

from catalogue.importers import cqc
from catalogue.importers.command import ImportCommand, source_name
from catalogue.importers.publishers import source_of
from catalogue.models import Source


class Command(ImportCommand):
    help = "Import CQC's register: the locations file, the directory file (addresses), or both, joined on the location's id."

    def add_arguments(self, parser) -> None:
        parser.add_argument("files", nargs="+", type=Path)

    def handle(self, *, files: list[Path], **options) -> None:
        feed = source_of(cqc.SOURCE, Source.Kind.CQC)
        self.perform("cqc", source_name(files), lambda importing: cqc.load(files, importing), feed=feed)
