"""A plan stays the best while things change, offers stay where they are, and nobody is moved for little."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocation import certificate, oracle
from matching.allocation.changes import Change, Line, words
from matching.allocation.live import OFFERED, WAITS, Live
from matching.allocation.problem import Policy, Refused, build
from matching.allocation.solve import Unproved, solve
from tests.matching.test_allocation import worlds

VERBS = ("places", "limit", "arrive", "leave", "tell", "offer", "accept", "decline", "forbid", "insist")


def one_change(live: Live, draw, pools: int, groups: int) -> None:
    """Anything that can happen, to anybody to whom it can."""
    state = live._is[: live._people]
    waiting, offered = ([i for i in range(len(state)) if state[i] == which] for which in (WAITS, OFFERED))
    verb = draw(st.sampled_from(VERBS))
    some = st.sampled_from({"accept": offered, "decline": offered, "leave": waiting + offered}.get(verb, waiting) or [-1])
    who = draw(some)
    where = draw(st.integers(0, pools - 1))
    if verb == "places":
        live.places(where, draw(st.integers(0, 4)))
    elif verb == "limit":
        live.limit(draw(st.integers(0, groups)), draw(st.integers(0, 4)))
    elif verb == "arrive":
        options = draw(st.lists(st.tuples(st.integers(0, pools - 1), st.sampled_from([0, 5_000, 9_000])), max_size=4))
        live.arrive(pool=[o[0] for o in options], score=[o[1] for o in options], left=draw(st.sampled_from([0, 20_000, 25_000])))
    elif verb == "forbid":
        live.forbid(who, where)
    elif verb == "insist":
        live.insist(who, draw(st.sampled_from([0, 6_000, 28_000])))
    else:
        getattr(live, verb)(who)


@settings(deadline=None, max_examples=50)
@given(worlds(), st.data())
def test_after_any_changes_the_plan_is_what_solving_anew_would_cost(world, data):
    problem = build(**world)
    live = Live(problem, solve(problem), policy=Policy(stay=data.draw(st.sampled_from([0, 700]))))
    for _ in range(12):
        offers = {i: live.pool[i] for i in range(live._people) if live._is[i] == OFFERED}
        with contextlib.suppress(Refused):
            one_change(live, data.draw, problem.pools, len(problem.places) - problem.pools)
        assert all(live.pool[i] == pool for i, pool in offers.items() if live._is[i] == OFFERED), "an offer was moved"
        assert live.verify().proof.objective == live.cost
    now, _ = live.problem()
    assert oracle.least(now)[0] == solve(now).proof.objective == live.cost


def three_for_two() -> tuple[Live, Policy]:
    """0 fits in pool 0 alone, 1 in both, 2 in pool 1 alone and can wait longest."""
    policy = Policy(stay=500, regret=0)
    problem = build(
        person=[0, 1, 1, 2],
        pool=[0, 0, 1, 1],
        score=[9_000, 9_000, 8_800, 9_000],
        left=[26_000, 25_000, 20_000],
        places=[1, 1],
        policy=policy,
    )
    return Live(problem, solve(problem), policy=policy), policy


def test_each_line_says_what_it_gains_and_for_whom():
    live, _ = three_for_two()
    assert live.pool.tolist() == [0, 1, -1]
    change = live.places(0, 2)
    assert set(change.lines) == {Line(1, 1, 0, 200), Line(2, -1, 1, 19_000)}
    assert change.gain == 19_200
    back = live.places(0, 1)
    assert set(back.lines) == {Line(1, 0, 1, -200), Line(2, 1, -1, -19_000)}
    newcomer, change = live.arrive(pool=[0], score=[9_500], left=90_000)
    assert set(change.lines) == {Line(newcomer, -1, 0, 89_500), Line(0, 0, -1, -25_000, opens_for=(newcomer,))}


def test_whoever_was_told_of_a_place_is_not_moved_for_little():
    live, _ = three_for_two()
    live.leave(2)
    live.tell(1)
    assert live.places(0, 2) == Change(()), "200 points are not worth breaking a promise"
    person, change = live.arrive(pool=[1], score=[9_000], left=20_000)
    assert set(change.lines) == {Line(1, 1, 0, 200), Line(person, -1, 1, 19_000)}, "19,000 are"


def test_an_offer_stays_until_it_is_answered():
    live, _ = three_for_two()
    live.offer(1)
    with pytest.raises(Refused, match="1 of these places are offered"):
        live.places(1, 0)
    live.arrive(pool=[1], score=[10_000], left=900_000)
    assert live.pool[1] == 1
    change = live.decline(1)
    assert Line(3, -1, 1, 900_000) in change.lines
    assert live.pool.tolist() == [0, -1, -1, 1]
    live.offer(0)
    live.accept(0)
    assert live.pool.tolist() == [-1, -1, -1, 1]
    assert live.waiting.tolist() == [1, 2, 3]
    assert live.places(0, 1).lines == (Line(1, -1, 0, 24_000),), "who declined one pool still waits for the other"


def test_a_place_more_in_a_ward_whose_places_are_all_offered_helps_nobody_until_an_answer():
    """The ward of one and the provider of two; the second would come in if the ward could take two."""
    problem = build(
        person=[0, 1, 2],
        pool=[0, 0, 1],
        score=[9_000] * 3,
        left=[30_000, 29_000, 20_000],
        places=[1, 3],
        limits=[([0, 1], [1, 1]), ([0, 0], [2])],
    )
    live = Live(problem, solve(problem))
    assert live.pool.tolist() == [0, -1, 1]
    live.offer(0)
    assert live.places(0, 2) == Change(())
    assert live.verify().proof.optimal
    assert set(live.limit(0, 2).lines) == {Line(1, -1, 0, 28_000), Line(2, 1, -1, -19_000, opens_for=(1,))}
    assert live.verify().proof.optimal


@pytest.mark.parametrize(
    ("verb", "given", "says"),
    [
        ("places", (9, 1), "no pool 9"),
        ("places", (0, -1), "negative"),
        ("limit", (0, 1), "no limit 0"),
        ("leave", (7,), "does not wait"),
        ("offer", (2,), "no place in the plan"),
        ("accept", (0,), "has no offer"),
        ("insist", (0, -1), "negative"),
        ("override", (0, 1), "does not fit"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(verb, given, says):
    live, _ = three_for_two()
    before = live.pool.tolist()
    with pytest.raises(Refused, match=says):
        getattr(live, verb)(*given)
    assert live.pool.tolist() == before
    assert live.verify().proof.optimal


def test_a_change_without_a_certificate_is_not_given_out(monkeypatch):
    """Were the search wrong, it would be seen: the certificate shares no code with it."""
    live, _ = three_for_two()
    live._net.price[0] -= 1
    with pytest.raises(Unproved):
        live.verify()
    live._net.price[0] += 1
    monkeypatch.setattr(certificate, "certified", lambda net, changed, moved: False)
    with pytest.raises(Unproved, match="without a certificate"):
        live.places(0, 2)


@settings(deadline=None, max_examples=40)
@given(worlds(), st.data())
def test_the_price_of_an_override_is_what_the_plan_costs_more_with_it(world, data):
    problem = build(**world)
    live = Live(problem, solve(problem))
    if not len(problem.pool):
        return
    option = data.draw(st.integers(0, len(problem.pool) - 1))
    person, pool = int(problem.owner[option]), int(problem.pool[option])
    mine = slice(problem.start[person], problem.start[person + 1])
    fixed = problem.cost.copy()
    fixed[mine] = np.where(problem.pool[mine] == pool, problem.cost[mine], 1 << 30)
    left = problem.left.copy()
    left[person] = 1 << 30
    least, _ = oracle.least(replace(problem, cost=fixed, left=left))
    before = live.pool.tolist()
    try:
        price, change = live.override(person, pool)
    except Refused:
        assert least >= 1 << 30
    else:
        assert price == least - live.cost == -change.gain >= 0
    assert live.pool.tolist() == before
    assert live.verify().proof.optimal


@pytest.mark.parametrize(("node", "by", "whose"), [(1, -1, [1]), (0, 26_000, [0]), (0, -1, []), (1, 0, [2])])
def test_the_certificate_sees_what_would_make_somebody_want_to_go_elsewhere(node, by, whose):
    """A price too low, so that somebody outside wants in; one too high, so that somebody inside wants out; wrong sums."""
    live, _ = three_for_two()
    net = live._net
    net.seen[0], net.moved[0] = node, 2
    assert certificate.certified(net, 1, 1)
    net.price[node] += by
    net.pays[whose] += by or -1
    assert not certificate.certified(net, 1, 1)


def test_lines_are_said_in_words_without_names_of_ours():
    say = {"person": lambda i: f"P{i}", "pool": lambda i: f"ward {i}"}
    assert words(Line(1, 4, 2, -120, (7, 8)), **say) == (
        "P1 moves from ward 4 to ward 2: 120 points worse, so that P7 and P8 can be placed better."
    )
    assert words(Line(7, -1, 4, 19_000), **say) == "P7 goes to ward 4: 19,000 points better."
    assert words(Line(7, 4, -1, 0), **say) == "P7 has no place any more."
