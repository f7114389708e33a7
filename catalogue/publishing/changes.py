"""What changed and what is gone: a feed that can be taken up again where one stopped, and that misses nothing.

Each service that was ever public has one row (`PublicationChange`), which moves to the end whenever it changes. Rows are told in the order
of their transactions, and only those that are settled: no transaction with a lower number is still running that could put one before them.
So a cursor always means "seen all up to here", also while a slow import runs; its rows come when it ends.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from catalogue.models import Service
from core.errors import Conflict

from .feed import writer
from .filters import wrong
from .values import Document, moment

PER_PAGE = 500
_LAST_ID = UUID(int=2**128 - 1)

# `row.xid` is the number; a bare `xid` after ORDER BY would be the text of the same name, in which 9 comes after 10.
_READ = """
    SELECT xid::text, service_id, changed_at FROM catalogue_publicationchange AS row
    WHERE (xid, service_id) > (%s::xid8, %s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY row.xid, row.service_id LIMIT %s
"""
# A row that is visible cannot come from a transaction that is still to come, unless the database was restored from a copy and counts anew.
_RENEW = """
    UPDATE catalogue_publicationchange SET xid = pg_current_xact_id(), first_xid = '0'
    WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
"""
_BOUNDS = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_snapshot_xmax(pg_current_snapshot())::text"


class Cursor(NamedTuple):
    """Where a row stands. Written `"<xid>.<32 hexadecimal digits>"`."""

    xid: int
    id: UUID

    def __str__(self) -> str:
        return f"{self.xid}.{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The cursor that `text` writes; None when it is none."""
        xid, dot, key = text.partition(".")
        if not (dot and xid.isascii() and xid.isdigit() and len(xid) <= 20 and int(xid) < 2**63 and len(key) == 32 and key.isalnum()):
            return None
        try:
            return cls(int(xid), UUID(hex=key))
        except ValueError:
            return None


START = Cursor(0, UUID(int=0))


@dataclass(frozen=True, slots=True)
class _Row:
    cursor: Cursor
    changed_at: datetime


def changes(*, since: str = "", per_page: int = PER_PAGE, full: bool = False) -> Document:
    """Services that changed or went after the cursor `since` (from the beginning without one, none with `now`), and the next cursor.

    A service stands once, with its last change. `full` adds the documents of those that are still public.
    """
    if since == "now":
        return {"contents": [], "size": 0, "more": False, "next": str(Cursor(_bounds()[0] - 1, _LAST_ID))}
    cursor = _cursor(since)
    read = _settled_after(cursor, per_page + 1)
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


def _cursor(since: str) -> Cursor:
    if not since:
        return START
    cursor = Cursor.parse(since)
    if cursor is None:
        raise wrong("since", "give the `next` of an earlier answer, `now`, or leave it out to begin at the beginning.")
    if cursor.xid >= _bounds()[1]:
        raise Conflict(
            "since: this place in the feed does not exist here, as after the directory was restored from a copy. "
            "Leave `since` out and read everything again.",
            code="cursor-unknown",
            parameter="since",
        )
    return cursor


def _settled_after(cursor: Cursor, limit: int) -> list[_Row]:
    with connection.cursor() as sql:
        sql.execute(_RENEW)
        sql.execute(_READ, [str(cursor.xid), cursor.id, limit])
        return [_Row(Cursor(int(xid), key), changed_at) for xid, key, changed_at in sql.fetchall()]


def _bounds() -> tuple[int, int]:
    """The number below which every transaction has ended, and the first that no transaction has yet."""
    with connection.cursor() as sql:
        sql.execute(_BOUNDS)
        lowest, next_ = sql.fetchone()
    return int(lowest), int(next_)
