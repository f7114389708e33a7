"""Setting up sources, reading them now and when they are due, one at a time, and stopping that."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue import ingest, tasks
from catalogue.models import ImportRun, Service, Source
from catalogue.source_health import health
from core.clock import now
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories

from .publisher import publishing, reply, service

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setattr("catalogue.importers.fetch.sleep", lambda seconds: None)
    with publishing() as one:
        one.services = [service(number) for number in range(1, 5)]
        yield one


@pytest.fixture
def source(publisher):
    return Source.objects.create(name="Feed", kind=Source.Kind.ORUK_3, url=publisher.address, allow_private=True, every_hours=24)


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.IMPORTS_ROOT = str(tmp_path / "imports")


def add(by, **fields):
    return ingest.add_source(by=by, at=now(), **{"name": "A council", "kind": "oruk-3", "url": "https://example.org/api", **fields})


def edit(source, by, **fields):
    return ingest.edit_source(source_id=source.pk, by=by, at=now(), **fields)


def waiting_jobs() -> list[dict]:
    jobs = ProcrastinateJob.objects.filter(task_name="catalogue.tasks.import_source", status="todo").order_by("pk")
    return [job.args for job in jobs]


# --- who may


def test_a_curator_sets_up_a_source_that_is_due_at_once(curator):
    made = add(curator, every_hours=24, licence="OGL")
    assert (made.name, made.licence, made.next_run_at is not None) == ("A council", "OGL", True)


@pytest.mark.parametrize("role", ["referrer", "provider", "manager"])
def test_others_have_no_sources(role, request, source):
    by = request.getfixturevalue(role)
    with pytest.raises(NotAllowed):
        add(by)
    with pytest.raises(NotAllowed):
        edit(source, by, licence="OGL")
    with pytest.raises(NotAllowed):
        ingest.start(source_id=source.pk, by=by, at=now())
    with pytest.raises(NotAllowed):
        ingest.stop(run_id=source.pk, by=by, at=now())
    assert not Source.objects.visible_to(by).exists()


def test_only_an_administrator_opens_the_way_into_our_network(curator, administrator):
    made = add(curator)
    with pytest.raises(NotAllowed, match="our own network"):
        edit(made, curator, allow_private=True)
    edit(made, administrator, allow_private=True, url="http://10.0.0.1/api")
    with pytest.raises(NotAllowed, match="our own network"):
        edit(made, curator, url="http://10.0.0.2/api")
    edit(made, curator, licence="OGL", url="http://10.0.0.1/api")
    edit(made, administrator, allow_private=False)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "ftp://example.org/x"}, "url"),
        ({"url": "nothing"}, "url"),
        ({"kind": "x"}, "kind"),
        ({"every_hours": 0}, "__all__"),
        ({"name": "a council"}, "name"),
    ],
)
def test_what_makes_no_source_is_named_by_field(curator, fields, wrong):
    if "name" in fields:
        add(curator)
    with pytest.raises(Invalid) as refused:
        add(curator, **fields)
    assert wrong in refused.value.details["errors"]


def test_a_new_address_is_asked_anew_what_it_supports(curator, source):
    ingest.run_source(source)
    assert source.capabilities
    made = edit(source, factories.UserFactory(administrator=True), url="https://example.org/else")
    assert (made.capabilities, made.probed_at) == ({}, None)


# --- reading


def test_reading_now_is_a_run_that_can_be_seen_before_a_worker_takes_it(curator, source):
    run = ingest.start(source_id=source.pk, by=curator, at=now())
    assert (run.status, run.stage, run.feed) == ("running", ingest.WAITING, source)
    assert waiting_jobs() == [{"run_id": str(run.pk), "file": "", "whole": False}]
    with pytest.raises(Conflict, match="being read already"):
        ingest.start(source_id=source.pk, by=curator, at=now())
    assert tasks.import_source(run_id=str(run.pk), file="", whole=False) == "done"
    run.refresh_from_db()
    assert (run.status, run.added) == ("done", 5)
    source.refresh_from_db()
    assert source.next_run_at > now() + timedelta(hours=23)


def test_a_file_is_read_and_then_thrown_away(curator, source, tmp_path):
    content = "\n".join(json.dumps(service(n)) for n in (1, 2)).encode()
    run = ingest.start(source_id=source.pk, by=curator, at=now(), file=[content[:50], content[50:]], file_name="../../x.ndjson")
    [job] = waiting_jobs()
    assert job["file"].startswith(str(tmp_path / "imports"))
    assert tasks.import_source(**job) == "done"
    assert list((tmp_path / "imports").iterdir()) == []
    run.refresh_from_db()
    assert (run.source, Service.objects.count()) == ("../../x.ndjson", 2)


@pytest.mark.parametrize("content", [b"", b"x" * 200])
def test_a_file_that_is_empty_or_too_large_is_refused(curator, source, monkeypatch, tmp_path, content):
    monkeypatch.setattr(ingest, "LARGEST_UPLOAD", 100)
    with pytest.raises(Invalid):
        ingest.start(source_id=source.pk, by=curator, at=now(), file=[content], file_name="x.json")
    assert list((tmp_path / "imports").iterdir()) == []
    assert not ImportRun.objects.exists()


def test_a_source_without_an_address_wants_a_file(curator):
    with pytest.raises(Invalid, match="has no address"):
        ingest.start(source_id=add(curator, url="").pk, by=curator, at=now())


def test_a_run_that_was_stopped_before_its_turn_does_nothing(curator, source):
    run = ingest.start(source_id=source.pk, by=curator, at=now())
    assert ingest.stop(run_id=run.pk, by=curator, at=now()).status == "stopped"
    assert tasks.import_source(run_id=str(run.pk), file="", whole=False) == "nothing to do"
    assert not Service.objects.exists()
    with pytest.raises(Conflict, match="ended already"):
        ingest.stop(run_id=run.pk, by=curator, at=now())
    with pytest.raises(NotFound):
        ingest.stop(run_id=source.pk, by=curator, at=now())


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_under_way_stops_within_its_next_words(curator, source, publisher, monkeypatch):
    monkeypatch.setattr("catalogue.importers.progress.PAUSE", 0)
    run = ingest.start(source_id=source.pk, by=curator, at=now())

    def stopped_meanwhile(query):
        ImportRun.objects.filter(pk=run.pk).update(stop_requested_at=now())
        connection.close()  # of the publisher's thread
        return reply(publisher.page(2, query))

    publisher.wrong["page 2"] = stopped_meanwhile
    assert tasks.import_source(run_id=str(run.pk), file="", whole=False) == "stopped"
    run.refresh_from_db()
    assert (run.status, Service.objects.count()) == ("stopped", 0)
    del publisher.wrong["page 2"]
    again = ingest.start(source_id=source.pk, by=curator, at=now())
    assert tasks.import_source(run_id=str(again.pk), file="", whole=False) == "done"
    assert Service.objects.count() == 4


# --- by the clock


def test_due_sources_are_started_and_others_are_not(source):
    at = now()
    Source.objects.filter(pk=source.pk).update(next_run_at=at - timedelta(minutes=1))
    for name, values in {
        "paused": {"is_active": False},
        "later": {"next_run_at": at + timedelta(hours=1)},
        "asked": {"every_hours": None},
    }.items():
        Source.objects.create(**{"name": name, "kind": "oruk-3", "url": source.url, "every_hours": 1, "next_run_at": at, **values})
    assert [run.feed.name for run in ingest.start_due(at=at)] == ["Feed"]
    assert ingest.start_due(at=at) == []
    assert len(waiting_jobs()) == 1


def test_each_failure_doubles_the_wait_up_to_a_week(source, publisher):
    publisher.wrong["/services"] = reply({}, 404)
    waits = []
    for _ in range(4):
        run = ImportRun.objects.create(kind="oruk", source="", feed=source)
        assert ingest.carry_out(run_id=run.pk) == "broken-source"
        source.refresh_from_db()
        waits.append(round((source.next_run_at - now()) / timedelta(hours=1)))
    assert waits == [48, 96, 168, 168]
    assert source.failures == 4
    publisher.wrong.clear()
    ingest.carry_out(run_id=ImportRun.objects.create(kind="oruk", source="", feed=source).pk)
    source.refresh_from_db()
    assert (source.failures, round((source.next_run_at - now()) / timedelta(hours=1))) == (0, 24)


def test_a_run_whose_process_died_is_written_down_as_failed(source):
    old, young, waits = (
        ImportRun.objects.create(kind="oruk", source="", feed=source, stage=stage) for stage in ("Writing", "Writing", ingest.WAITING)
    )
    ImportRun.objects.filter(pk__in=[old.pk, waits.pk]).update(started_at=now() - timedelta(hours=1))
    tasks.start_due_sources(timestamp=0)
    assert [ImportRun.objects.get(pk=run.pk).status for run in (old, young, waits)] == ["failed", "running", "running"]
    assert "without a word" in ImportRun.objects.get(pk=old.pk).error


@pytest.mark.django_db(transaction=True)
def test_a_worker_reads_what_is_due(source):
    Source.objects.update(next_run_at=now() - timedelta(minutes=1))
    tasks.start_due_sources.defer(timestamp=0)
    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    assert ImportRun.objects.get().status == "done"
    assert Service.objects.count() == 4


# --- how a source is


@pytest.mark.req("R106")
def test_the_health_of_a_source(source, publisher, django_assert_num_queries):
    publisher.services[0] = service(1, assured_date=now().date().isoformat())
    publisher.services[1] = service(2, assured_date="2020-01-01")
    publisher.services.append(service(9, name=None))
    ingest.run_source(source)
    del publisher.services[3]
    ingest.run_source(source)
    with django_assert_num_queries(4):
        [one] = health([source], today=now().date())
    assert (one.records, one.missing, one.currency) == (3, 1, 25)
    assert (one.last, one.last.rejected) == (one.good, 1)
    publisher.wrong["/services"] = reply({}, 500)
    with pytest.raises(Exception, match="answered 500"):
        ingest.run_source(source)
    source.refresh_from_db()
    [one] = health([source], today=now().date())
    assert (one.last.status, one.good.status, one.needs_care) == ("failed", "done", True)
