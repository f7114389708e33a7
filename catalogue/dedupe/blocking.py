"""Which pairs are worth comparing: those that share something, found by PostgreSQL, so that not each is laid beside each.

A service has some ten keys (telephone, postcode, name …). Two that share a key are a pair, while no more than `LARGEST` share it; larger
groups are looked at by a word of the name as well, and passed over, counted, when that does not help. Besides, each is compared with the
`NEIGHBOURS` most like-named of the `NEAREST` services within `NEAR_M`. So n services make at most some n × keys × LARGEST / 2 pairs,
whatever the data.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from catalogue.models import Service

from . import names
from .facts import Facts, Key, load, to_compare

LARGEST = 40
NEIGHBOURS = 10
NEAR_M = 300
#: However many stand close together, the names of so many of them are looked at.
NEAREST = 60
#: How like two names near each other must be, by pg_trgm, to be compared.
LIKE = 0.35
BATCH = 2_000

#: Told of each step: how many services, or pairs, are done.
Advance = Callable[[int], None]

_TABLES = """
DROP TABLE IF EXISTS dedupe_key, dedupe_word, dedupe_place, dedupe_size, dedupe_pair, dedupe_changed;
CREATE TEMP TABLE dedupe_key (kind text, value text, service uuid, fresh boolean);
CREATE TEMP TABLE dedupe_word (service uuid, word text);
CREATE TEMP TABLE dedupe_place (service uuid, name text, point geometry(Point, 27700));
CREATE TEMP TABLE dedupe_size (kind text, value text, services integer);
CREATE TEMP TABLE dedupe_changed (service uuid PRIMARY KEY);
CREATE TEMP TABLE dedupe_pair (one uuid, other uuid, PRIMARY KEY (one, other))
"""
_SIZES = """
INSERT INTO dedupe_size SELECT kind, value, count(DISTINCT service) FROM dedupe_key GROUP BY kind, value HAVING count(DISTINCT service) > 1;
CREATE UNIQUE INDEX ON dedupe_size (kind, value);
CREATE INDEX ON dedupe_key (kind, value);
CREATE INDEX ON dedupe_word (service);
CREATE INDEX ON dedupe_place USING gist (point);
ANALYZE dedupe_key, dedupe_word, dedupe_place, dedupe_size, dedupe_changed
"""
#: Pairs at least one of whose services changed (`fresh`); the smaller id first.
_SMALL = """
INSERT INTO dedupe_pair
SELECT DISTINCT least(a.service, b.service), greatest(a.service, b.service)
FROM dedupe_size s JOIN dedupe_key a USING (kind, value) JOIN dedupe_key b USING (kind, value)
WHERE s.services <= %(largest)s AND a.service < b.service AND (a.fresh OR b.fresh)
ON CONFLICT DO NOTHING
"""
_LARGE = """
WITH narrowed AS MATERIALIZED (
    SELECT DISTINCT k.kind, k.value, w.word, k.service, k.fresh
    FROM dedupe_size s JOIN dedupe_key k USING (kind, value) JOIN dedupe_word w ON w.service = k.service
    WHERE s.services > %(largest)s
), few AS MATERIALIZED (
    SELECT kind, value, word FROM narrowed GROUP BY kind, value, word HAVING count(*) BETWEEN 2 AND %(largest)s
)
INSERT INTO dedupe_pair
SELECT DISTINCT least(a.service, b.service), greatest(a.service, b.service)
FROM few JOIN narrowed a USING (kind, value, word) JOIN narrowed b USING (kind, value, word)
WHERE a.service < b.service AND (a.fresh OR b.fresh)
ON CONFLICT DO NOTHING
"""
_NEAR = """
INSERT INTO dedupe_pair
SELECT DISTINCT least(a.service, near.service), greatest(a.service, near.service)
FROM dedupe_place a JOIN dedupe_changed USING (service) CROSS JOIN LATERAL (
    SELECT c.service FROM (
        SELECT b.service, similarity(a.name, b.name) AS alike FROM (
            SELECT p.service, p.name FROM dedupe_place p WHERE ST_DWithin(a.point, p.point, %(near)s)
            ORDER BY a.point <-> p.point, p.service LIMIT %(nearest)s
        ) b WHERE b.service <> a.service
    ) c
    WHERE c.alike >= %(like)s ORDER BY c.alike DESC, c.service LIMIT %(neighbours)s
) near
ON CONFLICT DO NOTHING
"""
_PASSED_OVER = """
SELECT count(*) FROM (
    SELECT k.kind, k.value, w.word
    FROM dedupe_size s JOIN dedupe_key k USING (kind, value) JOIN dedupe_word w ON w.service = k.service
    WHERE s.services > %(largest)s GROUP BY k.kind, k.value, w.word HAVING count(DISTINCT k.service) > %(largest)s
) AS large
"""


def gather(since: datetime | None, *, advance: Advance) -> int:
    """Write the keys of all services into tables of this session; returns how many of them count as changed.

    Changed: it or its organisation was written since; without `since`, all.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
    changed = 0
    for ids in _batches():
        known = load(ids)
        fresh = set(known) if since is None else _changed_since(ids, since)
        changed += len(fresh)
        _copy(known.values(), fresh)
        advance(len(ids))
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
    return changed


