"""One plan for everyone who waits: it may be carried out, nothing is better, and it treats equals as equals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocation import check, oracle
from matching.allocation.problem import Policy, Problem, Refused, build, lots
from matching.allocation.solve import Plan, identical, solve

#: Few different scores and costs, so that there are many ties.
SCORES = st.sampled_from([0, 2_000, 5_000, 9_000, 9_001, 10_000])


@st.composite
def worlds(draw, *, limits=True):
    """Up to eight people, six pools, wards and two providers."""
    people, pools = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    options = draw(st.lists(st.tuples(st.integers(0, people - 1), st.integers(0, pools - 1), SCORES), max_size=30))
    given = {
        "person": [o[0] for o in options],
        "pool": [o[1] for o in options],
        "score": [o[2] for o in options],
        "left": draw(st.lists(st.sampled_from([0, 4_000, 20_000, 26_000]), min_size=people, max_size=people)),
        "places": draw(st.lists(st.integers(0, 3), min_size=pools, max_size=pools)),
    }
    if limits and draw(st.booleans()):
        ward = draw(st.lists(st.integers(-1, 2), min_size=pools, max_size=pools))
        provider = draw(st.lists(st.integers(-1, 1), min_size=3, max_size=3))
        caps = st.integers(0, 4)
        given["limits"] = [
            (ward, draw(st.lists(caps, min_size=3, max_size=3))),
            ([provider[w] if w >= 0 else -1 for w in ward], draw(st.lists(caps, min_size=2, max_size=2))),
        ]
    return given


def outcomes(problem: Problem, plan: Plan) -> list[tuple[int, int]]:
    """Pool and cost of each person."""
    cost = np.where(plan.at >= 0, problem.cost[plan.at] if len(problem.cost) else 0, problem.left)
    return list(zip(problem.pool_of(plan.at).tolist(), cost.tolist(), strict=True))


@settings(deadline=None, max_examples=80)
@given(worlds())
def test_the_plan_costs_what_another_solver_finds_and_its_proof_holds(world):
    problem = build(**world)
    plan = solve(problem)
    least, at = oracle.least(problem)
    assert plan.proof.objective == plan.proof.bound == least == problem.objective(plan.at) == problem.objective(at)
    assert check.faults(problem, plan.at) == check.faults(problem, at) == []


@settings(deadline=None, max_examples=60)
@given(worlds(), st.data())
def test_another_place_never_makes_the_plan_dearer(world, data):
    before = solve(build(**world)).proof.objective
    where = data.draw(st.integers(0, len(world["places"]) - 1))
    world["places"][where] += 1
    assert solve(build(**world)).proof.objective <= before


@settings(deadline=None, max_examples=60)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_people_pools_and_options_does_not_matter(world, chance):
    people, pools = len(world["left"]), len(world["places"])
    person_lot, pool_lot = chance.sample(range(99), people), chance.sample(range(99), pools)
    problem = build(**world, lot=person_lot, pool_lot=pool_lot)
    to, where = chance.sample(range(people), people), chance.sample(range(pools), pools)
    rows = list(zip(world["person"], world["pool"], world["score"], strict=True))
    chance.shuffle(rows)
    back, there = np.argsort(to), np.argsort(where)
    other = build(
        person=[to[row[0]] for row in rows],
        pool=[where[row[1]] for row in rows],
        score=[row[2] for row in rows],
        left=np.array(world["left"])[back],
        places=np.array(world["places"])[there],
        lot=np.array(person_lot)[back],
        pool_lot=np.array(pool_lot)[there],
        limits=[(np.array(group)[there], limit) for group, limit in world.get("limits", [])],
    )
    mine, theirs = outcomes(problem, solve(problem)), outcomes(other, solve(other))
    assert [(where[pool] if pool >= 0 else -1, cost) for pool, cost in mine] == [theirs[to[i]] for i in range(people)]


@settings(deadline=None, max_examples=60)
@given(worlds(), st.integers(2, 4), st.randoms(use_true_random=False))
def test_of_identical_people_the_smaller_lot_never_has_the_dearer_outcome(world, copies, chance):
    """Lots are drawn, so that each has the same chance; and swapping two lots swaps the outcomes, and nothing else."""
    people = len(world["left"])
    mine = [(p, s) for who, p, s in zip(world["person"], world["pool"], world["score"], strict=True) if who == 0]
    for copy in range(people, people + copies - 1):
        for pool, score in mine:
            world["person"].append(copy)
            world["pool"].append(pool)
            world["score"].append(score)
        world["left"].append(world["left"][0])
    alike = [0, *range(people, people + copies - 1)]
    lot = chance.sample(range(99), people + copies - 1)
    problem = build(**world, lot=lot)
    assert any(set(alike) <= set(group.tolist()) for group in identical(problem))
    found = outcomes(problem, solve(problem))
    costs = [found[i][1] for i in sorted(alike, key=lot.__getitem__)]
    assert costs == sorted(costs)
    one, other = chance.sample(alike, 2)
    lot[one], lot[other] = lot[other], lot[one]
    swapped = outcomes(build(**world, lot=lot), solve(build(**world, lot=lot)))
    found[one], found[other] = found[other], found[one]
    assert swapped == found


def test_lots_depend_on_the_draw_and_not_on_the_order():
    first = lots(["a", "b", "c"], draw="monday")
    assert lots(["c", "a", "b"], draw="monday").tolist() == first[[2, 0, 1]].tolist()
    orders = {tuple(np.argsort(lots(["a", "b", "c"], draw=f"day {day}"))) for day in range(60)}
    assert len(orders) == 6, "every order must be possible"


def test_nobody_gets_a_very_bad_place_so_that_others_gain_a_little():
    """One would lose 9,000 points so that nine are spared 1,100 each: with regret, the nine move up."""
    options = [(0, 0, 10_000), (0, 10, 1_000)] + [row for i in range(1, 10) for row in ((i, i - 1, 10_000), (i, i, 8_900))]
    given = {
        "person": [o[0] for o in options],
        "pool": [o[1] for o in options],
        "score": [o[2] for o in options],
        "left": [20_000] * 10,
        "places": [1] * 11,
    }
    for regret, worst in ((0, 9_000), (999, 1_100)):
        problem = build(**given, policy=Policy(regret=regret))
        assert problem.regret(solve(problem).at).max() == worst


def test_regret_is_counted_from_the_best_place_whichever_stands_first():
    problem = build(person=[0, 0, 1], pool=[0, 1, 0], score=[9_000, 7_000, 5_000], left=[20_000] * 2, places=[1, 1])
    moved = replace(problem, pool=problem.pool[[1, 0, 2]], points=problem.points[[1, 0, 2]])
    assert problem.regret(np.array([1, -1])).tolist() == moved.regret(np.array([0, -1])).tolist() == [2_000, 0]


def test_who_waits_longer_or_is_more_urgent_is_dearer_to_leave_out():
    policy = Policy()
    assert policy.waiting([0, 30, 30, -3], [0, 0, 2, 0]).tolist() == [20_000, 26_000, 36_000, 20_000]
    problem = build(person=[0, 1, 2], pool=[0, 0, 0], score=[9_000] * 3, left=policy.waiting([5, 30, 7]), places=[1])
    assert problem.pool_of(solve(problem).at).tolist() == [-1, 0, -1]


def test_wards_and_providers_keep_their_limits_exactly():
    """Two wards of one provider with room for three, two and, together, two people."""
    people = range(6)
    given = {
        "person": [i for i in people for _ in range(2)],
        "pool": [0, 1] * 6,
        "score": [10_000, 9_000] * 6,
        "left": [20_000] * 6,
        "places": [9, 9],
        "limits": [([0, 1], [3, 2]), ([0, 0], [4])],
    }
    problem = build(**given)
    plan = solve(problem)
    assert check.load(problem, plan.at).tolist() == [3, 1, 3, 1, 4]
    assert plan.proof.optimal
    assert plan.price[4] > 0, "one more admission of the provider is worth something"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"person": [0, 2]}, "a person that there is not"),
        ({"pool": [0, -1]}, "a pool that there is not"),
        ({"score": [1, 10_001]}, "Scores must be from 0"),
        ({"score": [1]}, "as many"),
        ({"score": [1, 0.5]}, "whole numbers"),
        ({"left": [1, -1]}, "leaving somebody out"),
        ({"places": [-1, 2]}, "number of places"),
        ({"lot": [1]}, "lots"),
        ({"limits": [([0, 1], [1, 1]), ([0, -1], [1]), ([0, 0, 0], [1])]}, "pools; there are"),
        ({"limits": [([0, 0], [1]), ([0, 1], [1, 1])]}, "must nest"),
        ({"limits": [([0, 0], [-1])]}, "limit is negative"),
    ],
)
def test_numbers_that_make_no_problem_are_refused(wrong, says):
    with pytest.raises(Refused, match=says):
        build(**{"person": [0, 1], "pool": [0, 1], "score": [1, 2], "left": [1, 1], "places": [1, 1]} | wrong)


def test_the_check_finds_what_may_not_be():
    problem = build(person=[0, 1, 1], pool=[0, 0, 1], score=[1, 2, 3], left=[9, 9], places=[1, 1], limits=[([0, 0], [1])])
    assert check.faults(problem, np.array([0, 2])) == ["Pool 0 has 2 people for 1 places.", "Limit 0 has 2 people for 1 places."]
    assert check.faults(problem, np.array([0, 0])) == ["Person 1 has an option of somebody else."]
    assert check.faults(problem, np.array([-1])) == ["The plan is for 1 people; there are 2."]


@settings(deadline=None, max_examples=40)
@given(worlds(), st.lists(st.integers(-9_000, 30_000), min_size=12, max_size=12))
def test_any_prices_give_a_bound_that_no_plan_beats(world, prices):
    problem = build(**world)
    assert check.bound(problem, np.array(prices)[: len(problem.places)]) <= solve(problem).proof.objective
