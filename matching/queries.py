"""The ranking query, in SQL, in one place. `matching.engine.check` is its specification; a test proves that they agree."""
# ruff: noqa: S608 (the statements are put together from this module's own constants; every value is a parameter)

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8

from matching.engine.check import Ranked
from matching.engine.problem import Need, PoolFacts, Weights

#: Columns of `PoolFact` that become `PoolFacts` as they are.
_PLAIN = (
    "f.care_type, f.is_open, f.online, f.catchment_m, f.area_ids, f.has_extent, f.accepts, f.requires, f.excludes, f.prefers, f.funding, "
    "f.languages, f.sources, f.min_age, f.max_age, f.sex, f.price_pence, f.cqc_rating, f.free, f.maximum, f.status, f.fresh_s, f.expire_s"
)
#: Where the person lives: a value, not an expression, so that a prepared plan need not build it again for each row.
_HOME = "%(home)s::geometry"
#: Does the person live inside an area that the service drew by hand?
_IN_EXTENT = f"""(f.has_extent AND EXISTS (
    SELECT FROM catalogue_servicearea sa WHERE sa.service_id = f.service_id AND ST_Covers(sa.extent, {_HOME})))"""
#: Whole seconds since the figure was seen, rounded down.
_AGE = "floor(date_part('epoch', %(at)s::timestamptz - f.reported_at))::bigint"
_FACTS = f"""f.pool_id::text, f.service_id::text, {_PLAIN}, ST_X(f.point)::int AS x, ST_Y(f.point)::int AS y,
    {_IN_EXTENT} AS in_extent, %(today)s::date - f.assured_on AS assured_days, {_AGE} AS age_s"""

#: Pools of the right kind within reach: those on the map inside a box and then a circle, and those that are not on it.
_REACH = f"""
    SELECT f.*, floor(ST_Distance(f.point, {_HOME}))::int AS away
    FROM matching_poolfact f
    WHERE f.is_open AND f.care_type = ANY (%(care_types)s::smallint[])
      AND f.point && ST_Expand({_HOME}, %(max_distance_m)s::float8 + 1)
      AND floor(ST_Distance(f.point, {_HOME})) <= %(max_distance_m)s::float8
    UNION ALL
    SELECT f.*, NULL::int AS away
    FROM matching_poolfact f
    WHERE f.is_open AND f.care_type = ANY (%(care_types)s::smallint[])
      AND f.point IS NULL AND (f.online OR f.has_extent OR f.area_ids IS NOT NULL)
"""

#: The hard rules that need nothing but the row. A mask of 0 on the need's side asks for nothing.
_RULES = f"""
        (f.min_age IS NULL OR f.min_age <= %(age)s::int)
    AND (f.max_age IS NULL OR f.max_age >= %(age)s::int)
    AND (f.sex IN (0, 3) OR %(sex)s::int NOT IN (1, 2) OR f.sex = %(sex)s::int)
    AND f.requires & ~%(has)s::bigint = 0
    AND f.excludes & %(has)s::bigint = 0
    AND f.accepts & %(must_haves)s::bigint = %(must_haves)s::bigint
    AND (%(funding)s::bigint = 0 OR f.funding = 0 OR f.funding & %(funding)s::bigint <> 0)
    AND (%(languages)s::bigint = 0 OR f.languages = 0 OR f.languages & %(languages)s::bigint <> 0)
    AND (%(source)s::bigint = 0 OR f.sources = 0 OR f.sources & %(source)s::bigint <> 0)
    AND (%(budget_pence)s::int IS NULL OR f.price_pence IS NULL OR f.price_pence <= %(budget_pence)s::int)
    AND (f.away IS NULL OR f.away <= f.catchment_m)
    AND (f.area_ids IS NULL AND NOT f.has_extent OR f.area_ids && %(areas)s::int[] OR {_IN_EXTENT})
"""

