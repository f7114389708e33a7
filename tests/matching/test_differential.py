"""The SQL and its specification give the same answer: the same pools, in the same order, with the same scores."""

import random

import pytest

from capacity.models import ServiceCapacity
from matching import queries
from matching.engine import check
from matching.engine.rules import RULES, Verdict
from tests.matching.worlds import AT, a_need, build, some_weights

pytestmark = pytest.mark.django_db


@pytest.mark.req("R002")
@pytest.mark.req("R025")
@pytest.mark.parametrize("seed", range(6))
def test_sql_ranks_exactly_as_brute_force(seed):
    chance = random.Random(seed)
    areas = [area.pk for area in build(chance, 70)]
    pools = list(ServiceCapacity.objects.values_list("pk", flat=True))
    found = 0
    for _ in range(150):
        need, weights, limit = a_need(chance, areas), some_weights(chance), chance.choice([1, 10, 500])
        facts = list(queries.facts_of(need, pools, at=AT).values())
        ranking = queries.rank(need, weights, at=AT, limit=limit)
        assert ranking.lines == check.rank(need, facts, weights, limit)
        in_reach = sum(
            all(rule.verdict(need, f) is not Verdict.FAILED for rule in RULES if rule.code in ("care-type", "open", "distance"))
            for f in facts
        )
        assert queries.count_in_reach(need, at=AT) == in_reach
        assert ranking.considered in (in_reach, 0)
        found += len(ranking.lines)
    assert found > 150, "the worlds must have something to find"


def test_pools_can_be_left_out():
    chance = random.Random(11)
    areas = [area.pk for area in build(chance, 60)]
    for _ in range(20):
        need, weights = a_need(chance, areas), some_weights(chance)
        lines = queries.rank(need, weights, at=AT, limit=500).lines
        without = [line.facts.pool_id for line in lines[:2]]
        assert queries.rank(need, weights, at=AT, limit=500, without=without).lines == lines[2:]
