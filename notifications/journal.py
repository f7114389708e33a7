"""The event rows, read as a journal: in (xid, id) order, from a cursor on.

A row whose transaction id lies below the watermark (`core.settled`) is *settled*: every transaction of this database with a lower id has
ended, so nothing can appear before it any more, and its cursor may be remembered as "seen up to here". A row above is visible but not
settled.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.models import Event
from core.settled import WATERMARK

#: Rows older than this are pruned. Whoever comes with an older cursor is sent a snapshot.
KEEP = timedelta(days=14)

# `row.xid` is the number; a bare `xid` after ORDER BY would be the text of the same name, in which 9 comes after 10.
READ = f"""
    SELECT xid::text, id, type, topics, audience, xid < {WATERMARK}::text::xid8
    FROM core_event AS row WHERE (xid, id) > (%s::xid8, %s) ORDER BY row.xid, row.id LIMIT %s
"""  # noqa: S608 – the same words each time
NEWEST = f"""
    SELECT xid::text, id FROM core_event AS row WHERE xid < {WATERMARK}::text::xid8
    ORDER BY row.xid DESC, row.id DESC LIMIT 1
"""  # noqa: S608 – the same words each time


class Cursor(NamedTuple):
    """Where a row stands. Written `"<xid>.<id>"`."""

    xid: int
    id: int

    def __str__(self) -> str:
        return f"{self.xid}.{self.id}"

    @classmethod
    def parse(cls, text: object) -> "Cursor | None":
        """The cursor that `text` writes; None when it is not one."""
        xid, dot, number = text.partition(".") if isinstance(text, str) and len(text) <= 40 and text.isascii() else ("", "", "")
        if dot and xid.isdigit() and number.isdigit() and int(xid) < 2**64 and int(number) < 2**63:
            return cls(int(xid), int(number))
        return None


#: Before the first row of all.
START = Cursor(0, 0)


class Row(NamedTuple):
    """What of an event travels: enough to know which screens it concerns and who may learn of it."""

    cursor: Cursor
    type: str
    topics: list[str]
    audience: list[UUID] | None
    settled: bool

    @classmethod
    def of(cls, values: tuple[Any, ...]) -> "Row":
        xid, number, type_, topics, audience, settled = values
        return cls(Cursor(int(xid), number), type_, topics, audience, settled)


def newest() -> Cursor:
    """The newest settled row's cursor."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        found = cursor.fetchone()
    return Cursor(int(found[0]), found[1]) if found else START


def known(cursor: Cursor) -> bool:
    """Whether that row is still here: then every row after it is here too, because pruning takes the oldest first."""
    return Event.objects.filter(xid=str(cursor.xid), pk=cursor.id).exists()


def settled_after(cursor: Cursor, limit: int) -> list[Row]:
    """Up to `limit` settled rows after `cursor`, in order."""
    with connection.cursor() as sql:
        sql.execute(READ, [str(cursor.xid), cursor.id, limit])
        rows = [Row.of(values) for values in sql.fetchall()]
    return [row for row in rows if row.settled]


def touched(topics: set[str], cursor: Cursor, organization: UUID | None, limit: int) -> set[str] | None:
    """Those of `topics` that rows after `cursor` name, settled or not, as far as `organization` may learn of them.

    None when more than `limit` rows would have to be read.
    """
    with connection.cursor() as sql:
        sql.execute(
            """
            WITH missed AS (
                SELECT topics, audience FROM core_event
                WHERE (xid, id) > (%(xid)s::xid8, %(id)s) AND topics && %(topics)s::varchar[] LIMIT %(limit)s + 1
            )
            SELECT count(*), ARRAY(
                SELECT DISTINCT topic FROM missed, unnest(topics) AS topic
                WHERE topic = ANY(%(topics)s::varchar[]) AND (audience IS NULL OR %(organization)s::uuid = ANY(audience))
            ) FROM missed
            """,
            {"xid": str(cursor.xid), "id": cursor.id, "topics": sorted(topics), "limit": limit, "organization": organization},
        )
        count, named = sql.fetchone()
    return None if count > limit else set(named)


def prune(at: datetime) -> int:
    """Delete the rows that came before the first one younger than `KEEP`. Returns how many.

    Only ever a beginning of the journal, and never its newest row: so a row that is still here vouches for all after it.
    """
    with connection.cursor() as sql:
        sql.execute(
            """
            DELETE FROM core_event WHERE (xid, id) < ALL (
                SELECT xid, id FROM (
                    (SELECT xid, id FROM core_event WHERE at >= %s ORDER BY xid, id LIMIT 1)
                    UNION ALL
                    (SELECT xid, id FROM core_event ORDER BY xid DESC, id DESC LIMIT 1)
                ) AS kept
            )
            """,
            [at - KEEP],
        )
        return sql.rowcount
