"""Places as FHIR R4: what is read is valid, what is told may change capacity alone, and an old figure is never "capacity"."""

import copy
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from capacity import fhir, keys, operations
from capacity.models import CapacityReport, CapacityStatus, FreshnessPolicy
from catalogue.models import Service
from tests.factories import OrganizationFactory, PoolFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
TYPE = "application/fhir+json"
LIST = "/fhir/HealthcareService"


def client(user) -> APIClient:
    api = APIClient()
    api.force_authenticate(user)
    return api


def own(pool):
    return client(UserFactory(provider=True, organization=pool.service.organization))


def read(api: APIClient, pool) -> dict:
    return api.get(f"{LIST}/{pool.pk}").json()


def put(api: APIClient, pool, resource, version=1, **options):
    return api.put(
        f"{LIST}/{pool.pk}", json.dumps(resource), content_type=TYPE, headers={"If-Match": f'W/"{version}"'} | options
    )  # fmt: skip


def part(resource: dict, url: str) -> dict:
    """The parts of one extension by their url."""
    extension = next(each for each in resource["extension"] if each["url"] == url)
    return {each["url"]: each for each in extension["extension"]}


def coding(resource: dict) -> dict:
    return part(resource, fhir.STATUS_URL)["capacityStatus"]["valueCodeableConcept"]


def set_part(resource: dict, name: str, **value) -> dict:
    """The resource with one of our figures changed."""
    changed = copy.deepcopy(resource)
    extension = next(each for each in changed["extension"] if each["url"] == fhir.figures_url())
    extension["extension"] = [each for each in extension["extension"] if each["url"] != name] + [{"url": name, **value}]
    return changed


def set_code(resource: dict, code: str) -> dict:
    changed = copy.deepcopy(resource)
    coding(changed)["coding"] = [{"system": fhir.CODES, "code": code}]
    return changed


def test_what_is_read_is_valid_r4_and_of_the_guides_own_shape(referrer):
    from fhir.resources.R4B.bundle import Bundle
    from fhir.resources.R4B.capabilitystatement import CapabilityStatement
    from fhir.resources.R4B.structuredefinition import StructureDefinition

    PoolFactory(closed_reason="norovirus", is_open=False)
    PoolFactory(unknown=True)
    pool = PoolFactory(occupied=6, reserved=1, waiting=2, note="Ground floor only")
    answer = client(referrer).get(LIST)
    assert answer.headers["Content-Type"].startswith(TYPE)
    bundle = Bundle.model_validate_json(answer.content)
    assert (bundle.total, len(bundle.entry)) == (3, 3)
    anybody = APIClient()
    CapabilityStatement.model_validate_json(anybody.get("/fhir/metadata").content)
    definition = StructureDefinition.model_validate_json(anybody.get("/fhir/StructureDefinition/capacity-figures").content)
    defined = {element.sliceName for element in definition.differential.element if element.sliceName}
    resource = read(client(referrer), pool)
    assert set(part(resource, fhir.figures_url())) <= defined
    assert definition.url == fhir.figures_url()
    # what the classes do not check: bindings, and the extension of the guide
    codes = {each["resource"]["id"]: coding(each["resource"]).get("coding") for each in answer.json()["entry"]}
    assert all(one is None or (one[0]["system"], len(one)) == (fhir.CODES, 1) for one in codes.values())
    assert {one[0]["code"] for one in codes.values() if one} == {"no-capacity", "capacity"} <= set(CapacityStatus.values)
    assert part(resource, fhir.STATUS_URL)["capacityNotes"]["valueString"] == "Ground floor only"


