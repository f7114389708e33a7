"""People, stays and agreements over the API: ETag and If-Match, one record for each key, nothing of a person kept with a key."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import AuditEntry, IdempotencyKey
from flow.models import Consent, Episode, Patient
from tests.factories import EpisodeFactory, OutcodeFactory, PatientFactory, PostcodeFactory, UserFactory

pytestmark = pytest.mark.django_db
API = "/api/v1"
PERSON = {"given_name": "Ada", "family_name": "Byrom", "birth_date": "1941-05-17", "postcode": "PR1 2HE", "nhs_number": "9434765919"}


def client(user) -> APIClient:
    api = APIClient()
    api.force_authenticate(user)
    return api


def make(user, address, body, key="k"):
    return client(user).post(f"{API}/{address}", body, format="json", headers={"Idempotency-Key": key} if key else {})


@pytest.mark.req("R079")
def test_a_person_is_made_once_for_each_key_and_nothing_of_them_is_kept_with_it(referrer):
    OutcodeFactory()
    PostcodeFactory()
    assert make(referrer, "patients/", PERSON, key=None).json()["code"] == "idempotency-key-needed"
    first, again = make(referrer, "patients/", PERSON), make(referrer, "patients/", PERSON)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (first.headers["ETag"], again.headers["Idempotency-Replayed"]) == ('"v1"', "true")
    assert make(referrer, "patients/", PERSON | {"given_name": "Eve"}).json()["code"] == "idempotency-key-reused"
    assert IdempotencyKey.objects.get().body == {"id": first.json()["id"]}
    twice = make(referrer, "patients/", PERSON, key="other")
    assert (twice.status_code, twice.json()["code"], twice.json()["patients"]) == (409, "already-recorded", [first.json()["id"]])
    alike = make(referrer, "patients/", PERSON | {"nhs_number": ""}, key="third")
    assert (alike.status_code, alike.json()["code"]) == (409, "perhaps-recorded")
    assert make(referrer, "patients/", PERSON | {"nhs_number": "", "is_another": True}, key="fourth").status_code == 201
    assert Patient.objects.count() == 2


@pytest.mark.req("R213")
@pytest.mark.parametrize(("kind", "one", "other"), [("patients", "phone", "email"), ("episodes", "ward", "delay_reason")])
def test_two_editors_lose_nothing(referrer, kind, one, other):
    """428 without a version, 412 on an old one: of three rounds of two editors every change is there at the end."""
    stay = EpisodeFactory(patient__organization=referrer.organization, delay_reason="")
    address = f"{API}/{kind}/{stay.patient_id if kind == 'patients' else stay.pk}/"
    editors = {one: client(referrer), other: client(UserFactory(organization=referrer.organization))}
    assert editors[one].patch(address, {one: "x"}).status_code == 428
    values = {"phone": "0177290010{}", "email": "a{}@example.org", "ward": "Ward {}", "delay_reason": "funding"}
    lost = 0
    for n in range(3):
        seen = editors[one].get(address).headers["ETag"]
        told = {name: values[name].format(n) for name in (one, other)}
        answers = [editors[name].patch(address, {name: told[name]}, format="json", headers={"If-Match": seen}) for name in (one, other)]
        assert [answer.status_code for answer in answers] == [200, 412]
        assert answers[1].json()["code"] == "stale-version"
        current = editors[other].get(address).headers["ETag"]
        assert editors[other].patch(address, {other: told[other]}, format="json", headers={"If-Match": current}).status_code == 200
        now = editors[one].get(address).json()
        lost += sum(now[name] != told[name] for name in told)
    assert lost == 0


def test_stays_and_agreements_are_made_read_and_audited(referrer):
    patient = PatientFactory(organization=referrer.organization)
    address = f"patients/{patient.pk}"
    started = timezone.now().isoformat()
    made = make(referrer, f"{address}/episodes/", {"kind": "hospital", "discharge_pathway": "P2", "ward": "4", "started_at": started})
    assert (made.status_code, made.json()["discharge_pathway"]) == (201, "P2")
    again = make(referrer, f"{address}/episodes/", {"kind": "hospital", "discharge_pathway": "P2"}, key="2")
    assert again.json()["code"] == "already-waiting"
    body = {"purpose": "direct-care", "decision": "given", "source": "written"}
    said = make(referrer, f"{address}/consents/", body, key="3")
    assert (said.status_code, said.json()["holds"]) == (201, True)
    assert make(referrer, f"{address}/consents/", body, key="3").json() == said.json()
    assert Consent.objects.count() == 1
    make(referrer, f"{address}/consents/", body | {"decision": "withdrawn"}, key="4")
    lines = client(referrer).get(f"{API}/{address}/consents/").json()
    assert {line["decision"]: line["holds"] for line in lines} == {"withdrawn": True, "given": False}
    ended = client(referrer).post(f"{API}/episodes/{made.json()['id']}/end/")
    assert (ended.status_code, Episode.objects.get().ended_at is not None) == (200, True)
    before = AuditEntry.objects.count()
    assert client(referrer).get(f"{API}/{address}/episodes/").json()[0]["ward"] == "4"
    assert AuditEntry.objects.filter(record_id=patient.pk).count() == AuditEntry.objects.count() == before + 1
    for path in (f"{address}/episodes/", f"{address}/consents/", f"episodes/{made.json()['id']}/"):
        assert client(UserFactory()).get(f"{API}/{path}").status_code == 404
