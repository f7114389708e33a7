"""What a demonstration would have sent: letters and text messages that its gateways keep in files, and calls to addresses of examples.

Read by the page “Caught”, which no live site has.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

#: Names that lead nowhere (RFC 2606): in a demonstration what goes there is kept instead.
_NOWHERE = (".example", ".example.org", ".test", ".invalid")
_BETWEEN = b"-" * 79
_MOST_FILES = 300
_MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Caught:
    """One message that went nowhere."""

    route: str
    at: datetime
    to: str
    subject: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()


def is_on() -> bool:
    """Whether this is a site on which everything is invented."""
    return bool(settings.DEMO or settings.DEBUG)


def keeps(url: str) -> bool:
    """Whether a call to this address is kept, and not made."""
    return bool(is_on() and settings.WEBHOOK_FILE_PATH and (urlsplit(url).hostname or "").endswith(_NOWHERE))


def keep(url: str, headers: dict[str, str], content: bytes, *, at: datetime) -> None:
    """Add a call to the file of those that were kept."""
    line = {"at": at.isoformat(), "to": url, "headers": headers, "body": content.decode()}
    with Path(settings.WEBHOOK_FILE_PATH).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def caught(route: str = "", text: str = "") -> list[Caught]:
    """Everything that was kept, the newest first; of one route, or with `text` in it."""
    found = [*_letters(), *_lines("sms", settings.SMS_FILE_PATH), *_lines("webhook", settings.WEBHOOK_FILE_PATH)]
    wanted = [one for one in found if route in ("", one.route) and text.lower() in f"{one.to} {one.subject} {one.body}".lower()]
    return sorted(wanted, key=lambda one: one.at, reverse=True)


def _letters() -> Iterator[Caught]:
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or "nowhere")
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:_MOST_FILES] if folder.is_dir() else []
    for file in files:
        written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
        for part in file.read_bytes().split(b"\n" + _BETWEEN):
            if part.strip():
                yield _letter(message_from_bytes(part.lstrip(), policy=default), written)


def _letter(message: Message, written: datetime) -> Caught:
    body = message.get_body(("plain", "html"))  # type: ignore[attr-defined]
    headers = tuple((name, str(value)) for name, value in message.items() if name.lower().startswith(("from", "list-", "reply-to")))
    return Caught("email", written, str(message["To"]), str(message["Subject"]), body.get_content() if body else "", headers)


def _lines(route: str, path: str) -> Iterator[Caught]:
    file = Path(path or "nowhere")
    if not file.is_file():
        return
    written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
    for line in file.read_text(encoding="utf-8").splitlines()[-_MOST_LINES:]:
        try:
            kept = json.loads(line)
            at = datetime.fromisoformat(kept["at"]) if "at" in kept else written
            yield Caught(route, at, kept["to"], "", kept.get("text") or kept.get("body") or "", tuple(kept.get("headers", {}).items()))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # half a line, of a process that died
