"""The contract of a gateway for text messages: the one that the tests use keeps it, and so does the one that speaks HTTP."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.test import RequestFactory

from core import sms
from core.clock import now
from core.errors import Invalid, NotAllowed

SECRET = "secret of the tests"
KNOWN, UNKNOWN = "+447700900123", "+447700900404"


class Carrier:
    """What stands behind `HttpGateway`: keeps what it gets, knows not every number, and may be out of order."""

    def __init__(self) -> None:
        carrier = self
        self.outbox: list[tuple[str, str, str]] = []
        self.unknown: set[str] = set()
        self.away = False

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                allowed = self.headers["Authorization"] == "Bearer token" and body["from"] == "Lune"
                status = 503 if carrier.away else 404 if body["to"] in carrier.unknown else 201 if allowed else 401
                if status == 201:
                    carrier.outbox.append((f"m{len(carrier.outbox)}", body["to"], body["text"]))
                answer = json.dumps({"id": f"m{len(carrier.outbox) - 1}"}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(params=["kept", "http"])
def carried(request, settings):
    """A gateway, and what is behind it."""
    settings.SMS_SECRET = SECRET
    if request.param == "kept":
        sms.KeepingGateway.forget()
        yield sms.KeepingGateway(), sms.KeepingGateway
        sms.KeepingGateway.forget()
        return
    carrier = Carrier()
    settings.SMS_URL, settings.SMS_TOKEN, settings.SMS_SENDER = f"http://127.0.0.1:{carrier.server.server_port}/", "token", "Lune"
    yield sms.HttpGateway(), carrier
    carrier.close()


def call(content: object, **how):
    """A call to the webhook, signed unless told otherwise."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    signed = sms.signature(how.get("signed", body), secret=how.get("secret", SECRET), at=how.get("at", now()))
    return RequestFactory().post("/", body, content_type="application/json", headers={sms.SIGNATURE_HEADER: how.get("header", signed)})


def test_what_is_sent_arrives_once_under_the_name_that_is_told(carried):
    gateway, behind = carried
    names = [gateway.send(KNOWN, text) for text in ("2 beds free?", "Grüße ✓")]
    assert len(set(names)) == 2
    assert behind.outbox == [(names[0], KNOWN, "2 beds free?"), (names[1], KNOWN, "Grüße ✓")]


def test_what_never_arrives_is_told_from_what_may_arrive_later(carried):
    gateway, behind = carried
    behind.unknown.add(UNKNOWN)
    with pytest.raises(sms.Refused):
        gateway.send(UNKNOWN, "2 beds free?")
    for nothing in ("", "x" * (sms.LONGEST + 1)):
        with pytest.raises(sms.Refused):
            gateway.send(KNOWN, nothing)
    behind.away = True
    with pytest.raises(sms.GatewayAway) as error:
        gateway.send(KNOWN, "2 beds free?")
    assert KNOWN not in str(error.value)
    assert behind.outbox == []


def test_what_comes_in_is_read(carried):
    gateway, _ = carried
    content = {
        "messages": [{"id": "in-1", "from": "07700 900123", "text": "2 general"}],
        "receipts": [
            {"id": "a", "status": "delivered"},
            {"id": "b", "status": "failed", "reason": "No such number"},
            {"id": "c", "status": "?"},
        ],
    }
    assert gateway.parse_inbound(call(content)) == [
        sms.Inbound("in-1", KNOWN, "2 general"),
        sms.Receipt("a", True),
        sms.Receipt("b", False, "No such number"),
    ]


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "another"}, {"signed": b"another body"}, {"at": now() - timedelta(hours=1)}, {"at": now() + timedelta(hours=1)},
        {"header": ""}, {"header": "t=,v1="}, {"header": "t=²,v1=x"}, {"header": f"t={'9' * 5_000},v1=x"},
    ],
    ids=["secret", "body", "old", "early", "none", "empty", "digit", "long"],
)  # fmt: skip
def test_what_is_not_signed_is_not_believed(carried, how):
    with pytest.raises(NotAllowed):
        carried[0].parse_inbound(call({"messages": []}, **how))


def test_without_a_secret_nothing_is_believed(carried, settings):
    settings.SMS_SECRET = ""
    with pytest.raises(NotAllowed):
        carried[0].parse_inbound(call({"messages": []}, secret=""))


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"\xff", b"[]", b"[" * 50_000, {"messages": 3}, {"messages": [{"id": "x"}]}, {"receipts": [None]},
        {"messages": [{"id": "x", "from": "nobody", "text": "2"}]},
    ],
    ids=range(8),
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(carried, content):
    with pytest.raises(Invalid):
        carried[0].parse_inbound(call(content))


@pytest.mark.parametrize(("written", "read"), [("07700 900123", KNOWN), ("+44 (0)7700 900-123", KNOWN), ("0044 7700900123", KNOWN)])
def test_numbers_are_read_as_people_write_them(written, read):
    assert sms.number(written) == read


@pytest.mark.parametrize("written", ["", "07700", "12", "name@example.org", "0" * 40, "07700 900123 ext 5", "x" * 5_000])
def test_what_is_no_number_is_refused(written):
    with pytest.raises(Invalid):
        sms.number(written)


def test_a_site_without_a_gateway_says_so(settings):
    settings.SMS_GATEWAY = ""
    assert not sms.is_set_up()
    with pytest.raises(Invalid):
        sms.gateway()
