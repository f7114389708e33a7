"""The simulator beside what is known otherwise: a formula, a bound, a checker that walks the log, and the same chance twice."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from flow.simulation import check
from flow.simulation.changes import Add, Answers, Close, Demand, Strike, answered_at, from_json, to_json
from flow.simulation.compare import Range, compare
from flow.simulation.draws import Draws
from flow.simulation.engine import What, simulate
from flow.simulation.figures import figures, gain
from flow.simulation.fitting import FEW, fit, rates
from flow.simulation.hindsight import hindsight
from flow.simulation.laws import Law
from flow.simulation.policies import POLICIES, LookAhead, View, longest_wait_first, optimal
from flow.simulation.world import World
from tests.bench.simulated import region
from tests.flow.simulated import small

#: A region of six people a day.
REGION = region(1.0, day=6.0, seed=3)


def came(outcome) -> list[tuple]:
    return [(event.at, event.what, event.person, event.pool, event.place) for event in outcome.log]


@pytest.mark.req("R182")
def test_waits_in_one_queue_are_those_of_erlangs_formula():
    """Three places, two people a day, stays of 1.2 days on average: the mean wait that Erlang's C formula gives."""
    places, load = 3, 2.0 * 1.2
    full = load**places / math.factorial(places) * places / (places - load)
    chance = full / (sum(load**n / math.factorial(n) for n in range(places)) + full)
    mean = chance / (places / 1.2 - 2.0)
    world = small([places], [[(0, 5_000, 100, 1.0)]], rate=[2.0], stay=Law("exponential", 1.2))
    outcome = simulate(world, Draws(world, 11, 1_600.0), longest_wait_first, every=0)
    waits = np.array([course.placed - course.person.ready for course in outcome.courses if 100 < course.person.ready < 1_500])
    batches = np.array([batch.mean() for batch in np.array_split(waits, 20)])
    error = batches.std(ddof=1) / math.sqrt(20)
    assert abs(waits.mean() - mean) < 3 * error
    assert error < 0.25 * mean, "the test could tell"


@pytest.mark.parametrize("code", POLICIES)
def test_nobody_is_lost_and_no_place_given_twice_and_nothing_beats_hindsight(code):
    draws = Draws(REGION, 1, 30.0)
    outcome = simulate(REGION, draws, POLICIES[code].make())
    assert check.faults(REGION, outcome) == []
    sums = figures(REGION, outcome)["all"]
    assert sums["came"] == sums["placed"] + sums["left"] + sums["waiting"]
    best = hindsight(REGION, Draws(REGION, 1, 30.0))
    assert sums["placed"] <= best.placed
    assert sums["bed_days"] >= best.days > 0
    assert gain(REGION, outcome) <= best.gain
    assert sums["placed"] > 0.8 * best.placed, "the bound says something"


def test_the_checker_sees_what_is_wrong():
    outcome = simulate(REGION, Draws(REGION, 2, 10.0), longest_wait_first)
    at = next(n for n, event in enumerate(outcome.log) if event.what is What.ASKED)
    asked = outcome.log[at]
    other = next(event.person for event in outcome.log if event.what is What.COMES and event.person != asked.person)
    for wrong in (asked, replace(asked, person=other), replace(asked, place=99), replace(asked, what=What.PLACED, person=other)):
        assert check.faults(REGION, replace(outcome, log=[*outcome.log[: at + 1], wrong, *outcome.log[at + 1 :]]))
    assert check.faults(REGION, replace(outcome, log=[e for e in outcome.log if e.what is not What.COMES]))


def test_the_same_seed_gives_the_same_days_and_policies_meet_the_same_people():
    kept = World.load(REGION.dump())
    one, two = (simulate(world, Draws(world, 5, 20.0), optimal) for world in (REGION, kept))
    assert came(one) == came(two)
    assert came(one) != came(simulate(REGION, Draws(REGION, 6, 20.0), optimal))
    other = simulate(REGION, Draws(REGION, 5, 20.0), longest_wait_first)
    assert [c.person.ready for c in one.courses] == [c.person.ready for c in other.courses]
    assert [c.person.takes.tolist() for c in one.courses] == [c.person.takes.tolist() for c in other.courses]