#: `matching.engine.place.place`: the worth of the figure, 0 (green) to 7 (full).
_PLACE = """CASE
    WHEN f.age_s IS NULL OR f.age_s < -300 OR f.age_s >= f.expire_s THEN 5
    WHEN f.status = 1 THEN 6
    WHEN f.status = 2 THEN 4
    WHEN f.free IS NULL THEN 5
    WHEN f.free <= 0 THEN 7
    WHEN f.status = 3 THEN 3
    WHEN f.age_s >= f.fresh_s THEN 2
    WHEN f.maximum >= 10 AND f.free * 10 <= f.maximum THEN 1
    ELSE 0 END"""

#: The factors of `matching.engine.factors`. Whole-number division of numbers that are never negative, as in Python.
_SCORE = """
    %(w_distance)s::bigint * (CASE
        WHEN f.online THEN 1000
        WHEN f.away IS NULL OR %(max_distance_m)s::bigint = 0 THEN 0
        ELSE 1000 * (%(max_distance_m)s::bigint - f.away) / %(max_distance_m)s::bigint END) / 1000
  + %(w_availability)s::bigint * (ARRAY[1000, 850, 600, 500, 300, 200])[f.place + 1] / 1000
  + %(w_freshness)s::bigint * (CASE
        WHEN f.age_s IS NULL OR f.age_s < -300 OR f.age_s >= f.expire_s THEN 0
        ELSE 1000 * (f.expire_s - greatest(f.age_s, 0)) / f.expire_s END) / 1000
  + %(w_known)s::bigint * (1000 * (
        (f.min_age IS NOT NULL OR f.max_age IS NOT NULL)::int
        + bit_count((f.accepts & %(needs)s::bigint)::bit(64))
        + (%(funding)s::bigint <> 0 AND f.funding <> 0)::int
        + (%(languages)s::bigint <> 0 AND f.languages <> 0)::int
        + (%(source)s::bigint <> 0 AND f.sources <> 0)::int) / %(asked)s::bigint) / 1000
  + %(w_preferences)s::bigint * (CASE
        WHEN %(preferences)s::bigint = 0 THEN 1000
        ELSE 1000 * bit_count((f.accepts & %(preferences)s::bigint)::bit(64)) / %(preferred)s::bigint END) / 1000
  + %(w_priority)s::bigint * (f.prefers & %(has)s::bigint <> 0)::int
  + %(w_quality)s::bigint * (ARRAY[400, 0, 300, 750, 1000])[coalesce(f.cqc_rating, 0) + 1] / 1000
  + %(w_price)s::bigint * (CASE
        WHEN %(budget_pence)s::int IS NULL THEN 1000
        WHEN f.price_pence IS NULL THEN 0
        WHEN %(budget_pence)s::int = 0 THEN CASE f.price_pence WHEN 0 THEN 1000 ELSE 0 END
        ELSE 1000 * (%(budget_pence)s::bigint - f.price_pence) / %(budget_pence)s::bigint END) / 1000
  + %(w_assurance)s::bigint * (CASE
        WHEN f.assured_on IS NULL THEN 0
        ELSE 1000 * greatest(0, 730 - greatest(0, %(today)s::date - f.assured_on)) / 730 END) / 1000
"""

#: `OFFSET 0` keeps the planner from writing an inner expression out again at each place where it is used.
RANK = f"""
WITH best AS (
    SELECT f.pool_id, f.away, f.considered, ({_SCORE})::int AS score
    FROM (
        SELECT f.*, {_PLACE} AS place
        FROM (
            SELECT f.*, {_AGE} AS age_s
            FROM (SELECT f.*, count(*) OVER () AS considered FROM ({_REACH}) f) f
            WHERE {_RULES}
            OFFSET 0
        ) f
        OFFSET 0
    ) f
    WHERE f.place < 6 AND (f.place <> 4 OR %(joins_lists)s::bool) AND f.pool_id <> ALL (%(without)s::uuid[])
    ORDER BY score DESC, f.away NULLS LAST, f.pool_id
    LIMIT %(limit)s
)
SELECT b.score, b.away, b.considered, {_FACTS}
FROM best b JOIN matching_poolfact f ON f.pool_id = b.pool_id
ORDER BY b.score DESC, b.away NULLS LAST, b.pool_id
"""

_FACTS_OF = f"SELECT {_FACTS} FROM matching_poolfact f WHERE f.pool_id = ANY (%(pools)s::uuid[])"

