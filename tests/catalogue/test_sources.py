"""What each source says is remembered; what people here decided stays; what a source no longer has is never deleted."""

import io
import json
import zipfile
from datetime import UTC, datetime

import openpyxl
import pytest
import time_machine
from django.conf import settings
from django.core.management.base import CommandError

from catalogue import operations, provenance
from catalogue.importers import spreadsheet
from catalogue.importers.progress import Stopped, Watch
from catalogue.importers.run import run_import
from catalogue.importers.source import run_source
from catalogue.models import ImportRun, Service, Source, SourceRecord, TaxonomyTerm
from core.clock import now
from tests import factories

from .importing import DATA, run
from .publisher import publishing, service

pytestmark = pytest.mark.django_db

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
    assert set(ImportRun.objects.values_list("feed__name", "feed__kind")) == {
        ("A council", "oruk-3"),
        ("CQC", "cqc"),
        ("NHS ODS", "ods"),
    }
    homes = Service.objects.filter(source="CQC")
    assert homes.exists()
    assert SourceRecord.objects.filter(source__name="CQC", service__in=homes).count() == homes.count()


# --- what people here decided


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


# --- other kinds


def test_open_referral_1_comes_in(publisher, source):
    old = {
        "id": "old-1",
        "name": "Chess club",
        "status": "active",
        "fees": "£2 a time",
        "organization": {"id": "o", "name": "Preston Neighbours", "url": "http://example.org"},
        "service_taxonomys": [{"taxonomy": {"id": "t1", "name": "Befriending", "vocabulary": "esdServiceTypes"}}],
        "regular_schedules": [{"id": "s", "weekday": "Monday", "opens_at": "10:00", "closes_at": "12:00"}],
        "eligibilitys": [{"minimum_age": 18, "maximum_age": 99, "eligibility": "Adults"}],
        "languages": [{"language": "Urdu"}],
        "service_at_locations": [{"location": {"id": "l", "name": "Hall", "physical_addresses": [ADDRESS]}}],
    }
    page = {"totalElements": 1, "totalPages": 1, "number": 1, "size": 1, "first": True, "last": True, "empty": False, "content": [old]}
    from .publisher import reply

    publisher.services = [old]
    publisher.wrong["/services"] = reply(page)
    source.kind = Source.Kind.ORUK_1
    done = crawl(source)
    assert done.rejected == 0
    club = Service.objects.get()
    assert source.capabilities["version"] == "1"
    assert (club.schedules.get().byday, club.eligibility.minimum_age, club.taxonomy_terms.get().name) == ("MO", 18, "Befriending")
    assert (club.cost_options.get().option, club.criteria.get().term.code) == ("£2 a time", "ur")
    assert club.service_at_locations.get().location.addresses.get().postal_code == "PR1 2HE"


ADDRESS = {"address_1": "1 Church Street", "city": "Preston", "postal_code": "PR1 2HE"}
V3_TABLES = {
    "services.csv": "id,organization_id,name,status,minimum_age\ns1,o1,Tea and Talk,active,60\ns2,o9,Lost,active,\n",
    "organizations.csv": "id,name,description\no1,Preston Neighbours,A charity\n",
    "organization_identifiers.csv": "id,organization_id,identifier_scheme,identifier\ni,o1,GB-CHC,1234567\n",
    "service_at_location.csv": "id,service_id,location_id\na,s1,l1\n",
    "locations.csv": "id,location_type,name\nl1,physical,Hall\n",
    "addresses.csv": "id,location_id,address_1,city,postal_code\nd,l1,1 Church Street,Preston,PR1 2HE\n",
    "schedules.csv": "id,service_id,freq,interval,byday,opens_at,closes_at\nx,s1,WEEKLY,1,TU,10:00,12:00\n",
    "attributes.csv": "id,link_id,taxonomy_term_id,link_entity\nt,s1,t1,service\n",
    "taxonomy_terms.csv": "id,code,name,taxonomy_id\nt1,bf,Befriending,tx\n",
    "taxonomies.csv": "id,name\ntx,Kinds\n",
}
V1_TABLES = {
    "data/service.csv": V3_TABLES["services.csv"].replace(",minimum_age", "").replace(",60", "").replace("active,\n", "active\n"),
    "data/organization.csv": V3_TABLES["organizations.csv"],
    "data/identifiers.csv": V3_TABLES["organization_identifiers.csv"],
    "data/services_at_location.csv": V3_TABLES["service_at_location.csv"],
    "data/location.csv": "id,name\nl1,Hall\n",
    "data/physical_addresses.csv": V3_TABLES["addresses.csv"],
    "data/regular_schedules.csv": "id,service_id,weekday,opens_at,closes_at\nx,s1,Tuesday,10:00,12:00\n",
    "data/services_taxonomy.csv": "id,service_id,taxonomy_id\nt,s1,t1\n",
    "data/taxonomy.csv": "id,name,vocabulary\nt1,Befriending,Kinds\n",
    "data/eligibility.csv": "id,service_id,eligibility,minimum_age\ne,s1,Older people,60\n",
}