@pytest.mark.req("R127")
def test_an_old_figure_is_not_known_and_never_capacity(referrer, time_machine):
    pool = PoolFactory(available=3)
    policy = FreshnessPolicy.objects.get(care_type=pool.care_type)
    api = client(referrer)
    assert (coding(read(api, pool))["coding"][0]["code"], coding(read(api, pool))["text"]) == ("capacity", "3 free")
    time_machine.move_to(pool.reported_at + policy.fresh_for)
    assert coding(read(api, pool))["text"] == "3 free, check first"
    time_machine.move_to(pool.reported_at + policy.expires_after)
    assert coding(read(api, pool)) == {"text": "Not known"}
    assert part(read(api, pool), fhir.figures_url())["colour"]["valueCode"] == "grey"


def test_an_update_tells_what_is_free_on_the_version_that_was_read():
    pool = PoolFactory(available=3, maximum=10)
    api = own(pool)
    resource = read(api, pool)
    seen = timezone.now() - timedelta(seconds=20)
    changed = set_part(set_part(resource, "available", valueUnsignedInt=1), "observedAt", valueInstant=seen.isoformat())
    assert api.put(f"{LIST}/{pool.pk}", json.dumps(changed), content_type=TYPE).status_code == 428
    done = put(api, pool, changed)
    assert (done.status_code, done.headers["ETag"]) == (200, 'W/"2"')
    stale = put(api, pool, changed)
    assert (stale.status_code, stale.json()["resourceType"], stale.json()["issue"][0]["code"]) == (412, "OperationOutcome", "conflict")
    report = CapacityReport.objects.get()
    assert (report.via, report.available, report.observed_at) == ("fhir", 1, seen)
    assert part(done.json(), fhir.figures_url())["toldBy"]["valueString"] == f"by {pool.service.organization.name}, by FHIR"
    # the same sent back says that it is still so
    again = put(api, pool, done.json(), 2)
    pool.refresh_from_db()
    assert (again.status_code, pool.available, pool.reported_at > seen) == (200, 1, True)


def test_codes_of_the_guide_change_the_status_and_the_figures_with_them():
    pool = PoolFactory(available=3, maximum=10)
    api = own(pool)
    put(api, pool, set_code(read(api, pool), "waitlist"))
    assert coding(read(api, pool))["coding"][0]["code"] == "waitlist"
    put(api, pool, set_code(read(api, pool), "no-capacity"), 2)
    pool.refresh_from_db()
    assert (pool.status, pool.available) == ("no-capacity", 3)
    # confirmed as it is, it does not come to accept people because three beds stand empty
    put(api, pool, read(api, pool), 3)
    pool.refresh_from_db()
    assert pool.status == "no-capacity"
    # closed, and opened again
    closing = set_part(set_part(read(api, pool), "isOpen", valueBoolean=False), "closedUntil", valueDate="2099-06-03")
    put(api, pool, set_part(closing, "closedReason", valueString="norovirus"), 4)
    closed = read(api, pool)
    assert coding(closed)["text"] == "Closed until 3 June 2099: norovirus"
    assert put(api, pool, set_code(closed, "capacity"), 5).status_code == 422
    opened = put(api, pool, set_code(set_part(closed, "isOpen", valueBoolean=True), "capacity"), 5).json()
    assert (coding(opened)["text"], "closedReason" in part(opened, fhir.figures_url())) == ("3 free", False)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda r: r | {"name": "Another"}, 422, "business-rule"),
        (lambda r: r | {"telecom": [{"system": "phone", "value": "1"}]}, 422, "business-rule"),
        (lambda r: r | {"id": str(uuid4())}, 422, "invariant"),
        (lambda r: r | {"resourceType": "Patient"}, 422, "structure"),
        (lambda r: [r], 422, "structure"),
        (lambda r: r | {"extension": "x"}, 422, "structure"),
        (lambda r: r | {"extension": [{"url": "http://example.org"}]}, 422, "extension"),
        (lambda r: set_code(r, "at-capacity"), 422, "code-invalid"),
        (lambda r: set_part(r, "available", valueUnsignedInt=-1), 422, "value"),
        (lambda r: set_part(r, "available", valueUnsignedInt=True), 422, "value"),
        (lambda r: set_part(r, "available", valueInteger=1), 422, "value"),
        (lambda r: set_part(r, "available", valueUnsignedInt=11), 422, "invalid"),
        (lambda r: set_part(r, "observedAt", valueInstant="yesterday"), 422, "value"),
        (lambda r: set_part(r, "observedAt", valueInstant="2026-11-22T10:00:00"), 422, "value"),
        (lambda r: set_part(r, "observedAt", valueInstant="2999-01-01T00:00:00Z"), 422, "value"),
        (lambda r: set_part(r, "beds", valueUnsignedInt=1), 422, "extension"),
    ],
)
def test_anything_but_capacity_is_refused_and_changes_nothing(change, status, code):
    pool = PoolFactory(available=3, maximum=10)
    api = own(pool)
    answer = put(api, pool, change(read(api, pool)))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (status, code), answer.json()
    assert answer.headers["Content-Type"].startswith(TYPE)
    pool.refresh_from_db()
    assert (pool.version, CapacityReport.objects.count()) == (1, 0)