#: Everything of the kind, the nearest first, wherever it is: for saying what was nearly right.
_NEAR = f"""
SELECT {_FACTS} FROM matching_poolfact f
WHERE f.care_type = ANY (%(care_types)s::smallint[]) AND f.is_open
ORDER BY f.point <-> {_HOME}, f.pool_id
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best pools in order, and how many of the right kind were within reach before the hard rules."""

    lines: list[Ranked]
    considered: int


def rank(need: Need, weights: Weights, *, at: datetime, limit: int = 50, without: Iterable[UUID] = ()) -> Ranking:
    """The `limit` best pools for a need at the instant `at`, exactly as `engine.check.rank` would have them.

    One statement. `considered` is 0 when nobody fits; `count_in_reach` then says how many there were.
    """
    rows = _fetch(RANK, parameters(need, weights, at=at, limit=limit, without=without))
    lines = [
        Ranked(score=row.pop("score"), distance_m=row.pop("away"), facts=_facts({k: v for k, v in row.items() if k != "considered"}))
        for row in rows
    ]
    return Ranking(lines=lines, considered=rows[0]["considered"] if rows else 0)


def count_in_reach(need: Need, *, at: datetime) -> int:
    """How many pools of the right kind are within reach, before the hard rules."""
    return _fetch(f"SELECT count(*) AS n FROM ({_REACH}) f", _place(need, at))[0]["n"]


def facts_of(need: Need, pool_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, PoolFacts]:
    """The facts of some pools as this need sees them at `at`. A pool that matching cannot place has none."""
    found = (_facts(row) for row in _fetch(_FACTS_OF, _place(need, at) | {"pools": list(pool_ids)}))
    return {UUID(facts.pool_id): facts for facts in found}


def nearest(need: Need, *, at: datetime, limit: int = 500) -> list[PoolFacts]:
    """Open pools of the right kind, the nearest first, however far and whether or not they fit."""
    return [_facts(row) for row in _fetch(_NEAR, _place(need, at) | {"limit": limit})]


def parameters(need: Need, weights: Weights, *, at: datetime, limit: int, without: Iterable[UUID] = ()) -> dict[str, Any]:
    """What the ranking statement is given."""
    given = _place(need, at) | {
        "age": need.age,
        "sex": need.sex,
        "needs": need.needs,
        "has": need.has,
        "must_haves": need.must_haves,
        "preferences": need.preferences,
        "preferred": max(1, need.preferences.bit_count()),
        "asked": need.asked,
        "languages": need.languages,
        "funding": need.funding,
        "source": need.source,
        "budget_pence": need.budget_pence,
        "areas": list(need.areas),
        "joins_lists": need.joins_lists,
        "limit": limit,
        "without": list(without),
        **{f"w_{name}": value for name, value in weights.to_json().items()},
    }
    # The driver types a number by its size, and prepares a statement anew for each mixture of types: always the same type, then.
    return {name: Int8(value) if type(value) is int else value for name, value in given.items()}


def refresh_facts(services: Sequence[UUID] | None = None) -> None:
    """Compute the facts of some services, or of all, from the tables that they come from."""
    with connection.cursor() as cursor:
        if services is None:
            cursor.execute("SELECT matching_refresh_all()")
        else:
            cursor.execute("SELECT matching_refresh(%s::uuid[])", [list(services)])


def _place(need: Need, at: datetime) -> dict[str, Any]:
    return {
        "home": f"SRID=27700;POINT({need.x} {need.y})",
        "max_distance_m": need.max_distance_m,
        "care_types": [bit for bit in range(need.care_types.bit_length()) if need.care_types >> bit & 1],
        "at": at,
        "today": at.astimezone(UTC).date(),
    }


def _fetch(sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a statement on the driver's own cursor, which prepares it once in each connection: planning costs more than running."""
    connection.ensure_connection()
    with connection.connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql, parameters, prepare=True).fetchall()


def _facts(row: dict[str, Any]) -> PoolFacts:
    areas = row.pop("area_ids")
    return PoolFacts(area_ids=None if areas is None else tuple(areas), **row)
