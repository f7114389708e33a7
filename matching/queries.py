"""The ranking query, in SQL, in one place. `matching.engine.check` is its specification; a test proves that they agree."""
# ruff: noqa: S608 (the statements are put together from this module's own constants; every value is a parameter)

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import RawCursor

from core import clock
from matching.engine import journey, likelihood
from matching.engine.check import Ranked
from matching.engine.problem import RARE, WORD, Need, PoolFacts, Weights

#: Where the person lives: a value, not an expression, so that a prepared plan need not build it again for each row.
_HOME = "%(home)s::geometry"


def _lives_in(rule: str) -> str:
    """Does the person live inside an area with this rule that the service drew by hand?"""
    return f"""EXISTS (SELECT FROM catalogue_servicearea sa
        WHERE sa.service_id = f.service_id AND sa.rule = '{rule}' AND ST_Covers(sa.extent, {_HOME}))"""


_IN_EXTENT = f"(f.has_extent AND {_lives_in('required')})"
#: Whole seconds since the figure was seen, rounded down.
_AGE = "floor(date_part('epoch', %(at)s::timestamptz - f.reported_at))::bigint"
#: Whole seconds until a session begins, rounded up.
_STARTS_IN = "ceil(date_part('epoch', f.starts_at - %(at)s::timestamptz))::bigint"
#: A session that it is not too late for.
_AHEAD = "(f.starts_at IS NULL OR f.starts_at > %(at)s::timestamptz)"
#: The marks of quality that hold on the day, by the bits of `catalogue.marks.WISHES`; the last is the inspectors' rating.
_MARKS = "(" + " + ".join(
    [
        *(f"{1 << bit} * coalesce((f.marks_until[{bit + 1}] >= %(today)s::date)::int, 0)" for bit in range(3)),
        "8 * (coalesce(f.cqc_rating, 0) >= 3)::int",
    ]
) + ")"  # fmt: skip
#: Those of `PoolFacts` that are not columns of `PoolFact` as they are.
_WORKED_OUT = {
    "pool_id": "f.pool_id::text",
    "service_id": "f.service_id::text",
    "x": "ST_X(f.point)::int",
    "y": "ST_Y(f.point)::int",
    "in_extent": _IN_EXTENT,
    "assured_days": "%(today)s::date - f.assured_on",
    "marks": _MARKS,
    "age_s": _AGE,
    "starts_in_s": _STARTS_IN,
    "series": "f.series::text",
    "said_yes": "coalesce(f.said_yes, 0)",
    "answers": "coalesce(f.answers, 0)",
    "times": "coalesce(f.times, 0)",
    "drawn_out": f"CASE WHEN f.drawn & 1 <> 0 THEN {_lives_in('excluded')} END",
    "drawn_first": f"CASE WHEN f.drawn & 2 <> 0 THEN {_lives_in('preferred')} END",
}
#: The masks of needs that have a second word, and what it is called.
_OWN = {name: f"own_{name}" for name in ("accepts", "requires", "excludes", "prefers")}
#: What travels together, in this order.
_TOGETHER = (*RARE, *_OWN.values())
#: What few services say, together, for those that do: a column each would cost every line of every answer.
_SAID = f"CASE WHEN f.coded THEN json_build_array({', '.join(_WORKED_OUT.get(name, f'f.{name}') for name in _TOGETHER)})::text END"
#: In the order of the fields of `PoolFacts`, and last what few services say.
_FACTS = ", ".join(
    [f"{_WORKED_OUT.get(name, f'f.{name}')} AS {name}" for name in PoolFacts._fields if name not in RARE] + [f"{_SAID} AS said"]
)

#: Where among the columns each mask of needs stands.
_PLACE = {name: PoolFacts._fields.index(name) for name in _OWN}

