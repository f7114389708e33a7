"""How long 100,000 services take to come in from one file, next to a bare COPY of the rows that they become."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection, transaction

from catalogue import models as m
from catalogue.importers.progress import Watch
from catalogue.importers.source import run_source
from core.ids import derived
from tests.bench.harness import Measured, bench, timed

SERVICES = 100_000
#: Of so many services one organisation.
OF_ONE = 5
SOURCE = "bench import"
TABLES = [
    model._meta.db_table
    for model in (
        m.Organization,
        m.Location,
        m.Address,
        m.Service,
        m.Eligibility,
        m.EligibilityCriterion,
        m.Phone,
        m.Contact,
        m.CostOption,
        m.Schedule,
        m.ServiceArea,
        m.ServiceAtLocation,
        m.Service.taxonomy_terms.through,
        m.SourceRecord,
        # What triggers write: history, the journal of the feed, what searches compare.
        *(model.pgh_event_model for model in (m.Organization, m.Service, m.Eligibility, m.EligibilityCriterion)),
        m.PublicationChange,
        m.ServiceSearch,
    )
]
KINDS = ("Befriending", "Lunch club", "Walking group", "Debt advice", "Carers’ support", "Choir", "Gardening", "Art class")
DAYS = ("MO", "TU", "WE", "TH", "FR")


@bench(
    "catalogue-import-100k",
    unit="s",
    goal="at most 10 times a bare COPY of the rows of every table that it fills, into equal tables with their indexes",
)
def catalogue_import_100k() -> Measured:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "services.ndjson"
        with file.open("w") as text:
            text.writelines(f"{json.dumps(service)}\n" for service in services(SERVICES))
        _empty()
        before = _memory()
        told: list[tuple[str, int]] = []
        first = timed(lambda: _load(file, told))
        peak = _memory()
        rows = {table: _rows(table) for table in TABLES}
        with connection.cursor() as cursor:
            counts = [_count(cursor, table) for table in TABLES]
        floor = timed(lambda: _bare_copy(rows))
        again = timed(lambda: _load(file, []))
    total = sum(counts)
    return Measured(
        [first],
        [floor],
        note=f"{SERVICES:,} services became {total:,} rows of {len(TABLES)} tables, history and search among them:"
        f" {total / first:,.0f} rows/s, {SERVICES / first:,.0f} services/s. How far it was, was told {len(told)} times while it ran."
        f" Memory grew by {peak - before:,.0f} MB to {peak:,.0f} MB. The same file again, nothing changed: {again:.1f} s.",
    )


def services(count: int) -> Iterator[dict[str, Any]]:
    """Whole services of nowhere, as Open Referral UK 3 has them."""
    for number in range(count):
        owner = number // OF_ONE
        kind = KINDS[number % len(KINDS)]
        yield {
            "id": str(derived("bench", "service", str(number))),
            "name": f"{kind} {number}",
            "description": f"{kind} for everybody near place {number}. Come as you are; ring first if you need help to get there. " * 3,
            "status": "active",
            "url": f"https://bench.example/{number}",
            "email": f"hello{number}@bench.example",
            "assured_date": "2026-01-31",
            "minimum_age": 18 + number % 50,
            "eligibility_description": "People who live nearby.",
            "organization": {
                "id": str(derived("bench", "organization", str(owner))),
                "name": f"Charity {owner}",
                "description": "A charity.",
                "organization_identifiers": [{"identifier_scheme": "GB-CHC", "identifier": f"{1_000_000 + owner}"}],
            },
            "service_at_locations": [
                {
                    "location": {
                        "id": str(derived("bench", "location", str(number))),
                        "location_type": "physical",
                        "name": f"Hall {number}",
                        "latitude": 53.5 + (number % 1000) / 2000,
                        "longitude": -3.0 + (number // 1000) / 200,
                        "addresses": [
                            {
                                "address_1": f"{number} Church Street",
                                "city": "Preston",
                                "state_province": "Lancashire",
                                "postal_code": f"PR{number % 9 + 1} {number % 9}{chr(65 + number % 8)}{chr(65 + number % 7)}",
                                "country": "GB",
                                "address_type": "physical",
                            }
                        ],
                    }
                }
            ],
            "phones": [{"number": f"01772 {number:06}"}],
            "cost_options": [{"option": "A visit", "amount": number % 10, "currency": "GBP"}],
            "schedules": [{"freq": "WEEKLY", "byday": DAYS[number % 5], "opens_at": "10:00", "closes_at": "12:00"}],
            "attributes": [{"taxonomy_term": {"id": kind, "name": kind, "taxonomy": "Kinds"}}],
        }


def _empty() -> None:
    """No rows in the tables that are filled. Other benchmarks make their own again."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    m.Source.objects.filter(name=SOURCE).delete()


def _load(file: Path, told: list[tuple[str, int]]) -> None:
    source, _ = m.Source.objects.get_or_create(name=SOURCE, defaults={"kind": m.Source.Kind.ORUK_3})
    real = Watch._ask

    def ask(self: Watch, statement: str, *values: Any) -> tuple:
        if statement.startswith("UPDATE"):
            told.append((values[0], values[1]))
        return real(self, statement, *values)

    Watch._ask = ask  # type: ignore[method-assign]
    try:
        run_source(source, path=file)
    finally:
        Watch._ask = real  # type: ignore[method-assign]


def _rows(table: str) -> list[bytes]:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return [bytes(piece) for piece in copy]


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")
    return cursor.fetchone()[0]


def _bare_copy(rows: dict[str, list[bytes]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table, pieces in rows.items():
            cursor.execute(f"CREATE TEMPORARY TABLE floor (LIKE {table} INCLUDING ALL)")
            with cursor.copy("COPY floor FROM STDIN") as copy:
                for piece in pieces:
                    copy.write(piece)
            cursor.execute("DROP TABLE floor")


def _memory() -> float:
    """The most that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
