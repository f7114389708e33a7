"""Keeping changed pools: each with its next version, its row of history and its event."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from capacity.models import ServiceCapacity
from catalogue.models import User
from core.events import Event, drafted, publish_all

#: What a report may say of a pool, and what each row of its history keeps besides what is held; with the type of each column.
FIGURES = {
    "available": "integer", "maximum": "integer", "occupied": "integer", "reserved": "integer", "waiting": "integer",
    "expected_wait_days": "integer", "status": "text", "is_open": "boolean", "closed_reason": "text", "closed_until": "date",
    "note": "text",
}  # fmt: skip
#: What a pool and each row of its history have alike.
_ALIKE = FIGURES | {"held": "integer", "version": "integer"}
_SENT = _ALIKE | {"pool_id": "uuid", "reported_at": "timestamptz", "reported_by_id": "uuid", "reported_via": "text", "key": "text"}
#: The changes and their rows of history, in one statement written out: every update of every provider does this.
_RECORD = f"""
WITH sent AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(sent)s) AS sent({", ".join(f"{name} {kind}" for name, kind in _SENT.items())})
), changed AS (
    UPDATE capacity_servicecapacity AS pool SET {", ".join(f"{name} = sent.{name}" for name in _ALIKE)},
        reported_at = sent.reported_at, reported_by_id = sent.reported_by_id, reported_via = sent.reported_via
    FROM sent WHERE pool.id = sent.pool_id
)
INSERT INTO capacity_capacityreport (pool_id, kind, observed_at, received_at, by_id, via, key, {", ".join(_ALIKE)})
SELECT pool_id, %(kind)s, %(observed_at)s, %(at)s, %(by)s, %(via)s, key, {", ".join(_ALIKE)} FROM sent
"""  # noqa: S608 – names of columns, of our own


def record(
    pools: Sequence[ServiceCapacity],
    *,
    kind: str,
    by: User | None,
    via: str,
    observed_at: datetime,
    at: datetime,
    keys: Sequence[str] = ("",),
) -> None:
    """Save changed, locked pools, to which the same happened. `keys`: one for each, of updates that may arrive twice."""
    for pool in pools:
        pool.version += 1
    sent = [
        {name: getattr(pool, name) for name in (*_ALIKE, "reported_at", "reported_by_id", "reported_via")}
        | {"pool_id": pool.pk, "key": key}
        for pool, key in zip(pools, keys, strict=True)
    ]
    told: dict[str, Any] = {"kind": kind, "observed_at": observed_at, "at": at, "by": by and by.pk, "via": via}
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, told | {"sent": json.dumps(sent, default=str)})
    publish_all([_change(pool, kind) for pool in pools])


def tell(pool: ServiceCapacity, *, kind: str) -> None:
    """Publish that a pool changed: one durable event in the transaction of the change."""
    publish_all([_change(pool, kind)])


def _change(pool: ServiceCapacity, kind: str) -> Event:
    return drafted(
        "capacity.changed",
        topics=[f"pool:{pool.pk}", f"service:{pool.service_id}", f"org:{pool.service.organization_id}", "region"],
        data={"pool": str(pool.pk), "version": pool.version, "kind": kind},
    )