#: Pools of the right kind within reach: those on the map inside a box and then a circle, and those that are not on it.
#: `OFFSET 0` keeps the planner from writing the inner expressions out again wherever they are used.
_REACH = f"""
    SELECT near.*
    FROM unnest(%(care_types)s::smallint[]) AS kind CROSS JOIN LATERAL (
        SELECT f.ctid AS line, f.*, floor(ST_Distance(f.point, {_HOME}))::int AS away, {_AGE} AS age_s
        FROM matching_poolfact f
        WHERE f.is_open AND f.care_type = kind AND {_AHEAD}
          AND (f.point && ST_Expand({_HOME}, %(max_distance_m)s::float8 + 1) OR f.point IS NULL)
        OFFSET 0
    ) near
    WHERE near.away <= %(max_distance_m)s::bigint
       OR near.point IS NULL AND (near.online OR near.has_extent OR near.area_ids IS NOT NULL)
"""

#: Hard rules on what few services say: `matching.engine.codes`, and what the lists of `matching.engine.lists` rule out.
_CODED = f"""(
        (f.conditions_in IS NULL OR cardinality(%(conditions)s::text[]) = 0 OR f.conditions_in && %(conditions_may)s::text[])
    AND (f.conditions_out IS NULL OR NOT f.conditions_out && %(conditions)s::text[])
    AND (f.registered_out IS NULL OR NOT f.registered_out && %(registered)s::text[])
    AND (f.registered_in IS NULL OR f.registered_in && %(registered)s::text[] OR EXISTS (
        SELECT FROM unnest(f.registered_in) AS code WHERE split_part(code, '|', 1) <> ALL (%(registered_kinds)s::text[])))
    AND (%(funding)s::bigint = 0 OR f.funding_out IS NULL OR %(funding)s::bigint & ~f.funding_out <> 0)
    AND (%(languages)s::bigint = 0 OR f.languages_out IS NULL OR %(languages)s::bigint & ~f.languages_out <> 0)
    AND (%(source)s::bigint = 0 OR f.sources_out IS NULL OR %(source)s::bigint & ~f.sources_out <> 0)
    AND (%(funding)s::bigint = 0 OR f.funding_must IS NULL OR f.funding_must & %(funding)s::bigint <> 0)
    AND (%(languages)s::bigint = 0 OR f.languages_must IS NULL OR f.languages_must & %(languages)s::bigint <> 0)
    AND (%(source)s::bigint = 0 OR f.sources_must IS NULL OR f.sources_must & %(source)s::bigint <> 0)
    AND (f.areas_out IS NULL OR NOT f.areas_out && %(areas)s::int[])
    AND (f.own_excludes IS NULL OR f.own_excludes & %(own_has)s::bigint = 0)
    AND (f.own_requires IS NULL OR f.own_requires & ~%(own_has)s::bigint = 0)
    AND (f.drawn IS NULL OR f.drawn & 1 = 0 OR NOT {_lives_in("excluded")}))"""

#: Of what few services say: do they take somebody like this person first?
_FIRST = f"""(
        coalesce(f.conditions_first && %(conditions)s::text[] OR f.registered_first && %(registered)s::text[], false)
     OR coalesce(f.areas_first && %(areas)s::int[] OR f.own_prefers & %(own_has)s::bigint <> 0, false)
     OR coalesce(f.funding_first, 0) & %(funding)s::bigint <> 0
     OR coalesce(f.languages_first, 0) & %(languages)s::bigint <> 0
     OR coalesce(f.sources_first, 0) & %(source)s::bigint <> 0
     OR coalesce(f.drawn, 0) & 2 <> 0 AND {_lives_in("preferred")})"""

#: `matching.engine.journey`: the person need not go there.
_NO_JOURNEY = """(f.online OR (%(comes)s::bigint >> f.care_type) & 1 <> 0 OR f.accepts & %(visits)s::bigint <> 0
        OR coalesce(f.own_accepts, 0) & %(own_visits)s::bigint <> 0)"""
#: The same: minutes in the person's own way, or on foot where that is sooner.
_MINUTES = f"""((least(%(foot_start)s::bigint + f.away * %(foot_pace)s::bigint, %(start)s::bigint + f.away * %(pace)s::bigint)
        + {journey.MINUTE - 1}) / {journey.MINUTE})"""

