"""Ranking over 100,000 and 500,000 services: the statement next to the cheapest question that a map can be asked, the 50 nearest points;
and from memory next to a round trip to PostgreSQL that asks nothing."""

import math
import os
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection

from catalogue.vocabulary import COMES_TO_PEOPLE
from matching.engine import times as week
from matching.engine.problem import NO_LIMIT, Need, Weights
from matching.queries import COUNT, RANK, fetch, parameters, rank
from tests.bench.harness import Measured, bench, percentile, timed

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
#: Changes whenever the rows below would.
VERSION = "rank-5"
NEAREST = "SELECT pool_id FROM nearest ORDER BY point <-> %(home)s::geometry LIMIT 50"
#: How often each person is asked for, after a first time that does not count.
ROUNDS = 9
#: The largest places in England: easting and northing in kilometres, spread in kilometres, and weight.
CITIES = (
    (530, 180, 16, 90), (407, 287, 11, 28), (384, 398, 11, 27), (430, 433, 9, 18), (335, 390, 7, 9), (435, 387, 7, 8), (425, 564, 8, 9),
    (359, 173, 7, 7), (457, 340, 8, 8), (459, 304, 6, 6), (442, 112, 6, 5), (465, 101, 5, 5), (248, 55, 5, 3), (509, 428, 6, 3),
    (388, 345, 7, 4), (354, 429, 8, 4), (451, 206, 6, 2), (545, 258, 6, 2), (623, 308, 7, 3), (409, 91, 6, 4), (531, 105, 6, 4),
    (292, 92, 5, 2), (460, 451, 5, 2), (449, 520, 7, 5), (439, 557, 6, 3), (508, 222, 6, 3), (471, 173, 7, 4), (347, 648, 4, 1),
)  # fmt: skip
#: Diagnoses that some services speak of, and kinds of service to which people travel.
CODES = tuple(f"snomed|{44_054_006 + 7 * i}" for i in range(11))
TRAVELS = (1 << 47) - (1 << 20)
#: How common each of the first 16 kinds of service is; the other 31 share the rest.
COMMON = (9, 6, 7, 5, 3, 1, 2, 1, 2, 1, 2, 1, 2, 2, 12, 3)


def points(random: np.random.Generator, n: int) -> np.ndarray:
    """Whole metres: three quarters in and around cities, the rest in 900 small towns and the country."""
    cities = np.array(CITIES, dtype=float)
    towns = np.column_stack([random.uniform(180, 640, 900), random.uniform(50, 560, 900), random.uniform(1, 4, 900), np.full(900, 0.08)])
    centres = np.vstack([cities, towns])
    which = random.choice(len(centres), size=n, p=centres[:, 3] / centres[:, 3].sum())
    away = random.normal(size=(n, 2)) * centres[which, 2:3]
    return np.round((centres[which, :2] + away) * 1000)


def masks(random: np.random.Generator, n: int, bits: int, share: float) -> np.ndarray:
    return (random.random((n, bits)) < share) @ (1 << np.arange(bits))


def fill(n: int) -> None:
    """A table of facts like the real one, written in the order of `matching_refresh_all`, in a schema of its own. Kept from run to run.

    From here on the site's own connection reads it.
    """
    schema = f"bench_rank_{n}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT obj_description(to_regclass('{schema}.matching_poolfact'))")
        if cursor.fetchone()[0] == VERSION:
            cursor.execute(f"SET search_path = {schema}, public")
            return
        cursor.execute(
            f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};"
            "CREATE TEMPORARY TABLE unordered (LIKE public.matching_poolfact);"
            f"CREATE TABLE {schema}.matching_poolfact (LIKE public.matching_poolfact INCLUDING ALL)"
            " WITH (fillfactor = 80, parallel_workers = 0)"
        )
        columns = rows(n)
        copy = f"COPY unordered ({', '.join(columns)}) FROM STDIN"
        with cursor.copy(copy) as sink:
            for row in zip(*columns.values(), strict=True):
                sink.write_row(row)
        cursor.execute(
            f"INSERT INTO {schema}.matching_poolfact SELECT * FROM unordered ORDER BY care_type, point;"
            f"CREATE TABLE {schema}.nearest AS SELECT * FROM unordered ORDER BY point;"
            f"CREATE INDEX ON {schema}.nearest USING gist (point); DROP TABLE unordered"
        )
        cursor.execute(f"COMMENT ON TABLE {schema}.matching_poolfact IS '{VERSION}'")
    connection.commit()
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {schema}.matching_poolfact, {schema}.nearest")
        cursor.execute(f"SET search_path = {schema}, public")


