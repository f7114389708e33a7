"""`manage.py load_boundaries FILE-or-FOLDER…`"""

from pathlib import Path

from catalogue.importers import boundaries
from catalogue.importers.command import ImportCommand, source_name
from catalogue.importers.publishers import BOUNDARIES, source_of
from catalogue.models import Source


class Command(ImportCommand):
    help = "Load outlines of wards, MSOAs, LSOAs, districts or ICBs from GeoJSON files, or from all such files in a folder."

    def add_arguments(self, parser) -> None:
        parser.add_argument("paths", nargs="+", type=Path)

    def handle(self, *, paths: list[Path], **options) -> None:
        feed = source_of(BOUNDARIES, Source.Kind.BOUNDARIES)
        self.perform("boundaries", source_name(paths), lambda importing: boundaries.load(paths, importing), feed=feed)
