"""How long all of Great Britain's postcodes take, next to a bare COPY of the same rows."""

import csv
import gzip
import random
import string
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection, transaction

from catalogue.importers import postcodes
from catalogue.importers.run import run_import
from catalogue.models import Postcode
from tests.bench.harness import Measured, bench, timed

REAL = settings.BASE_DIR.parent / "shared" / "data" / "geography" / "gb_codepoint_open_2025-11.csv.gz"
ROWS = 1_745_849
ROUNDS = 5


@bench("load-postcodes", unit="s", goal="median at most 2 times a bare COPY of the same rows plus index builds")
def load_postcodes() -> Measured:
    with TemporaryDirectory() as folder:
        file = REAL if REAL.exists() else _invented(Path(folder) / "postcodes.csv.gz")
        candidate, floor = [], []
        _load(file)
        ready = _ready_rows()
        for _ in range(ROUNDS):
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE catalogue_postcode, catalogue_outcode")
            candidate.append(timed(lambda: _load(file)))
            floor.append(timed(lambda: _bare_copy(ready)))
    source = "Real" if REAL.exists() else "Invented"
    return Measured(
        candidate,
        floor,
        note=f"{source} file, compressed; {Postcode.objects.count():,} rows. The candidate also unpacks and checks the file, counts,"
        " and places the outcodes; the floor copies rows that lie ready in memory into an equal table and builds its index.",
    )


def _load(file: Path) -> None:
    run_import("postcodes", file.name, lambda importing: postcodes.load(file, importing))


def _ready_rows() -> list[bytes]:
    """What the table now holds as COPY writes it, in pieces."""
    with connection.cursor() as cursor, cursor.copy("COPY catalogue_postcode TO STDOUT") as copy:
        return [bytes(piece) for piece in _joined(copy)]


def _joined(pieces, size: int = 1 << 16):
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= size:
            yield held
            held = bytearray()
    yield held


def _bare_copy(ready: list[bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS floor_postcode")
        cursor.execute("CREATE TABLE floor_postcode (LIKE catalogue_postcode)")
        with cursor.copy("COPY floor_postcode FROM STDIN") as copy:
            for piece in ready:
                copy.write(piece)
        cursor.execute("ALTER TABLE floor_postcode ADD PRIMARY KEY (postcode)")


def _invented(file: Path) -> Path:
    """As many postcodes as there are, of nowhere."""
    chance = random.Random(1)
    letters = string.ascii_uppercase
    with gzip.open(file, "wt", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["postcode", "quality", "easting", "northing", "lad", "ward"])
        for number in range(ROWS):
            area, unit = divmod(number, 6_760)
            incode = f"{unit // 676}{letters[unit // 26 % 26]}{letters[unit % 26]}"
            outcode = f"{letters[area // 26 % 26]}{letters[area % 26]}{area // 676}"
            writer.writerow([f"{outcode} {incode}", 10, chance.randint(100_000, 650_000), chance.randint(10_000, 990_000), "E07000123", ""])
    return file
