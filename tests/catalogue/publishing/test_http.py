"""The open catalogue as a client meets it: from any page of the web, by WSGI and ASGI, as its OpenAPI document says, and not too often."""

import asyncio
import gzip
import json

import pytest
import schemathesis
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.generation import GenerationMode

from catalogue.models import Service, TaxonomyTerm
from catalogue.publishing import feed, openapi
from core.serving import Handler
from tests.factories import PostcodeFactory, ServiceFactory

from .samples import BASE, get, poor_service, rich_service

pytestmark = pytest.mark.django_db


@pytest.mark.req("R096")
def test_it_says_which_standard_it_is_and_where_it_is_described():
    for path in (BASE, f"{BASE}/"):
        about = Client().get(path).json()
        assert about["version"] == "HSDS-UK-3.0"
        assert about["profile"].startswith("https://")
    assert [Client().get(address).status_code for address in (*about["endpoints"].values(), about["version_1"])] == [200] * 7
    described = Client().get(about["openapi_url"]).json()
    assert described["servers"] == [{"url": f"http://testserver{BASE}"}]
    lists = ("services", "taxonomies", "taxonomy_terms", "service_at_locations", "organizations")
    assert {"/", "/changes", *(f"/{name}{rest}" for name in lists for rest in ("", "/{id}"))} == set(described["paths"])


def test_addresses_answer_with_and_without_a_slash_at_the_end():
    service = rich_service()
    for path in ("services", f"services/{service.pk}", "taxonomies", "taxonomy_terms", "service_at_locations", "organizations", "changes"):
        assert Client().get(f"{BASE}/{path}").json() == Client().get(f"{BASE}/{path}/").json()


