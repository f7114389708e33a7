"""A patient record asks by CDS Hooks which services carry a diagnosis. Nothing that names the patient is kept."""

import json

import pytest
from django.core import serializers
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

import capacity.operations
from matching import operations
from matching.models import MatchRun, NeedProfile, UnmetNeed
from tests.factories import CriterionFactory, OutcodeFactory, PoolFactory, UserFactory, term

pytestmark = pytest.mark.django_db

DEMENTIA, ALZHEIMERS = "52448006", "26929004"
PATIENT = {
    "resourceType": "Patient",
    "id": "canary-4711",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
    "name": [{"family": "Featherstonehaugh", "given": ["Canary"]}],
    "birthDate": "1941-05-17",
    "gender": "female",
    "address": [{"use": "old", "postalCode": "ZE2 9AA"}, {"use": "home", "postalCode": "PR1 2HE", "line": ["12 Canary Row"]}],
}


def condition(code: str, **fields) -> dict:
    return {"resourceType": "Condition", "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]}, **fields}


def bundle(*conditions) -> dict:
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in conditions]}


def body(**changes) -> dict:
    context = {"userId": "Practitioner/1", "patientId": PATIENT["id"], "conditions": bundle(condition(ALZHEIMERS))}
    sent = {
        "hook": "problem-list-item-create", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context,
        "prefetch": {"patient": PATIENT},
    }  # fmt: skip
    return sent | changes


@pytest.fixture
def caller():
    OutcodeFactory()
    client = APIClient()
    client.force_authenticate(UserFactory())
    return client


@pytest.fixture
def carrier():
    pool = PoolFactory(service__name="Fir [Grove](javascript:alert(1))")
    CriterionFactory(service=pool.service, term=term("condition", f"snomed|{DEMENTIA}"))
    PoolFactory(service__name="Says nothing of it")
    return pool


def ask(client, sent, hook="services-for-problem"):
    return client.post(reverse("cds-service", args=[hook]), sent, format="json")


def test_discovery_is_as_the_specification_has_it():
    answer = APIClient().get("/api/cds-services")
    assert answer.status_code == 200
    for service in answer.json()["services"]:
        assert set(service) == {"id", "hook", "title", "description", "prefetch"}
        assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
    assert {service["hook"] for service in answer.json()["services"]} == {"problem-list-item-create", "patient-view"}


@pytest.mark.req("R012")
def test_a_diagnosis_that_is_added_answers_with_the_services_that_carry_it(caller, carrier):
    answer = ask(caller, body())
    assert answer.status_code == 200, answer.content
    [card] = answer.json()["cards"]
    assert set(card) == {"uuid", "summary", "detail", "indicator", "source", "links"}
    assert card["summary"] == "1 service near PR1 for Alzheimer's disease: 1 has a place free"
    assert len(card["summary"]) <= 140
    assert card["indicator"] == "info"
    assert card["detail"].startswith(r"1. **Fir \[Grove\]\(javascript:alert\(1\)\)** (Care home: general residential), ")
    assert "3 places free, told 1 minute ago." in card["detail"]
    assert card["source"] == {"label": "Lune", "url": "http://testserver/"}
    run = MatchRun.objects.get()
    [link] = card["links"]
    assert (link["url"], link["type"]) == (f"http://testserver/match/{run.pk}/", "absolute")
    assert [line.pool_id for line in operations.lines(run)] == [carrier.pk]


def test_nothing_that_names_the_patient_is_kept_or_told(caller, carrier, caplog):
    told = ask(caller, body()).content.decode()
    kept = serializers.serialize("json", [*NeedProfile.objects.all(), *MatchRun.objects.all(), *UnmetNeed.objects.all()])
    for text in (kept, told, caplog.text):
        for name in ("canary", "Canary", "Featherstonehaugh", "9990000018", "1941-05-17", "PR1 2HE", "PR12HE"):
            assert name not in text
    profile = NeedProfile.objects.get()
    assert (profile.sex, profile.outcode, profile.place_is_approximate, profile.carried_only) == ("female", "PR1", True, True)
    assert profile.conditions == [f"snomed|{ALZHEIMERS}"]