@pytest.mark.parametrize("tables", [V3_TABLES, V1_TABLES], ids=["version 3", "version 1"])
def test_a_data_package_comes_in(tmp_path, tables):
    file = tmp_path / "package.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in tables.items():
            packed.writestr(name, content)
    _, row = run("import_source", "A council", file, kind="hsds-package")
    group = Service.objects.get()
    assert (group.name, group.organization.charity_number, group.eligibility.minimum_age) == ("Tea and Talk", "1234567", 60)
    assert (group.schedules.get().byday, group.care_type.code) == ("TU", "befriending")
    assert group.service_at_locations.get().location.addresses.get().city == "Preston"
    assert [(r.row.split("/")[-1], r.field) for r in row.rejects.all()] == [
        (f"{'services' if tables is V3_TABLES else 'service'}.csv line 3", "organization")
    ]


def test_the_package_of_the_standard_comes_in():
    folder = SHARED / "hsds" / "examples" / "csv"
    if folder.exists():
        run("import_source", "Examples", folder, kind="hsds-package")
    assert Service.objects.filter(name="Community Counselling").exists() == folder.exists()


def sheet(path, *rows, header=("Organisation", "Service", "Postcode", "Days", "Opens", "Closes", "Minimum age", "Cost", "Colour")):
    book = openpyxl.Workbook()
    for row in (["Please fill in"], header, *rows):
        book.active.append(row)
    book.save(path)
    return path


def test_a_spreadsheet_comes_in_and_formulas_are_never_worked_out(tmp_path):
    file = sheet(
        tmp_path / "services.xlsx",
        ("Preston Neighbours", "Tea and Talk", "PR1 2HE", "Mon, Wed", "10:00", "12:00", 60, 1.5, "red"),
        ("Preston Neighbours", '=HYPERLINK("http://evil.example")', "PR1 2HE", "", "", "", "", "", ""),
        ("", "Nobody's", "PR1 2HE", "", "", "", "", "", ""),
    )
    _, row = run("import_source", "A charity", file, kind="spreadsheet")
    group = Service.objects.get()
    assert (group.name, group.eligibility.minimum_age, str(group.cost_options.get().amount)) == ("Tea and Talk", 60, "1.50")
    assert (group.schedules.get().byday, str(group.schedules.get().opens_at)) == ("MO,WE", "10:00:00")
    assert {(r.row, r.field, r.record_kept) for r in row.rejects.all()} == {
        ("row 2", "colour", True),
        ("row 4", "service id", False),
        ("row 5", "organization id", False),
    }


def test_the_template_can_be_sent_back_as_it_is(tmp_path):
    file = tmp_path / "template.xlsx"
    file.write_bytes(spreadsheet.template())
    _, row = run("import_source", "A charity", file, kind="spreadsheet")
    assert (row.rejected, row.incomplete, Service.objects.get().name) == (0, 0, "Tea and Talk")
    assert [cell.value for cell in openpyxl.load_workbook(io.BytesIO(spreadsheet.template())).worksheets[0][1]] == list(spreadsheet.COLUMNS)


@pytest.mark.parametrize("form", ["ndjson", "list", "page"])
def test_files_of_many_services_are_streamed(tmp_path, form):
    services = [service(number) for number in range(1, 8)]
    text = {
        "ndjson": "\n".join(map(json.dumps, services)) + "\n{broken\n\n",
        "list": json.dumps(services, indent=2),
        "page": json.dumps({"total_items": 7, "contents": services, "last_page": True}),
    }[form]
    file = tmp_path / f"services.{form}"
    file.write_text(text)
    _, row = run("import_oruk", file, publisher="Streamed")
    assert Service.objects.count() == 7
    assert [r.row for r in row.rejects.all()] == (["line 8"] if form == "ndjson" else [])


def test_a_file_misses_nothing_unless_it_is_said_to_be_whole(tmp_path):
    file = tmp_path / "services.ndjson"

    def send(*numbers, whole):
        file.write_text("\n".join(json.dumps(service(n)) for n in numbers) + "\n")
        run("import_oruk", file, publisher="A council", whole=whole)

    send(1, 2, whole=True)
    for _ in range(3):
        send(1, whole=False)
    assert of(2).status == "active"
    for _ in range(2):
        send(1, whole=True)
    assert of(2).status == "inactive"


def test_a_source_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="There is no source named Nobody"):
        run("import_source", "Nobody")


# --- one at a time, seen, and stopped


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
        from django.db import connection

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
