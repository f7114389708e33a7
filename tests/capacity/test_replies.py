"""Answers by text message and e-mail: signed, once, from those whom we ask, kept or asked about again."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity import operations, replies, reply_address, reply_mail
from capacity.models import Ask, AskingPreference, Channel, Reply, ServiceCapacity, UpdateLink
from capacity.reply_text import MARKER
from core import sms
from tests.factories import LocationFactory, OrganizationFactory, PoolFactory, ServiceFactory

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NUMBER, OTHER = "+447700900123", "+447700900456"
OFFICE = "office@firgrove.example"
Outcome = Reply.Outcome
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    sms.KeepingGateway.forget()


def home(name="Fir Grove", *, channel=Channel.SMS, address=NUMBER, **preference):
    """A home with two kinds of beds that is asked at one address."""
    service = ServiceFactory(name=name, organization=OrganizationFactory(name=f"{name} Ltd"))
    place = LocationFactory()
    for kind, available, maximum in (("General residential", 2, 20), ("Dementia residential", 1, 12)):
        bed_type = kind.lower().replace(" ", "-")
        told = NOW - timedelta(hours=20)
        PoolFactory(service=service, location=place, name=f"{kind} beds", bed_type=bed_type, available=available, maximum=maximum,
                    reported_at=told)  # fmt: skip
    AskingPreference.objects.create(service=service, channel=channel, address=address, confirmed_at=NOW, changed_at=NOW, **preference)
    return service


def asked(service, *, at=NOW - timedelta(hours=1)):
    preference = service.asking
    return Ask.objects.create(
        service=service, why=Ask.Why.STALE, channel=preference.channel, sent_to=preference.address, created_at=at, sent_at=at
    )


def text(words, *, sender=NUMBER, id="", at=NOW):
    return replies.receive_sms(message=sms.Inbound(id=id or str(uuid4()), sender=sender, text=words), at=at)


def letter(ask, words, *, sender=OFFICE, to="", sent=NOW - timedelta(minutes=4), **headers):
    message = EmailMessage()
    message["From"], message["To"] = f"Sue <{sender}>", to or (reply_address.address(ask.pk) if ask else "replies@lune.example")
    message["Date"], message["Message-ID"], message["Subject"] = sent, headers.pop("id", f"<{uuid4()}@firgrove.example>"), "Re: free?"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(words)
    return message.as_bytes()


def written(raw, at=NOW):
    return replies.receive_mail(mail=reply_mail.read(raw), at=at)


def figures(service):
    return dict(ServiceCapacity.objects.filter(service=service).values_list("name", "available"))


def sent():
    return [(to, words) for _, to, words in sms.KeepingGateway.outbox]


# --- what is kept


@pytest.mark.req("R153")
@pytest.mark.req("R239")
def test_a_text_message_in_plain_words_is_kept_with_its_route_and_time_and_answered_with_what_was_kept():
    service = home()
    ask = asked(service)
    reply = text("Hi its Sue, 3 general and no demntia beds")
    assert reply.outcome == Outcome.APPLIED
    assert figures(service) == {"General residential beds": 3, "Dementia residential beds": 0}
    pool = service.capacities.get(bed_type="general-residential")
    assert (pool.reported_via, pool.reported_at, pool.reported_by) == ("sms", NOW, None)
    ask.refresh_from_db()
    assert ask.answered_at == NOW
    assert replies.send_answer(reply_id=reply.pk)
    [(to, words)] = sent()
    assert to == NUMBER
    assert words == "Thank you. Kept for Fir Grove: 0 dementia residential, 3 general residential. Reply STOP to end."


def test_a_pool_that_is_not_named_keeps_its_figure_and_its_age():
    service = home()
    text("3 dementia")
    general = service.capacities.get(bed_type="general-residential")
    assert (general.available, general.reported_at) == (2, NOW - timedelta(hours=20))


def test_same_renews_the_time_and_changes_no_figure():
    service = home()
    assert text("no change thanks").outcome == Outcome.APPLIED
    assert figures(service) == {"General residential beds": 2, "Dementia residential beds": 1}
    assert {pool.reported_at for pool in service.capacities.all()} == {NOW}


def test_one_more_is_one_more_than_they_knew_when_they_wrote():
    """A place was given through Lune after they wrote: it is counted off once, not forgotten and not counted twice."""
    service = home(channel=Channel.EMAIL, address=OFFICE)
    ask, pool = asked(service), service.capacities.get(bed_type="general-residential")
    operations.report(pool_id=pool.pk, by=None, at=NOW - timedelta(hours=2), available=2)
    operations.fill(pool_id=pool.pk, reservation_id=None, by=None, at=NOW - timedelta(minutes=2))
    assert written(letter(ask, "general +1")).outcome == Outcome.APPLIED
    pool.refresh_from_db()
    assert (pool.available, pool.reported_at) == (2, NOW - timedelta(minutes=4))


def test_what_somebody_saw_later_stays_and_the_answer_says_so():
    service = home(channel=Channel.EMAIL, address=OFFICE)
    ask, pool = asked(service), service.capacities.get(bed_type="general-residential")
    operations.report(pool_id=pool.pk, by=None, at=NOW - timedelta(minutes=1), available=7)
    reply = written(letter(ask, "4 general"))
    pool.refresh_from_db()
    assert pool.available == 7
    assert "Somebody told us later: 7 general residential. That stays." in reply.answer
    assert list(pool.reports.order_by("version").values_list("kind", "available")) == [("report", 7), ("late", 4)]


def test_a_figure_that_the_places_refuse_changes_none_of_them_and_says_why():
    service = home()
    pool = service.capacities.get(bed_type="dementia-residential")
    operations.hold(pool_id=pool.pk, organization=OrganizationFactory(name="Ward 9", hospital=True), by=None, at=NOW)
    reply = text("3 general 0 dementia")
    assert reply.outcome == Outcome.ASKED_AGAIN
    assert figures(service) == {"General residential beds": 2, "Dementia residential beds": 1}
    assert "nothing is changed" in reply.answer
    assert "Ward 9" in reply.answer


# --- what is asked again


def test_what_is_not_clear_is_asked_about_and_changes_nothing():
    service = home()
    reply = text("2 general from Monday")
    assert reply.outcome == Outcome.ASKED_AGAIN
    assert figures(service)["General residential beds"] == 2
    assert not service.capacities.filter(reported_at=NOW).exists()
    assert "We read: 2 general residential." in reply.answer
    assert Ask.objects.get(why=Ask.Why.AGAIN).sent_to == NUMBER
    assert text("who is this?").answer.startswith("This is Lune. ")


def test_of_several_services_the_named_one_is_meant_else_the_only_one_asked_lately_else_it_is_asked():
    fir, elm = home(), home("Elm House")
    assert text("4 general").answer.startswith("Sorry, we cannot tell which service you mean")
    assert figures(fir) == figures(elm) == {"General residential beds": 2, "Dementia residential beds": 1}
    assert text("Elm House: 4 general").service == elm
    asked(fir)
    assert text("5 general").service == fir
    asked(elm)
    assert text("6 general").service == elm
    assert (figures(fir)["General residential beds"], figures(elm)["General residential beds"]) == (5, 6)


def test_two_machines_do_not_answer_each_other_for_ever():
    home()
    answers = [text("I am a machine") for _ in range(8)]
    assert [bool(reply.answer) for reply in answers] == [True] * 5 + [False] * 3


# --- who wrote


@pytest.mark.parametrize("changes", [{"confirmed_at": None}, {"address": OTHER}, {"channel": Channel.EMAIL}])
def test_a_stranger_changes_nothing_and_gets_no_answer(changes):
    service = home()
    AskingPreference.objects.filter(service=service).update(**changes)
    reply = text("9 general")
    assert (reply.outcome, reply.answer, reply.service) == (Outcome.STRANGER, "", None)
    assert figures(service)["General residential beds"] == 2


def test_a_refuge_is_changed_by_no_message():
    service = home()
    service.is_confidential = True
    service.save()
    assert text("9 general").outcome == Outcome.STRANGER


def test_a_letter_counts_only_with_the_address_that_our_question_carried():
    service = home(channel=Channel.EMAIL, address=OFFICE)
    ask = asked(service)
    assert written(letter(None, "9 general")).outcome == Outcome.STRANGER
    forged = reply_address.address(ask.pk)
    forged = forged.replace(forged[30:34], "aaaa" if forged[30:34] != "aaaa" else "bbbb")
    assert written(letter(None, "9 general", to=forged)).outcome == Outcome.STRANGER
    elsewhere = written(letter(ask, "9 general", sender="thief@example.org"))
    assert elsewhere.outcome == Outcome.STRANGER
    assert figures(service)["General residential beds"] == 2
    replies.send_answer(reply_id=elsewhere.pk)
    assert [message.to for message in mail.outbox] == [[OFFICE]]  # never to the thief
    assert written(letter(ask, "3 general", sender=OFFICE.upper())).outcome == Outcome.APPLIED
    old = Ask.objects.create(service=service, why=Ask.Why.STALE, channel="email", sent_to=OFFICE, created_at=NOW - timedelta(days=15))
    assert written(letter(old, "9 general")).outcome == Outcome.STRANGER
    AskingPreference.objects.filter(service=service).update(address="new@firgrove.example")
    assert written(letter(ask, "9 general")).outcome == Outcome.STRANGER


def test_the_address_for_answers_fits_every_mail_server_and_its_token_is_read_in_any_case():
    ask_id = uuid4()
    address = reply_address.address(ask_id)
    assert len(address.partition("@")[0]) <= 64
    assert reply_address.ask_of(f"Lune <{address.upper()}>") == ask_id


# --- stop


@pytest.mark.parametrize("words", ["STOP", "stop", "Please stop texting me"])
def test_stop_stops_at_once_for_all_services_of_that_number(words):
    services = [home(), home("Elm House")]
    link = UpdateLink.objects.create(
        service=services[0], token_hash="x", channel="sms", sent_to=NUMBER, created_at=NOW, expires_at=NOW + timedelta(days=1)
    )
    reply = text(words)
    assert reply.outcome == Outcome.STOPPED
    assert set(AskingPreference.objects.values_list("stopped_at", flat=True)) == {NOW}
    link.refresh_from_db()
    assert link.revoked_at == NOW
    assert "no more" in reply.answer


def test_a_stranger_cannot_stop_the_letters_of_another():
    service = home(channel=Channel.EMAIL, address=OFFICE)
    assert written(letter(None, "stop")).outcome == Outcome.STRANGER
    assert AskingPreference.objects.get(service=service).stopped_at is None
    assert written(letter(asked(service), "stop")).outcome == Outcome.STOPPED


# --- how it comes in


def hook(client, name, body, secret, *, at=NOW, signed=None):
    header = sms.signature(signed or body, secret=secret, at=at)
    return client.post(reverse(name), body, content_type="application/octet-stream", headers={sms.SIGNATURE_HEADER: header})


def test_a_signed_message_that_comes_twice_is_kept_and_answered_once(client):
    service = home()
    body = json.dumps({"messages": [{"id": "m1", "from": "07700 900123", "text": "general +1"}]}).encode()
    for _ in range(2):
        assert hook(client, "hook-sms", body, site.SMS_SECRET).status_code == 204
    assert figures(service)["General residential beds"] == 3
    assert Reply.objects.get().gateway_id == "m1"
    assert hook(client, "hook-sms", body, "guessed").status_code == 403
    assert hook(client, "hook-sms", body, site.SMS_SECRET, at=NOW - timedelta(minutes=6)).status_code == 403
    assert hook(client, "hook-sms", body.replace(b"+1", b"+9"), site.SMS_SECRET, signed=body).status_code == 403
    assert hook(client, "hook-sms", b"[]", site.SMS_SECRET).status_code == 422
    assert client.post(reverse("hook-sms"), {"messages": "unsigned, as a form"}).status_code == 403


def test_a_receipt_that_a_message_never_arrived_is_seen_at_its_question(client):
    ask = asked(home())
    Ask.objects.update(gateway_id="out-1")
    body = json.dumps({"receipts": [{"id": "out-1", "status": "failed"}, {"id": "out-2", "status": "delivered"}]}).encode()
    assert hook(client, "hook-sms", body, site.SMS_SECRET).status_code == 204
    ask.refresh_from_db()
    assert ask.failed_at is not None


def test_a_letter_comes_by_pipe_or_by_signed_call_once_and_is_answered_in_its_thread(client, monkeypatch):
    service = home(channel=Channel.EMAIL, address=OFFICE)
    raw = letter(asked(service), f"3 general\n\nThanks\nSue\n\n{MARKER}\n7 general", id="<a1@firgrove.example>", X_Logo="x" * 200_000)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    out = io.StringIO()
    call_command("take_reply", stdout=out)
    assert out.getvalue() == "Understood and kept.\n"
    assert hook(client, "hook-mail", raw, site.MAIL_SECRET).status_code == 204
    assert hook(client, "hook-mail", raw, "guessed").status_code == 403
    reply = Reply.objects.get()
    assert figures(service)["General residential beds"] == 3
    replies.send_answer(reply_id=reply.pk)
    [answer] = mail.outbox
    assert answer.to == [OFFICE]
    assert answer.extra_headers["In-Reply-To"] == "<a1@firgrove.example>"
    assert answer.extra_headers["Auto-Submitted"] == "auto-replied"
    assert reply_address.ask_of(answer.extra_headers["Reply-To"]) == reply.ask_id
    assert answer.body.startswith(MARKER)


def test_a_machines_letter_is_neither_kept_nor_answered():
    ask = asked(home(channel=Channel.EMAIL, address=OFFICE))
    for header in ({"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"Return_Path": "<>"}):
        assert written(letter(ask, "Out of office. 3 general", **header)) is None
    assert not Reply.objects.exists()


def test_a_letter_in_html_alone_is_read_without_what_it_quotes():
    service = home(channel=Channel.EMAIL, address=OFFICE)
    message = EmailMessage()
    message["From"], message["To"] = OFFICE, reply_address.address(asked(service).pk)
    html = "<style>p{x:7}</style><div>3 general<br>0&nbsp;dementia</div><div class='gmail_quote'>On 1 May Lune wrote: 7</div>"
    message.set_content(html, subtype="html")
    assert written(message.as_bytes()).outcome == Outcome.APPLIED
    assert figures(service) == {"General residential beds": 3, "Dementia residential beds": 0}


@settings(max_examples=40)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda words: f"From: a@b\nContent-Type: text/html\n\n{words}".encode()))
)
def test_any_bytes_are_a_letter_that_is_read_without_a_fault(raw):
    assert "\0" not in reply_mail.read(raw).text


# --- what is forgotten


def test_words_and_strangers_are_forgotten_after_thirty_days_and_no_word_is_logged(caplog):
    home()
    with caplog.at_level(logging.DEBUG):
        text("2 general Zebedee Quillfeather", at=NOW - timedelta(days=31))
        text("Zebedee", sender=OTHER, at=NOW - timedelta(days=31))
    young = text("Zebedee again")
    assert "Zebedee" not in caplog.text
    assert replies.forget_words(at=NOW) == 2
    assert list(Reply.objects.exclude(words="").values_list("pk", flat=True)) == [young.pk]
    assert set(Reply.objects.values_list("sender", flat=True)) == {NUMBER, ""}


def test_a_letter_about_two_services_is_answered_for_both_by_one_word_and_asked_about_again_together():
    first, second = home(channel=Channel.EMAIL, address=OFFICE), home("Oak House", channel=Channel.EMAIL, address=OFFICE)
    ask = asked(first)
    asked(second)
    Ask.objects.filter(service=second).update(with_ask=ask)
    unclear = written(letter(ask, "2 dementia"))
    assert (unclear.outcome, unclear.ask.why, unclear.ask.others.get().service) == (Outcome.ASKED_AGAIN, Ask.Why.AGAIN, second)
    reply = written(letter(unclear.ask, "all the same"))
    assert reply.outcome == Outcome.APPLIED, reply.answer
    assert set(ServiceCapacity.objects.values_list("reported_via", flat=True)) == {"email"}
    assert "Kept for Fir Grove and Oak House" in reply.answer
    assert not Ask.objects.filter(answered_at=None).exists()