def rows(n: int) -> dict[str, list[Any]]:
    """Columns of `n` pools, always the same."""
    random = np.random.default_rng(20261102)
    where = points(random, n)
    rare = (100 - sum(COMMON)) / 31
    kinds = np.array([*COMMON, *[rare] * 31]) / 100
    maximum = random.integers(1, 40, n)
    free = np.minimum(random.poisson(1.2, n), maximum)
    accepts = masks(random, n, 49, 0.3)
    limited = random.random(n) < 0.1
    coded = random.random(n) < 0.15
    registered = coded & (random.random(n) < 0.2)
    marked = random.random(n) < 0.1
    ids = [f"{i:032x}" for i in range(n)]
    return {
        "pool_id": ids,
        "service_id": ids,
        "care_type": random.choice(47, size=n, p=kinds).tolist(),
        "is_open": (random.random(n) < 0.97).tolist(),
        "point": [f"SRID=27700;POINT({x:.0f} {y:.0f})" for x, y in where],
        "online": [False] * n,
        "catchment_m": np.where(random.random(n) < 0.3, random.integers(5_000, 40_000, n), NO_LIMIT).tolist(),
        "area_ids": [f"{{{area}}}" if some else None for some, area in zip(limited, random.integers(1, 310, n), strict=True)],
        "accepts": accepts.tolist(),
        "requires": np.where(random.random(n) < 0.05, masks(random, n, 49, 0.02), 0).tolist(),
        "excludes": (masks(random, n, 49, 0.03) & ~accepts).tolist(),
        "prefers": (masks(random, n, 49, 0.02) & accepts).tolist(),
        "funding": np.where(random.random(n) < 0.8, masks(random, n, 6, 0.5), 0).tolist(),
        "languages": np.where(random.random(n) < 0.5, masks(random, n, 9, 0.15) | 1, 0).tolist(),
        "sources": np.where(random.random(n) < 0.4, masks(random, n, 9, 0.6), 0).tolist(),
        "min_age": [int(a) if a else None for a in random.choice([0, 18, 50, 65], n, p=[0.2, 0.4, 0.1, 0.3])],
        "max_age": [int(a) if a else None for a in random.choice([0, 64, 110], n, p=[0.8, 0.1, 0.1])],
        "sex": random.choice(4, n, p=[0.4, 0.04, 0.02, 0.54]).tolist(),
        "price_pence": [int(p) if p > 40_000 else None for p in random.integers(20_000, 180_000, n)],
        "cqc_rating": [int(r) or None for r in random.choice(5, n, p=[0.3, 0.03, 0.12, 0.5, 0.05])],
        "assured_on": [AT.date() - timedelta(days=int(d)) for d in random.integers(0, 900, n)],
        "free": [int(f) if known else None for f, known in zip(free, random.random(n) < 0.9, strict=True)],
        "maximum": maximum.tolist(),
        "status": random.choice(4, n, p=[0.75, 0.08, 0.1, 0.07]).tolist(),
        "reported_at": [AT - timedelta(seconds=int(s)) for s in random.exponential(100_000, n)],
        "fresh_s": [86_400] * n,
        "expire_s": [259_200] * n,
        "has_extent": [False] * n,
        "coded": coded.tolist(),
        "times": [int(t) or None for t in np.random.default_rng(21).integers(0, 1 << 21, n) * (np.arange(n) % 3 > 0)],
        "conditions_ok": [f"{{{CODES[i % 7]},{CODES[i % 11]}}}" if some else None for i, some in enumerate(coded)],
        "conditions_in": [f"{{{CODES[i % 7]}}}" if some and i % 3 == 0 else None for i, some in enumerate(coded)],
        "conditions_out": [f"{{{CODES[i % 5]}}}" if some and i % 3 == 1 else None for i, some in enumerate(coded)],
        "registered_in": [f"{{pcn|U{i % 50:05d}}}" if some else None for i, some in enumerate(registered)],
        "funding_out": [1 if some and i % 4 == 0 else None for i, some in enumerate(coded)],
        "marks_until": [f"{{{AT.date() + timedelta(days=i % 900 - 300)},NULL,NULL}}" if some else None for i, some in enumerate(marked)],
    }


