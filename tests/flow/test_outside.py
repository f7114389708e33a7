"""Providers without an account: the link, the code, what each lets through, and calls that are written down."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from capacity.models import CapacityReport
from core import sms
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from core.models import AuditEntry, Event
from flow import consents
from flow import operations as referrals
from flow.models import Attendance, FollowUp, Message, Patient, PhoneCall, ReleaseCode, ReplyContact, TaskLink, Transition
from flow.outside import calls, codes, contacts, links, messages, operations
from flow.queries import timeline
from flow.workflow import Action, Reason, Status
from tests import factories
from tests.factories.sharing import TeamFactory
from tests.flow.helpers import send

pytestmark = pytest.mark.django_db
EMAIL, PHONE = "desk@sunny.example", "+447700900555"
NAMES = ("Quillfeather", "Zebedee", "07700900123", "9434765919", "PR1 9ZQ")


@pytest.fixture(autouse=True)
def _nothing_sent_yet():
    sms.KeepingGateway.forget()
    yield
    sms.KeepingGateway.forget()


@pytest.fixture
def pool():
    """A lunch club where nobody signs in."""
    factories.OutcodeFactory()
    return factories.PoolFactory(service__name="Sunny Lunch Club", service__organization__name="Sunny Circle")


@pytest.fixture
def curator():
    return factories.UserFactory(curator=True)


@pytest.fixture
def nurse():
    return factories.UserFactory()


def register(pool, by, **fields) -> ReplyContact:
    given = {"name": "The kitchen", "email": EMAIL, "phone": PHONE, "check_made": "published", "at": timezone.now()} | fields
    return contacts.register(service_id=pool.service_id, by=by, **given)


def asked(pool, nurse):
    """A request to the club for somebody whose every detail is known, sent a moment ago."""
    patient = factories.PatientFactory(
        organization=nurse.organization, given_name="Zebedee", family_name="Quillfeather", nhs_number="9434765919",
        postcode="PR1 9ZQ", phone="07700900123",
    )  # fmt: skip
    return send(nurse, [pool], patient=patient, reason="Zebedee Quillfeather is lonely").tasks.get()


def link_to(task, *, at=None) -> str:
    """The token of the link that the registered contact gets."""
    assert messages.send_link(task_id=task.pk, at=at or timezone.now())
    return re.search(r"/reply/([\w-]+)/", mail.outbox[-1].body)[1]


def code_for(token, *, at=None) -> str:
    """Ask for a code and read the text message that brings it."""
    operations.send_code(token=token, at=at or timezone.now())
    assert messages.send_code(code_id=ReleaseCode.objects.latest("created_at").pk, at=at or timezone.now())
    return re.search(r"\b(\d{6})\b", sms.KeepingGateway.outbox[-1][2])[1]


def accept(token, task, at=None) -> str:
    task.refresh_from_db()
    return operations.answer(token=token, action=Action.ACCEPT, expected_version=task.version, at=at or timezone.now())


@pytest.mark.req("R083")
def test_a_request_is_answered_by_link_and_named_after_the_code(pool, curator, nurse):
    contact = register(pool, curator)
    task = asked(pool, nurse)
    token = link_to(task)
    # Nothing of the person is in the message, nor is the token in the database.
    assert mail.outbox[-1].to == [EMAIL]
    assert not any(name in mail.outbox[-1].body for name in NAMES)
    assert TaskLink.objects.filter(token_hash=token).count() == 0
    with pytest.raises(NotFound):
        operations.send_code(token=token, at=timezone.now())
    door = accept(token, task)
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED
    assert door != token
    said = Transition.objects.get(task=task, action=Action.ACCEPT)
    assert (said.contact, said.by, said.organization) == (contact, None, pool.service.organization)
    assert timeline(task.referral)[-1].who == "The kitchen, Sunny Circle, by a signed link"
    # The code goes by the other way, and only its hash is kept.
    code = code_for(door)
    assert sms.KeepingGateway.outbox[-1][1] == PHONE
    assert not any(name in sms.KeepingGateway.outbox[-1][2] for name in NAMES)
    assert code not in ReleaseCode.objects.get().code_hash
    before = AuditEntry.objects.count()
    _, person = operations.release(token=door, code=code, at=timezone.now())
    assert (person.family_name, person.phone) == ("Quillfeather", task.referral.patient.phone)
    entry = AuditEntry.objects.latest("id")
    assert AuditEntry.objects.count() == before + 1
    assert (entry.user_id, entry.role, entry.record_id) == (contact.pk, "reply-contact", task.referral.patient_id)
    with pytest.raises(Invalid):
        operations.release(token=door, code=code, at=timezone.now())
    operations.answer(token=door, action=Action.START, expected_version=task.version, at=timezone.now())
    task.refresh_from_db()
    assert task.status == Status.IN_PROGRESS


def test_a_link_names_nobody_who_no_longer_agrees(pool, curator, nurse, client):
    register(pool, curator)
    task = asked(pool, nurse)
    door = accept(link_to(task), task)
    code = code_for(door)
    at = timezone.now()
    consents.record_consent(
        patient_id=task.referral.patient_id, purpose="direct-care", decision="withdrawn", source="said", by=nurse, at=at
    )
    for verb, typed in ((operations.release, {"code": code}), (operations.send_code, {})):
        with pytest.raises(Conflict) as refused:
            verb(token=door, at=at + timedelta(minutes=2), **typed)
        assert refused.value.code == "consent-withdrawn"
    page = client.get(reverse("reply", args=[door])).content.decode()
    assert "The person no longer agrees to this" in page
    assert "Send me the code" not in page


def test_a_link_takes_one_answer_runs_out_and_is_renewed_only_to_the_registered_address(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    now = timezone.now()
    token = link_to(task, at=now)
    with pytest.raises(Conflict, match="run out"):
        links.find(token, at=now + links.LINK_LASTS)
    door = operations.answer(
        token=token, action=Action.DECLINE, expected_version=task.version, reason=Reason.CAPACITY, at=now
    )  # fmt: skip
    task.refresh_from_db()
    assert (task.status, task.status_reason) == (Status.REJECTED, Reason.CAPACITY)
    with pytest.raises(Conflict, match="used already"):
        links.find(token, at=now)
    with pytest.raises(Conflict, match="run out"):
        links.find(door, at=now + links.DOOR_LASTS)
    # An answer to a request that has ended gets no further link; one that is open gets it at the registered address.
    assert messages.send_link(task_id=task.pk, at=now + timedelta(hours=1)) is False
    other = send(nurse, [factories.PoolFactory(service=pool.service, name="Other")]).tasks.get()
    old = link_to(other, at=now)
    operations.send_again(token=old, at=now + timedelta(minutes=5))
    operations.send_again(token="no such token", at=now)
    assert messages.send_link(task_id=other.pk, at=now + timedelta(minutes=1)) is False, "not twice within two minutes"
    assert link_to(other, at=now + timedelta(minutes=5)) != old
    assert {to for message in mail.outbox for to in message.to} == {EMAIL}


def test_another_contact_ends_the_links_of_the_one_before(pool, curator, nurse):
    first = register(pool, curator)
    task = asked(pool, nurse)
    token = link_to(task)
    second = register(pool, curator, email="other@sunny.example")
    first.refresh_from_db()
    assert first.ended_at is not None
    with pytest.raises(NotFound):
        links.any_link(token)
    assert contacts.end(service_id=pool.service_id, by=curator, at=timezone.now()) == 0
    assert messages.send_link(task_id=task.pk, at=timezone.now() + timedelta(hours=1)) is False
    again = ReplyContact(service=pool.service, name="Two", email=EMAIL, check_made="met", created_at=timezone.now())
    again.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        ReplyContact.objects.create(service=pool.service, name="Three", email=EMAIL, check_made="met", created_at=timezone.now())
    assert second.pk != first.pk


def test_a_service_that_becomes_confidential_is_shown_by_no_link(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    token = link_to(task)
    pool.service.is_confidential = True
    pool.service.save(update_fields=["is_confidential"])
    with pytest.raises(NotFound):
        links.any_link(token)
    assert messages.send_link(task_id=task.pk, at=timezone.now() + timedelta(hours=1)) is False
    with pytest.raises(LuneError):
        register(pool, curator, email="other@sunny.example")


def test_codes_five_tries_ten_minutes_and_no_flood(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    door = accept(link_to(task), task)
    now = timezone.now()
    code = code_for(door, at=now)
    with pytest.raises(Conflict, match="a moment ago"):
        operations.send_code(token=door, at=now + timedelta(seconds=30))
    with pytest.raises(Invalid, match="cannot be used"):
        operations.release(token=door, code=code, at=now + codes.LASTS)
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(codes.MOST_TRIES):
        with pytest.raises(Invalid):
            operations.release(token=door, code=wrong, at=now)
    with pytest.raises(Invalid, match="new code"):
        operations.release(token=door, code=code, at=now)
    assert not AuditEntry.objects.filter(role="reply-contact").exists()
    for minute in range(1, codes.MOST_A_DAY):
        operations.send_code(token=door, at=now + timedelta(minutes=2 * minute))
    with pytest.raises(Conflict, match="Too many codes"):
        operations.send_code(token=door, at=now + timedelta(minutes=20))


def test_each_service_of_a_referral_that_asks_for_a_code_is_named_to_the_sender(pool, curator, nurse):
    pools = [pool, factories.PoolFactory(service__name="Lunch club", service__organization__name="River Hall")]
    for each in pools:
        register(each, curator, phone="")
    tasks = send(nurse, pools, wanted=2, patient=factories.PatientFactory(organization=nurse.organization)).tasks.all()
    for task in tasks:
        door = accept(link_to(task), task)
        for _ in range(2):
            operations.send_code(token=door, at=timezone.now())
    words = FollowUp.objects.filter(kind="message").values_list("words", flat=True)
    assert sorted(each.split(" asks who")[0] for each in words) == sorted(
        f"{each.service.name} ({each.service.organization.name})" for each in pools
    )


def test_what_was_withdrawn_meanwhile_is_told_and_names_nobody(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    door = accept(link_to(task), task)
    code = code_for(door)
    referrals.withdraw(task_id=task.pk, by=nurse, at=timezone.now(), reason_text="Zebedee went home")
    with pytest.raises(Conflict, match="withdrawn") as refused:
        operations.release(token=door, code=code, at=timezone.now())
    assert "Zebedee" not in refused.value.message
    with pytest.raises(Conflict):
        operations.send_code(token=door, at=timezone.now())


def test_a_yes_without_figures_to_correct_tells_that_there_is_a_place(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    pool.available = 0
    pool.save(update_fields=["available"])
    accept(link_to(task), task)
    pool.refresh_from_db()
    task.refresh_from_db()
    assert (pool.available, task.took_place) == (0, True)
    assert CapacityReport.objects.filter(pool=pool, via="link", available=1).exists()


def test_questions_and_attendance_by_link(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    door = operations.ask(token=link_to(task), words="Can she eat nuts?", at=timezone.now())
    assert Message.objects.get().words == "Can she eat nuts?"
    accept(door, task)
    today = timezone.localdate()
    operations.attended(token=door, day=today, mark="present", reason="", at=timezone.now())
    task.refresh_from_db()
    assert task.status == Status.IN_PROGRESS
    assert Attendance.objects.get().contact is not None
    with pytest.raises(Invalid):
        operations.attended(token=door, day=today + timedelta(days=1), mark="present", reason="", at=timezone.now())


def test_an_address_that_refuses_is_told_to_the_sender(pool, curator, nurse):
    sms.KeepingGateway.unknown.add(PHONE)
    contact = register(pool, curator, email="")
    task = asked(pool, nurse)
    assert messages.send_link(task_id=task.pk, at=timezone.now()) is False
    contact.refresh_from_db()
    assert contact.refused_at is not None
    assert not TaskLink.objects.exists()
    assert Event.objects.get(type="reply.not-delivered").audience == [nurse.organization_id]
    assert calls.refusal(task, timezone.now()) == ""


def test_who_registers_whom(pool, curator, nurse):
    with pytest.raises(NotAllowed):
        register(pool, nurse)
    owner = factories.UserFactory(provider=True, organization=pool.service.organization)
    with pytest.raises(NotAllowed, match="signs in"):
        register(pool, curator)
    assert register(pool, owner).created_by == owner
    with pytest.raises(NotAllowed):
        register(pool, factories.UserFactory(provider=True))
    for wrong in ({"name": " "}, {"email": "nonsense"}, {"phone": "12"}, {"email": "", "phone": ""}, {"check_made": "guess"}):
        with pytest.raises(Invalid):
            register(pool, owner, **wrong)
    assert not ReplyContact.objects.visible_to(nurse).exists()
    assert ReplyContact.objects.visible_to(owner).exists()


def test_who_ends_a_contact_does_not_wait_for_links_that_point_at_it(pool, curator):
    register(pool, curator)
    with CaptureQueriesContext(connection) as asked_for:
        contacts.end(service_id=pool.service_id, by=curator, at=timezone.now())
    [lock] = [each["sql"] for each in asked_for if "flow_replycontact" in each["sql"] and " FOR " in each["sql"]]
    assert "FOR NO KEY UPDATE" in lock, "a link that is made at the same time holds the key, and waits for the links that end here"


@pytest.mark.parametrize("said", ["call-back", "nobody"])
def test_who_is_to_be_rung_again_stands_among_what_is_to_be_done_until_the_next_call(pool, nurse, said):
    task, now = asked(pool, nurse), timezone.now()
    tomorrow = timezone.localdate() + timedelta(days=1)
    given = {"task_id": task.pk, "rung": "The desk", "rung_at": now, "by": nurse, "at": now}
    first = calls.log(said=said, ring_again_on=tomorrow, **given)
    due = FollowUp.objects.visible_to(nurse).get()
    assert (first.follow_up, due.due_on, due.assigned_to, due.referral) == (due, tomorrow, nurse, task.referral)
    assert pool.service.name in due.words
    second = calls.log(said="nobody", ring_again_on=tomorrow, **given)
    assert list(FollowUp.objects.open()) == [second.follow_up], "one thing to do, not one for each call"
    calls.log(said="yes", ring_again_on=tomorrow, **given)
    due.refresh_from_db()
    assert not FollowUp.objects.open().filter(pk=second.follow_up_id).exists()
    assert due.outcome.endswith(": nobody answered.")
    assert calls.log(said="nobody", **given).follow_up is None, "a day is not asked for where nobody answered"


@pytest.mark.req("R083")
def test_what_a_provider_says_on_the_telephone_is_its_step(pool, nurse):
    task = asked(pool, nurse)
    now = timezone.now()
    said = {"task_id": task.pk, "rung": "Ann at the desk", "rung_at": now, "by": nurse, "at": now}
    calls.log(said="call-back", ring_again_on=timezone.localdate() + timedelta(days=1), **said)
    task.refresh_from_db()
    assert task.status == Status.REQUESTED
    assert task.answered_at is None
    with pytest.raises(Invalid):
        calls.log(said="no", reason="", **said)
    with pytest.raises(NotFound):
        calls.log(said="yes", **(said | {"by": factories.UserFactory()}))
    calls.log(said="yes", **said)
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED
    assert task.answered_at == now
    step = Transition.objects.get(task=task, action=Action.ACCEPT)
    assert (step.by, step.organization) == (nurse, pool.service.organization)
    assert "on behalf of Sunny Circle by telephone (Ann at the desk" in step.said_by
    with pytest.raises(Conflict, match="moved on"):
        calls.log(said="no", reason=Reason.CAPACITY, **said)
    calls.log(said="failed", words="They moved away", **said)
    assert PhoneCall.objects.visible_to(nurse).count() == 3
    assert not PhoneCall.objects.visible_to(factories.UserFactory(provider=True, organization=pool.service.organization)).exists()
    colleague = factories.UserFactory(organization=nurse.organization)
    assert PhoneCall.objects.visible_to(colleague).count() == 3
    private = TeamFactory(organization=nurse.organization, private=True, people=[nurse])
    Patient.objects.filter(pk=task.referral.patient_id).update(team=private)
    assert not PhoneCall.objects.visible_to(colleague).exists(), "a call may name whom a team keeps to itself"


def test_nobody_answers_for_a_provider_that_answers_for_itself(pool, curator, nurse):
    register(pool, curator)
    task = asked(pool, nurse)
    now = timezone.now()
    said = {"task_id": task.pk, "rung": "Ann", "by": nurse, "said": "yes"}
    with pytest.raises(Conflict, match="by a link"):
        calls.log(rung_at=now, at=now, **said)
    late = task.respond_by + timedelta(minutes=1)
    factories.UserFactory(provider=True, organization=pool.service.organization)
    with pytest.raises(Conflict, match="answers for itself") as refused:
        calls.log(rung_at=late, at=late, **said)
    assert refused.value.code == "answers-itself"
    assert not PhoneCall.objects.exists()
