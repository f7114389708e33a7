"""`manage.py import_source NAME [FILE]`"""

from pathlib import Path

from django.core.management.base import CommandError

from catalogue.importers.command import ImportCommand
from catalogue.importers.source import run_source
from catalogue.models import Source


class Command(ImportCommand):
    help = "Import one of the sources that are set up under “Sources”, from its address or from a file."

    def add_arguments(self, parser) -> None:
        parser.add_argument("name", help="The source's name, as the list of sources shows it.")
        parser.add_argument("file", nargs="?", type=Path, help="Instead of its address.")
        parser.add_argument("--kind", choices=Source.Kind.values, help="Make the source when there is none of that name.")
        parser.add_argument("--allow-private", action="store_true", help="Also fetch from an address inside a private network.")
        parser.add_argument("--whole", action="store_true", help="The file has all services of the source: mark others as missing.")

    def handle(self, *, name: str, file: Path | None, kind: str | None, allow_private: bool, whole: bool, **options) -> None:
        source = Source.objects.filter(name=name).first()
        if source is None and kind:
            source = Source.objects.create(name=name[:100], kind=kind)
        if source is None:
            known = ", ".join(Source.objects.values_list("name", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no source named {name}. There are: {known}. To make it, give --kind.")
        self.watch(lambda bar: run_source(source, path=file, whole=whole, allow_private=allow_private, bar=bar))
