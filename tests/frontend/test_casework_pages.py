"""The pages around one person: each says what there is, keeps what was typed, and shows the story once."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core import acting
from core.models import AuditEntry
from flow import operations as steps
from flow.casework import operations, story
from flow.models import Document, FollowUp, Message, Note
from flow.workflow import Status
from frontend.views import hub, task_messages
from tests.core.test_uploads import PDF, SVG
from tests.factories import EpisodeFactory, PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import GrantFactory
from tests.flow.helpers import asked, provider_of, send

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DOCUMENTS_ROOT = str(tmp_path)


class Browser(Client):
    """Asks on behalf of somebody, as the site does: the database keeps back what they may not see."""

    def __init__(self, user) -> None:
        super().__init__()
        self.user = user
        self.force_login(user, backend=BACKEND)

    def request(self, **asked):
        with acting.for_user(self.user):
            return super().request(**asked)


def browser(user) -> Client:
    return Browser(user)


def page_of(user, name, pk, **query):
    return browser(user).get(reverse(name, args=[pk]), query)


def text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class Told:
    """Somebody who waited, for whom two services were asked, one said yes, and of whom much was written since."""

    def __init__(self) -> None:
        self.sender = UserFactory()
        self.patient = PatientFactory(organization=self.sender.organization)
        self.stay = EpisodeFactory(patient=self.patient, ward="Frailty Ward")
        self.pools = PoolFactory.create_batch(2)
        self.referral = send(self.sender, self.pools, hold=self.pools[:1], patient=self.patient, episode_id=self.stay.pk, at=NOW)
        self.yes, self.no = (self.referral.tasks.get(pool=pool) for pool in self.pools)
        self.home = provider_of(self.pools[0])
        steps.decline(task_id=self.no.pk, by=provider_of(self.pools[1]), at=NOW, reason="22")
        self.question = operations.ask(task_id=self.yes.pk, code="stairs", by=self.home, at=NOW)
        operations.answer(message_id=self.question.pk, answer="with-help", by=self.sender, at=NOW)
        steps.accept(task_id=self.yes.pk, by=self.home, at=NOW)
        self.more()

    def more(self) -> None:
        about = {"patient_id": self.patient.pk, "by": self.sender, "at": NOW}
        operations.write(task_id=self.yes.pk, words="When is the visit?", by=self.sender, at=NOW)
        operations.write_note(words="Likes tea", **about)
        operations.write_note(words="Shared words", audience="referral", referral_id=self.referral.pk, **about)
        operations.add_document(title="Discharge letter", file=SimpleUploadedFile("x", PDF), **about)
        operations.follow_up(words="Ring the daughter", due_on=timezone.localdate(), **about)


@pytest.mark.req("R094")
def test_the_story_tells_each_thing_once_to_those_who_may_know_it():
    told = Told()
    now, happened = text(page_of(told.sender, "patient-story", told.patient.pk)).split("What happened")
    assert all(words in now for words in ("Ready to move on for 2 days", "is to begin support", "Ring the daughter"))
    first, second = (pool.service.name for pool in told.pools)
    for words in (
        f"{first} was asked", f"{second} said no", f"{first} said yes", "A place is held", "The held place was taken", "Ready to move on",
        "Likes tea", "Shared words", "Document: Discharge letter", "Follow-up made: Ring the daughter", "Can they climb stairs? With help",
        "When is the visit?",
    ):  # fmt: skip
        assert happened.count(words) == 1, words
    theirs = text(page_of(told.home, "patient-story", told.patient.pk))
    assert [words in theirs for words in ("said yes", "Shared words", "When is the visit?")] == [True] * 3
    assert [words in theirs for words in (second, "Likes tea", "Discharge letter", "Ring the daughter", "Frailty Ward")] == [False] * 5
    for stranger in (UserFactory(), provider_of(told.pools[1])):
        assert page_of(stranger, "patient-story", told.patient.pk).status_code == 404
    assert AuditEntry.objects.filter(record_type="patient", record_id=told.patient.pk, user_id=told.home.pk).count() == 1


def test_a_service_that_is_asked_again_for_somebody_it_knows_does_not_read_that_it_is_them():
    told = Told()
    again = asked(Status.REQUESTED, referral__patient=told.patient, referral__organization=told.sender.organization, pool=told.pools[0])
    operations.ask(task_id=again.pk, words="Another question", by=told.home, at=NOW)
    theirs = page_of(told.home, "patient-story", told.patient.pk).content.decode()
    assert str(again.pk) not in theirs
    assert "Another question" not in theirs


def test_the_story_asks_the_database_as_often_for_much_as_for_little():
    told = Told()
    client = browser(told.sender)
    address = reverse("patient-story", args=[told.patient.pk])

    def asked_for() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    client.get(address)
    little = asked_for()
    for _ in range(6):
        told.more()
    assert asked_for() == little
    assert little < 60


def test_the_story_is_filtered_by_kind_and_paged_without_losing_any(monkeypatch):
    told = Told()
    everything = story.read(user=told.sender, patient_id=told.patient.pk).entries
    monkeypatch.setattr(story, "AT_ONCE", 3)
    seen, before = [], None
    while True:
        part = story.read(user=told.sender, patient_id=told.patient.pk, before=before)
        seen += [entry.key for entry in part.entries]
        if part.older is None:
            break
        before = part.older
    assert seen == [entry.key for entry in everything]
    only = text(page_of(told.sender, "patient-story", told.patient.pk, kind="notes"))
    assert ("Likes tea" in only, "Discharge letter" in only) == (True, False)
    assert page_of(told.sender, "patient-story", told.patient.pk, kind="nonsense", before="yesterday").status_code == 200


def test_other_parts_add_what_they_know_and_what_is_told_twice_is_shown_once(monkeypatch):
    monkeypatch.setattr(story, "_KINDS", {})
    told = PatientFactory()
    twice = story.Entry("x", NOW, "Came to the session")
    story.register("one", "One", lambda reader: [twice])
    story.register("two", "Two", lambda reader: [twice, story.Entry("y", NOW - timedelta(days=1), "Older")])
    found = story.read(user=UserFactory(), patient_id=told.pk).entries
    assert [(entry.words, entry.kind) for entry in found] == [("Came to the session", "one"), ("Older", "two")]


def test_a_note_is_written_corrected_and_withdrawn_on_the_page():
    told = Told()
    client = browser(told.sender)
    address = reverse("patient-notes", args=[told.patient.pk])
    empty = client.post(address, {"audience": "own", "words": ""})
    assert (empty.status_code, "Write the note" in text(empty)) == (422, True)
    assert client.post(address, {"audience": "own", "words": "A new one"}).status_code == 302
    note = Note.objects.get(versions__words="A new one")
    one = reverse("note", args=[note.pk])
    assert client.post(one, {"action": "correct", "version": 1, "words": "Mended", "reason": "Typing"}).status_code == 302
    stale = client.post(one, {"action": "withdraw", "version": 1, "reason": "Not theirs"})
    assert (stale.status_code, "corrected this note" in text(stale)) == (409, True)
    assert client.post(one, {"action": "withdraw", "version": 2, "reason": "Not theirs"}).status_code == 302
    shared = {"audience": "referral", "referral": told.referral.pk, "words": "From the home"}
    assert browser(told.home).post(address, shared).status_code == 302
    assert "From the home" in text(client.get(address))
    listed = text(client.get(address))
    assert ("Withdrawn Not theirs" in listed, "Mended" in listed) == (True, False)
    assert "Mended" in text(client.get(one))


@pytest.mark.req("R035")
def test_both_sides_talk_on_the_page_and_see_what_is_new():
    task = asked()
    provider, sender = browser(task.answerer), browser(task.sender)
    address = reverse("task-messages", args=[task.pk])
    name = task.referral.patient.family_name
    before = provider.get(address)
    assert name not in before.content.decode()
    key = re.search(r'name="key" value="([^"]+)"', before.content.decode())[1]
    assert provider.post(address, {"action": "ask", "code": "", "words": "", "key": key}).status_code == 422
    for _ in range(2):  # the button was pressed twice
        assert provider.post(address, {"action": "ask", "code": "stairs", "words": "", "key": key}).status_code == 302
    question = Message.objects.get()
    assert "1 question to answer" in text(browser(task.sender).get(reverse("messages")))
    assert "referrals with new messages" in text(sender.get(reverse("home")))
    assert "1 new message" in text(sender.get(reverse("worklist"), {"show": "sent"}))
    sender.get(address, headers={"HX-Request": "true"})
    question.refresh_from_db()
    assert question.read_at is None  # a part that renews itself is not somebody who reads
    assert name in sender.get(address).content.decode()
    question.refresh_from_db()
    assert question.read_at is not None
    refused = sender.post(address, {"action": "answer", "message": question.pk, "answer": name, "key": key})
    assert refused.status_code == 422
    assert sender.post(address, {"action": "answer", "message": question.pk, "answer": "no", "key": key}).status_code == 302
    assert "1 new message" in text(provider.get(reverse("inbox")))
    assert "Can they climb stairs? No" in text(provider.get(address))
    assert sender.post(address, {"action": "write", "words": name, "key": key}).status_code == 409
    assert sender.post(address, {"action": "dance"}).status_code == 422


@pytest.mark.req("R093")
def test_documents_are_added_and_refused_with_words_on_the_page():
    told = Told()
    client, address = browser(told.sender), reverse("patient-documents", args=[told.patient.pk])
    refused = client.post(address, {"title": "Scan", "file": SimpleUploadedFile("scan.pdf", SVG, "application/pdf")})
    assert (refused.status_code, "not a file that we take" in text(refused), 'value="Scan"' in refused.content.decode()) == (
        422,
        True,
        True,
    )
    added = {"title": "Scan", "referral": told.referral.pk, "file": SimpleUploadedFile("scan.html", PDF, "text/html")}
    assert client.post(address, added).status_code == 302
    one = Document.objects.get(title="Scan")
    assert "Scan" in text(page_of(told.home, "patient-documents", told.patient.pk))
    assert "no scanner" in text(client.get(address))
    assert client.post(reverse("document-step", args=[one.pk, "withdraw"]), {"version": 1, "reason": ""}).status_code == 422
    assert client.post(reverse("document-step", args=[one.pk, "withdraw"]), {"version": 1, "reason": "Wrong"}).status_code == 302
    assert "Withdrawn Wrong" in text(client.get(address))
    assert "Scan" not in text(page_of(told.home, "patient-documents", told.patient.pk))


@pytest.mark.req("R161")
def test_follow_ups_stand_on_the_home_page_and_are_done_from_there():
    told = Told()
    client = browser(told.sender)
    assert "Ring the daughter" in text(client.get(reverse("home")))
    assert told.patient.pk in AuditEntry.objects.filter(user_id=told.sender.pk).values_list("record_id", flat=True)
    one = FollowUp.objects.get(words="Ring the daughter")
    address = reverse("follow-up", args=[one.pk])
    assert client.post(address, {"action": "done", "version": 1, "outcome": ""}).status_code == 422
    assert client.post(address, {"action": "assign", "version": 1, "whose": f"user:{told.sender.pk}"}).status_code == 302
    assert client.post(address, {"action": "done", "version": 1, "outcome": "Well"}).status_code == 409
    assert client.post(address, {"action": "done", "version": 2, "outcome": "Well"}).status_code == 302
    assert "Ring the daughter" not in text(client.get(reverse("home")))
    listed = client.get(reverse("follow-ups-csv"), {"show": "ended"})
    assert b"Ring the daughter" in listed.content
    new = {"words": "Visit", "due_on": "2020-01-01", "whose": ""}
    refused = client.post(reverse("patient-follow-ups", args=[told.patient.pk]), new)
    assert (refused.status_code, "today or a later day" in text(refused)) == (422, True)


def test_lists_that_name_people_show_and_note_one_side_at_a_time(monkeypatch):
    monkeypatch.setattr(hub, "PAGE", 1)
    monkeypatch.setattr(task_messages, "PAGE", 1)
    partner = UserFactory()
    for patient in PatientFactory.create_batch(2):
        GrantFactory(agreement__organization=patient.organization, patient=patient, to_organization=partner.organization)
    first = text(browser(partner).get(reverse("hub")))
    assert "Page 2 of 2" in first
    assert text(browser(partner).get(reverse("hub"), {"shared": 2})) != first
    assert AuditEntry.objects.filter(user_id=partner.pk, purpose="shared-care").count() == 2
    sender = UserFactory()
    for hours in (1, 2):
        task = send(sender, [PoolFactory()]).tasks.get()
        operations.ask(task_id=task.pk, code="stairs", by=provider_of(task.pool), at=NOW + timedelta(hours=hours))
    shown = text(browser(sender).get(reverse("messages")))
    assert task.referral.patient.full_name in shown, "what came last is first"
    assert "1 question to answer" in shown
    assert AuditEntry.objects.filter(user_id=sender.pk, record_type="patient").count() == 1
