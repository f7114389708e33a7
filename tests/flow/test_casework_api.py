"""Messages, documents and follow-ups over the API: made once for each key, changed by who has read the last version."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import IdempotencyKey
from flow.models import Document, FollowUp, Message
from flow.workflow import Status
from tests.core.test_uploads import PDF
from tests.factories import PatientFactory, UserFactory
from tests.flow.helpers import asked

pytestmark = pytest.mark.django_db
API = "/api/v1/"


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DOCUMENTS_ROOT = str(tmp_path)


def api(user) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_messages_are_sent_once_and_read_by_both_sides():
    task = asked(Status.ACCEPTED)
    sender, provider, address = api(task.sender), api(task.answerer), f"{API}tasks/{task.pk}/messages/"
    body = {"kind": "text", "text": "Canary is ready"}
    first, again = (sender.post(address, body, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, again.json(), Message.objects.count()) == (201, first.json(), 1)
    assert "Canary" not in str(list(IdempotencyKey.objects.values("body")))
    other = sender.post(address, body | {"text": "Other"}, headers={"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert [line["text"] for line in provider.get(address).json()["results"]] == ["Canary is ready"]
    assert Message.objects.get().read_at is None
    assert provider.post(f"{address}read/").status_code == 400, "it says up to which message"
    assert Message.objects.get().read_at is None
    assert provider.post(f"{address}read/", {"message": first.json()["id"]}).status_code == 204
    assert Message.objects.get().read_at is not None
    assert api(UserFactory()).get(address).status_code == 404


def test_a_question_is_answered_by_a_code():
    task = asked()
    address = f"{API}tasks/{task.pk}/messages/"
    question = api(task.answerer).post(address, {"kind": "question", "question": "night"}, headers={"Idempotency-Key": "q"}).json()
    said = {"kind": "answer", "message": question["id"], "answer": "Canary says no"}
    assert api(task.sender).post(address, said, headers={"Idempotency-Key": "a"}).status_code == 422
    assert api(task.sender).post(address, said | {"answer": "no"}, headers={"Idempotency-Key": "a"}).status_code == 201
    assert api(task.sender).post(address, {"kind": "text", "text": "Canary"}, headers={"Idempotency-Key": "t"}).json()["code"] == "not-yet"
    assert "Canary" not in api(task.answerer).get(address).content.decode()


def test_follow_ups_are_changed_by_who_has_read_the_last_version(referrer):
    patient, client = PatientFactory(organization=referrer.organization), api(referrer)
    body = {"patient": str(patient.pk), "words": "Ring Canary", "due_on": str(timezone.localdate())}
    assert client.post(f"{API}follow-ups/", body).json()["code"] == "idempotency-key-needed"
    made = client.post(f"{API}follow-ups/", body, headers={"Idempotency-Key": "one"}).json()
    address = f"{API}follow-ups/{made['id']}/"
    tag = client.get(address)["ETag"]
    given = {"assigned_to": str(referrer.pk)}
    assert client.patch(address, given).status_code == 428
    assert client.patch(address, given, headers={"If-Match": tag}).status_code == 200
    stale = client.post(f"{address}done/", {"words": "Well"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")
    assert client.post(f"{address}done/", {"words": "Well"}, headers={"If-Match": '"v2"'}).json()["state"] == "done"
    assert client.patch(address, {}, headers={"If-Match": '"v3"'}).status_code == 400
    assert [one["id"] for one in client.get(f"{API}follow-ups/", {"show": "ended"}).json()["results"]] == [made["id"]]
    assert client.get(f"{API}follow-ups/", {"patient": "nobody"}).status_code == 400
    assert api(UserFactory()).get(address).status_code == 404
    assert FollowUp.objects.get().assigned_to == referrer


def test_a_document_is_added_once_shared_and_withdrawn(referrer):
    patient, client = PatientFactory(organization=referrer.organization), api(referrer)

    def add(data: bytes):
        body = {"title": "Letter", "file": SimpleUploadedFile("x.pdf", data)}
        return client.post(f"{API}patients/{patient.pk}/documents/", body, format="multipart", headers={"Idempotency-Key": "one"})

    first, again, other = add(PDF), add(PDF), add(PDF.replace(b"1 0", b"2 0"))
    assert (first.status_code, again.json(), other.status_code, Document.objects.count()) == (201, first.json(), 422, 1)
    address = f"{API}documents/{first.json()['id']}/"
    file = client.get(f"{address}file/")
    assert (b"".join(file.streaming_content), "attachment" in file["Content-Disposition"]) == (PDF, True)
    assert client.patch(address, {"shared": True}, headers={"If-Match": '"v1"'}).status_code == 422
    assert api(UserFactory()).get(f"{address}file/").status_code == 404
    assert client.post(f"{address}withdraw/", {"reason": "Wrong"}, headers={"If-Match": '"v9"'}).status_code == 412
    assert client.post(f"{address}withdraw/", {"reason": "Wrong"}, headers={"If-Match": '"v1"'}).status_code == 200
    assert client.get(f"{address}file/").json()["code"] == "withdrawn"
