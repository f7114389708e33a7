"""Documents: held until scanned, opened by those who may at that moment, withdrawn in sight, erased at last."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import AuditEntry, Event
from flow import operations as steps
from flow.casework import operations, queries
from flow.models import Document
from flow.models.document import storage
from flow.workflow import Status
from tests.core.test_uploads import PDF, SVG
from tests.factories import PatientFactory, UserFactory
from tests.fakes.clamd import EICAR, running
from tests.flow.helpers import asked

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.DOCUMENTS_ROOT = str(tmp_path / "documents")
    return tmp_path / "documents"


def add(by, patient, data=PDF, **fields) -> Document:
    file = SimpleUploadedFile("../../letter.pdf.exe", data, content_type="text/html")
    return operations.add_document(patient_id=patient.pk, title="Discharge letter", file=file, by=by, at=NOW, **fields)


def open_(user, document):
    client = Client()
    client.force_login(user, backend=BACKEND)
    answer = client.get(reverse("document", args=[document.pk]))
    answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer


@pytest.mark.req("R093")
def test_a_document_is_opened_by_those_who_may_at_that_moment_and_each_time_is_written_down():
    task = asked(Status.ACCEPTED)
    sender, provider, patient, referral = task.sender, task.answerer, task.referral.patient, task.referral
    own = add(sender, patient)
    shared = add(sender, patient, referral_id=referral.pk, shared=True)
    also_asked = asked(Status.REQUESTED, referral=referral).answerer
    answers = {
        (user.email, document.pk): open_(user, document).status_code
        for user in (sender, UserFactory(organization=sender.organization), provider, also_asked, UserFactory(), UserFactory(provider=True))
        for document in (own, shared)
    }
    assert list(answers.values()) == [200, 200, 200, 200, 404, 200, 404, 404, 404, 404, 404, 404]
    read = AuditEntry.objects.filter(record_type="document", purpose="download")
    assert sorted(read.values_list("record_id", flat=True)) == sorted([own.pk] * 2 + [shared.pk] * 3)
    operations.share_document(document_id=shared.pk, shared=False, by=sender, at=NOW, expected_version=1)
    assert open_(provider, shared).status_code == 404
    operations.share_document(document_id=shared.pk, shared=True, by=sender, at=NOW)
    assert open_(provider, shared).status_code == 200
    steps.withdraw(task_id=task.pk, by=provider, at=NOW, reason_text="No staff")
    assert open_(provider, shared).status_code == 404


def test_it_is_saved_and_never_run_and_its_name_is_ours(folder, referrer):
    document = add(referrer, PatientFactory(organization=referrer.organization))
    answer = open_(referrer, document)
    assert answer["Content-Disposition"] == 'attachment; filename="discharge-letter.pdf"'
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer.body == PDF
    (kept,) = [file for file in folder.rglob("*") if file.is_file()]
    assert kept.suffix == ""
    assert len(kept.name) == 40
    assert kept.stat().st_mode & 0o077 == 0


def test_a_file_that_is_lost_is_told_and_holds_up_no_other(settings, referrer):
    patient = PatientFactory(organization=referrer.organization)
    with running() as clamd:
        settings.SCANNER = clamd.address
        lost, whole = add(referrer, patient), add(referrer, patient)
        storage().delete(lost.file.name)
        assert operations.scan_waiting(at=NOW + timedelta(hours=2)) == 1
    assert [Document.objects.get(pk=one.pk).state for one in (lost, whole)] == ["held", "clean"]
    (told,) = Event.objects.filter(type="document.held")
    assert (told.data["document"], told.data["why"]) == (str(lost.pk), "not-scanned")


@pytest.mark.req("R093")
def test_with_a_scanner_nobody_opens_it_before_it_is_scanned(settings, referrer):
    patient = PatientFactory(organization=referrer.organization)
    with running() as clamd:
        settings.SCANNER = clamd.address
        clean, bad = add(referrer, patient), add(referrer, patient, data=b"Dear all, " + EICAR)
        assert [one.state for one in (clean, bad)] == ["held", "held"]
        assert open_(referrer, clean).status_code == 409
        clamd.sulks = True
        assert operations.scan_waiting(at=NOW + timedelta(hours=2)) == 0
        assert open_(referrer, clean).status_code == 409
        clamd.sulks = False
        assert operations.scan_waiting(at=NOW + timedelta(hours=3)) == 2
    assert open_(referrer, clean).status_code == 200
    refused = open_(referrer, bad)
    assert (refused.status_code, b"locked away" in refused.body) == (409, True)
    told = Event.objects.filter(type="document.held").order_by("pk")
    assert [event.data["why"] for event in told] == ["not-scanned", "not-scanned", "infected"]
    assert all(event.data["to"] == [str(referrer.pk)] for event in told)
    # Where a scanner is set up later, what was never scanned waits for it.
    settings.SCANNER = ""
    old = add(referrer, patient)
    assert open_(referrer, old).status_code == 200
    settings.SCANNER = "tcp://127.0.0.1:9"
    assert open_(referrer, old).status_code == 409


def test_only_who_knows_the_person_adds_and_only_what_is_taken(referrer, manager, folder):
    patient = PatientFactory(organization=referrer.organization)
    asked_only = asked(Status.REQUESTED, referral__patient=patient)
    for user, error in ((UserFactory(), NotFound), (asked_only.answerer, NotFound), (manager, NotAllowed)):
        with pytest.raises(error):
            add(user, patient)
    for data in (SVG, b"", b"x" * (10 * 1024 * 1024 + 1)):
        with pytest.raises(Invalid):
            add(referrer, patient, data=data)
    with pytest.raises(NotFound):
        add(referrer, patient, referral_id=asked().referral_id)
    assert not Document.objects.exists()
    assert [file for file in folder.rglob("*") if file.is_file()] == []


def test_what_is_withdrawn_is_shown_as_such_and_its_file_erased_later(folder, referrer):
    patient = PatientFactory(organization=referrer.organization)
    document = add(referrer, patient)
    kept = add(referrer, patient)
    operations.withdraw_document(document_id=document.pk, reason="Wrong person", by=referrer, at=NOW, expected_version=1)
    with pytest.raises(Conflict):
        operations.share_document(document_id=document.pk, shared=False, by=referrer, at=NOW)
    assert open_(referrer, document).status_code == 409
    assert operations.forget(at=NOW + timedelta(days=29)) == 0
    assert operations.forget(at=NOW + timedelta(days=31)) == 1
    assert [file.name for file in folder.rglob("*") if file.is_file()] == [Path(kept.file.name).name]
    assert document in queries.documents(referrer, patient)


def test_a_file_of_which_no_row_tells_is_swept_away(folder, referrer):
    kept = add(referrer, PatientFactory(organization=referrer.organization))
    stray = Path(kept.file.path).with_name("f" * 40)
    stray.write_bytes(io.BytesIO(PDF).read())
    assert operations.forget(at=NOW) == 0
    assert operations.forget(at=NOW + timedelta(days=2)) == 1
    assert not stray.exists()
    assert Path(kept.file.path).exists()