def test_a_figure_below_what_is_held_is_refused_in_words():
    pool = PoolFactory(available=3)
    operations.hold(pool_id=pool.pk, organization=OrganizationFactory(), by=None, at=timezone.now())
    api = own(pool)
    answer = put(api, pool, set_part(read(api, pool), "available", valueUnsignedInt=0), 2)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (409, "conflict")
    assert "held for people whose families are deciding" in answer.json()["issue"][0]["diagnostics"]


def test_the_same_is_seen_as_elsewhere_and_only_the_own_provider_tells(referrer):
    pool, hidden = PoolFactory(), PoolFactory(service=ServiceFactory(status=Service.Status.INACTIVE))
    assert read(client(referrer), hidden)["issue"][0]["code"] == "not-found"
    for user in (referrer, UserFactory(provider=True), UserFactory(manager=True, organization=pool.service.organization)):
        answer = put(client(user), pool, read(client(user), pool))
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    anonymous = APIClient().get(LIST)
    assert (anonymous.status_code, anonymous.json()["resourceType"]) == (403, "OperationOutcome")
    _, text = keys.make(
        name="x", days=1, by=UserFactory(provider=True, keeps_keys=True, organization=pool.service.organization), at=timezone.now()
    )
    PoolFactory()
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    assert [each["resource"]["id"] for each in api.get(LIST).json()["entry"]] == [str(pool.pk)]


def test_a_search_narrows_pages_and_speaks_json_alone(referrer):
    pool = PoolFactory(service__name="Fir Grove")
    PoolFactory.create_batch(2)
    api = client(referrer)

    def found(**query) -> list[str]:
        return [each["resource"]["id"] for each in api.get(LIST, query).json()["entry"]]

    for query in (
        {"_id": str(pool.pk)}, {"identifier": f"x|{pool.service_id}"}, {"organization": f"Organization/{pool.service.organization_id}"},
        {"name": "fir gr"},
    ):  # fmt: skip
        assert found(**query) == [str(pool.pk)], query
    assert len(found(**{"service-type": pool.care_type.code})) == 3
    first = api.get(LIST, {"_count": 2, "_format": "json"}).json()
    assert (first["total"], len(first["entry"]), [link["relation"] for link in first["link"]]) == (3, 2, ["self", "next"])
    for query in ({"_id": "x"}, {"colour": "green"}, {"_format": "xml"}):
        assert api.get(LIST, query).json()["resourceType"] == "OperationOutcome", query
    assert api.get(LIST, headers={"Accept": "application/fhir+xml"}).status_code == 406
    wrong = api.put(f"{LIST}/{pool.pk}", "<a/>", content_type="application/fhir+xml", headers={"If-Match": 'W/"1"'})
    assert wrong.json()["resourceType"] == "OperationOutcome"
