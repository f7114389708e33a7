"""An e-mail as it comes in (RFC 5322): who wrote it, to which of our addresses, when, and which words."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from html import unescape

LARGEST = 2_000_000
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_BREAKS = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>", re.IGNORECASE)
#: Everything that mail programs put around the message that is answered, up to the end.
_QUOTED_HTML = re.compile(
    r"<blockquote\b.*|<div\b[^>]*(?:gmail_quote|divrplyfwdmsg|yahoo_quoted|moz-cite-prefix|appendonsend)\b.*", re.IGNORECASE | re.DOTALL
)
_UNSEEN = re.compile(r"<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mail:
    """What of an e-mail matters here. `automatic`: no person wrote it, and nobody must answer it."""

    id: str
    sender: str
    recipients: str
    text: str
    sent_at: datetime | None
    automatic: bool


def read(raw: bytes) -> Mail:
    """Read an e-mail, whatever it holds. Never raises."""
    raw = raw[:LARGEST]
    message = BytesParser(policy=policy.default).parsebytes(raw)
    return Mail(
        id=(_header(message, "Message-ID") or hashlib.sha256(raw).hexdigest())[:200],
        sender=parseaddr(_header(message, "From"))[1].lower()[:254],
        recipients=" ".join(value for name in _TO for value in _all(message, name)),
        text=_text(message),
        sent_at=_date(_header(message, "Date")),
        automatic=_is_automatic(message),
    )


def _all(message: EmailMessage, name: str) -> list[str]:
    """The headers of that name as text. What cannot be parsed counts as absent: a stranger wrote it."""
    try:
        return [str(value).replace("\0", "").strip() for value in message.get_all(name, [])]
    except Exception:  # the parser of the standard library fails in many ways on headers that are malformed on purpose
        return []


def _header(message: EmailMessage, name: str) -> str:
    return next(iter(_all(message, name)), "")


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _is_automatic(message: EmailMessage) -> bool:
    """RFC 3834, and what is older than it."""
    told = _header(message, "Auto-Submitted").lower()
    bulk = _header(message, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply")
    return bool(
        (told and told != "no")
        or bulk
        or _header(message, "X-Autoreply")
        or _header(message, "X-Auto-Response-Suppress").lower() == "all"
        or _header(message, "Return-Path") == "<>"
        or message.get_content_type() == "multipart/report"
    )


def _text(message: EmailMessage) -> str:
    try:
        part = message.get_body(preferencelist=("plain", "html"))
        content = part.get_content() if part is not None else ""
    except Exception:  # an unknown charset, a body that is not what it says: nothing that we could read
        return ""
    if not isinstance(content, str) or part is None:
        return ""
    if part.get_content_type() == "text/html":
        content = _QUOTED_HTML.sub("", _UNSEEN.sub("", content))
        content = unescape(re.sub(r"<[^>]*>", " ", _BREAKS.sub("\n", re.sub(r"\s+", " ", content))))
    return content.replace("\0", "")
