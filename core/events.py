"""Publishing: a change leaves a durable row in the transaction that made it. Redis only hints at it later."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from core.models import Event

#: PostgreSQL channel on which a commit wakes the relay.
WAKE_CHANNEL = "lune_events"


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
    if not connection.in_atomic_block:
        raise RuntimeError("publish() must be called inside the transaction that makes the change")
    event = Event(
        type=type,
        topics=sorted(set(topics)),
        audience=None if audience is None else sorted(set(audience), key=str),
        data=data or {},
        at=timezone.now(),
    )
    values: list[Any] = [event.type, event.topics, event.audience, Jsonb(event.data), event.at, WAKE_CHANNEL]
    with connection.cursor() as cursor:
        # One statement, written out: every change of anything does this.
        cursor.execute(
            """
            WITH kept AS (
                INSERT INTO core_event (type, topics, audience, data, at)
                VALUES (%s, %s::varchar[], %s::uuid[], %s, %s) RETURNING id, xid
            )
            SELECT id, xid::text, pg_notify(%s, '') FROM kept
            """,
            values,
        )
        event.pk, event.xid = (int(value) for value in cursor.fetchone()[:2])
    return event
