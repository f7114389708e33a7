"""`manage.py import_terms FILE`"""

from pathlib import Path

from catalogue.importers.command import ImportCommand
from catalogue.importers.terms import import_terms, slug_of
from core.clock import now


class Command(ImportCommand):
    help = "Import a published list of terms: an esd list (CSV: Identifier, Label, Description …) or SKOS as JSON-LD (OpenActive)."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--list", default="", help="What the list is called here; the same at each import. Default: by the file's name."
        )
        parser.add_argument("--name", default="", help="Its name for people. Default: the file's title.")
        parser.add_argument("--prefix", default="", help="Begins the CURIEs of its terms, such as esdServiceType.")
        parser.add_argument("--retire-many", action="store_true", help="Retire what the file lacks, even when that is more than half.")

    def handle(self, *, file: Path, list: str, name: str, prefix: str, retire_many: bool, **options) -> None:
        slug = list or slug_of(file)
        self.perform(
            "terms",
            file.name,
            lambda importing: import_terms(importing, file, slug=slug, name=name, prefix=prefix, at=now(), retire_many=retire_many),
        )
