"""`python -m tests.bench [NAME …]`: run benchmarks and keep their figures."""

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Another name keeps two who measure at the same time apart.
DATABASE = os.environ.get("LUNE_BENCH_DB", "lune_bench")


def set_up() -> None:
    """Django on the benchmarks' own database, made and migrated when it is not there yet."""
    os.environ["LUNE_DB"] = DATABASE
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    import django
    import psycopg
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    database = settings.DATABASES["default"]
    address = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"], "password": database["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **{key: value for key, value in address.items() if value}) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database["NAME"]]).fetchone():
            connection.execute(f'CREATE DATABASE "{database["NAME"]}"')
    call_command("migrate", verbosity=0, interactive=False)


def main(names: list[str]) -> None:
    set_up()
    from rich.console import Console
    from rich.table import Table

    from config.settings.base import BASE_DIR
    from tests.bench import harness

    for module in sorted(HERE.glob("bench_*.py")):
        importlib.import_module(f"tests.bench.{module.stem}")
    unknown = sorted(set(names) - set(harness.REGISTERED))
    if unknown:
        sys.exit(f"No benchmark is named {', '.join(unknown)}. There are: {', '.join(sorted(harness.REGISTERED)) or 'none yet'}.")
    console = Console()
    rows = []
    for name in names or sorted(harness.REGISTERED):
        console.print(f"{name} …")
        benchmark = harness.REGISTERED[name]
        rows.append(harness.result(benchmark, benchmark.measure()))
        harness.merge(BASE_DIR / "var" / "bench.json", rows[-1:])
    table = Table("name", "unit", "n", "median", "p95", "floor median", "floor p95", "ratio median", "ratio p95")
    for row in rows:
        table.add_row(*(str(row[key.replace(" ", "_")]) for key in (str(column.header) for column in table.columns)))
    console.print(table)
    for row in rows:
        console.print(f"{row['name']}: goal: {row['goal']}" + (f"\n  {row['note']}" if row["note"] else ""))


if __name__ == "__main__":
    main(sys.argv[1:])
