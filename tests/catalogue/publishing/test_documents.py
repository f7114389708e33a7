"""Every document keeps to the standard: our own promise always, the official schemas wherever they are at hand."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import validator_for

from capacity.models import CapacityStatus, ServiceCapacity
from catalogue.models import Location, Service
from catalogue.publishing.schema import SCHEMAS, Schema, envelope
from tests.factories import LocationFactory, PoolFactory, ServiceFactory

from .samples import BASE, get, poor_service, rich_service

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[4] / "shared" / "data"
PLURALS = ("services", "service_at_locations", "organizations", "taxonomies", "taxonomy_terms")


def faults(schema: Schema, document: Any) -> list[str]:
    """What is wrong with a document, formats included."""
    validator = validator_for(schema, default=Draft202012Validator)(schema, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]


def ours(schema: Schema) -> Schema:
    """A schema of ours that can find the others."""
    return {**schema, "components": {"schemas": SCHEMAS}}


def nulls(value: Any, path: str = "$") -> Iterator[str]:
    if value is None or value in ("", []):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from nulls(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nulls(item, f"{path}[{index}]")


def whole(plural: str) -> list[Any]:
    """Every record of a list, by its own address."""
    return [get(f"/{plural}/{document['id']}") for document in get(f"/{plural}", per_page=1_000)["contents"]]


@pytest.fixture
def catalogue() -> Service:
    service = rich_service()
    poor_service()
    LocationFactory()
    return service


# --- our own promise


@pytest.mark.req("R097")
@pytest.mark.parametrize(
    ("plural", "brief", "name"),
    [
        ("services", "Service", "WholeService"),
        ("service_at_locations", "ServiceAtLocation", "ServiceAtLocation"),
        ("organizations", "Organization", "Organization"),
        ("taxonomies", "Taxonomy", "Taxonomy"),
        ("taxonomy_terms", "TaxonomyTerm", "TaxonomyTerm"),
    ],
)
def test_lists_and_records_keep_to_what_is_promised(catalogue, plural, brief, name):
    page = get(f"/{plural}")
    assert faults(ours(envelope(brief)), page) == []
    assert page["contents"]
    assert list(nulls(page["contents"])) == []
    for document in whole(plural):
        assert faults(ours(SCHEMAS[name]), document) == []
        assert list(nulls(document)) == []


def test_a_promise_that_nothing_could_break_would_prove_nothing(catalogue):
    document = get(f"/services/{catalogue.pk}")
    for broken in (
        {**document, "email": "nobody"}, {**document, "url": "www.example.org"}, {**document, "id": "7"}, {**document, "description": None},
        {**document, "schedules": [{**document["schedules"][0], "freq": "DAILY"}]}, {**document, "new": 1},
        {name: value for name, value in document.items() if name != "status"},
    ):  # fmt: skip
        assert faults(ours(SCHEMAS["WholeService"]), broken)


def test_a_service_says_all_that_is_public_of_it(catalogue):
    told = get(f"/services/{catalogue.pk}")
    assert (told["name"], told["alternate_name"], told["status"]) == ("Fir Grove", "The Grove", "active")
    assert told["url"] == "https://grove.example.org/home?q=a%20b"
    assert (told["minimum_age"], told["maximum_age"], told["assured_date"]) == (60, 99, "2026-11-01")
    said = told["eligibility_description"]
    assert said.startswith(
        "Cannot take people who live in: Leyland. Ages 60 to 99. Women only. Only takes people with these needs: dementia"
    )
    assert "Leyland" not in {area["name"] for area in told["service_areas"]}, "only what is served is an area of service"
    assert "smok" in told["eligibility_description"]
    assert "Ribble Network" in told["eligibility_description"]
    assert set(told["fees"].split("; ")) == {"Usual price: £950.50 a week", "Respite: £120.00 a night", "Trial day: Free"}
    assert "CQC rating: Good, 5 January 2026" in told["accreditations"]
    assert "Lapsed mark" not in json.dumps(told)
    assert told["organization"]["website"] == "https://grove.example.org/%C3%A9"
    assert told["organization"]["description"] == "Care provider"
    assert {said["identifier_scheme"]: said["identifier"] for said in told["organization"]["organization_identifiers"]} == {
        "GB-COH": "01234567", "GB-CHC": "1234567", "GB-NHS": "QFir Gr", "GB-CQC": "1-Fir Grove",
    }  # fmt: skip
    assert told["phones"][0]["number"] == "01632 960000"
    assert [contact.get("title") for contact in told["contacts"]] == ["Referrals desk"]
    assert [said["name"] for said in told["languages"]] == ["Polish"]
    assert {(cost["option"], cost.get("amount")) for cost in told["cost_options"]} == {
        ("Usual price", 950.5),
        ("Respite", 120),
        ("Trial day", 0),
    }
    assert told["provenance"] == {
        "publisher": "Grove feed", "source_id": "A-7", "licence": "Open Government Licence 3.0", "attribution": "Contains data of Grove",
        "licence_url": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/", "assured_by": "Grove Homes",
    }  # fmt: skip
    assert "Canary" not in json.dumps(told)


@pytest.mark.req("R097")
def test_eligibility_stands_as_attributes_that_a_machine_reads(catalogue):
    said = {
        (attribute["link_type"], attribute["taxonomy_term"]["code"])
        for attribute in get(f"/services/{catalogue.pk}")["attributes"]
        if "taxonomy_term" in attribute
    }
    assert {
        ("service_type", "home-general-residential"), ("service", "gardening"), ("eligibility:required", "dementia"),
        ("eligibility:excluded", "smoking"), ("eligibility:accepts", "wheelchair"), ("eligibility:preferred", "veteran"),
        ("eligibility:accepts", "council"),
    } <= said  # fmt: skip
    registered = next(a for a in get(f"/services/{catalogue.pk}")["attributes"] if a.get("value") == "Ribble Network")
    assert (registered["link_type"], registered["label"]) == ("eligibility:required", "Registered with Primary care network U12345")
    odd = next(a for a in get(f"/services/{catalogue.pk}")["attributes"] if a.get("taxonomy_term", {}).get("code") == "odd")
    assert "term_uri" not in odd["taxonomy_term"]
    assert odd["taxonomy_term"]["parent_id"]


@pytest.mark.req("R097")
def test_partners_pictures_and_papers_stand_in_the_document(catalogue, settings):
    settings.SITE_URL = "https://lune.example.org"
    told = get(f"/services/{catalogue.pk}")
    files = [(file["label"], file["media_type"]) for file in told["additional_urls"]]
    assert files == [("Price list", "application/pdf"), ("The garden", "image/jpeg")]
    assert told["additional_urls"][0]["url"].startswith("https://lune.example.org/")
    assert [partner["name"] for partner in told["partners"]] == ["Ribble Carers"]
    assert [said["value"] for said in told["attributes"] if said["link_type"] == "partner"] == ["Ribble Carers"]
    assert get(f"/organizations/{told['partners'][0]['id']}") == told["partners"][0]
    assert "Canary" not in json.dumps([told, get("/organizations")])


def test_times_are_told_as_the_standard_has_them(catalogue):
    schedules = get(f"/services/{catalogue.pk}")["schedules"]
    assert {said["freq"] for said in schedules if "freq" in said} == {"WEEKLY", "MONTHLY"}
    night = next(said for said in schedules if said.get("byday") == "SA,SU")
    assert (night["opens_at"], night["closes_at"], night["notes"]) == ("00:00", "23:59", "In school terms only.")
    closed = next(said for said in schedules if said.get("valid_from") == "2026-12-25")
    assert "freq" not in closed
    assert "opens_at" not in closed
    assert closed["description"] == "Closed: Christmas"
    short = next(said for said in schedules if said.get("valid_from") == "2026-12-31")
    assert (short["byday"], short["opens_at"], short["closes_at"]) == ("TH", "09:00", "12:00")


def test_where_it_is_and_whom_it_reaches(catalogue):
    told = get(f"/services/{catalogue.pk}")
    there = {place["location"]["location_type"]: place["location"] for place in told["service_at_locations"]}
    assert (there["physical"]["latitude"], there["physical"]["longitude"]) == (
        pytest.approx(53.7553, abs=0.001),
        pytest.approx(-2.6991, abs=0.001),
    )
    assert there["physical"]["addresses"][0]["address_1"] == "1 Moor Lane, Avenham"
    assert there["physical"]["addresses"][0]["state_province"] == "Preston"
    assert there["physical"]["external_identifier"] == "100012345678"
    assert [said["accessibility"] for said in there["physical"]["accessibility"]] == ["Wheelchair access"]
    assert "latitude" not in there["virtual"]
    areas = {area["name"]: area for area in told["service_areas"]}
    assert areas["Preston"]["uri"].startswith("http://statistics.data.gov.uk/id/statistical-geography/E07")
    assert json.loads(areas["Our streets"]["extent"])["type"] == "MultiPolygon"
    assert "uri" not in areas["Wherever a bus goes"]
    assert "People who live within 5 miles of it" in areas


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, 3),
        ({"held": 1}, 2),
        ({"available": 0}, 0),
        ({"status": CapacityStatus.NO_CAPACITY}, 0),
        ({"status": CapacityStatus.WAITLIST}, 0),
        ({"available": None, "reported_at": None}, None),
        ({"is_open": False}, None),
        ({"shown_to_public": False}, None),
        ({"reported_at": timezone.now() - timedelta(days=30)}, None),
    ],
)
def test_places_free_are_told_while_they_are_believed(catalogue, change, told):
    ServiceCapacity.objects.filter(service=catalogue).update(**change)
    capacities = get(f"/services/{catalogue.pk}").get("capacities", [])
    assert [said["available"] for said in capacities] == ([] if told is None else [told])
    if capacities:
        assert (capacities[0]["unit"]["name"], capacities[0]["maximum"]) == ("bed", 10)


def test_a_confidential_place_of_a_public_service_is_left_out(catalogue):
    Location.objects.filter(name="Grove House").update(is_confidential=True)
    everything = json.dumps([get(f"/services/{catalogue.pk}"), get("/services", full="true"), get("/service_at_locations")])
    for word in ("Moor Lane", "Grove House", "PR1 2HE", "100012345678", "53.7"):
        assert word not in everything.replace(json.dumps(get(f"/services/{catalogue.pk}")["service_areas"]), ""), word


def test_addresses_of_the_web_that_are_none_are_left_out():
    service = ServiceFactory(url="javascript:alert(1)")
    Service.objects.filter(pk=service.pk).update(url="javascript:alert(1)")
    assert "url" not in get(f"/services/{service.pk}")


def test_minimal_and_full_lists(catalogue):
    minimal = get("/services", minimal="true")["contents"]
    assert all(set(document) == {"id", "modified_date"} for document in minimal)
    assert faults(ours(envelope("Minimal")), get("/services", minimal="true")) == []
    full = {document["id"]: document for document in get("/services", full="true")["contents"]}
    assert full[str(catalogue.pk)] == get(f"/services/{catalogue.pk}")
    places = get("/service_at_locations", full="true")["contents"]
    assert any("phones" in place["service"] for place in places)


def test_a_list_costs_the_same_number_of_queries_for_many_services(catalogue, django_assert_num_queries, django_assert_max_num_queries):
    with django_assert_max_num_queries(24) as few:
        get("/services", full="true")
    for number in range(4):
        rich_service(f"Elm {number}")
    PoolFactory()
    with django_assert_num_queries(len(few.captured_queries)):
        get("/services", full="true")


def test_lines_are_the_same_documents(catalogue, client):
    for number in range(3):
        rich_service(f"Elm {number}")
    answer = client.get(f"{BASE}/services", {"format": "ndjson", "full": "true"})
    assert answer["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]
    assert lines == sorted(get("/services", full="true")["contents"], key=lambda document: document["id"])


# --- the official schemas: collected where they are at hand


if (DATA / "oruk").exists() and (DATA / "hsds").exists():
    HSDS = DATA / "hsds" / "schema" / "compiled"
    UK = DATA / "oruk" / "v3"
    OFFICIAL = [
        ("services", False, UK / "compiled" / "service_list.json"),
        ("services", True, UK / "compiled" / "service.json"),
        ("services", True, UK / "compiled" / "service_with_definitions.json"),
        ("services", False, HSDS / "service_list.json"),
        ("services", True, HSDS / "service_with_definitions.json"),
        ("service_at_locations", False, UK / "compiled" / "service_at_location_list.json"),
        ("service_at_locations", True, UK / "compiled" / "service_at_location.json"),
        ("service_at_locations", True, UK / "compiled" / "service.json"),
        ("service_at_locations", False, HSDS / "service_at_location_list.json"),
        ("organizations", False, UK / "compiled" / "organization_list.json"),
        ("organizations", True, UK / "compiled" / "organization.json"),
        ("organizations", False, HSDS / "organization_list.json"),
        ("taxonomies", True, UK / "schemata" / "taxonomy.json"),
        ("taxonomy_terms", True, UK / "schemata" / "taxonomy_term.json"),
    ]

    @pytest.mark.req("R096")
    @pytest.mark.parametrize(
        ("plural", "one", "file"), OFFICIAL, ids=[f"{p}-{f.relative_to(DATA).parts[0]}-{f.stem}" for p, _, f in OFFICIAL]
    )
    def test_the_official_schemas_find_no_fault(catalogue, plural, one, file):
        schema = json.loads(file.read_text())
        documents = whole(plural) if one else get(f"/{plural}", per_page=1_000)["contents"]
        assert len(documents) >= 2
        assert [faults(schema, document) for document in documents] == [[] for _ in documents]

    @pytest.mark.req("R100")
    def test_the_official_schemas_of_version_1_find_no_fault(catalogue, client):
        schemas = json.loads((DATA / "oruk" / "v1-openapi.json").read_text())["components"]["schemas"]
        page = client.get("/api/oruk/v1/services").json()
        assert [faults(schemas["service"], document) for document in page["content"]] == [[], []]
        assert faults(schemas["page"], page) == []
        for document in page["content"]:
            assert faults(schemas["service_details"], client.get(f"/api/oruk/v1/services/{document['id']}").json()) == []
        for plural in ("organizations", "locations", "reviews"):
            found = client.get(f"/api/oruk/v1/{plural}").json()
            assert found["content"]
            assert faults(schemas["page"], found) == []
            for document in found["content"]:
                whole = client.get(f"/api/oruk/v1/{plural}/{document['id']}").json()
                assert (
                    faults(schemas[plural.removesuffix("s")], document)
                    == faults(schemas[f"{plural.removesuffix('s')}_details"], whole)
                    == []
                )
                assert list(nulls([document, whole])) == []
        for term in client.get("/api/oruk/v1/taxonomies", {"per_page": 20}).json()["content"]:
            assert faults(schemas["taxonomy"], term) == []
