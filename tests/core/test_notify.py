"""GOV.UK Notify behind the interface of `core.sms`: a local server answers as Notify's documentation says, and the same contract holds."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from django.test import RequestFactory

from core import sms
from core.errors import Invalid, NotAllowed
from core.notify import NotifyGateway

SERVICE, SECRET, TEMPLATE = str(uuid4()), str(uuid4()), str(uuid4())
KNOWN, UNKNOWN = "+447700900123", "+447700900404"
TOKEN = "token of the callback"


def _json(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Notify:
    """POST /v2/notifications/sms: a JSON Web Token signed with the key's secret, a template of the service, a telephone number."""

    def __init__(self) -> None:
        notify = self
        self.outbox: list[tuple[str, str, str]] = []
        self.unknown: set[str] = set()
        self.away = self.limited = False

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = notify.answer(self.path, self.headers["Authorization"], body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, path: str, authorization: str, body: dict) -> tuple[int, dict]:
        head, claims, signature = authorization.removeprefix("Bearer ").split(".")
        signed = hmac.new(SECRET.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
        ours = base64.urlsafe_b64encode(signed).rstrip(b"=").decode() == signature and _json(claims)["iss"] == SERVICE
        if self.away:
            return 503, {"status_code": 503, "errors": [{"error": "Exception", "message": "Internal server error"}]}
        if self.limited:
            return 429, {"status_code": 429, "errors": [{"error": "RateLimitError", "message": f"Exceeded for {body['phone_number']}"}]}
        if not ours or path != "/v2/notifications/sms":
            return 403, {"status_code": 403, "errors": [{"error": "AuthError", "message": "Invalid token"}]}
        if body["template_id"] != TEMPLATE or set(body["personalisation"]) != {"message"}:
            return 400, {"status_code": 400, "errors": [{"error": "BadRequestError", "message": "Template not found"}]}
        if body["phone_number"] in self.unknown:
            return 400, {"status_code": 400, "errors": [{"error": "ValidationError", "message": "phone_number Not a UK mobile number"}]}
        name = str(uuid4())
        self.outbox.append((name, body["phone_number"], body["personalisation"]["message"]))
        return 201, {"id": name, "reference": body["reference"], "content": {"body": "", "from_number": "GOVUK"}}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(params=["kept", "notify"])
def carried(request, settings):
    """A gateway and what is behind it: the fake that all other tests use, and the adapter."""
    if request.param == "kept":
        sms.KeepingGateway.forget()
        yield sms.KeepingGateway(), sms.KeepingGateway
        sms.KeepingGateway.forget()
        return
    notify = Notify()
    settings.NOTIFY_URL, settings.NOTIFY_TEMPLATE = f"http://127.0.0.1:{notify.server.server_port}", TEMPLATE
    settings.NOTIFY_KEY = f"lune-{SERVICE}-{SECRET}"
    yield NotifyGateway(), notify
    notify.close()


@pytest.mark.req("R081")
def test_what_is_sent_arrives_once_under_the_name_that_is_told(carried):
    gateway, behind = carried
    names = [gateway.send(KNOWN, text) for text in ("2 beds free?", "Grüße ✓")]
    assert len(set(names)) == 2
    assert behind.outbox == [(names[0], KNOWN, "2 beds free?"), (names[1], KNOWN, "Grüße ✓")]


def test_what_never_arrives_is_told_from_what_may_arrive_later(carried, caplog):
    gateway, behind = carried
    behind.unknown.add(UNKNOWN)
    for to, text in ((UNKNOWN, "2 beds free?"), (KNOWN, ""), (KNOWN, "x" * (sms.LONGEST + 1))):
        with pytest.raises(sms.Refused):
            gateway.send(to, text)
    behind.away = True
    with pytest.raises(sms.GatewayAway) as error:
        gateway.send(KNOWN, "2 beds free?")
    assert KNOWN not in str(error.value)
    assert behind.outbox == []


def test_too_many_a_minute_or_a_wrong_key_is_no_reason_to_give_a_number_up(settings):
    notify = Notify()
    settings.NOTIFY_URL, settings.NOTIFY_TEMPLATE = f"http://127.0.0.1:{notify.server.server_port}", TEMPLATE
    settings.NOTIFY_KEY = f"lune-{SERVICE}-{SECRET}"
    notify.limited = True
    with pytest.raises(sms.GatewayAway) as error:
        NotifyGateway().send(KNOWN, "2 beds free?")
    assert KNOWN not in str(error.value)
    notify.limited = False
    settings.NOTIFY_KEY = f"lune-{SERVICE}-{uuid4()}"
    with pytest.raises(sms.GatewayAway):
        NotifyGateway().send(KNOWN, "2 beds free?")
    notify.close()
    with pytest.raises(sms.GatewayAway):
        NotifyGateway().send(KNOWN, "2 beds free?")


def told(content, settings, token=TOKEN):
    settings.SMS_SECRET = TOKEN
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = RequestFactory().post("/", body, content_type="application/json", headers={"Authorization": f"Bearer {token}"})
    return NotifyGateway().parse_inbound(request)


def test_its_callbacks_are_read_as_it_documents_them_and_only_with_their_token(settings):
    receipt = {"id": "740e5834", "reference": None, "to": "07700900123", "status": "delivered", "notification_type": "sms"}
    assert told(receipt, settings) == [sms.Receipt("740e5834", True)]
    assert told(receipt | {"status": "permanent-failure"}, settings) == [sms.Receipt("740e5834", False, "The number does not exist.")]
    assert told(receipt | {"status": "sending"}, settings) == []
    came = {"id": "b5", "source_number": "447700900123", "destination_number": "07700900000", "message": "2 general", "date_received": ""}
    assert told(came, settings) == [sms.Inbound("b5", KNOWN, "2 general")]
    for token in ("", "guessed", "ü"):
        with pytest.raises(NotAllowed):
            told(receipt, settings, token.encode().decode("latin-1"))
    for unreadable in (b"{", b"[]", {"id": 3}, {"id": "x", "source_number": "nobody", "message": "2"}, {"id": "x", "source_number": 3}):
        with pytest.raises(Invalid):
            told(unreadable, settings)