#: The hard rules that need nothing but the row, those first that most often refuse; `matching.fitting` reads them too.
#: A mask of 0 on the need's side asks for nothing.
RULES = f"""
        (%(funding)s::bigint = 0 OR f.funding = 0 OR f.funding & %(funding)s::bigint <> 0)
    AND f.accepts & %(must_haves)s::bigint = %(must_haves)s::bigint
    AND (%(own_must_haves)s::bigint = 0 OR coalesce(f.own_accepts, 0) & %(own_must_haves)s::bigint = %(own_must_haves)s::bigint)
    AND (f.away IS NULL OR f.away <= f.catchment_m)
    AND (%(farthest)s::bigint IS NULL OR f.away IS NULL OR f.away <= %(farthest)s::bigint OR {_NO_JOURNEY})
    AND (f.min_age IS NULL OR f.min_age <= %(age)s::int)
    AND (f.max_age IS NULL OR f.max_age >= %(age)s::int)
    AND f.excludes & %(has)s::bigint = 0
    AND f.requires & ~%(has)s::bigint = 0
    AND (f.sex IN (0, 3) OR %(sex)s::int NOT IN (1, 2) OR f.sex = %(sex)s::int)
    AND (%(budget_pence)s::int IS NULL OR f.price_pence IS NULL OR f.price_pence <= %(budget_pence)s::int)
    AND (%(source)s::bigint = 0 OR f.sources = 0 OR f.sources & %(source)s::bigint <> 0)
    AND (%(languages)s::bigint = 0 OR f.languages = 0 OR f.languages & %(languages)s::bigint <> 0)
    AND (f.area_ids IS NULL AND NOT f.has_extent OR f.area_ids && %(areas)s::int[] OR {_IN_EXTENT})
    AND (NOT f.coded OR {_CODED})
    AND f.pool_id <> ALL (%(without)s::uuid[])
"""

#: `matching.engine.place`: the share for what the figure is worth. None: nobody can be placed there, which leaves the pool no score.
_PLACES = """CASE
        WHEN f.age_s IS NULL OR f.age_s < -300 OR f.age_s >= f.expire_s THEN 200
        WHEN f.status = 1 THEN NULL
        WHEN f.status = 2 THEN CASE
            WHEN f.wait_days IS NULL THEN CASE WHEN %(joins_lists)s::bool THEN 300 END
            WHEN coalesce(f.wait_days <= %(days)s::int, %(joins_lists)s::bool) THEN 100 + 300 * greatest(0, 90 - f.wait_days) / 90 END
        WHEN f.free IS NULL THEN 200
        WHEN f.free <= 0 THEN NULL
        WHEN f.status = 3 THEN 500
        WHEN f.age_s >= f.fresh_s THEN 600
        WHEN f.maximum >= 10 AND f.free * 10 <= f.maximum THEN 850
        ELSE 1000 END"""

#: False where it is plain from the figure that nobody can be placed there, which `_PLACES` says too: asked first, because it spares four
#: places in ten the rules and the score.
_MAY_HAVE_ROOM = """((f.free <= 0 OR f.status = 1) AND f.status IS DISTINCT FROM 2
        AND f.age_s >= -300 AND f.age_s < f.expire_s) IS NOT TRUE"""

#: How young the figure is, in thousandths.
_FRESH = """(CASE
        WHEN f.age_s IS NULL OR f.age_s < -300 OR f.age_s >= f.expire_s THEN 0
        ELSE 1000 * (f.expire_s - greatest(f.age_s, 0)) / f.expire_s END)"""


def _number(place: int) -> str:
    """One of the numbers of `matching.engine.likelihood`; arrays of the database begin with 1."""
    return f"(%(chances)s::int[])[{place + 1}]"


#: `matching.engine.likelihood`: the sum, and what the table says of it.
_LEANS = f"""(coalesce(f.leaning, {_number(likelihood.USUAL)}) + {_number(likelihood.DAY)}
        + CASE WHEN f.status = 2 THEN {_number(likelihood.SAID + likelihood.LIST)}
            WHEN f.status = 1 OR f.free IS NULL OR f.free <= 0 THEN {_number(likelihood.SAID + likelihood.NOTHING)}
            WHEN f.status = 3 THEN {_number(likelihood.SAID + likelihood.ASSESSMENT)}
            ELSE {_number(likelihood.SAID + likelihood.FREE)} END
        + {_number(likelihood.FRESH)} * {_FRESH} / 1000
        + CASE WHEN f.online OR f.away IS NULL THEN {_number(likelihood.NO_JOURNEY)}
            ELSE {_number(likelihood.STEP)} * width_bucket(f.away, ARRAY[{", ".join(map(str, likelihood.STEPS))}]) END)"""
