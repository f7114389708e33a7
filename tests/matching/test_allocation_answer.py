"""What is said about a plan: what one more place would do, who is left out and why, and how it treats whom."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from matching.allocation import answer, check, oracle
from matching.allocation.answer import Why
from matching.allocation.problem import build
from matching.allocation.solve import solve
from matching.allocation.worth import NotTheBest, by_label, worth
from tests.matching.test_allocation import worlds


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_worth_is_what_the_plan_becomes_cheaper_by_with_one_more_place(world):
    problem = build(**world)
    plan = solve(problem)
    gain = worth(problem, plan.at)
    for node in range(len(problem.places)):
        places, chain = problem.places.copy(), node
        while chain >= 0:
            places[chain] += 1
            chain = int(problem.parent[chain])
        assert plan.proof.objective - oracle.least(replace(problem, places=places))[0] == gain[node]
    # Worked out from the plan alone, it is a second proof, and any best plan has the same.
    assert check.prove(problem, plan.at, gain).optimal
    assert worth(problem, oracle.least(problem)[1]).tolist() == gain.tolist()


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_a_plan_that_is_not_the_best_has_no_worth(world):
    problem = build(**world)
    at = answer.greedy(problem, range(problem.people))
    assert check.faults(problem, at) == []
    if problem.objective(at) > solve(problem).proof.objective:
        with pytest.raises(NotTheBest):
            worth(problem, at)
    else:
        assert check.prove(problem, at, worth(problem, at)).optimal


def test_where_a_place_would_do_most_good_is_said_by_label():
    """Three people for one place of a kind in the north; in the south one place is empty."""
    problem = build(
        person=[0, 1, 2, 0, 3], pool=[0, 0, 0, 1, 2], score=[9_000, 8_000, 7_000, 1_000, 5_000], left=[20_000] * 4, places=[1, 1, 2]
    )
    plan = solve(problem)
    north, south = by_label(problem, worth(problem, plan.at), ["north", "north", "south"])
    assert (north.label, north.most, north.pool, north.pools, north.wanted) == ("north", 17_000, 0, 2, 1)
    assert (south.label, south.most, south.wanted) == ("south", 0, 0)


def test_everybody_left_out_is_told_why_and_what_would_help_most():
    problem = build(
        person=[0, 1, 2, 3, 5],
        pool=[0, 0, 1, 2, 0],
        score=[9_000, 8_000, 9_000, 2_000, 1_000],
        left=[20_000, 30_000, 20_000, 5_000, 20_000, 21_000],
        places=[1, 1, 1],
        limits=[([-1, 0, -1], [0])],
    )
    found = answer.left_out(problem, solve(problem).at)
    assert [(one.person, one.why, one.pool, one.gain) for one in found] == [
        (0, Why.FULL, 0, 19_000),
        (2, Why.LIMIT, 1, 19_000),
        (5, Why.FULL, 0, 12_000),
        (4, Why.NO_OPTION, -1, 0),
        (3, Why.DEARER, 2, -3_000),
    ]
    assert set(answer.WORDS) == set(Why)


@settings(deadline=None, max_examples=40)
@given(worlds())
def test_no_way_of_taking_turns_is_better_than_the_plan(world):
    problem = build(**world)
    plan, first, urgent = answer.compare(problem, solve(problem).at, came=range(problem.people))
    assert plan.cost <= min(first.cost, urgent.cost)
    assert plan.people == first.people == problem.people


def test_first_come_first_served_leaves_out_whom_the_plan_places():
    """The first takes the only place that the second could have."""
    problem = build(person=[0, 0, 1], pool=[0, 1, 0], score=[9_000, 8_900, 9_000], left=[20_000, 20_000], places=[1, 1])
    plan, first, _ = answer.compare(problem, solve(problem).at, came=[0, 1])
    assert (plan.placed, first.placed) == (2, 1)
    assert answer.greedy(problem, [1, 0]).tolist() == [1, 2], "the other way round it comes out well"


def test_groups_and_providers_are_watched():
    problem = build(
        person=[0, 1, 1, 2], pool=[0, 0, 1, 1], score=[9_000, 9_000, 5_000, 4_000], left=[30_000, 20_000, 20_000], places=[1, 1]
    )
    at = solve(problem).at
    assert problem.pool_of(at).tolist() == [0, 1, -1]
    a, b = answer.by_group(problem, at, ["a", "b", "b"])
    assert (a.label, a.people, a.placed, a.worst) == ("a", 1, 1, 0)
    assert (b.label, b.people, b.placed, b.worst, b.points) == ("b", 2, 1, 4_000, 5_000.0)
    first, second = answer.shares(problem, at, ["x", "y"])
    assert (first.label, first.placed, first.of_places, first.of_placed) == ("x", 1, 0.5, 0.5)
    assert (second.places, second.placed) == (1, 1)


def test_nobody_waits_and_nothing_is_free():
    empty = build(person=[], pool=[], score=[], left=[], places=[])
    assert solve(empty).proof.optimal
    assert worth(empty, np.array([], np.int64)).tolist() == []
    alone = build(person=[], pool=[], score=[], left=[20_000], places=[0])
    assert answer.left_out(alone, solve(alone).at)[0].why is Why.NO_OPTION
    assert answer.figures(alone, solve(alone).at).points is None
