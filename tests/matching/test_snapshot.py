"""What is held in memory, the SQL and brute force give the same answer, whatever is changed in between."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.db import connection, transaction

from capacity.models import ServiceCapacity
from catalogue.models import ServiceArea
from core import acting, clock
from core.geo import BNG
from matching import operations, queries, tasks
from matching.engine import check
from matching.engine.problem import Weights
from matching.models import FactChange, PoolFact
from matching.snapshot import held as holding
from matching.snapshot import source
from matching.snapshot import table as tables
from matching.snapshot.held import Behind, Held
from matching.snapshot.keeper import PAUSE, TICK, Keeper, keeper
from tests.factories import LocationFactory, NeedProfileFactory, PoolFactory, UserFactory, near
from tests.matching import changes
from tests.matching.worlds import AT, a_need, build, some_weights

pytestmark = pytest.mark.django_db(transaction=True)
#: Needs that are asked, each after a change or none; `make nightly` asks many more.
ROUNDS = int(os.environ.get("LUNE_SNAPSHOT_ROUNDS", "400"))
#: One in so many is worked out by brute force as well, which takes longest.
BRUTE = 5


@pytest.mark.req("R002")
@pytest.mark.req("R025")
def test_memory_says_what_sql_and_brute_force_say(monkeypatch):
    """Thousands of needs in a long run, hundreds in a short one: the same pools with the same facts and scores in the same order."""
    monkeypatch.setattr(tables, "KEPT", 60)  # so that facts are kept, and are thrown away too
    chance = random.Random(ROUNDS)
    with transaction.atomic():
        areas = [area.pk for area in build(chance, 120)]
    held = Held.load()
    found = recalled = 0
    for number in range(ROUNDS):
        need, weights, limit = a_need(chance, areas), some_weights(chance), chance.choice([1, 10, 10, 500])
        if number % 3 == 0:
            changes.change(chance)
        everybody = list(PoolFact.objects.values_list("pk", flat=True)) if number % BRUTE == 0 else []
        without = chance.sample(everybody, len(everybody) // 2)
        memory = held.rank(need, weights, at=AT, limit=limit, without=without)
        sql = queries.rank(need, weights, at=AT, limit=limit, without=without)
        assert memory.lines == sql.lines, number
        assert memory.considered == (sql.considered or memory.considered)
        if everybody:
            facts = queries.facts_of(need, set(everybody) - set(without), at=AT).values()
            assert memory.lines == check.rank(need, facts, weights, limit), number
            recalled += len(memory.lines)
        found += len(memory.lines)
    assert found > ROUNDS
    assert recalled > ROUNDS / BRUTE / 4, "the worlds must have something to find"


@pytest.fixture
def pools() -> list[ServiceCapacity]:
    return [PoolFactory(location=LocationFactory(point=near(metres))) for metres in range(100, 600, 100)]


def ask(held: Held | Keeper, **given: Any) -> list[str] | None:
    at = clock.now()
    ranking = held.rank(operations.profiles.need_of(NeedProfileFactory(), at=at), Weights(), at=at, limit=50, **given)
    return None if ranking is None else [line.facts.pool_id for line in ranking.lines]


def of(*pools: ServiceCapacity) -> list[str]:
    return [str(pool.pk) for pool in pools]


def elsewhere(act: Callable[[], Any]) -> Any:
    """Do something on another connection."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def full(pool: ServiceCapacity) -> None:
    ServiceCapacity.objects.filter(pk=pool.pk).update(available=0)


def test_a_change_that_was_open_while_others_came_is_not_missed(pools):
    """Its transaction has a lower number than those that were seen before it ended."""
    held = Held.load()
    with transaction.atomic():
        full(pools[0])
        elsewhere(lambda: full(pools[1]))
        assert elsewhere(lambda: ask(held)) == of(pools[0], *pools[2:])
        assert ask(held) is None, "what this transaction has changed is nobody else's yet"
        assert elsewhere(lambda: ask(held)) == of(pools[0], *pools[2:])
    assert ask(held) == of(*pools[2:])


def test_what_a_transaction_changes_after_it_has_asked_is_not_missed(pools):
    """It has written something else before, as a search has: so it has a number, and must count as one that has not ended."""
    held = Held.load()
    with transaction.atomic():
        NeedProfileFactory()
        elsewhere(lambda: full(pools[1]))
        assert ask(held) == of(pools[0], *pools[2:])
        full(pools[0])
    assert ask(held) == of(*pools[2:])


