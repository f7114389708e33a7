"""A crawl that was stopped, or whose process died, goes on where it was, while the feed is still what it was."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings

from catalogue.importers.kept import KEPT
from catalogue.importers.source import run_source
from catalogue.models import ImportReject, Service, Source
from core.clock import now

from .publisher import publishing, reply, service

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher(monkeypatch, tmp_path):
    monkeypatch.setattr("catalogue.importers.fetch.sleep", lambda seconds: None)
    monkeypatch.setattr(settings, "IMPORTS_ROOT", str(tmp_path / "imports"))
    with publishing() as one:
        one.services = [service(number) for number in range(1, 8)]
        yield one


@pytest.fixture
def source(publisher):
    capabilities = {"details": True, "total": 7}
    return Source.objects.create(
        name="Feed", kind=Source.Kind.ORUK_3, url=publisher.address, allow_private=True, capabilities=capabilities, probed_at=now()
    )


def die(source, on: str, after: int = 0) -> None:
    """The process ends at that call: nothing of what a run does in its end is done."""
    calls = []

    def end(*args, **kwargs):
        calls.append(args)
        if len(calls) > after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on, end)
        with pytest.raises(KeyboardInterrupt):
            run_source(source)
    assert not Service.objects.exists()


#: Told once at the beginning, then for each record: the second of page 3 is not written down, nor is its page.
IN_PAGE_3 = {"on": "catalogue.importers.run.Importing.advance", "after": 6}


def pages_of(publisher) -> list[str]:
    """The pages that were asked for since the last time."""
    asked = [call.split("page=")[1].split("&")[0] for call in publisher.calls if "page=" in call]
    publisher.calls.clear()
    return asked


@pytest.mark.req("R106")
def test_a_crawl_goes_on_after_the_last_page_that_it_had(publisher, source, tmp_path):
    deep: list = []
    for _ in range(60):
        deep = [deep]
    publisher.services[1]["attributes"] = deep
    die(source, **IN_PAGE_3)
    assert pages_of(publisher) == ["1", "2", "3"]
    importing = run_source(source)
    assert pages_of(publisher) == ["2", "3", "4"]  # the second once more, to see that nothing has moved
    assert importing.skipped["was fetched by the crawl that stopped before, and not again"] == 4
    assert Service.objects.count() == 6
    assert [reject.row for reject in ImportReject.objects.filter(run=importing.run)] == ["page 1, service 2"]
    source.refresh_from_db()
    assert source.capabilities["whole"]
    assert not list(tmp_path.glob("imports/*"))
    run_source(source)
    assert pages_of(publisher) == ["1", "2", "3", "4"]


def test_what_was_fetched_whole_is_not_fetched_again(publisher, source):
    die(source, "catalogue.importers.oruk.take")
    assert pages_of(publisher) == ["1", "2", "3", "4"]
    run_source(source)
    assert (pages_of(publisher), Service.objects.count()) == (["4"], 7)


def test_a_crawl_begins_anew_when_the_feed_has_changed_or_had_faults_or_it_is_long_ago(publisher, source, tmp_path):
    die(source, **IN_PAGE_3)
    gone = publisher.services.pop(0)
    pages_of(publisher)
    die(source, **IN_PAGE_3)
    assert pages_of(publisher) == ["2", "1", "2", "3"]
    with time_machine.travel(now() + KEPT + timedelta(minutes=1)):
        publisher.wrong["page 2"] = reply({}, 404)
        die(source, **IN_PAGE_3)  # long ago: from the beginning, this time with a fault
    assert pages_of(publisher) == ["1", "2", "3"]
    del publisher.wrong["page 2"]
    publisher.services.insert(0, gone)
    assert any("began anew" in words for words in run_source(source).skipped)
    assert (pages_of(publisher), Service.objects.count()) == (["1", "2", "3", "4"], 7)


def test_a_file_that_was_cut_off_or_is_another_feeds_leads_nobody_astray(publisher, source, tmp_path):
    die(source, **IN_PAGE_3)
    [file] = tmp_path.glob("imports/*")
    kept = file.read_bytes()
    for spoilt in (kept[:30], b"[]\n" + kept, kept.replace(publisher.address.encode(), b"http://other.example")):
        file.write_bytes(spoilt)
        pages_of(publisher)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("catalogue.importers.source.oruk.take", lambda *args: list(args[2]))
            run_source(source)
        assert pages_of(publisher) == ["1", "2", "3", "4"]
    file.write_bytes(kept + b'["page 3, service 2", {"id')  # in the middle of a record
    run_source(source)
    assert (pages_of(publisher), Service.objects.count()) == (["2", "3", "4"], 7)
