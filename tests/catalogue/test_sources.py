"""What each source says is remembered; what people here decided stays; what a source no longer has is never deleted."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings

from catalogue import operations, provenance
from catalogue.importers.source import run_source
from catalogue.models import ImportRun, Service, Source, SourceRecord
from catalogue.source_health import health
from core.clock import now

from .importing import DATA, run
from .publisher import publishing, service

pytestmark = pytest.mark.django_db

OGL = "Open Government Licence 3.0"
SHARED = settings.BASE_DIR.parent / "shared" / "data"


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setattr("catalogue.importers.fetch.sleep", lambda seconds: None)
    with publishing() as one:
        one.services = [service(number) for number in range(1, 5)]
        yield one


@pytest.fixture
def source(publisher):
    return Source.objects.create(name="Preston feed", kind=Source.Kind.ORUK_3, url=publisher.address, allow_private=True)


def crawl(source: Source) -> ImportRun:
    return run_source(source).run


def of(number: int) -> Service:
    return Service.objects.get(pk=service(number)["id"])


# --- what is remembered


@pytest.mark.req("R107")
def test_each_record_says_where_it_came_from_and_under_which_licence(publisher, source):
    source.licence, source.licence_url = "Open Government Licence 3.0", "https://example.org/ogl"
    source.attribution = "Contains data of Preston"
    source.save()
    crawl(source)
    record = SourceRecord.objects.get(service=of(1))
    assert (record.source, record.foreign_id) == (source, service(1)["id"])
    assert record.content["name"] == "Group 1"
    assert record.content["organization"] == "Preston Neighbours"
    assert record.content["phones"] == ["01772 000001"]
    [origin] = provenance.of(of(1))
    assert (origin.publisher, origin.licence, origin.attribution) == (
        "Preston feed",
        "Open Government Licence 3.0",
        "Contains data of Preston",
    )
    assert origin.seen_at == record.last_seen_at


def test_a_record_that_says_the_same_is_only_seen_again(publisher, source):
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False):
        crawl(source)
    publisher.services[1] = service(2, description="Something new.")
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        done = crawl(source)
    assert (done.added, done.changed) == (0, 1)
    first, second = (SourceRecord.objects.get(service=of(n)) for n in (1, 2))
    assert (first.fetched_at.day, first.last_seen_at.day) == (1, 2)
    assert (second.first_seen_at.day, second.fetched_at.day, second.content["description"]) == (1, 2, "Something new.")


def test_every_run_belongs_to_a_source():
    run("import_oruk", DATA / "feed.json", publisher="A council")
    run("import_cqc", DATA / "cqc_locations.csv", DATA / "cqc_directory.csv")
    run("import_ods", DATA / "epraccur.csv")
    _, row = run("load_postcodes", DATA / "postcodes.csv")
    Source.objects.create(name="ONS boundaries", kind="boundaries", licence="As agreed with the county")
    run("load_boundaries", DATA / "wards.geojson")
    assert set(ImportRun.objects.values_list("feed__name", "feed__kind", "feed__licence")) == {
        ("A council", "oruk-3", ""),
        ("CQC", "cqc", OGL),
        ("NHS ODS", "ods", OGL),
        ("OS and ONS postcodes", "postcodes", OGL),
        ("ONS boundaries", "boundaries", "As agreed with the county"),  # what somebody here wrote stays
    }
    source = Source.objects.get(kind="postcodes")
    assert "Crown copyright" in source.attribution
    [one] = health([source], today=now().date())
    assert (one.last, one.last.added) == (row, 5)
    assert [words for _, words in ImportRun.objects.get(feed__kind="ods").notes] != []
    again = run_source(source, path=DATA / "postcodes.csv")  # as when a curator uploads it
    assert (again.run.feed, again.run.added) == (source, 0)
    homes = Service.objects.filter(source="CQC")
    assert homes.exists()
    assert SourceRecord.objects.filter(source__name="CQC", service__in=homes).count() == homes.count()


# --- what people here decided


@pytest.mark.req("R054")
def test_an_import_leaves_alone_what_people_here_decided(publisher, source, curator):
    crawl(source)
    needs = {"dementia": "accepts"}
    operations.edit_service(
        service_id=of(1).pk, by=curator, at=now(), description="Mended here.", eligibility={"minimum_age": 50}, needs=needs
    )
    checked = of(1).assured_date
    publisher.services[0] = service(1, name="Renamed", description="From the feed.", minimum_age=18, assured_date="2020-01-01")
    crawl(source)
    after = of(1)
    assert (after.name, after.description) == ("Renamed", "Mended here.")
    assert after.eligibility.minimum_age == 50
    assert [c.term.code for c in after.criteria.all()] == ["dementia"]
    assert after.assured_date == checked
    assert SourceRecord.objects.get(service=after).content["description"] == "From the feed."


def test_a_later_check_by_the_source_counts(publisher, source, curator):
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False):
        crawl(source)
        operations.assure(service_id=of(1).pk, by=curator, at=now())
    publisher.services[0] = service(1, assured_date="2026-03-05")
    crawl(source)
    assert (str(of(1).assured_date), of(1).assured_by) == ("2026-03-05", "Preston feed")


def test_a_merged_service_goes_on_being_written_and_stays_merged(publisher, source):
    crawl(source)
    Service.objects.filter(pk=of(1).pk).update(merged_into=of(2))
    publisher.services[0] = service(1, name="Renamed")
    crawl(source)
    assert (of(1).name, of(1).merged_into) == ("Renamed", of(2))


# --- what a source no longer has


def test_what_two_whole_crawls_did_not_have_becomes_inactive_and_comes_back(publisher, source):
    crawl(source)
    gone = publisher.services.pop(0)
    crawl(source)
    record = SourceRecord.objects.get(service=of(1))
    assert (of(1).status, record.missing_since is not None) == ("active", True)
    crawl(source)
    assert of(1).status == "inactive"
    publisher.services.append(gone)
    crawl(source)
    record.refresh_from_db()
    assert (of(1).status, record.missing_since) == ("active", None)


@pytest.mark.parametrize("fault", ["short", "page", "detail", "empty"])
def test_a_crawl_that_is_short_or_fails_takes_nothing_away(publisher, source, fault):
    crawl(source)
    kept, publisher.services = publisher.services, publisher.services[2:]
    if fault == "short":
        publisher.total = 4
    elif fault == "page":
        publisher.wrong["page 2"] = (500, {"Content-Length": "0"}, b"")
        publisher.services = kept
    elif fault == "detail":
        publisher.services = kept
        publisher.shallow = True
        for number in (1, 2):
            publisher.wrong[f"/services/{service(number)['id']}"] = (404, {"Content-Length": "0"}, b"")
    else:
        publisher.services = []
    for _ in range(3):
        crawl(source)
    assert Service.objects.filter(status="active").count() == 4
    assert not SourceRecord.objects.filter(missing_since__isnull=False).exists()


def test_a_closed_state_that_somebody_here_set_is_not_undone_by_a_return(publisher, source, curator):
    crawl(source)
    operations.edit_service(service_id=of(1).pk, by=curator, at=now(), status="temporarily closed")
    publisher.services[0] = service(1, description="New.")
    crawl(source)
    assert of(1).status == "temporarily closed"


# --- what a feed supports


@pytest.mark.parametrize("honours", [set(), {"modified_after"}, {"search", "full"}])
def test_what_a_feed_supports_is_found_out(publisher, source, honours):
    publisher.honours, publisher.shallow = honours, True
    crawl(source)
    found = source.capabilities
    assert {name for name in ("modified_after", "search", "full") if found[name]} == honours
    assert (found["version"], found["details"], found["shallow"], found["counts_right"]) == ("HSDS-UK-3.0", True, True, True)


def test_a_feed_that_gives_whole_records_in_its_list_is_not_asked_for_each(publisher, source):
    publisher.honours, publisher.shallow = {"full"}, True
    crawl(source)
    asked = [call for call in publisher.calls if call.startswith("/services/")]
    assert len(asked) == 1  # by the probe
    assert of(3).phones.count() == 1


def test_a_feed_that_knows_what_changed_is_asked_only_for_that(publisher, source):
    publisher.honours = {"modified_after"}
    crawl(source)
    publisher.calls.clear()
    publisher.services[2] = service(3, name="Renamed", last_modified="2999-01-01")
    done = crawl(source)
    assert (done.changed, of(3).name) == (1, "Renamed")
    assert all("modified_after" in call for call in publisher.calls)
    assert not SourceRecord.objects.filter(missing_since__isnull=False).exists()


def test_a_busy_feed_is_asked_again_when_it_wants(publisher, source, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("catalogue.importers.fetch.sleep", waits.append)
    answers = iter([(429, {"Retry-After": "7", "Content-Length": "0"}, b""), (503, {"Retry-After": "900", "Content-Length": "0"}, b"")])
    whole = publisher.page

    def busy(query):
        from .publisher import reply

        return next(answers, None) or reply(whole(int(query["page"]), query))

    publisher.wrong["/services"] = busy
    crawl(source)
    assert waits == [7, 30]
    assert Service.objects.count() == 4
