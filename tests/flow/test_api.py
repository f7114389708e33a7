"""The referral loop over the API."""

from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from capacity.models import ServiceCapacity
from core.models import AuditEntry, IdempotencyKey
from flow import operations
from flow.models import Patient, Referral
from flow.workflow import Reason
from tests.factories import NeedProfileFactory, OutcodeFactory, PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import asked, provider_of, send

pytestmark = pytest.mark.django_db
API = "/api/v1"


def client(user) -> APIClient:
    api = APIClient()
    api.force_authenticate(user)
    return api


@pytest.fixture
def wanted(referrer):
    """The body of a referral that can be sent."""
    return {
        "patient": str(PatientFactory(organization=referrer.organization).pk),
        "profile": str(NeedProfileFactory(organization=referrer.organization).pk),
        "pools": [str(PoolFactory().pk), str(PoolFactory().pk)],
        "consent": True,
    }


def post(user, body, key="key-1"):
    return client(user).post(f"{API}/referrals/", body, headers={"Idempotency-Key": key} if key else {})


def test_a_referral_goes_from_sending_to_support_by_the_api_alone(referrer, wanted):
    sent = post(referrer, wanted | {"hold_pools": wanted["pools"][:1], "urgency": "urgent"})
    assert sent.status_code == 201
    tasks = {task["pool"]: task for task in sent.json()["tasks"]}
    chosen = tasks[wanted["pools"][0]]
    assert (chosen["status"], chosen["status_words"]) == ("requested", "Waiting for an answer")
    assert chosen["held_until"] is not None
    assert [step["action"] for step in chosen["steps"]] == ["withdraw", "retract"]

    answerer = provider_of(ServiceCapacity.objects.get(pk=chosen["pool"]))
    line = client(answerer).get(f"{API}/tasks/").json()["results"][0]
    assert (line["task"], line["age_band"]) == (chosen["id"], "80–84")
    seen = client(answerer).get(f"{API}/tasks/{chosen['id']}/")
    assert (seen.json()["identity"], seen.headers["ETag"]) == (None, '"v1"')
    yes = client(answerer).post(f"{API}/tasks/{chosen['id']}/accept/", {"version": 1})
    assert (yes.status_code, yes.json()["identity"]["given_name"]) == (200, "Canary")
    assert [step["action"] for step in yes.json()["steps"]] == ["withdraw", "start", "pause", "complete", "fail"]
    assert client(answerer).post(f"{API}/tasks/{chosen['id']}/start/", {"version": 2}).json()["profile"]["status"] == "in-progress"

    now = client(referrer).get(f"{API}/referrals/{sent.json()['id']}/").json()
    assert {task["pool"]: task["status"] for task in now["tasks"]} == dict(zip(wanted["pools"], ["in-progress", "cancelled"], strict=True))
    assert client(referrer).get(f"{API}/referrals/").json()["count"] == 1
    assert client(referrer).get(f"{API}/tasks/", {"status": "cancelled"}).json()["count"] == 1


