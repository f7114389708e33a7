"""Sealing the read audit in batches, so that an entry that was altered, taken away or slipped in later shows.

Triggers keep everybody from changing entries; who owns the database can put triggers aside. A seal is made of the entries of a batch and
of the seal before, with a key that is not in the database: none can be made anew without it. Batches are cut at the watermark
(`core.settled`): no entry appears below it later, so every entry belongs to one batch.

What nobody can see from inside: entries of the last minutes, not sealed yet; and the newest seals taken away together with their entries.
Each seal is therefore also told to the log, which is kept elsewhere.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from core.models import AuditSeal
from core.settled import WATERMARK

logger = logging.getLogger(__name__)

#: Entries of one seal at most.
BATCH = 20_000
#: Key of the advisory lock: one seal is made at a time.
LOCK_KEY = 0x5345414C  # "SEAL"

_FIELDS = "id, at, user_id, organization_id, role, action, record_type, record_id, purpose"
_SETTLED = f"""
    SELECT xid::text, id FROM (
        SELECT row.xid, row.id FROM core_auditentry AS row
        WHERE (row.xid, row.id) > (%s::xid8, %s) AND row.xid < {WATERMARK}::text::xid8
        ORDER BY row.xid, row.id LIMIT %s
    ) AS batch ORDER BY batch.xid DESC, batch.id DESC LIMIT 1
"""  # noqa: S608 – the same words each time
_ENTRIES = f"""
    SELECT row.xid::text, {_FIELDS} FROM core_auditentry AS row
    WHERE (row.xid, row.id) > (%s::xid8, %s) AND (row.xid, row.id) <= (%s::xid8, %s) ORDER BY row.xid, row.id
"""  # noqa: S608 – the same words each time
_AFTER = "SELECT count(*), min(at) FROM core_auditentry WHERE (xid, id) > (%s::xid8, %s)"

Place = tuple[int, int]
START: Place = (0, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: seals and sealed entries that are whole, entries that wait for a seal and since when, and complaints in words."""

    seals: int
    entries: int
    waiting: int
    waiting_since: datetime | None
    complaints: list[str]


@transaction.atomic
def seal(*, at: datetime) -> int:
    """Seal the entries that are settled and not sealed yet. Returns how many; `BATCH` says that there may be more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        last = AuditSeal.objects.order_by("-number").first()
        after = (last.upto_xid, last.upto_id) if last else START
        cursor.execute(_SETTLED, [str(after[0]), after[1], BATCH])
        found = cursor.fetchone()
        if found is None:
            return 0
        upto = (int(found[0]), int(found[1]))
    entries, digest = _digest(after, upto)
    made = AuditSeal(
        number=last.number + 1 if last else 1, at=at, upto_xid=upto[0], upto_id=upto[1], entries=entries, digest=digest, signature=""
    )
    made.signature = _signature(made, last.signature if last else "")
    made.save(force_insert=True)
    logger.info("audit: seal %d of %d entries up to %d.%d: %s", made.number, entries, *upto, made.signature)
    return entries


def check() -> Verdict:
    """Look whether every sealed entry is as it was sealed. Reads all of them."""
    complaints: list[str] = []
    before, signature, sealed = START, "", 0
    number = 0
    for made in AuditSeal.objects.order_by("number").iterator():
        number += 1
        if made.number != number:
            complaints.append(f"Seal {number} is missing.")
            number = made.number
        upto = (made.upto_xid, made.upto_id)
        entries, digest = _digest(before, upto)
        if not hmac.compare_digest(made.signature, _signature(made, signature)):
            complaints.append(f"Seal {made.number} is not as it was made, or the one before is not.")
        if entries != made.entries:
            complaints.append(f"Seal {made.number} of {_when(made.at)} was made of {made.entries} entries; there are {entries}.")
        elif digest != made.digest:
            complaints.append(f"Entries of seal {made.number} of {_when(made.at)} are not as they were sealed.")
        before, signature, sealed = upto, made.signature, sealed + made.entries
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, [str(before[0]), before[1]])
        waiting, since = cursor.fetchone()
    return Verdict(number, sealed, waiting, since, complaints)


def _digest(after: Place, upto: Place) -> tuple[int, str]:
    """How many entries stand after the one place and up to the other, and the SHA-256 of them."""
    found, count = hashlib.sha256(), 0
    for row in _rows(after, upto):
        found.update(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        count += 1
    return count, found.hexdigest()


def _rows(after: Place, upto: Place) -> Iterator[list[str | int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [str(after[0]), after[1], str(upto[0]), upto[1]])
        while rows := cursor.fetchmany(2_000):
            for xid, pk, at, *rest in rows:
                yield [xid, pk, at.astimezone(UTC).isoformat(), *(None if value is None else str(value) for value in rest)]


def _signature(made: AuditSeal, before: str) -> str:
    said = json.dumps([before, made.number, made.at.astimezone(UTC).isoformat(), made.upto_xid, made.upto_id, made.entries, made.digest])
    return hmac.digest(settings.AUDIT_KEY.encode(), said.encode(), "sha256").hex()


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %Y %H:%M} UTC"
