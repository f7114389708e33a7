"""People who are reached by texts only: told of yes, time and change in words that tell nothing of care, and answered by word or press."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from core import acting, sms
from core.errors import Conflict, NotFound
from core.models import Event
from flow import consents
from flow.attendance import operations, queries
from flow.models import Booking, Consent, FollowUp, PersonMessage, RelatedPerson
from flow.reminders import answers, messages, sending
from flow.reminders.wording import TEXTS
from notifications.notices import bounces
from tests import factories
from tests.flow.test_letters import grade
from tests.flow.told import NOW, NUMBER, gateway_says, joins, person, send_due, session, texts, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ten_on_a_tuesday")]
Kind = PersonMessage.Kind


@pytest.mark.req("R081")
def test_by_texts_alone_somebody_learns_of_the_yes_the_time_and_the_day_before(booked, pool):
    friday = NOW + timedelta(days=3)
    assert messages.remind_due(at=friday - timedelta(hours=25)) == 0
    assert messages.remind_due(at=friday - timedelta(hours=24)) == 1
    assert messages.remind_due(at=friday - timedelta(hours=20)) == 0, "once"
    send_due(friday - timedelta(hours=24))
    yes, time, reminder = texts()
    assert "good news" in yes
    assert "You have a time on Friday 27 November at 10:00." in time
    assert "Your time is on Friday 27 November at 10:00." in reminder
    assert {to for _, to, _ in sms.KeepingGateway.outbox} == {NUMBER}
    for text in texts():
        assert "Canary" not in text
        assert "Reply STOP" in text
        assert len(text) < 320, "two parts at most"
    sent = PersonMessage.objects.get(kind=Kind.REMINDER)
    assert token_of(sent) in reminder
    assert not PersonMessage.objects.filter(token_hash=token_of(sent)).exists(), "kept as a hash alone"
    assert not any(token_of(sent) in str(job.args) or NUMBER in str(job.args) for job in ProcrastinateJob.objects.all())


@pytest.mark.req("R081")
def test_a_child_of_nine_can_read_the_texts(booked):
    for text in texts():
        words = " ".join(word for word in text.removeprefix("Lune: ").split() if "://" not in word)
        level, longest = grade(words)
        assert level <= 4, (level, text)
        assert longest <= 15


@pytest.mark.parametrize("part", ["page", "reply"])
def test_a_child_of_nine_can_read_the_page_and_what_is_written_back(part):
    said = [text for name, text in TEXTS.words("en")[part].items() if isinstance(text, str)]
    level, longest = grade("\n".join(said))
    assert level <= 4
    assert longest <= 15


@pytest.mark.parametrize(("route", "agrees"), [("phone", True), ("post", True), ("text", False), ("email", False), ("", True)])
def test_nothing_goes_to_who_chose_another_way_or_did_not_agree(route, agrees, pool, nurse, staff):
    task = joins(person(nurse, route, agrees=agrees), pool, nurse, staff)
    operations.book_session(task_id=task.pk, session_id=session(pool).pk, by=staff, at=NOW)
    assert not PersonMessage.objects.exists()


def test_only_both_sides_of_the_request_see_what_was_sent(booked, pool, staff, nurse):
    stranger, elsewhere = factories.UserFactory(), factories.UserFactory(provider=True)
    for user, seen in ((nurse, 2), (staff, 2), (stranger, 0), (elsewhere, 0), (factories.UserFactory(manager=True), 0)):
        with acting.for_user(user):
            assert PersonMessage.objects.visible_to(user).count() == seen
            assert PersonMessage.objects.count() == seen, "the database says the same"


def test_no_text_goes_to_a_landline(pool, nurse, staff):
    joins(person(nurse, phone="01772 000000"), pool, nurse, staff)
    assert not PersonMessage.objects.exists()


def test_at_night_a_message_waits_for_the_morning_and_one_taken_back_meanwhile_is_not_sent(pool, nurse, staff):
    night = NOW.replace(hour=22)
    task = joins(person(nurse), pool, nurse, staff)
    send_due()
    when = {"starts_at": NOW + timedelta(days=3), "minutes": 30, "worker": "Jo Marsh"}
    booking = operations.book_appointment(task_id=task.pk, by=staff, at=night, **when)
    waiting = PersonMessage.objects.get(kind=Kind.BOOKED)
    assert waiting.due_at == NOW.replace(hour=8) + timedelta(days=1)
    assert ProcrastinateJob.objects.filter(scheduled_at=waiting.due_at, args={"message_id": str(waiting.pk)}).exists()
    assert send_due(night) == []
    operations.cancel(booking_id=booking.pk, by=staff, at=night)
    morning = waiting.due_at
    assert sorted(map(str, send_due(morning))) == ["None", "sent"], "that it is off is told; that it was on no more"
    assert "is off" in texts()[-1]


def test_by_email_with_the_same_words_and_a_bounce_is_kept(pool, nurse, staff):
    task = joins(person(nurse, "email"), pool, nurse, staff)
    send_due()
    [letter] = mail.outbox
    assert letter.to == ["ann@example.org"]
    assert "Canary" not in letter.subject + letter.body
    raw = (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n'
        "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: 5.1.1\n\n--b\n"
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: {letter.extra_headers['Message-ID']}\n\n--b--\n"
    )
    assert bounces.take(raw.encode(), at=NOW)
    message = PersonMessage.objects.get(task=task)
    assert (message.state, message.failed_because) == ("failed", "There is no such mailbox.")
    assert FollowUp.objects.filter(kind="message", patient=message.patient).count() == 1


def test_whoever_is_told_in_their_place_gets_the_text(pool, nurse, staff):
    patient = person(nurse, "through", phone="", contact_note="Through her daughter")
    other = {"patient": patient, "organization": patient.organization, "created_at": NOW}
    RelatedPerson.objects.create(**other, name="A neighbour", relation="neighbour", phone="07700 900999")
    RelatedPerson.objects.create(**other, name="Her son", relation="child", phone="07700 900888", may_be_told=True)
    carer = RelatedPerson.objects.create(
        **other, name="Her daughter", relation="child", care="cares", phone="07700 900777", may_be_told=True
    )
    joins(patient, pool, nurse, staff)
    assert send_due() == ["sent"]
    assert [to for _, to, _ in sms.KeepingGateway.outbox] == ["+447700900777"]
    message = PersonMessage.objects.get()
    assert message.related == carer
    assert answers.take_text(inbound=sms.Inbound("1", "+447700900777", "Stop."), at=NOW)
    assert consents.consented(patient, Consent.Purpose.TEXT), "what the daughter wants is not what the person agreed to"
    joins(patient, factories.PoolFactory(service=pool.service), nurse, staff)
    assert [to for _, to, _ in sms.KeepingGateway.outbox] == ["+447700900777"]
    assert PersonMessage.objects.filter(sent_to="+447700900888", state="waiting").exists(), "the next one who may be told"


@pytest.mark.req("R081")
@pytest.mark.parametrize(
    ("text", "said", "follows"),
    [("NO", "cannot", True), ("Change!", "other-time", True), ("I can’t come.", "cannot", True), ("yes", "coming", False)],
)
def test_one_word_by_text_stands_on_the_register_and_is_a_follow_up_for_who_referred_them(text, said, follows, booked, staff, nurse):
    assert answers.take_text(inbound=sms.Inbound("1", NUMBER, text), at=NOW)
    message = PersonMessage.objects.get(kind=Kind.BOOKED)
    assert message.answer == said
    starts_at = NOW + timedelta(days=3)
    with acting.for_user(staff):
        [line] = queries.register(staff, booked.pool.service_id, starts_at).lines
    assert line.said == PersonMessage.Answer(said).label
    with acting.for_user(nurse):
        [visit] = queries.visits_of(booked.referral, user=nurse, at=NOW)
    assert visit.said == line.said
    made = FollowUp.objects.filter(kind="message")
    assert made.count() == follows
    if follows:
        assert (made.get().assigned_to, made.get().referral) == (nurse, booked.referral)
    assert Booking.objects.standing().exists(), "whoever runs the session decides"
    assert Event.objects.filter(type="session.changed", audience__contains=[staff.organization_id, nurse.organization_id]).exists()
    reply = ProcrastinateJob.objects.get(task_name__endswith=".answer_text")
    assert reply.args == {"message_id": str(message.pk), "code": said}
    assert answers.send_reply(message_id=message.pk, code=said)
    assert texts()[-1].startswith("Lune: Thank you.")


def test_of_several_times_the_reminder_is_meant_and_a_stranger_is_told_nothing(booked, pool, staff):
    operations.book_session(task_id=booked.pk, session_id=session(pool, days=10).pk, by=staff, at=NOW)
    send_due()
    assert not answers.take_text(inbound=sms.Inbound("0", "+447700900000", "no"), at=NOW)
    assert answers.take_text(inbound=sms.Inbound("1", NUMBER, "no"), at=NOW)
    assert not PersonMessage.objects.exclude(answer="").exists()
    assert ProcrastinateJob.objects.get(task_name__endswith=".answer_text").args["code"] == "which"
    day_before = NOW + timedelta(days=2)
    messages.remind_due(at=day_before)
    send_due(day_before)
    answers.take_text(inbound=sms.Inbound("2", NUMBER, "no"), at=day_before)
    assert PersonMessage.objects.get(kind=Kind.REMINDER).answer == "cannot"
    answers.take_text(inbound=sms.Inbound("3", NUMBER, "my leg hurts"), at=day_before)
    answers.take_text(inbound=sms.Inbound("3", NUMBER, "my leg hurts"), at=day_before)
    assert ProcrastinateJob.objects.filter(task_name__endswith=".answer_text", args__code="again").count() == 1, "the same text is one"
    assert not any("leg" in str(job.args) for job in ProcrastinateJob.objects.all()), "no word of theirs is kept"


def test_stop_takes_their_agreement_back_and_whoever_referred_them_hears(booked, pool, staff, client: Client, settings):
    gateway_says(client, settings, {"messages": [{"id": "7", "from": NUMBER, "text": "STOP"}]})
    patient = booked.referral.patient
    assert consents.says_no(patient, Consent.Purpose.TEXT)
    assert "no more messages" in FollowUp.objects.get(kind="message").words
    before = PersonMessage.objects.count()
    operations.book_session(task_id=booked.pk, session_id=session(pool, days=10).pk, by=staff, at=NOW)
    assert PersonMessage.objects.count() == before


def test_a_carrier_that_is_away_is_tried_again_and_one_that_refuses_is_told(pool, nurse, staff, client: Client, settings):
    joins(person(nurse), pool, nurse, staff)
    message = PersonMessage.objects.get()
    sms.KeepingGateway.away = True
    assert send_due() == ["waiting"]
    message.refresh_from_db()
    assert message.due_at == NOW + timedelta(seconds=6)
    assert sending.send(message_id=message.pk, at=NOW - timedelta(minutes=5)) is None, "not before its time"
    sms.KeepingGateway.away = False
    assert send_due(message.due_at) == ["sent"]
    message.refresh_from_db()
    assert sending.send(message_id=message.pk, at=NOW + timedelta(hours=1)) is None, "not twice"
    gateway_says(client, settings, {"receipts": [{"id": message.gateway_id, "status": "delivered"}]})
    message.refresh_from_db()
    assert message.state == "arrived"
    sms.KeepingGateway.unknown.add(NUMBER)
    joins(message.patient, factories.PoolFactory(service=pool.service), nurse, staff)
    assert send_due() == ["failed"]
    assert FollowUp.objects.filter(kind="message", patient=message.patient).count() == 1


@pytest.mark.req("R081")
def test_the_page_says_when_and_where_names_nobody_and_takes_the_answer(booked, pool, client: Client):
    message = PersonMessage.objects.get(kind=Kind.BOOKED)
    page = reverse("my-time", args=[token_of(message)])
    shown = client.get(page)
    body = shown.content.decode()
    assert "Friday 27 November, 10:00" in body
    assert "Canary Clinic" in body
    assert "Canaryann" not in body
    assert shown["Cache-Control"] == "no-store"
    assert shown["Referrer-Policy"] == "no-referrer"
    assert client.post(page, {"do": "cannot"}).status_code == 302
    assert "I can come after all" in client.get(page).content.decode()
    client.post(page, {"do": "coming"})
    message.refresh_from_db()
    assert message.answer == "coming"
    assert client.post(page, {"do": "nonsense"}).status_code == 422
    client.post(page, {"do": "end"})
    assert consents.says_no(message.patient, Consent.Purpose.TEXT)
    assert "no more of these messages" in client.get(page).content.decode()
    for wrong in (token_of(message)[:-1] + "!", "A" * 16):
        assert client.get(reverse("my-time", args=[wrong])).status_code == 404
    with pytest.raises(Conflict):
        answers.answer(token=token_of(message), said="cannot", at=NOW + timedelta(days=3, minutes=1))
    with pytest.raises(NotFound):
        answers.page(token_of(message), at=NOW + timedelta(days=40))


@pytest.mark.parametrize("hidden", ["service", "organization"])
def test_of_a_confidential_place_the_page_tells_nothing(hidden, booked, pool, client: Client):
    record = pool.service if hidden == "service" else pool.service.organization
    record.is_confidential = True
    record.save()
    body = client.get(reverse("my-time", args=[token_of(PersonMessage.objects.get(kind=Kind.BOOKED))])).content.decode()
    assert "a safe place" in body
    assert "Canary" not in body


def test_another_language_is_used_when_somebody_has_checked_it_else_the_page_says_that_it_is_english(
    pool, nurse, staff, settings, tmp_path, client: Client
):
    from flow.letters import wording as letters

    (tmp_path / "texts").mkdir()
    english = TEXTS.original.read_text().replace('language = "English"', 'language = "Urdu"').replace("original = true", "")
    settings.LETTERS = str(tmp_path)
    letters._read.cache_clear()
    joins(person(nurse, preferred_language="ur"), pool, nurse, staff)
    send_due()
    page = reverse("my-time", args=[token_of(PersonMessage.objects.get())])
    body = client.get(page).content.decode()
    assert "in your own words yet" in body
    assert 'lang="en" dir="ltr"' in body
    (tmp_path / "texts" / "ur.toml").write_text(
        'checked_by = "A. S."\nchecked_on = 2026-11-01\n' + english.replace("Your time", "Aap ka waqt")
    )
    letters._read.cache_clear()
    body = client.get(page).content.decode()
    assert "Aap ka waqt" in body
    assert 'lang="ur" dir="rtl"' in body
    assert "in your own words yet" not in body
    letters._read.cache_clear()
