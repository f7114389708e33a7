"""Each kind of source comes in by the same mapping: Open Referral UK 1, data packages, spreadsheets, files of many services."""

import io
import json
import tracemalloc
import zipfile

import openpyxl
import pytest
from django.conf import settings
from django.core.management.base import CommandError

from catalogue.importers import package, spreadsheet
from catalogue.importers.run import Importing
from catalogue.importers.source import run_source
from catalogue.models import ImportRun, Service, Source

from .importing import run
from .publisher import publishing, reply, service

pytestmark = pytest.mark.django_db

SHARED = settings.BASE_DIR.parent / "shared" / "data"


def test_open_referral_1_comes_in():
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
    with publishing() as publisher:
        publisher.services = [old]
        publisher.wrong["/services"] = reply(page)
        source = Source.objects.create(name="Feed", kind=Source.Kind.ORUK_1, url=publisher.address, allow_private=True)
        assert run_source(source).run.rejected == 0
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
    assert Service.objects.get(name="Group 2").status == "active"
    for _ in range(2):
        send(1, whole=True)
    assert Service.objects.get(name="Group 2").status == "inactive"


def test_a_source_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="There is no source named Nobody"):
        run("import_source", "Nobody")


def test_memory_does_not_grow_with_a_package(tmp_path):
    words = "A long description. " * 1_000
    services = [f"s{n},o1,Group {n},{words}" for n in range(300)]
    phones = [f"p{n},s{n % 300},01772 {n:06}" for n in range(3_000)]
    with zipfile.ZipFile(tmp_path / "package.zip", "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("services.csv", "\n".join(["id,organization_id,name,description", *services]))
        packed.writestr("organizations.csv", "id,name\no1,Preston Neighbours")
        packed.writestr("phones.csv", "\n".join(["id,service_id,number", *phones]))
    del services
    tracemalloc.start()
    came = sum(len(record["phones"]) for _, record in package.services(tmp_path / "package.zip", Importing(run=ImportRun())))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert came == 3_000
    assert most < 3_000_000  # of six