def pairs() -> tuple[int, int]:
    """Make the pairs; returns how many, and how many groups were too large to compare each with each."""
    limits = {"largest": LARGEST, "near": NEAR_M, "nearest": NEAREST, "like": LIKE, "neighbours": NEIGHBOURS}
    with connection.cursor() as cursor:
        for statement in (_SMALL, _LARGE, _NEAR):
            cursor.execute(statement, limits)
        cursor.execute("ANALYZE dedupe_pair")
        cursor.execute("SELECT count(*) FROM dedupe_pair")
        count = cursor.fetchone()[0]
        cursor.execute(_PASSED_OVER, limits)
        return count, cursor.fetchone()[0]


def each_pair() -> Iterator[list[tuple[UUID, UUID]]]:
    """The pairs, some thousands at a time, those of one service together."""
    last: tuple[UUID, UUID] | None = None
    while True:
        with connection.cursor() as cursor:
            after = "WHERE (one, other) > (%s, %s)" if last else ""
            cursor.execute(f"SELECT one, other FROM dedupe_pair {after} ORDER BY one, other LIMIT {BATCH}", last or [])  # noqa: S608
            batch = cursor.fetchall()
        if not batch:
            return
        yield batch
        last = batch[-1]


def sizes(known: Iterable[Facts]) -> dict[Key, int]:
    """How many services share each value that these have; what is not in it belongs to one alone."""
    keys = {key for facts in known for key in facts.keys()}  # noqa: SIM118 (Facts is no dictionary)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, value, services FROM dedupe_size JOIN unnest(%s::text[], %s::text[]) AS k (kind, value) USING (kind, value)",
            [[key.kind for key in keys], [key.value for key in keys]],
        )
        return {Key(kind, value): services for kind, value, services in cursor.fetchall()}


def changed() -> set[UUID]:
    """The services that this search is about."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT service FROM dedupe_changed")
        return {row[0] for row in cursor.fetchall()}


def clear() -> None:
    """Drop the tables of this session."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS dedupe_key, dedupe_word, dedupe_place, dedupe_size, dedupe_pair, dedupe_changed")


def _batches() -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        rest = to_compare().order_by("pk")
        ids = list((rest.filter(pk__gt=last) if last else rest).values_list("pk", flat=True)[:BATCH])
        if not ids:
            return
        yield ids
        last = ids[-1]


def _changed_since(ids: list[UUID], since: datetime) -> set[UUID]:
    written = Service.objects.filter(Q(modified_at__gte=since) | Q(organization__modified_at__gte=since), pk__in=ids)
    return set(written.values_list("pk", flat=True))


def _copy(known: Iterable[Facts], fresh: set[UUID]) -> None:
    known = list(known)
    with connection.cursor() as cursor:
        with cursor.copy("COPY dedupe_key FROM STDIN") as sink:
            for facts in known:
                for key in set(facts.keys()):
                    sink.write_row((*key, facts.id, facts.id in fresh))
        with cursor.copy("COPY dedupe_word FROM STDIN") as sink:
            for facts in known:
                for word in facts.words():
                    sink.write_row((facts.id, word))
        with cursor.copy("COPY dedupe_place FROM STDIN") as sink:
            for facts in known:
                for x, y in {(place.x, place.y) for place in facts.places if place.x is not None}:
                    sink.write_row((facts.id, " ".join(names.words(facts.name)), f"SRID=27700;POINT({x} {y})"))
        with cursor.copy("COPY dedupe_changed FROM STDIN") as sink:
            for facts in known:
                if facts.id in fresh:
                    sink.write_row((facts.id,))