def test_an_opened_record_asks_about_its_active_problems(caller, carrier):
    over = condition(DEMENTIA, clinicalStatus={"coding": [{"code": "resolved"}]})
    sent = body(hook="patient-view", context={"userId": "Practitioner/1", "patientId": PATIENT["id"]})
    sent["prefetch"] = {"patient": PATIENT, "problems": bundle(over)}
    assert ask(caller, sent, "services-for-patient").json() == {"cards": []}
    sent["prefetch"]["problems"] = bundle(over, condition(ALZHEIMERS), condition("1234"))
    assert len(ask(caller, sent, "services-for-patient").json()["cards"]) == 1


def test_a_record_that_is_opened_is_no_unmet_need(caller, carrier):
    """Nobody has looked for anything."""
    capacity.operations.report(pool_id=carrier.pk, by=None, at=timezone.now(), available=0)
    sent = body(hook="patient-view", context={"userId": "Practitioner/1", "patientId": PATIENT["id"]})
    sent["prefetch"] = {"patient": PATIENT, "problems": bundle(condition(ALZHEIMERS))}
    ask(caller, sent, "services-for-patient")
    assert MatchRun.objects.get().misses, "nobody fits"
    assert not UnmetNeed.objects.exists()


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"hook": "patient-view"}, 400, "is for the hook"),
        ({"hookInstance": "x"}, 400, "hookInstance"),
        ({"context": {"userId": "Practitioner/1"}}, 400, "patientId"),
        ({"context": {"patientId": "canary-4711", "conditions": [1]}}, 400, "Bundle of Conditions"),
        ({"context": {"patientId": "another", "conditions": {}}}, 400, "not the one of the context"),
        ({"prefetch": {}}, 412, "Send as prefetch: patient"),
        ({"prefetch": {"patient": PATIENT | {"birthDate": "17 May"}}}, 412, "birthDate"),
        ({"prefetch": {"patient": PATIENT | {"address": [{"postalCode": 7}]}}}, 412, "postcode"),
        ({"prefetch": {"patient": PATIENT | {"deceasedBoolean": True}}}, 200, '"cards": []'),
        (
            {"context": {"patientId": "canary-4711", "conditions": {"resourceType": "Bundle", "entry": [7, {"resource": 7}]}}},
            200,
            '"cards": []',
        ),
    ],
)
def test_what_is_wrong_or_missing_is_said_in_words(caller, carrier, changes, status, words):
    answer = ask(caller, body(**changes))
    assert answer.status_code == status, answer.content
    assert words in json.dumps(answer.json(), ensure_ascii=False)
    assert not NeedProfile.objects.exists()


@pytest.mark.parametrize("value", ["a\0b", "x" * 9_000, 10**40, -1, None, [[]], {"a": {}}, "9" * 40, "1941-99", True], ids=str)
def test_nonsense_anywhere_in_a_record_is_no_error_of_ours(caller, carrier, value):
    for field in ("id", "birthDate", "gender", "address", "deceasedDateTime"):
        assert ask(caller, body(prefetch={"patient": PATIENT | {field: value}})).status_code in (200, 400, 412), field
    codes = [condition(value), condition(ALZHEIMERS, clinicalStatus=value, verificationStatus={"coding": value}), {"code": value}]
    for one in (*codes, {"resourceType": "Condition", "code": {"coding": [value, {"code": value, "system": value}]}}):
        context = {"patientId": PATIENT["id"], "conditions": bundle(one, value)}
        assert ask(caller, body(context=context)).status_code == 200


def test_a_hook_that_there_is_not_and_a_body_that_is_no_json(caller):
    assert ask(caller, body(), "nothing").status_code == 404
    answer = caller.post(reverse("cds-service", args=["services-for-problem"]), "{", content_type="application/json")
    assert answer.status_code == 400
