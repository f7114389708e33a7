"""Publishing: a change leaves a durable row in the transaction that made it. Redis only hints at it later."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from core.models import Event

#: PostgreSQL channel on which a commit wakes the relay.
WAKE_CHANNEL = "lune_events"


_ROW = "(%s, %s::varchar[], %s::uuid[], %s, %s)"
_PUBLISH = """
WITH kept AS (INSERT INTO core_event (type, topics, audience, data, at) VALUES {rows} RETURNING id, xid)
SELECT id, xid::text, CASE WHEN row_number() OVER (ORDER BY id) = 1 THEN pg_notify(%s, '') END FROM kept ORDER BY id
"""


def publish(
    type: str,
    *,
    topics: Iterable[str],
    data: dict[str, Any] | None = None,
    audience: Iterable[uuid.UUID] | None = None,
) -> Event:
    """Record that something happened, in the current transaction.

    `topics` are what screens listen to: `pool:<id>`, `service:<id>`, `org:<id>`, `referral:<id>`, `region`.
    `audience` lists the organisations that may learn of it; None means any signed-in or public viewer (catalogue and
    capacity). `data` holds ids, versions and codes, never a fact about a person.

    Raises RuntimeError outside a transaction: an event must live or die with its change.
    """
    event = drafted(type, topics=topics, data=data, audience=audience)
    publish_all([event])
    return event


def drafted(
    type: str,
    *,
    topics: Iterable[str],
    data: dict[str, Any] | None = None,
    audience: Iterable[uuid.UUID] | None = None,
) -> Event:
    """An event as `publish` takes it, for `publish_all`."""
    return Event(
        type=type,
        topics=sorted(set(topics)),
        audience=None if audience is None else sorted(set(audience), key=str),
        data=data or {},
        at=timezone.now(),
    )


def publish_all(events: Sequence[Event]) -> None:
    """Record events, in the order given, in the current transaction, and wake the relay once. They get their places.

    Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("publish() must be called inside the transaction that makes the change")
    if not events:
        return
    values: list[Any] = [value for event in events for value in (event.type, event.topics, event.audience, Jsonb(event.data), event.at)]
    with connection.cursor() as cursor:
        # One statement, written out: every change of anything does this.
        cursor.execute(_PUBLISH.format(rows=", ".join([_ROW] * len(events))), [*values, WAKE_CHANNEL])
        for event, (pk, xid, _) in zip(events, cursor.fetchall(), strict=True):
            event.pk, event.xid = int(pk), int(xid)
