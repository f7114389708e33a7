"""Letters that their readers stop and start, addresses from which mail comes back, and when letters go out."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from smtplib import SMTPRecipientsRefused
from types import SimpleNamespace

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue import assurance_queue, letters, reminders
from catalogue.assurance import LinkSpent, answer_link, issue_links, read_link
from catalogue.models import AssuranceLink, AssuranceRound, NoLetters, Service
from core.errors import Invalid, NotAllowed, NotFound
from tests import factories

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
OWNER = "owner@example.org"


def service(**fields) -> Service:
    return factories.ServiceFactory(**{"assured_date": None, "email": OWNER, **fields})


def letter_to(one: Service, at: datetime = AT) -> str:
    return issue_links(services=[one], sent_to=one.email, at=at)[0][1]


def asked() -> set[Service]:
    return set(reminders.to_ask(AT + timedelta(days=20)))


def press(token: str, **sent: str):
    """A press in a mail program's browser: no account, no cookies, and as origin “null”."""
    return Client(enforce_csrf_checks=True, headers={"Origin": "null"}).post(reverse("still-correct-letters", args=[token]), sent)


# --- stop, and start again


@pytest.mark.req("R153")
@pytest.mark.parametrize(
    ("sent", "left"),
    [({"do": "stop-one"}, {"other"}), ({"do": "stop-all"}, set()), ({"List-Unsubscribe": "One-Click"}, set())],
    ids=["about one", "about all", "by the button of the mail program"],
)
def test_one_press_stops_letters_and_one_starts_them_again_though_the_link_was_answered(sent, left):
    one, other, elsewhere = (
        service(name="one"),
        service(name="other", email="Owner@Example.ORG"),
        service(name="elsewhere", email="b@example.org"),
    )
    token = letter_to(one)
    answer_link(token=token, answer="correct", at=AT)
    Service.objects.update(assured_date=None)
    AssuranceLink.objects.update(answer="")
    assert asked() == {one, other, elsewhere}
    assert press(token, **sent).status_code == 302
    press(token, **sent)  # a second press is no second stop
    assert {each.name for each in asked()} == left | {"elsewhere"}
    shown = Client().get(reverse("still-correct-letters", args=[token])).content.decode()
    assert "Start letters again" in shown
    assert OWNER not in shown
    press(token, do="start")
    assert asked() == {one, other, elsewhere}
    assert not NoLetters.objects.exists()


def test_looking_and_nonsense_stop_nothing_and_a_link_to_what_became_secret_says_nothing():
    one = service(name="Refuge")
    token = letter_to(one)
    for send in (lambda: Client().get(reverse("still-correct-letters", args=[token])), lambda: press(token), lambda: press(token, do="x")):
        assert send().status_code in (200, 302)
    assert not NoLetters.objects.exists()
    Service.objects.update(is_confidential=True)
    answer = press(token, do="stop-one")
    assert (answer.status_code, b"Refuge" in answer.content, NoLetters.objects.count()) == (410, False, 0)
    for wrong, error in ((token, LinkSpent), ("A" * 43, NotFound)):
        with pytest.raises(error):
            letters.stop(token=wrong, everything=True, at=AT)


def test_each_letter_says_how_to_stop_in_words_and_to_the_mail_program(settings):
    settings.SITE_URL = "https://lune.example.org"
    one = service()
    reminders.write(service_ids=[one.pk], round_id=AssuranceRound.objects.create(asked_at=AT).pk, at=AT)
    (sent,) = mail.outbox
    (address,) = re.findall(r"One press: (\S+)", sent.body)
    assert sent.extra_headers["List-Unsubscribe"] == f"<{address}>"
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert press(address.split("/")[-3], **{"List-Unsubscribe": "One-Click"}).status_code == 302
    assert asked() == set()


def test_a_curator_sees_who_stopped_letters_and_does_not_write_to_them(curator):
    one = service(name="Quiet Club")
    letters.stop(token=letter_to(one, timezone.now()), everything=False, at=timezone.now())
    with pytest.raises(Invalid, match="stopped letters"):
        reminders.ask(service_ids=[one.pk], by=curator, at=AT)
    desk = Client()
    desk.force_login(curator, backend="allauth.account.auth_backends.AuthenticationBackend")
    shown = desk.get(reverse("assurance-queue"), {"show": "unreachable"}).content.decode()
    assert "The owner stopped letters about this on" in shown
    assert f'name="resend" value="{one.pk}"' not in shown
    assert "The owner stopped letters about this on" in desk.get(reverse("assurance-queue-csv"), {"show": "never"}).content.decode()


# --- mail that came back


def report(address: str = OWNER, *, action: str = "failed", status: str = "5.1.1", original: str = "") -> bytes:
    """What a mail server writes (RFC 3464)."""
    first = f"Original-Recipient: rfc822;{original}\r\n" if original else ""
    return f"""From: MAILER-DAEMON@mx.example.org\r
To: directory@example.net\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
I'm sorry to have to inform you that your message could not be delivered.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.org\r
\r
{first}Final-Recipient: rfc822; {address}\r
Action: {action}\r
Status: {status} (no such mailbox)\r
\r
--b\r
Content-Type: message/rfc822\r
\r
Subject: Is this still correct?\r
To: {address}\r
\r
--b--\r
""".encode()