def people(n: int) -> list[Need]:
    """What `n` people need, who live where services are."""
    random = np.random.default_rng(7)
    where = points(random, n)
    asked, musts, likes = masks(random, n, 49, 0.06), masks(random, n, 49, 0.006), masks(random, n, 49, 0.05)
    given = []
    for i in range(n):
        kinds = random.choice(16 if random.random() < 0.8 else 47, size=1 if random.random() < 0.8 else 2, replace=False)
        need = Need(
            age=int(random.integers(60, 98)),
            sex=int(random.integers(0, 3)),
            x=int(where[i, 0]),
            y=int(where[i, 1]),
            care_types=sum(1 << int(kind) for kind in kinds),
            needs=int(asked[i] & ~musts[i]),
            must_haves=int(musts[i]),
            preferences=int(likes[i]),
            funding=int(random.choice([0, 1, 4, 8])),
            languages=1,
            budget_pence=int(random.integers(60_000, 180_000)) if random.random() < 0.3 else None,
            max_distance_m=int(random.choice([8_047, 16_093, 24_140, 40_234], p=[0.3, 0.3, 0.3, 0.1])),
            areas=(int(random.integers(1, 310)),),
            joins_lists=bool(random.random() < 0.5),
            today=AT.date().toordinal(),
            conditions=((CODES[i % 11], CODES[i % 7]),) if i % 4 == 0 else (),
            registered=(f"practice|P{i:05d}", f"pcn|U{i % 50:05d}", "icb|QE1") if i % 2 else (),
            marks=9 if i % 5 == 0 else 0,
            travels=TRAVELS if i % 6 == 0 else 0,
            brings=3 << 27,
            mode=i % 3,
            paces=settings.TRAVEL_PACES,
            max_minutes=(None, None, 30, 60)[i % 4],
            comes=COMES_TO_PEOPLE,
            visits=1 << 27,
            interests=int(likes[i]) >> 42 << 42,
            times=week.mask(["SA", "SU", "evening"]) if i % 5 == 1 else 0,
        )
        given.append(need)
    return given


def in_turn(calls: Sequence[Callable[[int], object]], n: int) -> list[list[float]]:
    """Times of each call for persons 0 to `n`, one call after the other: of each person the median of the rounds after the first.

    So p95 is of people, not of the machine's interruptions.
    """
    times: list[list[list[float]]] = [[[] for _ in range(n)] for _ in calls]
    for turn in range(1 + ROUNDS):
        for person in range(n):
            for which in range(len(calls)) if turn % 2 == 0 else reversed(range(len(calls))):
                times[which][person].append(timed(partial(calls[which], person)))
    return [[statistics.median(of_person[1:]) for of_person in side] for side in times]


def worked(calls: Sequence[Callable[[int], object]], n: int) -> list[list[float]] | None:
    """Seconds of processor that PostgreSQL spends on each call for persons 0 to `n`, the least of three rounds: others' share is not in it.

    None where the connection's own process cannot be seen from here.
    """
    spent = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    if not spent.exists():
        return None
    times = [[math.inf] * n for _ in calls]
    for _ in range(3):
        for person in range(n):
            for which, call in enumerate(calls):
                before = int(spent.read_text().split()[0])
                call(person)
                times[which][person] = min(times[which][person], (int(spent.read_text().split()[0]) - before) / 1e9)
    return times


