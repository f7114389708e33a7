"""Messages on their way: tried again, given up, signed, never sent inside, and what carriers say of them afterwards."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse

from capacity.models import Ask
from catalogue.importers import network
from core import sms
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from notifications.models import Delivery, Notice, PersonChoices, Webhook
from notifications.models.delivery import Route
from notifications.notices import bounces, caught, delivering, operations, outbox, signing, webhooks
from notifications.notices.kinds import When
from tests.core.test_sms import call
from tests.factories import UserFactory
from tests.notifications.telling import jobs, read_all, send_due, settle_at_once
from tests.notifications.test_notices import MOBILE, NOW, asked, chosen, with_mobile

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, monkeypatch):
    time_machine.move_to(NOW, tick=False)
    sms.KeepingGateway.forget()
    settle_at_once(monkeypatch)


@pytest.fixture
def receiver(settings):
    """A system of others: keeps what it is told, and answers as it is set to."""
    settings.WEBHOOK_PRIVATE = True
    told = SimpleNamespace(calls=[], status=204, url="")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.calls.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_port}/told"
    yield told
    server.shutdown()
    server.server_close()


def hooked(url, **fields):
    manager = fields.pop("manager", None) or UserFactory(manager=True)
    webhook, key = webhooks.make(name="Records", url=url, types=fields.pop("types", []), by=manager, at=NOW)
    return manager, webhook, key


def happen(organization_id, type="message.new", **data):
    with transaction.atomic():
        publish(type, topics=["region"], audience=[organization_id], data=data)
    read_all()


def waiting():
    return Delivery.objects.get(route="email")


# --- tried again, and given up


def test_a_mail_server_that_is_away_is_tried_for_hours_and_then_an_administrator_sees_why(client, monkeypatch):
    _, answerer, _ = asked()
    read_all()

    def away(*_, **__):
        raise ConnectionRefusedError(f"no way to {answerer.email}")

    at = NOW
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.message.EmailMessage.send", away)
        waits = []
        while send_due(at) == ["waiting"]:
            waits.append((waiting().due_at - at).total_seconds())
            at = waiting().due_at
    assert waits == list(delivering.AGAIN[Route.EMAIL])
    assert (waiting().state, waiting().attempts) == ("failed", 6)
    assert len(jobs()) == 6
    boss = UserFactory(administrator=True)
    client.force_login(boss, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("notices-failed")).content.decode()
    assert "The mail server could not be reached (ConnectionRefusedError)." in page
    assert "no way to" not in page
    for role in ({"manager": True}, {"provider": True}):
        with pytest.raises(NotFound):
            delivering.try_again(delivery_id=waiting().pk, by=UserFactory(**role), at=at)
    assert client.post(reverse("notices-failed-do", args=[waiting().pk, "again"])).status_code == 302
    assert send_due(at) == ["sent"]
    assert [message.to for message in mail.outbox] == [[answerer.email]]
    with pytest.raises(Conflict):
        delivering.give_up(delivery_id=waiting().pk, by=boss, at=at)


def test_a_worker_that_dies_while_it_sends_leaves_a_message_that_another_sends_under_the_same_id(monkeypatch):
    asked()
    read_all()
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_end", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send_due()
    assert waiting().state == "trying"
    assert outbox.look_after(at=NOW + timedelta(minutes=9)) == 0
    assert outbox.look_after(at=NOW + timedelta(minutes=11)) == 1
    assert outbox.look_after(at=NOW + timedelta(minutes=11)) == 0
    assert delivering.deliver(delivery_id=waiting().pk, at=NOW + timedelta(minutes=11)) == "sent"
    first, second = (message.message()["Message-ID"] for message in mail.outbox)
    assert first == second


# --- receipts


def test_a_receipt_of_the_text_gateway_is_kept_and_a_dead_number_is_stopped_and_said_on_the_site(client):
    sender, answerer, task = asked()
    with_mobile(answerer)
    chosen(answerer, email=When.OFF, text=When.NOW)
    read_all()
    assert send_due() == ["sent"]
    [(name, _, _)] = sms.KeepingGateway.outbox
    made = call({"receipts": [{"id": name, "status": "failed", "reason": "No such number"}]}, secret=_secret())
    answer = client.post(reverse("hook-sms"), made.body, content_type="application/json", headers=made.headers)
    assert answer.status_code == 204
    [delivery] = Delivery.objects.all()
    assert (delivery.state, delivery.failed_because, Ask.objects.count()) == ("failed", "No such number", 0)
    assert PersonChoices.objects.get(user=answerer).sms_stopped_because == "bounced"
    # Whoever sent the referral sees on its page what became of the message, and not to whom it went.
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("referral", args=[task.referral_id])).content.decode()
    assert "Text message to the service: failed" in page
    assert MOBILE not in page
    [line] = [notice for notice in Notice.objects.filter(user=answerer) if notice.kind == "stopped"]
    client.force_login(answerer, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("notice", args=[line.pk])).headers["Location"] == reverse("notices-settings")
    assert client.post(reverse("notices-mobile"), {"do": "start-sms"}).status_code == 302
    assert PersonChoices.objects.get(user=answerer).sms_stopped_at is None


def _secret():
    from django.conf import settings

    return settings.SMS_SECRET


def bounce(message_id, to, *, action="failed", kind="delivery-status"):
    return (
        f"From: MAILER-DAEMON@mx.example\nTo: directory@localhost\nSubject: Undelivered\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n--b\nContent-Type: text/plain\n\nSorry.\n\n'
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {to}\nAction: {action}\n"
        f"Status: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: {message_id}\nSubject: x\n\nbody\n\n--b--\n"
    ).encode()


def test_a_bounce_is_believed_of_a_message_of_ours_to_that_address_alone():
    _, answerer, _ = asked()
    read_all()
    send_due()
    name = waiting().gateway_id
    assert bounces.take(bounce(name, "someone@else.example"), at=NOW)
    assert bounces.take(bounce(name[:-20] + "0" * 10 + name[-10:], answerer.email), at=NOW)
    assert bounces.take(bounce(name, answerer.email, action="delayed"), at=NOW)
    assert not bounces.take(bounce(name, answerer.email, kind="disposition-notification"), at=NOW)
    assert not bounces.take(b"\xff\0 Content-Type: multipart/report", at=NOW)
    assert waiting().state == "sent"
    assert bounces.take(bounce(name, answerer.email), at=NOW)
    assert (waiting().state, waiting().failed_because) == ("failed", "There is no such mailbox.")
    assert PersonChoices.objects.get(user=answerer).email_stopped_because == "bounced"
    assert Notice.objects.filter(user=answerer, kind="stopped").count() == 1
    # Trying again is to believe that the mailbox works again.
    delivering.try_again(delivery_id=waiting().pk, by=UserFactory(administrator=True), at=NOW)
    assert send_due() == ["sent"]


# --- systems of others


def test_a_signature_is_that_of_the_standards_own_example():
    signed = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", stamp=1614265330,
        content=b'{"test": 2432232314}',
    )  # fmt: skip
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_system_is_told_ids_alone_and_each_of_two_keys_opens_the_signature_for_a_day(receiver):
    manager, webhook, key = hooked(receiver.url, types=["message.new"])
    task = str(UserFactory().pk)
    happen(manager.organization_id, task=task, status="accepted", words="Zebedee", to=[task], count=3)
    happen(manager.organization_id, "followup.due", task=task)
    happen(UserFactory().organization_id, task=task)
    assert send_due() == ["arrived"]
    [(headers, body)] = receiver.calls
    assert json.loads(body) == {"type": "message.new", "timestamp": json.loads(body)["timestamp"], "data": {"task": task}}
    parts = {"message_id": headers["webhook-id"], "stamp": int(headers["webhook-timestamp"]), "content": body}
    assert headers["webhook-signature"] == signing.sign(key, **parts)
    _, new = webhooks.rotate(webhook_id=webhook.pk, by=manager, at=NOW)
    with pytest.raises(Conflict):
        webhooks.rotate(webhook_id=webhook.pk, by=manager, at=NOW)
    replayed = webhooks.replay(delivery_id=Delivery.objects.get().pk, by=manager, at=NOW)
    assert send_due() == ["arrived"]
    headers = receiver.calls[1][0]
    assert headers["webhook-id"] == f"msg_{replayed.pk}" == receiver.calls[0][0]["webhook-id"]
    parts["stamp"] = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split() == [signing.sign(new, **parts), signing.sign(key, **parts)]
    webhook.refresh_from_db()
    assert len(signing.headers(replayed, webhook, body, at=NOW + timedelta(hours=25))["webhook-signature"].split()) == 1


@pytest.mark.parametrize("status", [500, 302])
def test_a_system_that_takes_nothing_for_two_days_is_switched_off_and_its_keepers_are_told(receiver, status):
    manager, webhook, _ = hooked(receiver.url)
    receiver.status = status
    happen(manager.organization_id)
    at = NOW
    while send_due(at) == ["waiting"]:
        at = Delivery.objects.get(route="webhook").due_at
    assert at - NOW == timedelta(seconds=sum(delivering.AGAIN[Route.WEBHOOK]))
    assert timedelta(days=1.9) < at - NOW < timedelta(days=2.2)
    webhook.refresh_from_db()
    assert (webhook.works, webhook.stopped_because, len(receiver.calls)) == (False, f"It answered {status}.", 9)
    assert list(Notice.objects.values_list("user", "kind")) == [(manager.pk, "stopped")]
    happen(manager.organization_id)
    assert Delivery.objects.filter(route="webhook").count() == 1
    with pytest.raises(Conflict):
        webhooks.replay(delivery_id=Delivery.objects.get(route="webhook").pk, by=manager, at=at)
    receiver.status = 200
    webhooks.switch(webhook_id=webhook.pk, on=True, by=manager, at=at)
    webhooks.replay(delivery_id=Delivery.objects.get(route="webhook").pk, by=manager, at=at)
    assert "arrived" in send_due(at)


def test_one_that_says_it_is_gone_is_switched_off_at_once(receiver):
    manager, webhook, _ = hooked(receiver.url)
    receiver.status = 410
    webhooks.send_trial(webhook_id=webhook.pk, by=manager, at=NOW)
    assert send_due() == ["failed"]
    assert not Webhook.objects.get().works


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.9"], ["169.254.169.254"], ["93.184.216.34", "192.168.0.1"], ["::ffff:127.0.0.1"]], ids=str
)
def test_a_name_that_leads_inside_is_never_called(receiver, settings, monkeypatch, addresses):
    settings.WEBHOOK_PRIVATE = False
    monkeypatch.setattr(network, "resolve", lambda host, port: addresses)
    manager, webhook, _ = hooked(f"https://records.example.com:{receiver.url.split(':')[2].split('/')[0]}/")
    webhooks.send_trial(webhook_id=webhook.pk, by=manager, at=NOW)
    assert send_due() == ["waiting"]
    assert "inside a private network" in Delivery.objects.get().failed_because
    assert receiver.calls == []


@pytest.mark.parametrize(
    "url", ["http://x.example/", "https://me:secret@x.example/", "ftp://x.example", "https://",
            "x.example", "https://x.example/ y", "https://[", "https://x.example:0/"]
)  # fmt: skip
def test_what_is_no_safe_address_is_refused_in_words(url):
    with pytest.raises(Invalid):
        hooked(url)


def test_only_who_connects_systems_does_and_only_their_own():
    manager, webhook, _ = hooked("https://records.example/")
    keeper = UserFactory(provider=True, keeps_keys=True, organization=manager.organization)
    for other in (UserFactory(manager=True), UserFactory(provider=True, keeps_keys=True)):
        with pytest.raises(NotFound):
            webhooks.rotate(webhook_id=webhook.pk, by=other, at=NOW)
    for other in (UserFactory(), UserFactory(provider=True), UserFactory(administrator=True)):
        with pytest.raises(NotAllowed):
            webhooks.make(name="x", url="https://x.example/", types=[], by=other, at=NOW)
    assert webhooks.remove(webhook_id=webhook.pk, by=keeper, at=NOW).removed_at == NOW


# --- in a demonstration, by the API, and in the end


def test_what_a_demonstration_would_have_sent_is_on_one_page_and_nowhere_on_a_live_site(client, settings, tmp_path):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", tmp_path
    settings.SMS_FILE_PATH, settings.WEBHOOK_FILE_PATH = str(tmp_path / "sms.jsonl"), str(tmp_path / "hooks.jsonl")
    _, answerer, _ = asked()
    with_mobile(answerer)
    chosen(answerer, text=When.NOW)
    manager, webhook, _ = hooked("https://records.example/in")
    webhooks.send_trial(webhook_id=webhook.pk, by=manager, at=NOW)
    read_all()
    assert sorted(send_due()) == ["arrived", "sent", "sent"]
    assert sorted(one.route for one in caught.caught()) == ["email", "sms", "webhook"]
    assert [one.to for one in caught.caught(route="sms")] == [MOBILE]
    (tmp_path / "sms.jsonl").write_text((tmp_path / "sms.jsonl").read_text() + '{"half a line')
    client.force_login(answerer, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("caught")).content.decode()
    assert page.count('<article class="lune-caught">') == 3
    assert "webhook-signature" in page
    settings.DEMO = settings.DEBUG = False
    assert client.get(reverse("caught")).status_code == 404
    assert not caught.keeps("https://records.example/in")


def test_the_api_tells_ones_own_notices_and_marks_them():
    sender, answerer, _ = asked()
    read_all()
    client, other = Client(), Client()
    client.force_login(answerer, backend="allauth.account.auth_backends.AuthenticationBackend")
    other.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    [found] = client.get(reverse("api-notices"), {"unread": "true"}).json()["results"]
    assert (found["kind"], found["words"], found["read_at"]) == ("referral-new", "New referral for HIV clinic", None)
    address = reverse("api-notice-read", args=[found["id"]])
    assert other.post(address).status_code == 404
    assert client.post(address).json()["read_at"] is not None
    assert client.get(reverse("api-notices"), {"unread": "true"}).json()["count"] == 0
    assert client.post(reverse("api-notices-read")).json() == {"marked": 0}


def test_the_api_makes_a_webhook_and_tells_its_key_once():
    client, manager = Client(), UserFactory(manager=True)
    client.force_login(manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    made = client.post(reverse("api-webhooks"), {"name": "Records", "url": "https://records.example/"}, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["key"] == signing.key_of(Webhook.objects.get())
    address = reverse("api-webhook", args=[made.json()["webhook"]["id"]])
    assert "key" not in client.get(address).json()
    assert client.post(reverse("api-webhook-try", args=[made.json()["webhook"]["id"]])).status_code == 202
    assert client.post(reverse("api-webhook-rotate", args=[made.json()["webhook"]["id"]])).json()["key"] != made.json()["key"]
    assert client.delete(address).status_code == 204
    assert client.get(reverse("api-webhooks")).json()["count"] == 0


def test_what_is_old_is_deleted_and_what_is_under_way_stays(settings):
    settings.NOTICE_KEEP_DAYS = 30
    asked()
    read_all()
    later = NOW + timedelta(days=31)
    assert operations.forget(at=later) == 0
    send_due()
    assert operations.forget(at=later) > 0
    assert (Notice.objects.count(), Delivery.objects.count()) == (0, 0)