@pytest.mark.req("R153")
def test_mail_that_came_back_silences_the_address_for_all_its_services_and_the_list_shows_it(curator, provider):
    one, other = service(name="one"), service(name="other", email="OWNER@example.org")
    token = letter_to(one)
    assert letters.read_report(report("Owner@example.org"), at=AT) == [OWNER]
    assert letters.read_report(report(), at=AT) == [OWNER]  # told twice
    assert asked() == set()
    with pytest.raises(LinkSpent):
        read_link(token=token, at=AT)
    lines = assurance_queue.lines(assurance_queue.queue(curator, at=AT, show="unreachable"), at=AT)
    assert {line.service: line.no_letters.code for line in lines if line.no_letters} == {one: "5.1.1", other: "5.1.1"}
    with pytest.raises(Invalid, match="get no mail"):
        reminders.ask(service_ids=[other.pk], by=curator, at=AT)
    # a new address is another matter, and so is one of which a curator knows that it works
    Service.objects.filter(pk=other.pk).update(email="new@example.org")
    assert asked() == {other}
    with pytest.raises(NotAllowed):
        letters.works_again(service_id=one.pk, by=provider, at=AT)
    assert letters.works_again(service_id=one.pk, by=curator, at=AT) == 1
    assert asked() == {one, other}


@pytest.mark.parametrize(
    "message",
    [
        report(action="delayed", status="4.4.7"), report(status="4.2.2"), report("stranger@example.org"), report(""), b"", b"\xff\x00" * 50,
        b"Subject: Re: Is this still correct?\r\n\r\nYes, " + OWNER.encode(), report().replace(b"delivery-status\r\n", b"plain\r\n"),
    ],
    ids=["late", "full for now", "not of ours", "nobody", "nothing", "rubbish", "an answer", "only looks like one"],
)  # fmt: skip
def test_only_what_failed_for_good_and_was_ours_counts(message):
    letter_to(service())
    assert letters.read_report(message, at=AT) == []
    assert letters.read_report(report(), at=AT + timedelta(days=61)) == []
    assert not NoLetters.objects.exists()


def test_a_report_of_a_forwarded_letter_is_read_by_the_address_that_we_wrote_to():
    letter_to(service())
    assert letters.read_report(report("private@example.com", original=OWNER), at=AT) == [OWNER]


def test_the_mail_server_hands_reports_to_a_command(monkeypatch, tmp_path):
    letter_to(service(), timezone.now())
    out = StringIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=BytesIO(report())))
    call_command("record_bounce", stdout=out)
    assert "owner@example.org: no more letters go there." in out.getvalue()
    (tmp_path / "answer.eml").write_bytes(b"Subject: Away until Monday\r\n\r\nBye")
    call_command("record_bounce", str(tmp_path / "answer.eml"), stdout=out)
    assert "Nothing was changed." in out.getvalue()
    with pytest.raises(CommandError, match=r"nowhere\.eml cannot be read"):
        call_command("record_bounce", str(tmp_path / "nowhere.eml"))


def test_a_receiver_that_refuses_for_now_is_tried_again(monkeypatch):
    one = service()

    def busy(self, **kwargs):
        raise SMTPRecipientsRefused({OWNER: (450, b"greylisted")})

    monkeypatch.setattr("django.core.mail.EmailMessage.send", busy)
    with pytest.raises(SMTPRecipientsRefused):
        reminders.write(service_ids=[one.pk], round_id=AssuranceRound.objects.create(asked_at=AT).pk, at=AT)
    assert not NoLetters.objects.exists()


# --- when


@pytest.mark.parametrize(
    ("at", "goes"),
    [
        (datetime(2026, 7, 1, 7, 10, tzinfo=UTC), True),  # ten past eight in summer
        (datetime(2026, 7, 1, 6, 10, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 7, 10, tzinfo=UTC), False),  # ten past seven in winter
        (datetime(2026, 12, 1, 8, 10, tzinfo=UTC), True),
        (datetime(2026, 12, 1, 17, 10, tzinfo=UTC), True),
        (datetime(2026, 12, 1, 18, 10, tzinfo=UTC), False),
        (datetime(2026, 7, 4, 9, 10, tzinfo=UTC), False),  # Saturday
        (datetime(2026, 12, 25, 9, 10, tzinfo=UTC), False),
        (datetime(2026, 12, 28, 9, 10, tzinfo=UTC), False),  # Boxing Day is made up for
        (datetime(2027, 3, 26, 9, 10, tzinfo=UTC), False),  # Good Friday
        (datetime(2027, 5, 31, 9, 10, tzinfo=UTC), False),
    ],
)
def test_letters_go_out_in_the_hours_of_offices_in_england_and_on_no_bank_holiday(at, goes):
    assert letters.is_time(at) == goes


def test_once_a_day_and_at_the_hour_that_is_set(settings):
    service()
    assert reminders.is_time(AT)
    assert reminders.ask_those_due(at=AT)
    assert not reminders.is_time(AT + timedelta(hours=1))
    assert reminders.is_time(AT + timedelta(days=1))
    settings.LETTER_HOUR, settings.LETTER_DAYS = 14, ["SA"]
    assert [letters.is_time(datetime(2026, 7, day, hour, tzinfo=UTC)) for day, hour in ((4, 12), (4, 13), (6, 13))] == [False, True, False]
