"""What changed and what is gone: a feed that can be taken up again where one stopped, and that misses nothing.

Each service that was ever public has one row (`PublicationChange`), which moves to the end whenever it changes. Rows are told in the order
of their transactions, and only those that are settled: no transaction with a lower number is still running that could put one before them.
So a cursor always means "seen all up to here", also while a slow import runs; its rows come when it ends.

What runs in another database of the server can put no row here and holds nothing up (`core.settled`).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from catalogue.models import Service
from core.errors import Conflict
from core.settled import WATERMARK

from .feed import writer
from .filters import wrong
from .values import Document, moment

PER_PAGE = 500
_LAST_ID = UUID(int=2**128 - 1)

# `row.xid` is the number; a bare `xid` after ORDER BY would be the text of the same name, in which 9 comes after 10.
_READ = """
    SELECT xid::text, service_id, changed_at FROM catalogue_publicationchange AS row
    WHERE (xid, service_id) > (%s::xid8, %s) AND xid < %s::xid8
    ORDER BY row.xid, row.service_id LIMIT %s
"""
# A row that is visible cannot come from a transaction that is still to come, unless the database was restored from a copy and counts anew.
_RENEW = """
    UPDATE catalogue_publicationchange SET xid = pg_current_xact_id(), first_xid = '0'
    WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
"""
# The life of a directory: another server, another line of its history after a restore or a failover, another database, another table.
_BOUNDS = f"""
    SELECT {WATERMARK},
           pg_snapshot_xmax(taken)::text::bigint,
           left(md5(concat_ws(' ', system_identifier, timeline_id, 'catalogue_publicationchange'::regclass::oid,
                              (SELECT oid FROM pg_database WHERE datname = current_database()))), 8),
           EXISTS (SELECT FROM catalogue_publicationchange WHERE xid >= pg_snapshot_xmax(taken))
    FROM pg_current_snapshot() AS taken, pg_control_system(), pg_control_checkpoint()
"""  # noqa: S608 – the same words each time


class Cursor(NamedTuple):
    """Where a row stands. Written `"<life>.<xid>.<32 hexadecimal digits>"`."""

    life: str
    xid: int
    id: UUID

    def __str__(self) -> str:
        return f"{self.life}.{self.xid}.{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The cursor that `text` writes; None when it is none."""
        found = _CURSOR.fullmatch(text)
        return cls(found[1], int(found[2]), UUID(hex=found[3])) if found else None


_CURSOR = re.compile(r"([0-9a-f]{8})\.(\d{1,18})\.([0-9a-f]{32})", re.ASCII)


class Bounds(NamedTuple):
    """What can be told now."""

    settled: int
    """The number below which every transaction of this database has ended."""
    following: int
    """The first number that no transaction has yet."""
    life: str
    restored: bool
    """Whether rows came from another life, with numbers that this one has not reached."""


@dataclass(frozen=True, slots=True)
class _Row:
    cursor: Cursor
    changed_at: datetime


def changes(*, since: str = "", per_page: int = PER_PAGE, full: bool = False) -> Document:
    """Services that changed or went after the cursor `since` (from the beginning without one, none with `now`), and the next cursor.

    A service stands once, with its last change. `full` adds the documents of those that are still public.
    """
    known = bounds()
    if since == "now":
        return {"contents": [], "size": 0, "more": False, "next": str(Cursor(known.life, known.settled - 1, _LAST_ID))}
    cursor = _cursor(since, known)
    read = _settled_after(cursor, known, per_page + 1)
    rows = read[:per_page]
    # Asked of the service itself: whatever the journal says, nothing that is not public now is told more of than that it is gone.
    public = Service.objects.public().filter(pk__in=[row.cursor.id for row in rows])
    there = {document["id"]: document for document in _documents(public, full)}
    contents = [_entry(row, there.get(str(row.cursor.id)), full) for row in rows]
    return {
        "contents": contents,
        "size": len(contents),
        "more": len(read) > per_page,
        "next": str(rows[-1].cursor if rows else cursor),
    }


def _documents(public: Any, full: bool) -> list[Document]:
    if not full:
        return [{"id": str(key)} for key in public.values_list("pk", flat=True)]
    made = writer(public)
    return [made.full(row) for row in made.rows.services]


def _entry(row: _Row, document: Document | None, full: bool) -> Document:
    entry: Document = {
        "id": str(row.cursor.id),
        "action": "gone" if document is None else "changed",
        "changed_at": moment(row.changed_at),
    }
    return entry | {"service": document} if full and document is not None else entry


def _cursor(since: str, known: Bounds) -> Cursor:
    if not since:
        return Cursor(known.life, 0, UUID(int=0))
    cursor = Cursor.parse(since)
    if cursor is None:
        raise wrong("since", "give the `next` of an earlier answer, `now`, or leave it out to begin at the beginning.")
    if cursor.life != known.life or cursor.xid >= known.following:
        raise Conflict(
            "since: this place in the feed does not exist here, as after the directory was restored from a copy. "
            "Leave `since` out and read everything again.",
            code="cursor-unknown",
            parameter="since",
        )
    return cursor


def _settled_after(cursor: Cursor, known: Bounds, limit: int) -> list[_Row]:
    with connection.cursor() as sql:
        if known.restored:
            sql.execute(_RENEW)
        sql.execute(_READ, [str(cursor.xid), cursor.id, str(known.settled), limit])
        return [_Row(Cursor(known.life, int(xid), key), changed_at) for xid, key, changed_at in sql.fetchall()]


def bounds() -> Bounds:
    """How far the feed can be told at this instant."""
    with connection.cursor() as sql:
        sql.execute(_BOUNDS)
        return Bounds(*sql.fetchone())
