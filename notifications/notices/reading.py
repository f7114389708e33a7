"""The rows of the journal after our place in it, read in the order in which they settled (`core.settled`)."""

import json
from typing import NamedTuple

from django.db import connection

from core.settled import WATERMARK
from notifications.journal import Cursor
from notifications.models import JournalPlace
from notifications.notices.hearing import TYPES, Happened

PLACE = "notices"
#: Rows passed over in one transaction. Most concern nobody and cost no more than the step over them.
PAGE = 2_000

# Only the last row and those of our types leave the database. A row that is not settled ends the page, as it ends the relay's.
_READ = f"""
    WITH page AS MATERIALIZED (
        SELECT xid, id, type FROM core_event AS row
        WHERE (xid, id) > (%s::xid8, %s) AND xid < {WATERMARK}::text::xid8 ORDER BY row.xid, row.id LIMIT %s
    ), told AS (
        SELECT xid, id, type = ANY(%s) AS ours, row_number() OVER (ORDER BY page.xid DESC, page.id DESC) = 1 AS last FROM page
    )
    SELECT told.xid::text, told.id, told.ours, event.type, event.audience, event.data, event.at
    FROM told JOIN core_event AS event USING (id) WHERE told.ours OR told.last ORDER BY told.xid, told.id
"""  # noqa: S608 – the same words each time


class Page(NamedTuple):
    """The events of our types, and how far that was; `upto` is None when nothing was there."""

    events: list[Happened]
    upto: Cursor | None


def locked_place() -> JournalPlace:
    """Our place, so that nobody else moves it meanwhile. Without a row: before the first of all."""
    places = JournalPlace.objects.select_for_update().filter(name=PLACE)
    if (place := places.first()) is None:
        JournalPlace.objects.get_or_create(name=PLACE)
        place = places.get()
    return place


def after(place: JournalPlace) -> Page:
    """What settled after that place."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [str(place.xid), place.event_id, PAGE, sorted(TYPES)])
        rows = cursor.fetchall()
    events = [Happened(id=id_, type=type_, audience=tuple(audience or ()), data=json.loads(data), at=at)
              for _, id_, ours, type_, audience, data, at in rows if ours]  # fmt: skip
    return Page(events, Cursor(int(rows[-1][0]), rows[-1][1]) if rows else None)