def test_an_area_drawn_since_counts_at_once(pools):
    """The table learns in the answer that areas matter, and has to ask once more where the person lives."""
    held = Held.load()
    around = MultiPolygon(near().buffer(2_000, quadsegs=1), srid=BNG)
    drawn = ServiceArea.objects.create(service=pools[0].service, extent=around, rule="excluded")
    assert ask(held) == of(*pools[1:])
    ServiceArea.objects.filter(pk=drawn.pk).update(extent=MultiPolygon(near(50_000).buffer(9, quadsegs=1), srid=BNG))
    assert ask(held) == of(*pools)


def test_a_row_that_changed_without_a_note_is_found_out(pools):
    """It cannot happen; if it does, nothing stale is shown."""
    kept = Keeper()
    assert kept.look() == TICK
    assert ask(kept) == of(*pools)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE matching_poolfact SET free = 0 WHERE pool_id = %s", [pools[2].pk])
    assert ask(kept) is None
    assert kept.held is None
    assert kept.look() == TICK
    assert ask(kept) == of(*pools[:2], *pools[3:])


@pytest.mark.parametrize(("module", "name", "few"), [(source, "MOST", 1), (tables, "ROOM", 1), (holding, "LASTS", -1)])
def test_a_table_that_cannot_follow_is_read_anew(pools, monkeypatch, module, name, few):
    """Too many changes at once, more rows than there is room for, or not brought up to date for too long."""
    monkeypatch.setattr(module, name, few)
    monkeypatch.setattr(source, "_FOLLOW", source._FOLLOW.replace("LIMIT 2000 + 1", f"LIMIT {source.MOST} + 1"))
    kept = Keeper()
    kept.look()
    more = [PoolFactory(location=LocationFactory(point=near(metres))) for metres in (700, 800)]
    assert kept.look() == PAUSE
    assert ask(kept) is None
    kept.look()
    monkeypatch.undo()
    assert ask(kept) == of(*pools, *more)


def test_changes_and_the_rows_that_changed_are_found_by_their_keys():
    """However many the planner expects: else each look would read the whole table."""
    given = {"seen": "5:9:5,7", "places": "{}", "versions": "{}", "drawn": False, "home": None}
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + source._FOLLOW, given)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Cond: (pool_id = c.pool_id)" in plan
    assert "TID Cond: (ctid = shown.place)" in plan
    assert "Index Cond: (xid = running.running)" in plan
    assert "Index Cond: (xid >= '9'::xid8)" in plan


def test_a_table_of_a_server_that_was_started_anew_is_given_up(pools):
    held = Held.load()
    held.started = "2026-01-01 00:00:00+00"
    with pytest.raises(Behind, match="started anew"):
        ask(held)


def test_the_rows_are_read_on_a_connection_that_stood_for_a_user(pools):
    with acting.for_user(UserFactory()), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (acting.ROLE,)
    assert source.load()[0].total == len(pools)


def test_a_search_is_answered_from_memory_where_the_process_holds_it(pools, monkeypatch):
    """The whole search, in the transaction of its request; and by the SQL where memory does not say."""
    asked: list[str] = []
    monkeypatch.setattr(queries, "rank", lambda *args, by_sql=queries.rank, **given: asked.append("sql") or by_sql(*args, **given))
    monkeypatch.setattr(keeper, "held", Held.load())
    full(pools[0])
    runs = []
    for memory in (True, False):
        if not memory:
            keeper.held = None
        with transaction.atomic():
            runs.append(operations.match(NeedProfileFactory(), by=None, at=clock.now()))
    assert asked == ["sql"]
    assert [[line.pool_id for line in operations.lines(run)] for run in runs] == [[pool.pk for pool in pools[1:]]] * 2
    assert operations.next_best(runs[0], exclude_pools=[pools[1].pk], at=clock.now())[0].pool_id == pools[2].pk


def test_a_process_holds_facts_only_where_the_setting_says_so(settings, monkeypatch):
    begun: list[Keeper] = []
    monkeypatch.setattr(Keeper, "_run", lambda kept: begun.append(kept))
    for wanted in (False, True):
        settings.MATCH_IN_MEMORY = wanted
        kept = Keeper()
        kept.hold()
        kept.hold()
    kept._thread.join()
    assert begun == [kept]


def test_old_changes_are_deleted(pools):
    assert tasks.prune_fact_changes(timestamp=0) == 0
    FactChange.objects.filter(pool_id=pools[0].pk).update(at=clock.now() - tasks.KEEP)
    assert tasks.prune_fact_changes(timestamp=0) == 1
    assert not FactChange.objects.filter(pool_id=pools[0].pk).exists()
