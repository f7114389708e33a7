"""What the table is read from: all of it once, then what changed since, by the changes that a trigger notes in each transaction.

How far a table has come is a snapshot of PostgreSQL (`pg_snapshot`): which transactions it has seen. What changed since is what was noted
by transactions that this snapshot does not see, which misses none, however long one of them was open. One statement answers what changed,
with the rows as they are, and whether the rows that are about to be shown are still the ones in memory.
"""
# ruff: noqa: S608 (the statements are put together from this module's own constants; every value is a parameter)

import json
from typing import NamedTuple

import numpy as np
from django.db import connection, transaction

from core import acting
from matching.queries import fetch
from matching.snapshot.layout import COPIED, PACKED, ROW, SAID, SAYS
from matching.snapshot.table import Table, Versions

#: Changes since the last look that are worth taking over one by one.
MOST = 2_000
#: Bytes of a COPY before its first row, and how many rows are taken over at once.
_HEADER, _ROWS = 19, 20_000

_NOW = "pg_current_snapshot()::text, pg_postmaster_start_time()::text"
_COUNT = f"SELECT {_NOW}, count(*), count(*) FILTER (WHERE {SAYS}) FROM matching_poolfact f"
_COPY = f"COPY (SELECT {', '.join(PACKED)} FROM matching_poolfact f) TO STDOUT (FORMAT binary)"
_SAID = f"SELECT f.pool_id, {SAID}::text FROM matching_poolfact f WHERE {SAYS}"

#: What was noted since: by transactions that came after the snapshot, and by those that it saw running. (Both at once, as what it does not
#: see, would be read from the oldest that was running on, which a long transaction holds far back.) With limits, in the order of the
#: index, so that it is read by the index: the planner knows nothing of the snapshot and would guess that a third of all changes come after.
_SINCE = f"""(
    (SELECT pool_id, xid FROM matching_factchange WHERE xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
        ORDER BY xid, pool_id LIMIT {MOST} + 1)
    UNION ALL
    SELECT c.pool_id, c.xid FROM pg_snapshot_xip(%(seen)s::pg_snapshot) AS running CROSS JOIN LATERAL (
        SELECT pool_id, xid FROM matching_factchange WHERE xid = running ORDER BY xid, pool_id LIMIT {MOST} + 1) c
) AS since"""
#: A version of a row is the only one with its place and number (`ctid`, `xmin`) until long after it is gone, and is found there without an
#: index. A row that was moved without a change is one that is not as it was.
_SAME = """(SELECT count(*) FROM unnest(%(places)s::tid[], %(versions)s::xid[]) AS shown (place, version)
    JOIN matching_poolfact f ON f.ctid = shown.place WHERE f.xmin = shown.version)"""
#: Whether anything changed, and how many of the rows to be shown are as they were: nearly always all that there is to know. The statement
#: after it has a hundred expressions for a row, which cost more to get ready than this one costs in all.
_PROBE = f"SELECT pg_postmaster_start_time()::text, {_SAME}, EXISTS (SELECT FROM {_SINCE})"

#: One row: the snapshot of this statement, when the server was started, the number of this transaction if it has written anything, how many
#: of the rows to be shown are as they were, what changed since, and the areas drawn by hand in which somebody lives. `OFFSET 0` has the
#: changed rows found by their keys: the planner reckons with very many and would read the whole table.
_FOLLOW = f"""
WITH changed AS MATERIALIZED (SELECT pool_id, xid FROM {_SINCE})
SELECT {_NOW}, pg_current_xact_id_if_assigned()::text::int8, {_SAME},
    (SELECT json_agg(json_build_array(c.pool_id, c.xid::text::int8, CASE WHEN f.pool_id IS NOT NULL THEN {ROW} END))::text
        FROM changed c LEFT JOIN LATERAL (
            SELECT f.*, f.xmin AS xmin, f.ctid AS ctid FROM matching_poolfact f WHERE f.pool_id = c.pool_id OFFSET 0
        ) f ON true),
    CASE WHEN %(drawn)s::bool THEN ARRAY(
        SELECT sa.service_id::text || '|' || sa.rule FROM catalogue_servicearea sa WHERE ST_Covers(sa.extent, %(home)s::geometry)) END
"""


class Answer(NamedTuple):
    """What PostgreSQL said, as of one instant."""

    seen: str
    """The snapshot up to which a table has come that takes over the changes."""
    started: str
    same: int
    """How many of the rows asked for are as they were."""
    changes: dict[str, list | None]
    """Rows as they are now, by the digits of their id; None for those that are gone."""
    too_many: bool
    own: bool
    """Whether this transaction has changed some itself, which nobody else may learn of yet."""
    covering: list[str] | None
    """Areas drawn by hand in which the person lives: service|rule."""


def load() -> tuple[Table, str, str]:
    """All rows, with the snapshot as of which they are and when the server was started. On a connection without a transaction."""
    connection.ensure_connection()
    acting.align(connection)  # now: a transaction's isolation can be said before its first statement alone
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(_COUNT)
        seen, started, rows, saying = cursor.fetchone()
        table = Table(rows, saying)
        buffer, skip = bytearray(), _HEADER
        with cursor.copy(_COPY) as copy:
            for block in copy:
                buffer += block
                if len(buffer) > _ROWS * COPIED.itemsize + _HEADER:
                    skip = _take(table, buffer, skip)
        _take(table, buffer, skip)
        table.sort()
        with connection.chunked_cursor() as chunked:
            chunked.execute(_SAID)
            while some := chunked.fetchmany(_ROWS):
                for pool, said in some:
                    table.say(str(pool), json.loads(said))
    return table, seen, started


def _take(table: Table, buffer: bytearray, skip: int) -> int:
    """Hand whole rows of a COPY to the table and leave the rest in the buffer. Returns how many bytes to skip the next time: none."""
    whole = (len(buffer) - skip) // COPIED.itemsize
    table.add(np.frombuffer(bytes(buffer[skip : skip + whole * COPIED.itemsize]), COPIED))
    del buffer[: skip + whole * COPIED.itemsize]
    return 0


def follow(seen: str, shown: Versions, *, home: str, drawn: bool) -> Answer:
    """What changed since `seen`, how many of these rows are as they were, and, if `drawn`, areas drawn by hand around `home`."""
    given = {"seen": seen, "places": shown.places, "versions": shown.versions, "drawn": drawn, "home": home}
    if not drawn:
        started, same, changed = fetch(_PROBE, given)[0]
        if not changed:
            return Answer(seen, started, same, {}, too_many=False, own=False, covering=None)
    now, started, own, same, said, covering = fetch(_FOLLOW, given)[0]
    changes = json.loads(said) if said else []
    return Answer(
        seen=_without(now, own),
        started=started,
        same=same,
        changes={pool.replace("-", ""): packed for pool, _, packed in changes},
        too_many=len(changes) > MOST,
        own=any(xid == own for _, xid, _ in changes),
        covering=covering,
    )


def _without(seen: str, own: int | None) -> str:
    """The snapshot without this transaction: it sees itself, but may yet change something, or be undone."""
    low, high, running = seen.split(":")
    if own is None or own >= int(high):
        return seen
    return f"{low}:{high}:{','.join(map(str, sorted({own, *map(int, filter(None, running.split(',')))})))}"
