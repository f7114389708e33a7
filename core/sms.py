"""Text messages go out and come in by one door. Which gateway stands behind it is the operator's choice (`LUNE_SMS_GATEWAY`).

What comes in is believed only with a signature over its body and the time, by a secret that only the gateway and we know: anybody can
find the address of the webhook, and a caller's number is written by the caller.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol
from uuid import uuid4

import httpx
import phonenumbers
from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from core.clock import now
from core.errors import Invalid, NotAllowed

SIGNATURE_HEADER = "X-Lune-Signature"
#: A signed message that somebody recorded cannot be played again later than this.
SIGNED_WITHIN = timedelta(minutes=5)
#: Ten parts: more than any of ours, and what gateways take.
LONGEST = 1_530
LARGEST_BODY = 100_000
_SECONDS = 20.0


class GatewayAway(OSError):
    """The gateway cannot be reached, or is too busy: the same message may be sent again later."""


class Refused(Exception):
    """This number will never get this message; the words say why."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Somebody wrote to us. `sender` is E.164; the same `id` twice is the same message."""

    id: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that we sent: `id` is what `send` gave. `reason` says why it failed."""

    id: str
    delivered: bool
    reason: str = ""


class Gateway(Protocol):
    """What Lune asks of whoever carries text messages. tests/core/test_sms.py is the contract."""

    def send(self, to: str, text: str) -> str:
        """Hand over one message to a number in E.164; returns what the gateway calls it. Raises GatewayAway or Refused."""
        ...

    def parse_inbound(self, request: HttpRequest) -> list[Inbound | Receipt]:
        """What a call to our webhook says. Raises NotAllowed when it is not signed, Invalid when it cannot be read."""
        ...


@lru_cache(maxsize=1)
def _made(path: str) -> Gateway:
    made: Gateway = import_string(path)()
    return made


def is_set_up() -> bool:
    """Whether this site can send text messages at all."""
    return bool(settings.SMS_GATEWAY)


def gateway() -> Gateway:
    """The gateway of this site. Raises Invalid when it has none."""
    if not is_set_up():
        raise Invalid("This site cannot send text messages. Choose e-mail.", code="no-sms")
    return _made(settings.SMS_GATEWAY)


def number(text: str) -> str:
    """A telephone number as people write it (“07700 900123”), in E.164. Raises Invalid."""
    try:
        parsed = phonenumbers.parse(text[:40], "GB")
    except phonenumbers.NumberParseException as error:
        raise Invalid("Enter a mobile number, like 07700 900123.", code="not-a-number") from error
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE or parsed.extension:
        raise Invalid("Enter a mobile number, like 07700 900123. This one has too few or too many digits.", code="not-a-number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def signature(body: bytes, *, secret: str, at: datetime) -> str:
    """What stands in `SIGNATURE_HEADER`: the time and the HMAC-SHA-256 of time and body."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


def check_signature(request: HttpRequest, *, secret: str, at: datetime, largest: int = LARGEST_BODY) -> bytes:
    """The body of a call, if whoever knows the secret signed it within the last minutes. Raises NotAllowed."""
    told = request.headers.get(SIGNATURE_HEADER, "")
    parts = dict(part.split("=", 1) for part in told.split(",") if "=" in part)
    body = request.body
    refusal = NotAllowed("This message is not signed by the gateway that this site knows.", code="not-signed")
    if not secret or not parts.get("t", "").isascii() or not parts.get("t", "").isdigit() or len(parts["t"]) > 12:
        raise refusal
    if abs(at.timestamp() - int(parts["t"])) > SIGNED_WITHIN.total_seconds() or len(body) > largest:
        raise refusal
    expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), parts.get("v1", "").encode(errors="replace")):
        raise refusal
    return body


def read_messages(body: bytes) -> list[Inbound | Receipt]:
    """`{"messages": [{"id", "from", "text"}], "receipts": [{"id", "status": "delivered"|"failed", "reason"}]}`. Raises Invalid."""
    try:
        content = json.loads(body)
        found: list[Inbound | Receipt] = [
            Inbound(id=_text(one, "id", 200), sender=number(_text(one, "from", 40)), text=_text(one, "text", 2_000))
            for one in content.get("messages", [])
        ]
        found += [
            Receipt(id=_text(one, "id", 200), delivered=one.get("status") == "delivered", reason=str(one.get("reason", ""))[:200])
            for one in content.get("receipts", [])
            if one.get("status") in ("delivered", "failed")
        ]
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Invalid("This is not a message that we can read.", code="unreadable") from error
    return found


def _text(one: dict[str, Any], name: str, longest: int) -> str:
    value = one[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value.replace("\0", "")[:longest]


def sendable(text: str) -> str:
    if not text.strip() or len(text) > LONGEST:
        raise Refused("The message is empty or too long.")
    return text


class HttpGateway:
    """Any carrier that takes a message as JSON by POST; `LUNE_SMS_URL`, `_TOKEN`, `_SENDER` and `_SECRET` say which.

    We send `{"to", "from", "text"}` with `Authorization: Bearer …`; it answers 2xx with `{"id"}`. Of other answers 400, 404, 410 and 422
    are a number or message that it never takes; everything else may be otherwise in an hour.
    """

    NEVER: ClassVar = frozenset({400, 404, 410, 422})

    def send(self, to: str, text: str) -> str:
        body = {"to": to, "from": settings.SMS_SENDER, "text": sendable(text)}
        try:
            answer = httpx.post(
                settings.SMS_URL, json=body, headers={"Authorization": f"Bearer {settings.SMS_TOKEN}"}, timeout=_SECONDS, trust_env=False
            )
            if answer.status_code in self.NEVER:
                raise Refused(f"The gateway refused it ({answer.status_code}).")
            answer.raise_for_status()
            return str(answer.json()["id"])[:120]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # What the gateway says may quote the number: only the kind of the fault is kept.
            raise GatewayAway(f"The gateway could not be reached ({type(error).__name__}).") from None

    def parse_inbound(self, request: HttpRequest) -> list[Inbound | Receipt]:
        return read_messages(check_signature(request, secret=settings.SMS_SECRET, at=now()))


class KeepingGateway:
    """Carries nothing: keeps each message, for tests and for a machine of one's own. With `SMS_FILE_PATH` also as lines of that file.

    `unknown` are numbers that it refuses, as a carrier would; while `away` it cannot be reached.
    """

    outbox: ClassVar[list[tuple[str, str, str]]] = []
    unknown: ClassVar[set[str]] = set()
    away: ClassVar[bool] = False

    def send(self, to: str, text: str) -> str:
        if type(self).away:
            raise GatewayAway("The gateway could not be reached.")
        if to in self.unknown:
            raise Refused("The gateway refused it (404).")
        name = str(uuid4())
        self.outbox.append((name, to, sendable(text)))
        if path := settings.SMS_FILE_PATH:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"id": name, "at": now().isoformat(), "to": to, "text": text}) + "\n")
        return name

    def parse_inbound(self, request: HttpRequest) -> list[Inbound | Receipt]:
        return read_messages(check_signature(request, secret=settings.SMS_SECRET, at=now()))

    @classmethod
    def forget(cls) -> None:
        """As if nothing had happened."""
        cls.outbox.clear()
        cls.unknown.clear()
        cls.away = False
