"""Couples, packages and bays: the plan keeps them, says how far it may be from the best, and small ones are proved."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocation import answer, mip, oracle, sides
from matching.allocation.answer import Why
from matching.allocation.problem import Refused, build
from matching.allocation.relax import relaxed
from matching.allocation.repair import solve_with
from matching.allocation.sides import Bundle
from matching.allocation.turns import take_turns
from tests.matching.test_allocation import worlds


@st.composite
def sided(draw):
    """A world with couples, packages, sites and bays, small enough to try every plan."""
    world = draw(worlds())
    problem = build(**world)
    people, pools = problem.people, problem.pools
    order = draw(st.permutations(range(people)))
    pairs = draw(st.integers(0, people // 2))
    numbers = st.integers(-1, 2)
    return problem, sides.sides(
        problem,
        bundles=tuple(Bundle((order[2 * i], order[2 * i + 1]), together=draw(st.booleans())) for i in range(pairs)),
        site=draw(st.lists(numbers, min_size=pools, max_size=pools)),
        bay=draw(st.lists(numbers, min_size=pools, max_size=pools)),
        fixed=draw(st.lists(st.integers(-1, 1), min_size=3, max_size=3)),
        cohort=draw(st.lists(st.integers(0, 1), min_size=people, max_size=people)),
    )


def least(problem, side) -> int:
    """The best of all plans, tried one by one."""
    each = [[-1, *range(problem.start[i], problem.start[i + 1])] for i in range(problem.people)]
    plans = (np.array(at) for at in product(*each))
    return min(problem.objective(at) for at in plans if not sides.faults(problem, side, at))


@settings(deadline=None, max_examples=60)
@given(sided())
def test_the_plan_keeps_everything_and_its_bound_holds(given):
    problem, side = given
    plan = solve_with(problem, side)
    assert sides.faults(problem, side, plan.at) == []
    exact = mip.prove(problem, side, plan, seconds=20)
    assert sides.faults(problem, side, exact.at) == []
    assert exact.proof.optimal
    assert plan.proof.bound <= oracle.least(relaxed(problem, side)[0])[0] <= exact.proof.objective <= plan.proof.objective


@settings(deadline=None, max_examples=60)
@given(sided(), st.randoms(use_true_random=False))
def test_taking_turns_keeps_everything_too_and_is_never_better_than_the_best(given, chance):
    problem, side = given
    order = chance.sample(range(problem.people), problem.people)
    at = take_turns(problem, side, order)
    assert sides.faults(problem, side, at) == []
    assert problem.objective(at) >= solve_with(problem, side).proof.bound
    assert take_turns(problem, sides.sides(problem), order).tolist() == answer.greedy(problem, order).tolist()


def test_who_is_left_out_reads_which_of_the_rules_stands_in_the_way():
    """A couple with room for one of them at each site; a package of which one service is full; a man before a room with women."""
    problem = build(person=[0, 0, 1, 1, 2, 3, 4], pool=[0, 1, 0, 1, 2, 3, 4], score=[9_000] * 7, left=[20_000] * 5, places=[1, 1, 1, 0, 1])
    side = sides.sides(
        problem,
        bundles=(Bundle((0, 1), together=True), Bundle((2, 3))),
        site=[0, 1, 2, 3, 4],
        bay=[-1, -1, -1, -1, 0],
        fixed=[0],
        cohort=[0, 0, 0, 0, 1],
    )
    plan = solve_with(problem, side)
    why = {one.person: one.why for one in answer.left_out(problem, plan.at, side)}
    assert why == {0: Why.TOGETHER, 1: Why.TOGETHER, 2: Why.PACKAGE, 3: Why.FULL, 4: Why.ROOM}


@pytest.mark.parametrize("seed", range(12))
def test_the_program_finds_what_trying_every_plan_finds(seed):
    chance = np.random.default_rng(seed)
    people, pools = 5, 3
    problem = build(
        person=np.repeat(np.arange(people), 2),
        pool=chance.integers(0, pools, 2 * people),
        score=chance.integers(0, 10_001, 2 * people),
        left=[20_000] * people,
        places=chance.integers(0, 3, pools),
        limits=[([0, 0, -1], [2])],
    )
    side = sides.sides(
        problem,
        bundles=(Bundle((0, 1), together=True), Bundle((2, 3))),
        site=[0, 0, 1],
        bay=[0, -1, -1],
        fixed=[-1],
        cohort=chance.integers(0, 2, people),
    )
    best = least(problem, side)
    plan = solve_with(problem, side)
    assert plan.proof.bound <= best <= plan.proof.objective
    assert mip.prove(problem, side, plan, seconds=20).proof.objective == best


def test_a_couple_goes_together_or_not_at_all():
    """Apart they would cost 2,000; together at the second site 5,000."""
    problem = build(person=[0, 0, 1, 1], pool=[0, 2, 1, 2], score=[9_000, 7_500, 9_000, 7_500], left=[20_000] * 2, places=[1, 1, 2])
    together = sides.sides(problem, bundles=(Bundle((0, 1), together=True),), site=[0, 1, 2])
    plan = solve_with(problem, together)
    assert problem.pool_of(plan.at).tolist() == [2, 2]
    assert plan.proof.optimal, "what each pays is shared so that the flow itself wants them together"
    crowded = build(person=[0, 1], pool=[0, 0], score=[9_000] * 2, left=[20_000] * 2, places=[1])
    assert solve_with(crowded, sides.sides(crowded, bundles=(Bundle((0, 1)),))).at.tolist() == [-1, -1]


def test_a_package_is_whole_or_left_to_others():
    """Care at home and meals for the first; the second needs the meals too, and has waited long."""
    given = {"person": [0, 1, 2], "pool": [0, 1, 1], "score": [9_000] * 3, "places": [1, 1]}
    for left, pools in (([20_000, 20_000, 70_000], [-1, -1, 1]), ([40_000, 40_000, 50_000], [0, 1, -1])):
        problem = build(**given, left=left)
        plan = solve_with(problem, sides.sides(problem, bundles=(Bundle((0, 1)),)))
        assert mip.prove(problem, sides.sides(problem, bundles=(Bundle((0, 1)),)), plan, seconds=20).proof.optimal
        assert problem.pool_of(plan.at).tolist() == pools


def test_a_bay_takes_one_sex_or_one_infection():
    """A bay of three for two women and a man; another of one, where a woman lies, beside it."""
    people = range(3)
    problem = build(
        person=[i for i in people for _ in range(2)], pool=[0, 1] * 3, score=[9_000, 5_000] * 3, left=[20_000] * 3, places=[3, 1]
    )
    side = sides.sides(problem, bay=[0, 1], fixed=[-1, 0], cohort=[0, 0, 1])
    plan = solve_with(problem, side)
    assert problem.pool_of(plan.at).tolist() == [0, 0, -1]
    free = sides.sides(problem, bay=[0, 1], fixed=[-1, 1], cohort=[0, 0, 1])
    assert problem.pool_of(solve_with(problem, free).at).tolist() == [0, 0, 1]


def test_the_check_finds_what_side_constraints_forbid():
    problem = build(person=[0, 1, 2], pool=[0, 1, 0], score=[1] * 3, left=[9] * 3, places=[2, 1])
    side = sides.sides(problem, bundles=(Bundle((0, 1), together=True),), site=[0, 1], bay=[0, -1], fixed=[-1], cohort=[0, 0, 1])
    assert sides.faults(problem, side, np.array([0, 1, 2])) == ["Bundle 0 is not at one site.", "Bay 0 has people of 2 cohorts."]
    assert sides.faults(problem, side, np.array([0, -1, -1])) == ["Of bundle 0 only some have a place."]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"bundles": (Bundle((0, 0)),)}, "twice in one"),
        ({"bundles": (Bundle((0, 5)),)}, "not there"),
        ({"bundles": (Bundle((0, 1), together=True),)}, "at which site"),
        ({"site": [1]}, "numbers of a site"),
        ({"bay": [0, -1]}, "needs a cohort"),
        ({"bay": [0, 1], "cohort": [0, 1], "fixed": [0]}, "2 bays"),
    ],
)
def test_side_constraints_that_do_not_go_with_the_problem_are_refused(wrong, says):
    problem = build(person=[0, 1], pool=[0, 1], score=[1, 2], left=[1, 1], places=[1, 1])
    with pytest.raises(Refused, match=says):
        sides.sides(problem, **wrong)
