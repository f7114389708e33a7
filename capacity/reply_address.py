"""The address to which an answer by e-mail goes: `replies+<token>@…`.

Anybody can write any name into “From”, so the token alone says for which question an answer is. It holds the question and a mark that only
this site can make; it is lower case and short enough for every mail server (RFC 5321 gives the part before the @ 64 octets).
"""

import base64
import hmac
import re
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from capacity.reply_text import MARKER

_MARK = 10  # octets: 80 bits
_TOKEN = re.compile(r"\+([a-z2-7]{42})@", re.IGNORECASE)


def is_set_up() -> bool:
    """Whether this site takes answers by e-mail."""
    return "@" in settings.REPLY_ADDRESS


def address(ask_id: UUID) -> str:
    """Where the answer to one question goes."""
    name, _, domain = settings.REPLY_ADDRESS.partition("@")
    return f"{name}+{_encoded(ask_id.bytes)}{_encoded(_mark(ask_id))}@{domain}"


def headers(ask_id: UUID) -> dict[str, str]:
    """For the letter that asks; none where this site takes no answers by e-mail."""
    return {"Reply-To": address(ask_id)} if is_set_up() else {}


def note() -> str:
    """What the letter says of it, at its beginning."""
    return f"{MARKER}\n" if is_set_up() else ""


def ask_of(recipients: str) -> UUID | None:
    """The question that one of these addresses belongs to; None when none is ours."""
    for token in _TOKEN.findall(recipients):
        ask_id = UUID(bytes=_decoded(token[:26])[:16])
        if hmac.compare_digest(_decoded(token[26:]), _mark(ask_id)):
            return ask_id
    return None


def _mark(ask_id: UUID) -> bytes:
    return salted_hmac("capacity.reply_address", ask_id.hex, algorithm="sha256").digest()[:_MARK]


def _encoded(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _decoded(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
