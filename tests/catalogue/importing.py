"""What the tests of the import commands share."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from catalogue.models import ImportRun

DATA = Path(__file__).parent / "data"


def run(command: str, *arguments: object, **options: object) -> tuple[str, ImportRun]:
    """Run an import command; returns what it printed and its row."""
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, **options)
    return out.getvalue(), ImportRun.objects.latest("started_at")


def faults(row: ImportRun, *, kept: bool = False) -> set[tuple[str, str]]:
    """Where and in which field the run found something wrong."""
    return {(reject.row, reject.field) for reject in row.rejects.filter(record_kept=kept)}
