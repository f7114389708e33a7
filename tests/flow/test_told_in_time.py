"""What is off is heard in time, by whoever must hear it; and what people write back is taken for what they mean, whenever they write."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from capacity.models import Reply
from catalogue.models import User
from core import acting, sms
from core.errors import Conflict, NotAllowed, NotFound
from flow import consents
from flow import operations as referrals
from flow.attendance import calling_off, operations
from flow.models import Booking, Consent, FollowUp, Patient, PersonMessage, RelatedPerson
from flow.reminders import answers, failures, messages, reaching, sending
from tests import factories
from tests.flow.helpers import send
from tests.flow.told import NOW, NUMBER, gateway_says, joins, person, send_due, session, texts, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ten_on_a_tuesday")]
Kind = PersonMessage.Kind


def page_of(kind, client: Client) -> str:
    message = PersonMessage.objects.filter(kind=kind).latest("sent_at")
    return client.get(reverse("my-time", args=[token_of(message)])).content.decode()


def written_back():
    return ProcrastinateJob.objects.filter(task_name__endswith=".answer_text").latest("pk").args["code"]


@pytest.mark.req("R081")
def test_what_is_off_and_could_not_be_told_by_message_is_rung_by_the_team(booked, pool, staff, client: Client):
    night, [booking] = NOW.replace(hour=22), Booking.objects.all()
    made = calling_off.call_off(service_id=pool.service_id, starts_at=booking.starts_at, reason="Ill", by=staff, at=night)
    calling_off.carry_out(cancellation_id=made.pk, at=made.tell_at)
    waiting = PersonMessage.objects.get(kind=Kind.CALLED_OFF)
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    register = reverse("register-session", args=[pool.service_id, f"{booking.starts_at:%Y%m%dT%H%MZ}"])
    assert "1 message is still to go" in client.get(register).content.decode()
    assert answers.take_text(inbound=sms.Inbound("1", NUMBER, "STOP"), at=night + timedelta(hours=1))
    assert send_due(waiting.due_at) == [None]
    assert "is off, and no message told them in time" in FollowUp.objects.get(words__contains="27 November, 10:00").words
    assert "still to go" not in client.get(register).content.decode()


def test_who_would_be_on_their_way_by_eight_is_told_at_night(pool, nurse, staff):
    night = NOW.replace(hour=22)
    task = joins(person(nurse), pool, nurse, staff)
    early = {"starts_at": (NOW + timedelta(days=1)).replace(hour=8, minute=30), "minutes": 30, "worker": "Jo Marsh"}
    operations.cancel(booking_id=operations.book_appointment(task_id=task.pk, by=staff, at=NOW, **early).pk, by=staff, at=night)
    assert PersonMessage.objects.get(kind=Kind.CALLED_OFF).due_at == night


def test_who_had_a_time_hears_that_it_is_off_when_the_request_is_withdrawn_and_the_good_news_is_told_no_more(booked, nurse, client: Client):
    assert "Canary Clinic" in page_of(Kind.ACCEPTED, client)
    with acting.for_user(nurse):
        referrals.withdraw(task_id=booked.pk, by=nurse, at=NOW, reason_text="Went home")
    assert send_due() == ["sent"]
    assert "Friday 27 November at 10:00 is off" in texts()[-1]
    news = page_of(Kind.ACCEPTED, client)
    assert "Call the team that you know." in news
    assert "Canary Clinic" not in news
    assert "said yes" not in news


def test_stop_is_obeyed_each_time_and_at_any_time(booked, pool, staff, nurse):
    patient = booked.referral.patient
    assert answers.take_text(inbound=sms.Inbound("1", NUMBER, "stop"), at=NOW)
    consents.keep(
        patient, purpose=Consent.Purpose.TEXT, decision="given", source="said", decided_on=NOW.date(), by=nurse, at=NOW + timedelta(hours=1)
    )  # fmt: skip
    operations.book_session(task_id=booked.pk, session_id=session(pool, days=10).pk, by=staff, at=NOW + timedelta(hours=2))
    send_due(NOW + timedelta(hours=2))
    assert answers.take_text(inbound=sms.Inbound("2", NUMBER, "stop"), at=NOW + timedelta(days=60))
    assert consents.says_no(patient, Consent.Purpose.TEXT)
    assert written_back() == "stopped"


def test_stop_from_a_number_that_is_theirs_and_their_carers_holds_for_both(pool, nurse, staff):
    patient = person(nurse, "through")
    other = {"patient": patient, "organization": patient.organization, "created_at": NOW, "may_be_told": True}
    RelatedPerson.objects.create(**other, name="Her daughter", relation="child", phone="07700 900123")
    joins(patient, pool, nurse, staff)
    send_due()
    patient.preferred_contact = "text"
    patient.save()
    joins(patient, factories.PoolFactory(service=pool.service), nurse, staff)
    send_due()
    answers.take_text(inbound=sms.Inbound("1", NUMBER, "stop"), at=NOW)
    assert consents.says_no(patient, Consent.Purpose.TEXT)
    assert reaching.has_stopped(patient, NUMBER), "nor by way of her daughter"


def test_a_late_answer_finds_its_time_and_no_word_of_it_is_passed_on(pool, nurse, staff, client: Client, settings):
    task = joins(person(nurse), pool, nurse, staff)
    operations.book_session(task_id=task.pk, session_id=session(pool, days=20).pk, by=staff, at=NOW)
    send_due()
    assert answers.take_text(inbound=sms.Inbound("1", NUMBER, "no"), at=NOW + timedelta(days=15))
    assert PersonMessage.objects.get(kind=Kind.BOOKED).answer == "cannot"
    PersonMessage.objects.update(sent_at=NOW - timedelta(days=40), starts_at=None)
    gateway_says(client, settings, {"messages": [{"id": "2", "from": NUMBER, "text": "my leg hurts"}]})
    assert written_back() == "late"
    assert not Reply.objects.exists()


def test_a_word_after_it_is_off_is_not_an_answer_to_another_time(booked, pool, staff):
    other = operations.book_session(task_id=booked.pk, session_id=session(pool, days=10).pk, by=staff, at=NOW)
    send_due()
    operations.cancel(booking_id=other.pk, by=staff, at=NOW)
    send_due(NOW + timedelta(hours=1))
    assert answers.take_text(inbound=sms.Inbound("1", NUMBER, "no"), at=NOW + timedelta(hours=2))
    assert not PersonMessage.objects.exclude(answer="").exists()
    assert written_back() == "which"


def test_the_page_keeps_to_what_they_said_and_calls_only_that_off_which_is_off(booked, staff, client: Client):
    answers.answer(token=token_of(PersonMessage.objects.get(kind=Kind.BOOKED)), said="cannot", at=NOW)
    [booking] = Booking.objects.all()
    with time_machine.travel(booking.ends_at, tick=False):
        gone = {"task_id": booked.pk, "service_id": booking.service_id, "starts_at": booking.starts_at, "by": staff, "at": booking.ends_at}
        operations.mark(**gone, mark="absent", reason="ill")
        past = page_of(Kind.BOOKED, client)
        assert "It is off" not in past
        assert "That time has passed." in past
        operations.mark(**gone, mark="absent", reason="cancelled")
        assert "It is off" in page_of(Kind.BOOKED, client)
    body = page_of(Kind.BOOKED, client)
    assert "It is off" in body
    assert "I cannot come</strong>" in body
    assert "I will come then" not in body


def test_of_a_session_that_may_be_off_nobody_is_reminded_and_no_yes_to_it_is_taken(booked, pool, staff, nurse):
    friday = Booking.objects.get().session
    asked = send(nurse, [friday], patient=person(nurse, "phone"), at=NOW).tasks.get()
    day_before = friday.starts_at - timedelta(hours=24)
    messages.remind_due(at=day_before)
    made = calling_off.call_off(service_id=pool.service_id, starts_at=friday.starts_at, reason="Ill", by=staff, at=day_before)
    assert send_due(day_before) == [None], "while it can be undone it waits"
    assert PersonMessage.objects.get(kind=Kind.REMINDER).state == "waiting"
    PersonMessage.objects.filter(kind=Kind.REMINDER).delete()
    assert messages.remind_due(at=day_before) == 0
    with acting.for_user(staff), pytest.raises(Conflict, match="This session is cancelled"):
        referrals.accept(task_id=asked.pk, by=staff, at=day_before, even_so=True)
    calling_off.undo(cancellation_id=made.pk, by=staff, at=day_before)
    assert messages.remind_due(at=day_before) == 1


def test_who_takes_the_other_session_locks_the_request_before_the_message(booked, pool, staff):
    friday, later = Booking.objects.get().session, session(pool, days=10)
    made = calling_off.call_off(
        service_id=pool.service_id, starts_at=friday.starts_at, reason="Ill", by=staff, at=NOW, instead_id=later.pk
    )  # fmt: skip
    calling_off.carry_out(cancellation_id=made.pk, at=made.tell_at)
    send_due(made.tell_at)
    with CaptureQueriesContext(connection) as run:
        answers.answer(token=token_of(PersonMessage.objects.get(kind=Kind.CALLED_OFF)), said="take", at=made.tell_at)
    locks = [query["sql"] for query in run if " FOR UPDATE" in query["sql"] or " FOR NO KEY UPDATE" in query["sql"]]
    tables = [lock.partition('FROM "')[2].partition('"')[0] for lock in locks]
    assert tables.index("flow_referral") < tables.index("flow_referraltask") < tables.index("flow_personmessage")


def appointment(task, staff):
    told = {"starts_at": NOW + timedelta(days=2), "minutes": 30, "worker": "Jo Marsh"}
    return operations.book_appointment(task_id=task.pk, by=staff, at=NOW, **told)


@pytest.mark.parametrize("ended", ["cancelled", "withdrawn"])
def test_who_gets_no_messages_is_rung_when_one_time_of_theirs_is_off(ended, pool, nurse, staff):
    task = joins(person(nurse, "phone"), pool, nurse, staff)
    booking = appointment(task, staff)
    with acting.for_user(staff if ended == "cancelled" else nurse):
        if ended == "cancelled":
            operations.cancel(booking_id=booking.pk, by=staff, at=NOW)
            operations.cancel(booking_id=booking.pk, by=staff, at=NOW)
        else:
            referrals.withdraw(task_id=task.pk, by=nurse, at=NOW, reason_text="Went home")
    ring = FollowUp.objects.get(kind="message")
    assert ring.words == "Their time on 26 November, 10:00 is off. They get no messages: tell them."
    assert (ring.assigned_to, ring.organization_id, ring.due_on) == (nurse, nurse.organization_id, (NOW + timedelta(days=1)).date())


def test_who_gets_messages_or_was_expected_earlier_is_not_rung(booked, pool, nurse, staff):
    operations.cancel(booking_id=Booking.objects.get().pk, by=staff, at=NOW)
    over = appointment(joins(person(nurse, "phone"), pool, nurse, staff), staff)
    operations.cancel(booking_id=over.pk, by=staff, at=over.starts_at + timedelta(minutes=5))
    assert not FollowUp.objects.filter(kind="message").exists()


def test_a_sender_who_does_other_work_now_does_not_stop_the_cancelling_and_the_team_rings(pool, nurse, staff):
    booking = appointment(joins(person(nurse, "phone"), pool, nurse, staff), staff)
    User.objects.filter(pk=nurse.pk).update(role=User.Role.MANAGER)
    operations.cancel(booking_id=booking.pk, by=staff, at=NOW)
    ring = FollowUp.objects.get(kind="message")
    assert (ring.assigned_to, ring.organization_id) == (None, nurse.organization_id)


# --- messages that did not arrive


@pytest.fixture
def failed(pool, nurse, staff):
    """The good news went to a number that nobody has."""
    joins(person(nurse), pool, nurse, staff)
    sms.KeepingGateway.unknown.add(NUMBER)
    assert send_due() == ["failed"]
    return PersonMessage.objects.get()


def page_of_failures(client: Client, user, **chosen):
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(reverse("notices-failed"), chosen).content.decode()


@pytest.mark.req("R081")
def test_both_sides_see_what_did_not_arrive_without_the_person_and_try_again_at_the_number_of_now(failed, nurse, staff, client: Client):
    for user in (staff, nurse):
        page = page_of_failures(client, user)
        assert "A service said yes" in page
        assert "Canary Clinic" in page
        assert not any(word in page for word in ("Canaryann", NUMBER, "07700", "ann@example.org"))
    for stranger in (factories.UserFactory(), factories.UserFactory(provider=True)):
        assert "Canary" not in page_of_failures(client, stranger)
        with acting.for_user(stranger), pytest.raises(NotFound):
            failures.try_again(message_id=failed.pk, by=stranger, at=NOW)
        assert client.post(reverse("notices-person-do", args=[failed.pk, "give-up"])).status_code == 404
    client.force_login(nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
    Patient.objects.filter(pk=failed.patient_id).update(phone="07700 900999")
    assert client.post(reverse("notices-person-do", args=[failed.pk, "again"])).status_code == 302
    assert send_due() == ["sent"]
    assert sms.KeepingGateway.outbox[-1][1] == "+447700900999"
    failed.refresh_from_db()
    assert failed.settled_by == nurse
    assert "0 messages" in page_of_failures(client, nurse)


def test_a_message_that_fails_again_is_one_call_and_who_has_rung_gives_it_up(failed, nurse, client: Client):
    with acting.for_user(nurse):
        failures.try_again(message_id=failed.pk, by=nurse, at=NOW)
    assert send_due() == ["failed"]
    assert FollowUp.objects.filter(kind="message").count() == 1
    client.force_login(nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(reverse("notices-person-do", args=[failed.pk, "give-up"])).status_code == 302
    assert client.post(reverse("notices-person-do", args=[failed.pk, "burn"])).status_code == 404
    assert "0 messages" in page_of_failures(client, nurse)
    assert "Given up" in page_of_failures(client, nurse, state="given-up")
    with acting.for_user(nurse), pytest.raises(Conflict, match="somebody has dealt with it"):
        failures.give_up(message_id=failed.pk, by=nurse, at=NOW)


def test_what_is_over_or_unwanted_is_not_tried_again(failed, nurse, staff):
    referral = failed.task.referral
    with acting.for_user(nurse):
        referrals.withdraw(task_id=failed.task_id, by=nurse, at=NOW, reason_text="Went home")
        with pytest.raises(Conflict, match="is over, or is not so any more"):
            failures.try_again(message_id=failed.pk, by=nurse, at=NOW)
    Patient.objects.filter(pk=referral.patient_id).update(preferred_contact="phone")
    with acting.for_user(nurse), pytest.raises(Conflict, match="Ring them"):
        failures.try_again(message_id=failed.pk, by=nurse, at=NOW)


def test_whoever_runs_the_site_reads_how_many_no_carrier_took_and_starts_those_anew(pool, nurse, staff, failed, client: Client):
    administrator = factories.UserFactory(administrator=True)
    joins(person(nurse, phone="07700 900111"), factories.PoolFactory(service=pool.service), nurse, staff)
    sms.KeepingGateway.away = True
    for _ in range(6):
        [waiting] = PersonMessage.objects.filter(state="waiting")
        sending.send(message_id=waiting.pk, at=waiting.due_at)
    sms.KeepingGateway.away = False
    page = page_of_failures(client, administrator)
    assert "1 text message" in page
    assert not any(word in page for word in ("Canary", NUMBER, "900111"))
    night = NOW.replace(hour=22)
    with time_machine.travel(night, tick=False):
        client.force_login(administrator, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.post(reverse("notices-people-again")).status_code == 302
    again = PersonMessage.objects.get(state="waiting")
    assert again.pk == waiting.pk, "not the one that the carrier refused"
    assert again.due_at == (NOW + timedelta(days=1)).replace(hour=8), "nobody is woken"
    assert "text message to people" not in page_of_failures(client, administrator)
    with pytest.raises(NotAllowed):
        failures.try_all_again(by=nurse, at=NOW)