@pytest.mark.req("R096")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/services", 200), ("/services?page=x", 400), ("/services?search=%00", 400), ("/services/%00", 400), ("/services/7", 404),
        ("/nothing", 404), ("/services/a/b", 404),
    ],
)  # fmt: skip
def test_any_page_of_the_web_may_read_answers_and_refusals(path, status):
    answer = Client().get(f"{BASE}{path}", headers={"Origin": "https://elsewhere.example.org", "Accept": "text/html"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, "*")
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Security-Policy"]
    assert "Cookie" not in answer.get("Vary", "")
    if status >= 400:
        assert set(answer.json()) >= {"code", "detail"}


def test_a_browser_that_asks_first_is_told_yes():
    answer = Client().options(f"{BASE}/services", headers={"Origin": "https://x.example.org", "Access-Control-Request-Method": "GET"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "*")
    assert "GET" in answer["Access-Control-Allow-Methods"]
    refused = Client().post(f"{BASE}/services")
    assert (refused.status_code, refused.json()["code"], refused["Access-Control-Allow-Origin"]) == (405, "method-not-allowed", "*")


def test_what_one_has_already_is_not_sent_again_and_the_rest_is_sent_packed():
    rich_service()
    address = f"{BASE}/services"
    plain = Client().get(address)
    packed = Client().get(address, headers={"Accept-Encoding": "gzip"})
    assert (packed["Content-Encoding"], packed["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed.content) == plain.content
    for etag in (plain["ETag"], packed["ETag"]):
        again = Client().get(address, headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again["Access-Control-Allow-Origin"]) == (304, b"", "*")
    Service.objects.update(name="Other")
    assert Client().get(address, headers={"If-None-Match": plain["ETag"]}).status_code == 200
    stream = Client().get(address, {"format": "ndjson"}, headers={"Accept-Encoding": "gzip, br"})
    lines = gzip.decompress(b"".join(stream.streaming_content)).splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["Other"]


def test_a_fault_of_ours_is_json_too(monkeypatch):
    monkeypatch.setattr(feed, "page", lambda *_: 1 / 0)
    monkeypatch.setattr("catalogue.api.oruk.base.page", lambda *_: 1 / 0)
    answer = Client(raise_request_exception=False).get(f"{BASE}/services")
    assert (answer.status_code, answer.json()["code"], answer["Access-Control-Allow-Origin"]) == (500, "fault", "*")


@pytest.mark.req("R096")
def test_who_asks_too_often_is_told_when_to_come_back(settings):
    settings.OPEN_DATA_RATE, settings.OPEN_DATA_EXPORT_RATE = "3/min", "1/min"
    first, *others = [Client().get(f"{BASE}/services", headers={"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(4)]
    assert first.status_code == 200
    late = others[-1]
    assert (late.status_code, late.json()["code"], late["Access-Control-Allow-Origin"]) == (429, "throttled", "*")
    assert "Wait" in late.json()["detail"]
    assert int(late["Retry-After"]) > 0
    elsewhere = {"REMOTE_ADDR": "10.1.1.1"}
    assert Client().get(f"{BASE}/services?format=ndjson", **elsewhere).status_code == 200
    assert Client().get(f"{BASE}/services?format=ndjson", **elsewhere).status_code == 429
    assert Client().get(f"{BASE}/services", **elsewhere).status_code == 200


@pytest.mark.req("R096")
@pytest.mark.django_db(transaction=True)
def test_lines_come_in_pieces_through_asgi(monkeypatch):
    monkeypatch.setattr(feed, "CHUNK", 2)
    ServiceFactory.create_batch(5)

    async def read() -> list[bytes]:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": f"{BASE}/services",
            "query_string": b"format=ndjson", "headers": [(b"host", b"testserver")], "client": ("127.0.0.1", 1),
        }  # fmt: skip
        talk = ApplicationCommunicator(Handler(), scope)
        await talk.send_input({"type": "http.request"})
        assert (await talk.receive_output(30))["status"] == 200
        bodies = []
        while True:
            message = await talk.receive_output(30)
            bodies.append(message.get("body", b""))
            if not message.get("more_body"):
                await talk.wait(30)
                return [body for body in bodies if body]

    pieces = asyncio.run(read())
    assert [piece.count(b"\n") for piece in pieces] == [2, 2, 1]
    told = [json.loads(line)["id"] for line in b"".join(pieces).splitlines()]
    assert told == sorted(str(key) for key in Service.objects.values_list("pk", flat=True))


def test_lines_are_read_as_they_are_sent(monkeypatch, django_assert_max_num_queries):
    """Only what is being sent is in memory: what changes behind it is seen when its turn comes."""
    monkeypatch.setattr(feed, "CHUNK", 2)
    services = sorted(ServiceFactory.create_batch(5), key=lambda service: service.pk)
    with django_assert_max_num_queries(0):
        pieces = iter(Client().get(f"{BASE}/services", {"format": "ndjson", "full": "true"}).streaming_content)
    with django_assert_max_num_queries(25):
        first = next(pieces)
    assert [json.loads(line)["id"] for line in first.splitlines()] == [str(service.pk) for service in services[:2]]
    Service.objects.filter(pk=services[2].pk).update(is_confidential=True)
    Service.objects.filter(pk=services[3].pk).update(name="Changed meanwhile")
    rest = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert [(document["id"], document["name"]) for document in rest] == [
        (str(services[3].pk), "Changed meanwhile"), (str(services[4].pk), services[4].name),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_slowly_holds_no_connection(monkeypatch):
    monkeypatch.setattr(feed, "CHUNK", 2)
    ServiceFactory.create_batch(3)
    pieces = iter(Client().get(f"{BASE}/services", {"format": "ndjson"}).streaming_content)
    next(pieces)
    assert connection.connection is None
    assert len(list(pieces)) == 1


def test_a_stream_that_cannot_be_is_refused_before_it_begins():
    answer = Client().get(f"{BASE}/services", {"format": "ndjson", "postcode": "ZZ9 9ZZ"})
    assert (answer.status_code, answer.json()["code"], answer.json()["parameter"]) == (422, "cannot-be-answered", "postcode")


@pytest.mark.req("R100")
def test_version_1_is_the_same_services_in_the_old_shape():
    service = rich_service()
    poor_service()
    page = Client().get("/api/oruk/v1/services", {"text": "fir", "minimum_age": "50"}).json()
    assert {key: page[key] for key in page if key != "content"} == {
        "totalElements": 1, "totalPages": 1, "number": 1, "size": 1, "first": True, "last": True, "empty": False,
    }  # fmt: skip
    listed = page["content"][0]
    assert (listed["id"], listed["organization"]["name"], listed["status"]) == (str(service.pk), "Grove Homes", "active")
    one = Client().get(f"/api/oruk/v1/services/{service.pk}").json()
    assert one["eligibilitys"][0] | {"id": ""} == {
        "id": "", "minimum_age": 60, "maximum_age": 99, "gender": "female", "eligibility": "female",
    }  # fmt: skip
    assert any(contact.get("phones") == [{"id": contact["id"], "number": "01632 960000"}] for contact in one["contacts"])
    assert {said["byday"] for said in one["regular_schedules"]} >= {"MO,TU,WE,TH,FR"}
    physical = next(place["location"] for place in one["service_at_locations"] if "physical_addresses" in place["location"])
    assert physical["physical_addresses"][0]["postal_code"] == "PR1 2HE"
    assert {said["taxonomy"]["name"] for said in one["service_taxonomys"]} >= {"Dementia"}
    terms = Client().get("/api/oruk/v1/taxonomies", {"text": "dementia"}).json()
    assert {"id", "name", "vocabulary"} <= set(terms["content"][0])
    assert Client().get(f"/api/oruk/v1/taxonomies/{terms['content'][0]['id']}").json() == terms["content"][0]
    assert "Funding" in Client().get("/api/oruk/v1/vocabularies").json()
    assert not {said["taxonomy"]["name"] for said in one["service_taxonomys"]} & {"Smoking"}
    assert {(said["start_date"], said["closed"]) for said in one["holiday_schedules"]} == {("2026-12-25", True)}


V1 = "/api/oruk/v1"


def old(path: str, **parameters) -> list[dict]:
    answer = Client().get(f"{V1}/{path}", parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()["content"]


@pytest.mark.req("R100")
def test_version_1_has_organisations_places_and_reviews():
    service = rich_service()
    poor_service()
    named = {each["name"]: each for each in old("organizations")}
    whole = Client().get(f"{V1}/organizations/{named['Grove Homes']['id']}").json()
    assert (whole["url"], [each["name"] for each in whole["services"]]) == ("https://grove.example.org/%C3%A9", ["Fir Grove"])
    assert [review["score"] for review in whole["reviews"]] == ["82 of 100"]
    [place] = [each for each in old("locations") if each.get("name") == "Grove House"]
    assert set(place) == {"id", "name", "latitude", "longitude"}
    place = Client().get(f"{V1}/locations/{place['id']}").json()
    assert place["physical_addresses"][0]["postal_code"] == "PR1 2HE"
    assert [said["accessibility"] for said in place["accessibility_for_disabilities"]] == ["Wheelchair access"]
    assert [each["service"]["id"] for each in place["service_at_locations"]] == [str(service.pk)]
    [review] = old("reviews")
    assert (review["date"], review["score"], review["service"]["organization"]["name"]) == ("2026-02-01", "82 of 100", "Grove Homes")
    assert Client().get(f"{V1}/reviews/{review['id']}").json() == review
    assert [each["id"] for each in Client().get(f"{V1}/services/{service.pk}").json()["reviews"]] == [review["id"]]


@pytest.mark.req("R100")
def test_parameters_that_only_version_1_had_mean_what_they_meant():
    service = rich_service()
    poor_service()
    PostcodeFactory()
    own = [each["id"] for each in old("services", vocabulary="Funding")]
    assert own == [str(service.pk)]
    [listed] = old("services", text="fir", include="service_at_locations,contacts")
    assert listed["service_at_locations"] == Client().get(f"{V1}/services/{service.pk}").json()["service_at_locations"]
    assert "cost_options" not in listed
    assert old("services", coverage="PR1 2HE") == old("services", postcode="pr12he")
    tops = old("taxonomies", vocabulary="Needs and circumstances", root_only="true", per_page="1000")
    parent = TaxonomyTerm.objects.get(taxonomy__slug="need", code="gardening")
    below = old("taxonomies", parent_id=str(parent.pk))
    assert [term["name"] for term in below] == ["Odd term"]
    assert str(parent.pk) in {term["id"] for term in tops}
    assert not {term["id"] for term in tops} & {below[0]["id"]}
    for path, query in (
        ("services", "search=x"), ("services", "include=secrets"), ("services", "vocabulary=None"), ("taxonomies", "parent_id=7"),
        ("services", "postcode=PR1+2HE&coverage=PR1+3JN"), ("locations", "text=x"), ("taxonomies", "root_only=1"), ("vocabularies", "x=1"),
    ):  # fmt: skip
        refused = Client().get(f"{V1}/{path}?{query}")
        assert (refused.status_code, refused.json()["code"]) == (400, "wrong-parameter"), query


def test_what_was_published_can_be_read_again(settings):
    """The document describes every parameter that an address understands, and none besides."""
    described = get("/openapi.json")["paths"]
    for name, listing in {
        "services": feed.SERVICES, "service_at_locations": feed.AT_LOCATIONS, "organizations": feed.ORGANIZATIONS,
        "taxonomies": feed.TAXONOMIES, "taxonomy_terms": feed.TERMS,
    }.items():  # fmt: skip
        assert [parameter["name"] for parameter in described[f"/{name}"]["get"]["parameters"]] == list(listing.known)
    assert openapi.document("x")["components"]["schemas"]


# --- generated requests, good and bad, held against the document

CONFIG = SchemathesisConfig(
    projects=ProjectsConfig(
        default=ProjectConfig(
            generation=GenerationConfig(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE]),
            # 422 is described where a parameter that reads well may have no answer; a 400 of a good request would be a fault.
            checks=ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=[200, 404, 409, 422])),
        )
    )
)
SCHEMA = schemathesis.openapi.from_dict(openapi.document(f"http://testserver{BASE}"), config=CONFIG)


@pytest.fixture
def published(settings, transactional_db) -> None:
    settings.OPEN_DATA_RATE = settings.OPEN_DATA_EXPORT_RATE = "100000/min"
    PostcodeFactory()
    rich_service()
    poor_service()


@pytest.mark.req("R097")
@pytest.mark.django_db(transaction=True)
@SCHEMA.parametrize()
@settings(
    max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_generated_requests_are_answered_as_the_document_says(case, published):
    # The client of the generator does not unpack.
    response = case.call(app=WSGIHandler(), base_url=f"http://testserver{BASE}", headers={"Accept-Encoding": "identity"})
    case.validate_response(response)
