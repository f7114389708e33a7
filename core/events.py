"""Publishing: a change leaves a durable row in the transaction that made it. Redis only hints at it later."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection

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
    event = Event.objects.create(
        type=type,
        topics=sorted(set(topics)),
        audience=None if audience is None else sorted(set(audience), key=str),
        data=data or {},
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])
    return event
