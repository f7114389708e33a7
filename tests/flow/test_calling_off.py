"""A whole session that does not take place: undone until it is told, then told to everybody by their own way."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from capacity.models import ServiceCapacity
from core import acting
from core.clock import local_date
from core.errors import Conflict, Invalid, NotFound
from core.models import Event
from flow.attendance import calling_off, operations, queries
from flow.models import Attendance, Booking, FollowUp, PersonMessage, SessionCancellation
from flow.reminders import messages
from tests import factories
from tests.flow.helpers import provider_of
from tests.flow.told import NOW, joins, person, send_due, session, texts, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ten_on_a_tuesday")]
Kind = PersonMessage.Kind


def call_off(pool, staff, starts_at, **fields):
    return calling_off.call_off(service_id=pool.service_id, starts_at=starts_at, by=staff, at=NOW, **({"reason": "No heating"} | fields))


def test_a_session_is_called_off_at_once_for_new_bookings_and_undone_before_anybody_is_told(booked, pool, staff):
    friday = Booking.objects.get().session
    made = call_off(pool, staff, friday.starts_at)
    friday.refresh_from_db()
    assert not friday.is_open
    assert not calling_off.carry_out(cancellation_id=made.pk, at=NOW + timedelta(minutes=9)), "not before the ten minutes are over"
    with pytest.raises(Conflict, match="already"):
        call_off(pool, staff, friday.starts_at)
    calling_off.undo(cancellation_id=made.pk, by=staff, at=NOW + timedelta(minutes=9))
    friday.refresh_from_db()
    assert friday.is_open
    assert not calling_off.carry_out(cancellation_id=made.pk, at=NOW + timedelta(minutes=11))
    assert not Attendance.objects.exists()
    assert len(texts()) == 2


def test_all_places_of_a_session_close_and_open_as_old_as_they_were_and_nobody_is_booked_meanwhile(booked, pool, staff, nurse):
    friday = Booking.objects.get().session
    told = {"service": pool.service, "per": "session", "starts_at": friday.starts_at, "ends_at": friday.ends_at, "available": 5}
    second = factories.PoolFactory(**told, name="By the river", reported_at=NOW - timedelta(hours=30))
    unsaid = factories.PoolFactory(**(told | {"available": None}), name="Upstairs", reported_at=None)
    shut = factories.PoolFactory(**told, name="In the yard", is_open=False, closed_reason="Flood")
    pools = [friday, second, unsaid, shut]

    def now(*names):
        found = {row[0]: row[1:] for row in ServiceCapacity.objects.filter(service=pool.service).values_list("pk", *names)}
        return [found[each.pk] for each in pools]

    age = ("reported_at", "reported_by", "reported_via", "closed_reason", "is_open")
    before = now(*age)
    made = call_off(pool, staff, friday.starts_at)
    assert now("is_open") == [(False,)] * 4
    assert [row[:3] for row in now(*age)] == [row[:3] for row in before]
    late = factories.PoolFactory(**told, name="Made since")
    other = joins(person(nurse), pool, nurse, staff)
    with pytest.raises(Conflict, match="has been cancelled"):
        operations.book_session(task_id=other.pk, session_id=late.pk, by=staff, at=NOW)
    calling_off.undo(cancellation_id=made.pk, by=staff, at=NOW + timedelta(minutes=9))
    assert now(*age) == before
    operations.book_session(task_id=other.pk, session_id=late.pk, by=staff, at=NOW)


def test_of_two_who_call_a_session_off_at_once_the_second_reads_that_it_is(booked, pool, staff, monkeypatch):
    starts_at, close = Booking.objects.get().starts_at, calling_off.sessions.close

    def while_another_does(**told):
        monkeypatch.setattr(calling_off.sessions, "close", close)
        SessionCancellation.objects.create(
            service=pool.service, starts_at=starts_at, reason="Flood", at=NOW, tell_at=NOW + timedelta(minutes=10), by=staff
        )
        return close(**told)

    monkeypatch.setattr(calling_off.sessions, "close", while_another_does)
    with pytest.raises(Conflict, match="cancelled already"):
        call_off(pool, staff, starts_at)


def test_everybody_is_told_by_their_way_and_another_session_is_offered(booked, pool, staff, nurse, client: Client):
    friday, later = Booking.objects.get().session, session(pool, days=10, places=1)
    by_phone = joins(person(nurse, "phone"), pool, nurse, staff)
    operations.book_session(task_id=by_phone.pk, session_id=friday.pk, by=staff, at=NOW)
    with acting.for_user(staff):
        lines = calling_off.to_tell(staff, pool.service_id, friday.starts_at)
    assert sorted((line.by_message, line.otherwise) for line in lines) == [("", "Phone call"), ("Text message", "Text message")]
    made = call_off(pool, staff, friday.starts_at, instead_id=later.pk)
    after = NOW + timedelta(minutes=10)
    assert calling_off.look(at=after) == 1
    assert calling_off.look(at=after) == 0
    with pytest.raises(Conflict, match="have been told"):
        calling_off.undo(cancellation_id=made.pk, by=staff, at=after)
    assert set(Attendance.objects.values_list("mark", "reason")) == {("absent", "cancelled")}
    assert FollowUp.objects.get(kind="message").patient_id == by_phone.referral.patient_id
    told = Event.objects.filter(type="session.called-off")
    assert [event.audience for event in told] == [[nurse.organization_id]] * 2
    send_due(after)
    assert "is off. Please do not come." in texts()[-1]
    assert "heating" not in texts()[-1]
    message = PersonMessage.objects.get(kind=Kind.CALLED_OFF)
    page = reverse("my-time", args=[token_of(message)])
    body = client.get(page).content.decode()
    assert "Friday 4 December, 10:00" in body
    assert client.post(page, {"do": "take"}).status_code == 302
    assert Booking.objects.standing().filter(task=booked, session=later).exists()
    later.refresh_from_db()
    assert later.available == 0
    with acting.for_user(nurse):
        visits = queries.visits_of(booked.referral, user=nurse, at=after)
    assert [visit.words for visit in visits] == ["Cancelled by the service", "Expected"]
    assert messages.remind_due(at=friday.starts_at - timedelta(hours=24)) == 0, "nobody is reminded of what is off"


def test_an_offer_that_somebody_else_took_is_refused_in_words(booked, pool, staff, nurse, client: Client):
    friday, later = Booking.objects.get().session, session(pool, days=10, places=1)
    made = call_off(pool, staff, friday.starts_at, instead_id=later.pk)
    calling_off.carry_out(cancellation_id=made.pk, at=made.tell_at)
    send_due(made.tell_at)
    other = joins(person(nurse, "phone"), pool, nurse, staff)
    operations.book_session(task_id=other.pk, session_id=later.pk, by=staff, at=NOW)
    page = reverse("my-time", args=[token_of(PersonMessage.objects.get(kind=Kind.CALLED_OFF))])
    answer = client.post(page, {"do": "take"})
    assert answer.status_code == 409
    assert "That time is gone." in answer.content.decode()


def test_who_was_referred_to_that_session_itself_is_told_too_and_what_is_wrong_is_refused(pool, staff, nurse):
    group = session(pool)
    task = joins(person(nurse), group, nurse, staff)
    send_due()
    assert messages.remind_due(at=group.starts_at - timedelta(hours=24)) == 1, "without a booking"
    for wrong, error in (
        ({"reason": " "}, Invalid), ({"instead_id": group.pk}, Invalid), ({"starts_at": NOW - timedelta(hours=1)}, Conflict),
        ({"by": provider_of(factories.PoolFactory())}, NotFound), ({"by": nurse}, NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            calling_off.call_off(
                **({"service_id": pool.service_id, "starts_at": group.starts_at, "reason": "Ill", "by": staff, "at": NOW} | wrong)
            )
    assert not SessionCancellation.objects.exists()
    made = call_off(pool, staff, group.starts_at)
    calling_off.carry_out(cancellation_id=made.pk, at=made.tell_at)
    assert PersonMessage.objects.filter(task=task, kind=Kind.CALLED_OFF).count() == 1
    assert Booking.objects.get(task=task).marks.get().reason == "cancelled"


def test_the_pages_of_the_register_call_off_and_undo(booked, pool, staff, client: Client):
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    friday = Booking.objects.get().session
    when = f"{friday.starts_at:%Y%m%dT%H%MZ}"
    page = reverse("register-call-off", args=[pool.service_id, when])
    today = client.get(reverse("register")).content.decode()
    for words in ("Today, {:%A %-d %B %Y}", "The day after: {:%A %-d %B %Y}"):
        assert words.format(local_date(NOW) + timedelta(days="after" in words)) in today
    assert "Cancel this session" in client.get(reverse("register-session", args=[pool.service_id, when])).content.decode()
    assert "text message from us" in client.get(page).content.decode()
    wrong = client.post(page, {"reason": "", "instead_id": ""})
    assert (wrong.status_code, "Say why it does not take place." in wrong.content.decode()) == (422, True)
    told = client.post(page, {"reason": "No heating", "instead_id": ""}, follow=True).content.decode()
    assert "Undo: it takes place" in told
    assert "Does not take place" in client.get(reverse("register"), {"day": f"{friday.starts_at:%Y-%m-%d}"}).content.decode()
    client.post(reverse("register-call-off-undo", args=[pool.service_id, when]))
    assert SessionCancellation.objects.get().undone_at == NOW
