"""The SQL and its specification give the same answer: the same pools, in the same order, with the same scores."""

import math
import random
from collections import Counter
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from capacity import reference
from capacity.models import ServiceCapacity
from catalogue import vocabulary
from catalogue.models import Service, TaxonomyTerm
from matching import queries
from matching.engine import check
from matching.engine.rules import RULES, Verdict
from matching.fitting import count_fitting
from tests.matching.worlds import AT, a_need, build, some_weights

pytestmark = pytest.mark.django_db
IN_REACH = [rule for rule in RULES if rule.code in ("care-type", "open", "distance")]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Areas and pools of 240 services, made once for the module in a transaction that is rolled back after its last test."""
    with django_db_blocker.unblock(), transaction.atomic():
        if not TaxonomyTerm.objects.exists():  # a transactional test has emptied the shipped tables
            vocabulary.load()
            reference.load()
        areas = [area.pk for area in build(random.Random(5), 240)]
        connection.check_constraints()
        yield areas, list(ServiceCapacity.objects.values_list("pk", flat=True))
        transaction.set_rollback(True)


@pytest.mark.req("R002")
@pytest.mark.req("R025")
@pytest.mark.parametrize("seed", range(6))
def test_sql_ranks_exactly_as_brute_force(world, seed):
    """Each need against a third of the pools: enough for ties, and many more needs in the time."""
    areas, pools = world
    chance = random.Random(seed)
    found = 0
    for _ in range(150):
        need, weights, limit = a_need(chance, areas), some_weights(chance), chance.choice([1, 10, 500])
        seen = set(chance.sample(pools, len(pools) // 3))
        facts = list(queries.facts_of(need, seen, at=AT).values())
        ranking = queries.rank(need, weights, at=AT, limit=limit, without=set(pools) - seen)
        assert ranking.lines == check.rank(need, facts, weights, limit)
        found += len(ranking.lines)
    assert found > 150, "the worlds must have something to find"


def test_what_is_in_reach_is_counted_before_the_other_rules(world):
    areas, pools = world
    chance = random.Random(9)
    for _ in range(40):
        need = a_need(chance, areas)
        ranking = queries.rank(need, some_weights(chance), at=AT)
        facts = queries.facts_of(need, pools, at=AT).values()
        in_reach = sum(all(rule.verdict(need, one) is not Verdict.FAILED for rule in IN_REACH) for one in facts)
        assert queries.count_in_reach(need, at=AT) == in_reach
        assert ranking.considered in (in_reach, 0)


def test_the_nearest_of_several_kinds_are_found_wherever_they_are(world):
    """Those that are not on the map come last."""
    areas, pools = world
    chance = random.Random(10)
    for limit in (3, 40, 1_000):
        need = a_need(chance, areas)
        facts = queries.facts_of(need, pools, at=AT).values()
        of_kind = [one for one in facts if need.care_types >> one.care_type & 1 and one.is_open and not one.has_begun]
        of_kind.sort(key=lambda one: (one.x is None, math.dist((one.x or 0, one.y or 0), (need.x, need.y)), one.pool_id))
        assert queries.nearest(need, at=AT, limit=limit) == of_kind[:limit]


def test_pools_can_be_left_out(world):
    areas, _ = world
    chance = random.Random(11)
    for _ in range(20):
        need, weights = a_need(chance, areas), some_weights(chance)
        lines = queries.rank(need, weights, at=AT, limit=500).lines
        without = [line.facts.pool_id for line in lines[:2]]
        # Where a session is left out, the next of its series comes instead.
        series = {line.facts.series for line in lines[:2]} - {None}
        left = [line for line in queries.rank(need, weights, at=AT, limit=500, without=without).lines if line.facts.series not in series]
        assert left == lines[2:]


@pytest.mark.req("R239")
def test_how_many_of_many_needs_a_service_could_take_is_what_the_rules_say_of_each(world):
    """All rules but the one on a place just now: people wait because there is none. Who is not on the map is near nobody."""
    areas, pools = world
    chance = random.Random(13)
    needs = {uuid4(): a_need(chance, areas) for _ in range(30)}
    expected: Counter[UUID] = Counter()
    for need in needs.values():
        facts = [one for one in queries.facts_of(need, pools, at=AT).values() if one.x is not None]
        expected.update({UUID(one.service_id) for one in facts if set(check.failed(need, one)) <= {"place"}})
    services = list(Service.objects.values_list("pk", flat=True))
    assert count_fitting(needs, services, at=AT) == expected
    assert expected.total() > 25
