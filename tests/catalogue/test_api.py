"""The catalogue over the API."""

import pytest
from rest_framework.test import APIClient

from catalogue.models import Service
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(referrer):
    client = APIClient()
    client.force_authenticate(referrer)
    return client


@pytest.mark.parametrize("path", ["services/", "taxonomy-terms/"])
def test_nobody_reads_without_signing_in(path):
    assert APIClient().get(f"/api/v1/{path}").status_code in (401, 403)


def test_services_are_found_by_text_kind_and_distance(api):
    factories.PostcodeFactory(postcode="PR1 2HE")
    pool = factories.PoolFactory(service__name="Ribble View", location__point=factories.near(1_609.344))
    factories.PoolFactory(service__name="Far View", location__point=factories.near(90_000))
    factories.ServiceFactory(name="Other", care_type=factories.term("care-type", "home-care"))
    asked = {"text": "view", "care_type": "home-general-residential", "postcode": "pr1 2he", "within_miles": "5"}
    answer = api.get("/api/v1/services/", asked).json()
    assert answer["count"] == 1
    line = answer["results"][0]
    assert (line["id"], line["care_type"], line["distance_miles"]) == (str(pool.service_id), "home-general-residential", 1.0)


def test_pages_are_as_long_as_asked(api):
    for _ in range(3):
        factories.ServiceFactory()
    answer = api.get("/api/v1/services/", {"per_page": 2}).json()
    assert (answer["count"], len(answer["results"])) == (3, 2)
    assert answer["next"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"postcode": "nonsense"}, 422),
        ({"postcode": "PR1 2HE", "within_miles": "many"}, 400),
        ({"postcode": "PR1 2HE", "within_miles": "nan"}, 400),
        ({"within_miles": "5"}, 400),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api, asked, status):
    factories.PostcodeFactory(postcode="PR1 2HE")
    assert api.get("/api/v1/services/", asked).status_code == status


def test_one_service_whole_without_what_is_confidential(api):
    service = factories.ServiceFactory()
    for secret in (False, True):
        service.service_at_locations.create(location=factories.LocationFactory(name="Secret" if secret else "Hall", is_confidential=secret))
    service.contacts.create(name="Somebody's name")
    factories.CriterionFactory(service=service)
    answer = api.get(f"/api/v1/services/{service.pk}/")
    body = answer.json()
    assert [place["name"] for place in body["locations"]] == ["Hall"]
    assert round(body["locations"][0]["latitude"]) == 54
    assert body["criteria"] == [{"taxonomy": "need", "code": "dementia", "rule": "accepts"}]
    assert "Can meet: dementia." in body["eligibility_sentences"]
    assert b"Somebody" not in answer.content


def test_a_service_that_one_may_not_see_is_not_found(api):
    shut = factories.ServiceFactory(status=Service.Status.INACTIVE)
    assert api.get(f"/api/v1/services/{shut.pk}/").status_code == 404
    assert api.get("/api/v1/services/").json()["count"] == 0


def test_the_words_of_one_taxonomy(api):
    answer = api.get("/api/v1/taxonomy-terms/", {"taxonomy": "need", "per_page": 500}).json()
    assert {term["taxonomy"] for term in answer["results"]} == {"need"}
    assert "dementia" in {term["code"] for term in answer["results"]}


def test_the_document_describes_the_catalogue(api):
    paths = api.get("/api/v1/openapi.json", {"format": "json"}).json()["paths"]
    assert {"/api/v1/services/", "/api/v1/services/{id}/", "/api/v1/taxonomy-terms/"} <= paths.keys()
    assert {"text", "care_type", "postcode", "within_miles"} <= {p["name"] for p in paths["/api/v1/services/"]["get"]["parameters"]}


def test_the_administrator_reaches_every_list(client, administrator):
    factories.ServiceFactory()
    client.force_login(administrator)
    for model in ("user", "organization", "service", "location", "taxonomyterm", "importrun"):
        assert client.get(f"/admin/catalogue/{model}/").status_code == 200