_CHANCE = f"""(%(chances)s::int[])[(least({likelihood.FARTHEST}, greatest(-{likelihood.FARTHEST}, {_LEANS})) + {likelihood.FARTHEST})
        / {likelihood.LINE} + {likelihood.TABLE + 1}]"""

#: The factors of `matching.engine.factors`. Whole-number division of numbers that are never negative, as in Python.
_SCORE = f"""
    %(w_availability)s::bigint * {_PLACES} / 1000
  + %(w_distance)s::bigint * (CASE
        WHEN f.online THEN 1000
        WHEN f.away IS NULL OR %(max_distance_m)s::bigint = 0 THEN 0
        ELSE 1000 * (%(max_distance_m)s::bigint - f.away) / %(max_distance_m)s::bigint END) / 1000
  + %(w_freshness)s::bigint * {_FRESH} / 1000
  + %(w_known)s::bigint * (1000 * (
        (f.min_age IS NOT NULL OR f.max_age IS NOT NULL)::int
        + bit_count((f.accepts & %(needs)s::bigint)::bit(64))
        + CASE WHEN f.own_accepts IS NULL THEN 0 ELSE bit_count((f.own_accepts & %(own_needs)s::bigint)::bit(64)) END
        + (f.coded AND coalesce(f.conditions_ok && %(conditions)s::text[], false))::int
        + (%(funding)s::bigint <> 0 AND f.funding <> 0)::int
        + (%(languages)s::bigint <> 0 AND f.languages <> 0)::int
        + (%(source)s::bigint <> 0 AND f.sources <> 0)::int) / %(asked)s::bigint) / 1000
  + %(w_preferences)s::bigint * (CASE
        WHEN %(preferences)s::bigint = 0 AND %(own_preferences)s::bigint = 0 THEN 1000
        ELSE 1000 * (bit_count((f.accepts & %(preferences)s::bigint)::bit(64))
            + CASE WHEN f.own_accepts IS NULL THEN 0 ELSE bit_count((f.own_accepts & %(own_preferences)s::bigint)::bit(64)) END)
            / %(preferred)s::bigint END) / 1000
  + %(w_priority)s::bigint * (f.prefers & %(has)s::bigint <> 0 OR f.coded AND {_FIRST})::int
  + %(w_quality)s::bigint * (ARRAY[400, 0, 300, 750, 1000])[coalesce(f.cqc_rating, 0) + 1] / 1000
  + %(w_price)s::bigint * (CASE
        WHEN %(budget_pence)s::int IS NULL THEN 1000
        WHEN f.price_pence IS NULL THEN 0
        WHEN %(budget_pence)s::int = 0 THEN CASE f.price_pence WHEN 0 THEN 1000 ELSE 0 END
        ELSE 1000 * (%(budget_pence)s::bigint - f.price_pence) / %(budget_pence)s::bigint END) / 1000
  + %(w_assurance)s::bigint * (CASE
        WHEN f.assured_on IS NULL THEN 0
        ELSE 1000 * greatest(0, 730 - greatest(0, %(today)s::date - f.assured_on)) / 730 END) / 1000
  + CASE WHEN f.assured_on >= %(checked_since)s::date THEN %(w_currency)s::bigint ELSE 0 END
  + %(w_marks)s::bigint * (CASE
        WHEN %(marks)s::int = 0 THEN 1000
        ELSE 1000 * bit_count(({_MARKS} & %(marks)s::int)::bit(32)) / %(wished)s::bigint END) / 1000
  + CASE WHEN f.online OR (%(travels)s::bigint >> f.care_type) & 1 = 0 OR f.accepts & %(brings)s::bigint <> 0
             OR coalesce(f.own_accepts, 0) & %(own_brings)s::bigint <> 0
        THEN %(w_journey)s::bigint ELSE 0 END
  + %(w_travel)s::bigint * (CASE
        WHEN {_NO_JOURNEY} THEN 1000
        WHEN f.away IS NULL OR %(longest)s::bigint = 0 THEN 0
        ELSE 1000 * greatest(0, %(longest)s::bigint - {_MINUTES}) / %(longest)s::bigint END) / 1000
  + %(w_interests)s::bigint * (CASE
        WHEN %(interests)s::bigint = 0 AND %(own_interests)s::bigint = 0 THEN 1000
        ELSE 1000 * (bit_count((f.accepts & %(interests)s::bigint)::bit(64))
            + CASE WHEN f.own_accepts IS NULL THEN 0 ELSE bit_count((f.own_accepts & %(own_interests)s::bigint)::bit(64)) END)
            / %(interested)s::bigint END) / 1000
  + %(w_times)s::bigint * (CASE
        WHEN %(times)s::int = 0 OR f.times & %(times)s::int <> 0 THEN 1000
        WHEN f.times IS NULL THEN 400 ELSE 0 END) / 1000
  + CASE WHEN %(w_likelihood)s::bigint = 0 OR cardinality(%(chances)s::int[]) = 0 THEN 0
        ELSE %(w_likelihood)s::bigint * {_CHANCE} / 1000 END
"""

