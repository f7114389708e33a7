"""Importing Open Referral UK, from files and over HTTP."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.conf import settings
from django.core.management.base import CommandError

from catalogue.importers.fetch import Feed
from catalogue.importers.run import BrokenSource
from catalogue.models import ImportRun, Organization, Service, TaxonomyTerm
from core.models import Event
from tests import factories

from .importing import DATA, faults, run

FEED = DATA / "feed.json"
#: The standard's own examples, when the reference data lies next to the checkout.
ORUK = settings.BASE_DIR.parent / "shared" / "data" / "oruk" / "v3"
EXAMPLES = [*sorted(ORUK.glob("*examples/service_full.json")), *sorted(ORUK.glob("*examples/service_list.json"))]


@pytest.mark.django_db
def test_a_service_comes_in_whole():
    factories.PostcodeFactory(postcode="PR1 2HE")
    area = factories.AreaFactory(name="Preston")
    run("import_oruk", FEED)
    group = Service.objects.get(name="Tea and Talk")
    assert str(group.pk) == "ac148810-d857-441c-9679-408f346de14c"
    assert group.url == "https://teaandtalk.example"
    assert (group.organization.name, group.organization.charity_number) == ("Preston Neighbours", "1234567")
    assert (group.eligibility.minimum_age, group.eligibility.notes) == (60, "Anybody who feels alone")
    assert group.service_at_locations.get().location.point.coords == factories.near().coords
    assert [str(s) for s in group.schedules.values_list("byday", "closes_at").get()] == ["TU", "12:00:00"]
    assert set(group.phones.values_list("number", flat=True)) == {"01772 000000", "01772 000001"}
    assert group.contacts.get().is_public is False
    assert group.cost_options.get().amount == 1.5
    assert group.criteria.get().term.code == "ur"
    assert group.service_areas.get().area == area
    assert group.taxonomy_terms.get().name == "Befriending"
    assert group.care_type.code == "befriending"


@pytest.mark.django_db
def test_bad_records_are_quarantined_and_the_rest_comes_in():
    _, row = run("import_oruk", FEED)
    assert faults(row) == {("service 2", "name"), ("service 3", "organization id"), ("service 4", "")}
    assert faults(row, kept=True) == {("service 1, schedule", "freq")}
    assert all(reject.advice for reject in row.rejects.all())
    assert Service.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("latitude", "longitude", "believed"), [(53.757, -2.700, True), (53.757, 2.700, False), (51.507, -0.128, False)])
def test_a_position_far_from_its_own_postcode_is_not_believed(tmp_path, latitude, longitude, believed):
    factories.PostcodeFactory(postcode="PR1 2HE")
    service = json.loads(FEED.read_text())["contents"][0]
    service["service_at_locations"][0]["location"] |= {"latitude": latitude, "longitude": longitude}
    file = tmp_path / "far.json"
    file.write_text(json.dumps([service]))
    _, row = run("import_oruk", file)
    assert (("service 1, location", "latitude") not in faults(row, kept=True)) is believed
    point = Service.objects.get().service_at_locations.get().location.point
    assert (point.coords == factories.near().coords) is not believed


@pytest.mark.django_db
def test_a_second_run_changes_nothing():
    run("import_oruk", FEED)
    terms = TaxonomyTerm.objects.count()
    _, row = run("import_oruk", FEED)
    assert (row.added, row.changed, row.unchanged) == (0, 0, 3)
    assert TaxonomyTerm.objects.count() == terms


@pytest.mark.django_db
def test_screens_are_told_of_an_import_that_changed_something():
    run("import_oruk", FEED)
    run("import_oruk", FEED)
    assert Event.objects.filter(type="catalogue.imported").count() == 1


@pytest.mark.django_db
def test_another_publisher_cannot_take_over_a_record_by_its_id():
    run("import_oruk", FEED, publisher="First")
    _, row = run("import_oruk", FEED, publisher="Second")
    assert Service.objects.get().source == "First"
    assert ("service 1", "id") in faults(row)


@pytest.mark.django_db
@pytest.mark.parametrize("content", ['{"contents": [{"id"', "[" * 100_000, '{"error": "gone"}', "42"])
def test_a_broken_file_changes_nothing(tmp_path, content):
    file = tmp_path / "feed.json"
    file.write_text(content)
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("import_oruk", file)
    assert ImportRun.objects.get().status == ImportRun.Status.FAILED
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_the_examples_of_the_standard_come_in():
    for example in EXAMPLES:
        _, row = run("import_oruk", example, publisher="Examples")
        assert row.rejected == 0, example.name
    assert Service.objects.filter(name="Community Counselling").exists() == bool(EXAMPLES)


class _Publisher(BaseHTTPRequestHandler):
    """A feed of shallow lists, two services, one a page; busy on its first call."""

    calls: list[str]
    services: list[dict]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.calls.append(self.path)
        if len(self.calls) == 1:
            return self._answer(503, {})
        if parts.path == "/api/services":
            page = int(parse_qs(parts.query)["page"][0])
            service = self.services[page - 1]
            shallow = {key: service[key] for key in ("id", "name", "status", "organization")}
            return self._answer(200, {"total_pages": 2, "page_number": page, "last_page": page == 2, "contents": [shallow]})
        found = next((s for s in self.services if unquote(parts.path) == f"/api/services/{s['id']}"), None)
        return self._answer(200 if found else 404, found or {})

    def _answer(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def publisher():
    first = json.loads(FEED.read_text())["contents"][0]
    second = {**first, "id": "local 2", "name": "Coffee and Talk"}
    handler = type("Publisher", (_Publisher,), {"calls": [], "services": [first, second]})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        handler.address = f"http://127.0.0.1:{server.server_port}/api"
        yield handler
        server.shutdown()
        thread.join()


@pytest.mark.req("R055")
@pytest.mark.django_db
def test_a_feed_is_read_page_by_page_and_its_short_records_are_completed(publisher, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("catalogue.importers.fetch.sleep", waits.append)
    _, row = run("import_oruk", publisher.address, allow_private=True)
    assert set(Service.objects.values_list("name", flat=True)) == {"Tea and Talk", "Coffee and Talk"}
    assert Service.objects.get(name="Coffee and Talk").phones.count() == 2
    assert waits == [0.5]
    assert row.source == publisher.address


@pytest.mark.django_db
def test_an_address_inside_a_private_network_is_refused(publisher):
    with pytest.raises(CommandError, match="inside a private network"):
        run("import_oruk", publisher.address)
    assert publisher.calls == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org", "gopher://example.org"])
def test_only_web_addresses_are_fetched(address):
    with Feed(address) as feed, pytest.raises(BrokenSource, match="is not a web address"):
        feed.page(1)