def test_one_place_more_keeps_nobody_waiting_longer_in_a_queue_and_never_worsens_the_bound():
    """In order of arrival with stays of one length it holds for everybody; of the best that is possible it holds always."""
    line = small([2, 0], [[(0, 5_000, 100, 1.0), (1, 5_000, 100, 1.0)]], rate=[0.6])
    draws = Draws(line, 4, 60.0)
    before, after = (simulate(line, draws, longest_wait_first, changes=changes, every=0) for changes in ((), (Add(1, 1),)))
    assert [c.person.ready for c in before.courses] == [c.person.ready for c in after.courses]
    assert all(b.placed <= a.placed for a, b in zip(before.courses, after.courses, strict=True))
    assert sum(b.placed < a.placed for a, b in zip(before.courses, after.courses, strict=True)) > 5
    wider = replace(REGION, size=REGION.size + (np.arange(REGION.pools) == 0))
    less, more = (hindsight(world, Draws(world, 1, 20.0)) for world in (REGION, wider))
    assert (more.placed, -more.days, more.gain) >= (less.placed, -less.days, less.gain)
    assert more.gain >= less.gain
    assert more.days <= less.days


def test_the_plan_that_looks_ahead_leaves_the_scarce_place_to_those_who_need_it():
    """Two could only go to the first pool and found it full; now somebody who could go to either comes first."""
    world = small([1, 1], [[(0, 9_000, 100, 1.0)], [(0, 9_000, 100, 1.0), (1, 8_000, 100, 1.0)]], waiting=[(0, 3.0), (0, 2.0), (1, 0.0)])
    only, second, either = Draws(world, 1, 30.0).people()
    there = np.ones(2, bool)

    def view(people, free) -> View:
        return View(world, 0.0, people, [np.ones(len(p.takes), bool) for p in people], np.array(free), there)

    ahead = LookAhead()
    assert ahead(view([only, second], [0, 1])) == []  # learns what the first pool is worth
    assert optimal(view([either], [1, 1])) == [(0, 0)]
    assert ahead(view([either], [1, 1])) == [(0, 1)]
    assert ahead(view([either], [1, 0])) == [(0, 0)], "nobody is kept waiting for it"


def test_changes_of_every_kind_happen_and_leave_nothing_wrong():
    changes = (
        Close((0, 1), 5, moved=True), Close((2,), 8), Add(3, 4, 6), Demand(1.5, 5, 15), Strike(1.0, 10, 13), Answers(0.5, 3),
    )  # fmt: skip
    assert from_json(to_json(changes)) == changes
    plain, changed = (simulate(REGION, Draws(REGION, 7, 25.0), longest_wait_first, changes=each) for each in ((), changes))
    assert check.faults(REGION, changed, changes) == []
    usual = {course.person.ready for course in plain.courses}
    assert usual < {course.person.ready for course in changed.courses}, "who comes in any case comes all the same"
    days = Counter(int(course.person.ready) for course in changed.courses if course.person.ready not in usual and not course.person.moved)
    assert days
    assert set(days) <= set(range(5, 15))
    assert any(course.person.moved for course in changed.courses)
    assert figures(REGION, changed)["moved"]["came"] > 0
    closed = {0: 5, 1: 5, 2: 8}
    assert not [e for e in changed.log if e.what is What.ASKED and e.at >= closed.get(e.pool, 99)]
    struck = [sum(10 <= e.at < 13 for e in outcome.log if e.what is What.PLACED) for outcome in (plain, changed)]
    assert struck[0] > struck[1] == 0


def test_who_has_to_move_on_the_first_day_comes_once():
    """Three have to move while most who come are still to come: each is told of once, and has one place."""
    world = small([2, 9], [[(0, 5_000, 100, 1.0), (1, 5_000, 200, 1.0)]], rate=[0.5], taken=[0, 0], others=1)
    outcome = simulate(world, Draws(world, 1, 20.0), longest_wait_first, changes=[Close((0,), 0, moved=True)])
    times = Counter(event.person for event in outcome.log if event.what == What.COMES and outcome.courses[event.person].person.moved)
    assert list(times.values()) == [1, 1, 1]
    assert max(Counter(event.person for event in outcome.log if event.what == What.PLACED).values()) == 1