#: Each pool in reach becomes a short line; of a series of sessions only the next that fits stays. The facts of the best are then fetched by
#: where they lie (`ctid`), in the same snapshot.
RANK = f"""
WITH judged AS MATERIALIZED (
    SELECT f.line, f.pool_id, f.away, f.series, f.starts_at,
        CASE WHEN {_MAY_HAVE_ROOM} AND {RULES} THEN ({_SCORE})::int END AS score
    FROM ({_REACH}) f
), following AS (
    SELECT DISTINCT ON (f.series) f.line, f.pool_id, f.away, f.score FROM judged f
    WHERE f.series IS NOT NULL AND f.score IS NOT NULL
    ORDER BY f.series, {_STARTS_IN}, f.pool_id
), best AS (
    SELECT line, pool_id, away, score FROM judged WHERE series IS NULL AND score IS NOT NULL
    UNION ALL SELECT line, pool_id, away, score FROM following
    ORDER BY score DESC, away NULLS LAST, pool_id
    LIMIT %(limit)s::bigint
)
SELECT b.score, b.away, (SELECT count(*) FROM judged) AS considered, {_FACTS}
FROM best b JOIN matching_poolfact f ON f.ctid = b.line
ORDER BY b.score DESC, b.away NULLS LAST, b.pool_id
"""

#: How many pools of the right kind are within reach.
COUNT = f"SELECT count(*) FROM ({_REACH}) f"
_FACTS_OF = f"SELECT {_FACTS} FROM matching_poolfact f WHERE f.pool_id = ANY (%(pools)s::uuid[])"

