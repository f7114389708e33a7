"""“Your message could not be delivered” (RFC 3464), as mail servers write it to the address from which ours came.

Anybody can write such a letter. Believed is one that knows the id of a message of ours, which nobody can guess, and the address to which
that message went.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.policy import compat32

from flow.reminders import sending
from notifications.notices import delivering

_ID = re.compile(r"<lune-[0-9a-f-]{36}@[^<>\s]{1,200}>")


def take(raw: bytes, *, at: datetime) -> bool:
    """Whether this letter is such a notice; then what it says of a message of ours is kept."""
    try:
        letter = message_from_bytes(raw, policy=compat32)
        if letter.get_content_type() != "multipart/report" or str(letter.get_param("report-type")).lower() != "delivery-status":
            return False
        ours = _ID.search(raw.decode("ascii", errors="replace"))
        for failed in _failed(letter):
            if ours:
                to, because = _address(failed), _why(str(failed["Status"] or ""))
                delivering.receipt(gateway_id=ours[0], route="email", delivered=False, because=because, at=at, to=to)
                sending.receipt(gateway_id=ours[0], delivered=False, because=because, at=at, to=to)
    except (MessageError, ValueError, LookupError):
        return False
    return True


def _failed(letter: Message) -> Iterator[Message]:
    """The blocks about a recipient for whom it is over; a delay (4.x.x) is none."""
    for part in letter.walk():
        blocks = part.get_payload()
        if part.get_content_type() == "message/delivery-status" and isinstance(blocks, list):
            for block in blocks:
                if isinstance(block, Message) and str(block["Action"] or "").strip().lower() == "failed":
                    yield block


def _address(block: Message) -> str:
    told = str(block["Original-Recipient"] or block["Final-Recipient"] or "")
    return told.rpartition(";")[2].strip() or "nobody"


def _why(status: str) -> str:
    known = {"5.1.1": "There is no such mailbox.", "5.2.2": "The mailbox is full.", "5.7.1": "The mail server does not let it in."}
    return known.get(status.strip()[:5], "The mail server sent it back.")