def ready(n: int) -> Callable[..., Any]:
    """Fill the table, and return what executes a bare statement on the site's own connection; from here on the driver prepares."""
    fill(n)
    fetch("SELECT 1", {})
    return partial(connection.connection.execute, prepare=True)


def by_sql(n: int) -> Measured:
    bare = ready(n)
    given = [parameters(need, Weights(), at=AT, limit=50) for need in people(500)]
    calls = (lambda i: fetch(RANK, given[i]), lambda i: bare(NEAREST, {"home": given[i]["home"]}).fetchall())
    candidate, floor = in_turn(calls, len(given))
    said, spent = "", worked(calls, len(given))
    if spent is not None:
        median, p95 = (percentile(spent[0], share) / percentile(spent[1], share) for share in (0.5, 0.95))
        crowded = sorted(range(len(given)), key=spent[0].__getitem__)[-len(given) // 20 :]
        rows = [fetch(COUNT, given[i])[0][0] for i in crowded]
        each = sum(spent[0][i] for i in crowded) / max(1, sum(rows))
        said = (
            f" By processor time in PostgreSQL alone, the least of three rounds of each person: {median:.1f} times in the median,"
            f" {p95:.1f} at p95 ({percentile(spent[0], 0.95) * 1000:.2f} ms). The slowest twentieth have {min(rows):,} to {max(rows):,}"
            f" pools in reach; each pool costs them {each * 1e6:.1f} microseconds."
        )
    return Measured(
        candidate,
        floor,
        note=f"{n:,} pools of 47 kinds spread like England; the whole statement with the facts of the 50 best, for 500 people."
        f" Each person counts with the median of {ROUNDS} rounds: p95 is of people, not of the machine's interruptions."
        f"{said} Load {os.getloadavg()[0]:.1f}.",
    )


@bench("rank-sql-100k", unit="ms", goal="p95 at most 3.5 times that of a bare nearest-50")
def rank_sql_100k() -> Measured:
    return by_sql(100_000)


@bench("rank-sql-500k", unit="ms", goal="p95 at most 9 times that of a bare nearest-50")
def rank_sql_500k() -> Measured:
    return by_sql(500_000)


def from_memory(n: int) -> Measured:
    from matching.snapshot.asking import question
    from matching.snapshot.held import Held

    bare = ready(n)
    asked, weights, held = people(500), Weights(), Held.load()
    table, lives = held.table, held.table.lives(None)
    wrong = sum(held.rank(need, weights, at=AT, limit=10).lines != rank(need, weights, at=AT, limit=10).lines for need in asked)

    def memory(i: int) -> object:
        return table.best(question(asked[i], weights, AT), limit=50, without=(), lives=lives)

    whole, alone, floor = in_turn(
        (lambda i: held.rank(asked[i], weights, at=AT, limit=50), memory, lambda i: bare("SELECT 1").fetchall()), len(asked)
    )
    median, p95 = (percentile(alone, share) / percentile(floor, share) for share in (0.5, 0.95))
    return Measured(
        whole,
        floor,
        note=f"{n:,} pools of 47 kinds spread like England, {table.nbytes / n:.0f} bytes each; for 500 people the whole call: find"
        " the 50 best, ask PostgreSQL what changed and whether these 50 are as they were (itself a round trip), and make their facts."
        f" Finding them in memory alone: {median:.1f} times the round trip in the median, {p95:.1f} at p95."
        f" Top ten other than by SQL: {wrong} of {len(asked)} people. Each counts with the median of {ROUNDS} rounds.",
    )


@bench("rank-memory-100k", unit="ms", goal="p95 at most 1.5 times that of a round trip to PostgreSQL that asks nothing")
def rank_memory_100k() -> Measured:
    return from_memory(100_000)


@bench("rank-memory-500k", unit="ms", goal="p95 at most 2.5 times that of a round trip to PostgreSQL that asks nothing")
def rank_memory_500k() -> Measured:
    return from_memory(500_000)