_OF_KIND = f"FROM matching_poolfact f WHERE f.care_type = kind AND f.is_open AND {_AHEAD}"
#: Everything of the kinds, the nearest first, wherever it is: for saying what was nearly right. Each kind by itself, because the index
#: gives the nearest of one kind in their order, and of several none.
_NEAR = f"""
WITH near AS (
    SELECT one.* FROM unnest(%(care_types)s::smallint[]) AS kind CROSS JOIN LATERAL (
        (SELECT f.ctid AS line, f.pool_id, f.point <-> {_HOME} AS away {_OF_KIND} AND f.point IS NOT NULL
            ORDER BY f.point <-> {_HOME}, f.pool_id LIMIT %(limit)s::bigint)
        UNION ALL (SELECT f.ctid, f.pool_id, NULL {_OF_KIND} AND f.point IS NULL ORDER BY f.pool_id LIMIT %(limit)s::bigint)
    ) one
    ORDER BY one.away NULLS LAST, one.pool_id LIMIT %(limit)s::bigint
)
SELECT {_FACTS} FROM near JOIN matching_poolfact f ON f.ctid = near.line ORDER BY near.away NULLS LAST, near.pool_id
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
    rows = fetch(RANK, parameters(need, weights, at=at, limit=limit, without=without))
    lines = [Ranked(score=score, distance_m=away, facts=_facts(facts)) for score, away, _, *facts in rows]
    return Ranking(lines=lines, considered=rows[0][2] if rows else 0)


def count_in_reach(need: Need, *, at: datetime) -> int:
    """How many pools of the right kind are within reach, before the hard rules."""
    return fetch(COUNT, _place(need, at))[0][0]


def facts_of(need: Need, pool_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, PoolFacts]:
    """The facts of some pools as this need sees them at `at`. A pool that matching cannot place has none."""
    found = (_facts(row) for row in fetch(_FACTS_OF, _place(need, at) | {"pools": list(pool_ids)}))
    return {UUID(facts.pool_id): facts for facts in found}


def nearest(need: Need, *, at: datetime, limit: int = 500) -> list[PoolFacts]:
    """Open pools of the right kind, the nearest first, however far and whether or not they fit."""
    return [_facts(row) for row in fetch(_NEAR, _place(need, at) | {"limit": limit})]


def parameters(need: Need, weights: Weights, *, at: datetime, limit: int, without: Iterable[UUID] = ()) -> dict[str, Any]:
    """What the ranking statement is given."""
    return _place(need, at) | {
        "age": need.age,
        "sex": need.sex,
        **_words("needs", need.needs),
        **_words("has", need.has),
        **_words("must_haves", need.must_haves),
        **_words("preferences", need.preferences),
        "preferred": max(1, need.preferences.bit_count()),
        "asked": need.asked,
        "languages": need.languages,
        "funding": need.funding,
        "source": need.source,
        "budget_pence": need.budget_pence,
        "areas": list(need.areas),
        "joins_lists": need.joins_lists,
        "days": need.days,
        "conditions": sorted(need.diagnoses),
        "conditions_may": sorted(need.diagnoses | set(need.conditions_under)),
        "registered": list(need.registered),
        "registered_kinds": sorted(need.registered_kinds),
        "marks": need.marks,
        "wished": max(1, need.marks.bit_count()),
        "travels": need.travels,
        "chances": list(need.chances),
        **_words("brings", need.brings),
        **_words("interests", need.interests),
        "interested": max(1, need.interests.bit_count()),
        "times": need.times,
        **travel(need),
        "checked_since": clock.local_date(at) - timedelta(days=need.checked_for_days),
        "limit": limit,
        "without": list(without),
        **{f"w_{name}": value for name, value in weights.to_json().items()},
    }


def travel(need: Need) -> dict[str, Any]:
    """What the statements are given of the way there."""
    (foot_start, foot_pace), (start, pace) = journey.lines(need)
    return {
        "foot_start": foot_start,
        "foot_pace": foot_pace,
        "start": start,
        "pace": pace,
        "farthest": journey.farthest(need),
        "longest": journey.longest(need),
        "comes": need.comes,
        **_words("visits", need.visits),
    }


def fetch(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that each connection parses and plans once: that costs more than running it.

    Every value is sent as text and gets its type from the statement's own casts, so that the statement is always the same one.
    """
    connection.ensure_connection()
    driver = connection.connection
    driver.prepare_threshold = 0  # Django forbids preparing; its own cursors put values in by themselves and never prepare
    statement, names = _numbered(sql)
    with RawCursor(driver) as cursor:
        return cursor.execute(statement, [_text(parameters[name]) for name in names], prepare=True, binary=True).fetchall()


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
        "today": clock.local_date(at),
    }


def _words(name: str, mask: int) -> dict[str, int]:
    """A mask of needs as the two words of the database."""
    return {name: mask & (1 << WORD) - 1, f"own_{name}": mask >> WORD}


@cache
def _numbered(sql: str) -> tuple[bytes, list[str]]:
    """The statement with `$1` for its first name and so on, and the names: the driver would look for them in every call."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    return re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", sql).encode(), names


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return f"{{{','.join(map(_element, value))}}}"
    return None if value is None else str(value)


def _element(value: Any) -> str:
    """One element of an array; text in quotes, so that whatever a code holds stays one element."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else str(value)


def _facts(values: Sequence[Any]) -> PoolFacts:
    columns: list[Any] = [_frozen(value) for value in values]
    said = {name: _frozen(value) for name, value in zip(_TOGETHER, json.loads(columns.pop() or "[]"), strict=False) if value is not None}
    for name, second in _OWN.items():
        if second in said:
            columns[_PLACE[name]] |= said.pop(second) << WORD
    return PoolFacts(*columns, **said)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
