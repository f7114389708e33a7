"""A run can be seen while it runs, stopped, and is alone."""

import json

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import F

from catalogue.importers.progress import Stopped, Watch
from catalogue.importers.run import run_import
from catalogue.importers.source import run_source
from catalogue.models import ImportRun, Service, Source, TaxonomyTerm
from core.clock import now

from .importing import DATA, run
from .publisher import service


@pytest.mark.django_db(transaction=True)
def test_how_far_a_run_is_can_be_seen_while_it_runs():
    seen: list[tuple[str, int, int | None]] = []

    def work(importing):
        TaxonomyTerm.objects.create(taxonomy=TaxonomyTerm.objects.first().taxonomy, code="half-done", name="Half done")
        importing.begin("Writing", 10)
        importing.advance(4)
        importing.watch.tell("Writing", 4, 10, now=True)
        with Reader() as reader:
            seen.append(reader.run())
            seen.append(reader.terms())

    run_import("test", "test", work)
    assert seen == [("Writing", 4, 10), 0]


class Reader:
    """Somebody else, who sees only what was committed."""

    def __enter__(self):
        self.connection = connection.copy()
        return self

    def __exit__(self, *exc):
        self.connection.close()

    def ask(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def run(self):
        return self.ask("SELECT stage, done, total FROM catalogue_importrun")

    def terms(self):
        return self.ask("SELECT count(*) FROM catalogue_taxonomyterm WHERE code = 'half-done'")[0]


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_stopped_changes_nothing(tmp_path):
    file = tmp_path / "services.ndjson"
    file.write_text("\n".join(json.dumps(service(n)) for n in range(1, 6)))
    source = Source.objects.create(name="A council", kind=Source.Kind.ORUK_3)
    asked = ImportRun.objects.create(kind="oruk", source="services.ndjson", feed=source, stop_requested_at=now())
    with pytest.raises(Stopped):
        run_source(source, path=file, run=asked)
    asked.refresh_from_db()
    assert asked.status == ImportRun.Status.STOPPED
    assert not Service.objects.exists()
    source.refresh_from_db()
    assert source.failures == 0
    run_source(source, path=file)
    assert Service.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_a_second_import_waits_its_turn():
    first = ImportRun.objects.create(kind="first", source="first")
    with Watch(first.pk), pytest.raises(CommandError, match="Another import is running"):
        run("import_oruk", DATA / "feed.json")
    assert Source.objects.get().failures == 0
    run("import_oruk", DATA / "feed.json")
    assert Service.objects.count() == 1


@pytest.mark.django_db
def test_history_has_each_row_of_a_statement_and_names_the_import(tmp_path):
    history = Service.pgh_event_model.objects
    (tmp_path / "feed.json").write_text(json.dumps([service(1), service(2), service(3)]))
    _, row = run("import_oruk", tmp_path / "feed.json", publisher="A council")
    written = history.filter(pgh_label="insert")
    assert written.count() == Service.objects.count() == 3
    assert set(written.values_list("pgh_context", "pgh_context__metadata__import")) == {(row.pk, str(row.pk))}
    Service.objects.update(name=F("name"))  # says nothing new
    assert not history.filter(pgh_label="update").exists()
    Service.objects.update(name="Renamed")
    assert history.filter(pgh_label="update", pgh_obj__name="Renamed", name="Renamed").count() == Service.objects.count()
