"""What stands in for many migrations stands in for all of them, and a database in the middle of them finds its way."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

LAYERS = ("core", "catalogue", "capacity", "matching", "flow", "notifications")


def files(app: str) -> list[str]:
    return sorted(file.stem for file in Path(import_module(f"{app}.migrations").__path__[0]).glob("0*.py"))


@pytest.mark.parametrize("app", LAYERS)
def test_one_file_stands_in_for_every_migration_up_to_the_one_that_it_names(app):
    [squashed] = (name for name in files(app) if name.startswith("0001_squashed_"))
    last = squashed.removeprefix("0001_squashed_")
    before = [(app, name) for name in files(app) if name != squashed and name <= last]
    migration = import_module(f"{app}.migrations.{squashed}").Migration
    assert migration.replaces == before
    # Of another app it needs what one of those needed, and no more: a database that has all of those has that.
    needed = {need for _, name in before for need in import_module(f"{app}.migrations.{name}").Migration.dependencies}
    assert {need for need in migration.dependencies if need[1] != "__first__"} <= needed


@pytest.mark.django_db
@pytest.mark.parametrize("last", [name for name in files("flow") if "squashed" not in name])
def test_a_database_in_the_middle_of_them_goes_on_by_the_files_that_it_began_with(last, monkeypatch):
    as_written = MigrationLoader(None, replace_migrations=False)
    done = dict.fromkeys(as_written.graph.forwards_plan(("flow", last)))
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda recorder: done)
    loader = MigrationLoader(connection)
    loader.check_consistent_history(connection)
    [end] = loader.graph.leaf_nodes("flow")
    left = [name for app, name in loader.graph.forwards_plan(end) if app == "flow" and (app, name) not in loader.applied_migrations]
    assert left == [name for name in files("flow") if name > last and "squashed" not in name]