def test_a_strike_stretches_an_answer_over_its_days_only():
    strike = Strike(0.5, 2, 4)
    assert answered_at([strike], asked=0.0, takes=1.0) == 1.0
    assert answered_at([strike], asked=1.5, takes=1.0) == pytest.approx(3.0)
    assert answered_at([strike], asked=1.0, takes=3.0) == pytest.approx(5.0)
    assert answered_at([Strike(1.0, 2, 4)], asked=2.5, takes=0.25) == pytest.approx(4.25)
    assert answered_at([Answers(0.5, 2)], asked=2.0, takes=1.0) == 2.5


def test_laws_say_of_a_length_how_many_are_shorter_and_what_is_left_of_it():
    for law in (Law("exponential", 3.0), Law("lognormal", 4.0, 0.7)):
        assert law.below(law.at(0.3)) == pytest.approx(0.3)
        assert law.below(2.0 + law.after(2.0, 0.25)) == pytest.approx(law.below(2.0) + 0.25 * (1 - law.below(2.0)))
        draws = np.random.default_rng(1).random((4_000, 2))
        # Met at random, what is left is E[L²] / 2 E[L] on average.
        second = 2 * 3.0**2 if law.family == "exponential" else 16.0 * math.exp(2 * 0.7**2)
        left = np.mean([law.rest(a, b) for a, b in draws])
        assert left == pytest.approx(second / 2 / law.mean, rel=0.08)
        some = replace(law, at_once=0.25)
        assert (some.at(0.2), some.below(0.0), some.below(some.at(0.7))) == pytest.approx((0, 0.25, 0.7))
        assert Law.from_json(some.to_json()) == some


def test_laws_are_found_again_in_what_they_made_and_few_observations_lean_on_all():
    rng = np.random.default_rng(2)
    lengths = np.exp(rng.normal(math.log(20), 0.6, 400))
    until = rng.uniform(5, 60, 400)
    whole = fit(np.minimum(lengths, until), lengths <= until, None, usual=Law("fixed", 1))
    assert whole.law.family == "lognormal"
    assert whole.law.scale == pytest.approx(20, rel=0.1)
    assert whole.law.spread == pytest.approx(0.6, rel=0.15)
    assert whole.gap is not None
    assert whole.gap < 0.08
    half = fit([*lengths[:200], *[0.0] * 200], [True] * 400, None, usual=Law("fixed", 1))
    assert half.law.at_once == 0.5
    assert half.gap is not None
    assert half.gap < 0.08
    assert half.law.scale == pytest.approx(20, rel=0.15)
    few = fit([3.0] * (FEW - 1), [True] * (FEW - 1), whole, usual=Law("fixed", 1))
    assert (few.law, few.leaned, few.ended) == (whole.law, 1.0, FEW - 1)
    assert few.gap is not None
    assert few.gap > 0.5, "that it does not fit is said"
    some = fit([3.0, 4.0, 5.0, 6.0] * 4, [True] * 16, whole, usual=Law("fixed", 1))
    assert 4 < some.law.at(0.5) < 20
    assert fit([], [], None, usual=Law("fixed", 9)).assumed
    assert sum(rates([10, 0], 10.0, [0.5, 0.5])) == pytest.approx(1.0)
    assert rates([10, 0], 10.0, [0.5, 0.5])[1] > 0


def test_a_difference_is_between_the_same_futures():
    before = {1: {"bed_days": 100.0}, 2: {"bed_days": 300.0}}
    after = {1: {"bed_days": 90.0}, 2: {"bed_days": 280.0}, 3: {"bed_days": 5.0}}
    found = compare(before, after, "bed_days")
    assert found.more.mean == -15
    assert found.more.is_clear
    assert (found.more.low, found.more.high) == pytest.approx((-19.5, -10.5))
    assert not Range.of([-1.0, 2.0]).is_clear
    with pytest.raises(ValueError, match="no draw"):
        compare(before, {3: after[3]}, "bed_days")