def test_the_same_key_and_body_is_answered_again_and_done_once(referrer, wanted):
    first, again = post(referrer, wanted), post(referrer, wanted)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Referral.objects.count() == 1
    other = post(referrer, wanted | {"urgency": "urgent"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    missing = post(referrer, wanted, key=None)
    assert (missing.status_code, missing.json()["code"]) == (422, "idempotency-key-needed")
    assert post(UserFactory(), wanted).status_code == 404  # another user's key is another key
    assert Referral.objects.count() == 1


def test_a_refusal_keeps_no_key_so_that_it_can_be_put_right(referrer, wanted):
    refused = post(referrer, wanted | {"consent": False})
    assert (refused.status_code, refused.json()["code"]) == (422, "no-consent")
    assert not IdempotencyKey.objects.exists()
    assert post(referrer, wanted).status_code == 201


def test_what_is_kept_of_an_answer_holds_nothing_about_the_person(referrer, wanted):
    post(referrer, wanted | {"reason": "Canary reason text"})
    kept = str(IdempotencyKey.objects.get().body)
    patient = Patient.objects.get()
    assert wanted["patient"] in kept
    assert not [word for word in (patient.given_name, patient.family_name, "Canary reason text") if word in kept]


@pytest.mark.parametrize("broken", [{"pools": "x"}, {"pools": []}, {"patient": "x"}, {"urgency": "soon"}, {"consent": None}])
def test_a_referral_that_makes_no_sense_is_refused(referrer, wanted, broken):
    assert post(referrer, wanted | broken).status_code in (400, 422)
    assert not Referral.objects.exists()


def test_a_step_says_what_is_wrong_with_it():
    task = asked()
    address = f"{API}/tasks/{task.pk}"
    provider = client(task.answerer)
    assert provider.post(f"{address}/decline/", {"version": 1}).json()["code"] == "reason-needed"
    assert provider.post(f"{address}/decline/", {"version": 1, "reason": "7"}).status_code == 400
    stale = provider.post(f"{address}/accept/", {"version": 4})
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (409, "stale-version", 1)
    assert client(task.sender).post(f"{address}/accept/", {"version": 1}).status_code == 403
    assert provider.post(f"{address}/send/").status_code == 404
    assert provider.post(f"{address}/decline/", {"version": 1, "reason": Reason.CAPACITY}).json()["profile"]["status"] == "rejected"
    assert provider.post(f"{address}/accept/", {"version": 2}).json()["code"] == "moved-on"
    told = client(task.sender).get(f"{address}/").json()
    assert (told["status"], told["status_reason"], told["status_reason_text"]) == ("rejected", "22", "No place")


def test_each_person_who_is_shown_is_a_row_of_the_read_audit(referrer):
    people = PatientFactory.create_batch(3, organization=referrer.organization)
    PatientFactory()
    assert client(referrer).get(f"{API}/patients/").json()["count"] == 3
    assert set(AuditEntry.objects.values_list("record_id", flat=True)) == {person.pk for person in people}
    assert client(referrer).get(f"{API}/patients/{people[0].pk}/").json()["family_name"] == people[0].family_name
    assert AuditEntry.objects.count() == 4


def test_a_person_is_recorded_and_a_wrong_number_refused(referrer):
    OutcodeFactory()
    body = {"given_name": "Ada", "family_name": "Byron", "birth_date": "1945-12-10", "postcode": "pr1 2he", "nhs_number": "943 476 5919"}

    def post(by, told):
        return client(by).post(f"{API}/patients/", told, headers={"Idempotency-Key": str(uuid4())})

    made = post(referrer, body)
    assert (made.status_code, made.json()["postcode"]) == (201, "PR1 2HE")
    wrong = post(referrer, body | {"nhs_number": "9434765918"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "nhs_number")
    assert post(referrer, body).json()["code"] == "already-recorded"
    assert post(UserFactory(provider=True), body).status_code == 403


def test_the_dashboard_gives_figures(manager, referrer):
    pool = PoolFactory()
    task = send(referrer, [pool]).tasks.get()
    operations.decline(task_id=task.pk, by=provider_of(pool), at=timezone.now(), reason=Reason.CAPACITY)
    figures = client(manager).get(f"{API}/dashboard/").json()
    assert (figures["scope"], figures["first_answer"]["answered"], figures["capacity"][0]["green"]) == ("region", 1, 1)
    assert client(UserFactory(administrator=True)).get(f"{API}/dashboard/").status_code == 403


def test_the_schema_names_every_address_of_this_app(client):
    schema = client.get(f"{API}/openapi.json", headers={"Accept": "application/json"}).json()
    for path in ("capacities/{id}", "patients", "referrals", "tasks/{id}/{action}", "dashboard"):
        assert f"{API}/{path}/" in schema["paths"], path


def test_an_unknown_record_is_not_found(referrer):
    for path in ("patients", "referrals", "tasks"):
        assert client(referrer).get(f"{API}/{path}/{uuid4()}/").status_code == 404


@pytest.mark.req("R008")
def test_a_step_names_the_version_it_was_made_on_and_may_be_sent_again():
    """428 without a version, 412 for one that has changed, and a repeat of the same step changes nothing: no update is lost."""
    sender, pools = UserFactory(), PoolFactory.create_batch(2)
    referral = send(sender, pools, in_order=True)
    shown = client(sender).get(f"{API}/referrals/{referral.pk}/").json()
    assert (shown["move"]["side"], [entry["state"] for entry in shown["queue"]]) == ("provider", ["asked", "waiting"])
    task = referral.tasks.get()
    answerer, address = client(provider_of(task.pool)), f"{API}/tasks/{task.pk}/decline/"
    assert answerer.post(address, {"reason": "22"}).status_code == 428
    assert answerer.post(address, {"reason": "22"}, headers={"If-Match": '"v9"'}).status_code == 412
    tag = answerer.get(f"{API}/tasks/{task.pk}/").headers["ETag"]
    said = {"headers": {"If-Match": tag, "Idempotency-Key": "a"}}
    first, again = answerer.post(address, {"reason": "22"}, **said), answerer.post(address, {"reason": "22"}, **said)
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (200, 200, "true")
    assert answerer.post(address, {"reason": "40"}, **said).json()["code"] == "idempotency-key-reused"
    assert task.transitions.count() == 2
    assert referral.tasks.count() == 2
