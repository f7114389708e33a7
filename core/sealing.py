"""Sealing the read audit in batches, so that an entry that was altered, taken away or slipped in later shows.

Triggers keep everybody from changing entries; who owns the database can put triggers aside. A seal is made of the entries of a batch and
of the seal before, with a key that is not in the database: none can be made anew without it.

A batch is all entries up to a number below which none can appear any more. That number is read while nobody is writing an entry: for an
instant the table is kept from writers, and where they do not come to an end at once, it is tried again next time.

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
from django.db import OperationalError, connection, transaction

from core.models import AuditEntry, AuditSeal

logger = logging.getLogger(__name__)

#: Entries of one seal at most.
BATCH = 20_000
#: Key of the advisory lock: one seal is made at a time.
LOCK_KEY = 0x5345414C  # "SEAL"
#: How long a page that writes an entry may have to wait for us.
PATIENCE = "200ms"

#: Below every number that an entry could have.
START = -(2**63)
_ENTRIES = """
    SELECT id, at, user_id, organization_id, role, action, record_type, record_id, purpose
    FROM core_auditentry WHERE id > %s AND id <= %s ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: seals and sealed entries that are whole, entries that wait for a seal and since when, and complaints in words."""

    seals: int
    entries: int
    waiting: int
    waiting_since: datetime | None
    complaints: list[str]


def seal(*, at: datetime) -> int:
    """Seal the entries that are not sealed yet. Returns how many; `BATCH` says that there may be more.

    Returns 0 as well when entries are being written for longer than `PATIENCE`: they are left for the next time.
    """
    try:
        newest = _settled()
    except OperationalError:
        logger.info("audit: entries are being written; they are sealed next time")
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        last = AuditSeal.objects.order_by("-number").first()
        after = last.upto_id if last else START
        waiting = AuditEntry.objects.filter(id__gt=after, id__lte=newest).order_by("id").values_list("id", flat=True)
        batch = list(waiting[:BATCH])
        if not batch:
            return 0
        entries, digest = _digest(after, batch[-1])
        made = AuditSeal(number=last.number + 1 if last else 1, at=at, upto_id=batch[-1], entries=entries, digest=digest, signature="")
        made.signature = _signature(made, last.signature if last else "")
        made.save(force_insert=True)
    logger.info("audit: seal %d of %d entries up to %d: %s", made.number, entries, made.upto_id, made.signature)
    return entries


@transaction.atomic
def _settled() -> int:
    """A number up to which no entry appears any more: whoever took a lower one has ended. Raises OperationalError when some have not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        cursor.execute("LOCK TABLE core_auditentry IN SHARE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM core_auditentry")
        return int(cursor.fetchone()[0])


def check() -> Verdict:
    """Look whether every sealed entry is as it was sealed. Reads all of them."""
    complaints: list[str] = []
    before, signature, sealed, number = START, "", 0, 0
    for made in AuditSeal.objects.order_by("number").iterator():
        number += 1
        if made.number != number:
            complaints.append(f"Seal {number} is missing.")
            number = made.number
        entries, digest = _digest(before, made.upto_id)
        if not hmac.compare_digest(made.signature, _signature(made, signature)):
            complaints.append(f"Seal {made.number} is not as it was made, or the one before is not.")
        if entries != made.entries:
            complaints.append(f"Seal {made.number} of {_when(made.at)} was made of {made.entries} entries; there are {entries}.")
        elif digest != made.digest:
            complaints.append(f"Entries of seal {made.number} of {_when(made.at)} are not as they were sealed.")
        before, signature, sealed = made.upto_id, made.signature, sealed + made.entries
    waiting = AuditEntry.objects.filter(id__gt=before)
    since = waiting.order_by("id").values_list("at", flat=True).first()
    return Verdict(number, sealed, waiting.count(), since, complaints)


def _digest(after: int, upto: int) -> tuple[int, str]:
    """How many entries stand after the one number and up to the other, and the SHA-256 of them."""
    found, count = hashlib.sha256(), 0
    for row in _rows(after, upto):
        found.update(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        count += 1
    return count, found.hexdigest()


def _rows(after: int, upto: int) -> Iterator[list[str | int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [after, upto])
        while rows := cursor.fetchmany(2_000):
            for pk, at, *rest in rows:
                yield [pk, at.astimezone(UTC).isoformat(), *(None if value is None else str(value) for value in rest)]


def _signature(made: AuditSeal, before: str) -> str:
    said = json.dumps([before, made.number, made.at.astimezone(UTC).isoformat(), made.upto_id, made.entries, made.digest])
    return hmac.digest(settings.AUDIT_KEY.encode(), said.encode(), "sha256").hex()


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %Y %H:%M} UTC"
