"""Help with the first step, and packages: pure rules, and an exact choice."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import packages, support
from matching.packages import Option


def person(**changes):
    return support.Person(
        **({"activation_level": None, "needs": frozenset(), "drives": None, "wanted": frozenset(["debt-advice"])} | changes)
    )


@pytest.mark.req("R191")
@pytest.mark.parametrize(("level", "holds"), [(1, True), (2, True), (3, False), (4, False), (None, False)])
def test_a_low_activation_level_alone_asks_for_help(level, holds):
    rule, who = support.LowActivation(), person(activation_level=level)
    assert rule.holds(who) is holds
    if holds:
        assert rule.because(who) == f"the activation level is {level} of 4: it may be hard to begin alone"
        assert [found.support.code for found in support.suggest(who)] == ["befriending", "accompanied"]


@pytest.mark.req("R199")
@pytest.mark.parametrize(
    ("rule", "need", "codes"),
    [
        (support.Isolated(), "isolated", ["befriending", "accompanied"]),
        (support.Anxious(), "anxiety-depression", ["accompanied"]),
    ],
)
def test_isolation_or_anxiety_leads_to_an_accompanied_first_visit(rule, need, codes):
    assert rule.holds(person(needs=frozenset([need])))
    assert not rule.holds(person(needs=frozenset(["dementia"])))
    found = support.suggest(person(needs=frozenset([need])))
    assert [suggestion.support.code for suggestion in found] == codes
    assert found[-1].support.prefers == ("accompanied",)
    assert support.sentence(person(needs=frozenset([need])), found[-1].because) == f"Because {rule.because(person())}."


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"drives": True}, False),
        ({"drives": None}, False),
        ({"needs": frozenset()}, False),
        ({"wanted": frozenset(["home-care"])}, False),
    ],
)
def test_a_lift_is_for_those_who_hesitate_cannot_drive_and_would_travel(changes, holds):
    who = person(**({"needs": frozenset(["isolated"]), "drives": False} | changes))
    assert support.CannotDrive().holds(who) is holds


def test_what_is_asked_for_anyway_is_not_suggested():
    who = person(needs=frozenset(["isolated"]), wanted=frozenset(["befriending"]))
    assert [found.support.code for found in support.suggest(who)] == ["accompanied"]


# --- packages

_DAYS = st.frozensets(st.integers(0, 4), max_size=3)
_PLACES = st.sampled_from(["", "", "A", "B", "C"])
_OPTIONS = st.lists(st.tuples(st.integers(300, 1000), st.sampled_from("PQRS"), _PLACES, _DAYS), min_size=1, max_size=5)


def options(part: int, rows) -> list[Option]:
    rows = sorted(rows, key=lambda row: -row[0])
    return [
        Option(f"{part}-{number}", score, provider, place, days if place else frozenset())
        for number, (score, provider, place, days) in enumerate(rows)
    ]


def cost_of_all_ways(chosen) -> int:
    """The cheapest way to go, by trying every day for every one of them; written apart from the module."""
    best = 10**9
    for days in product(*(sorted(one.days) if one.place and one.days else [None] for one in chosen)):
        journeys, on = set(), set()
        for number, (one, day) in enumerate(zip(chosen, days, strict=True)):
            if one.place:
                journeys.add((one.place, day) if day is not None else number)
                on.add(day if day is not None else f"unknown {number}")
        best = min(best, len(journeys) * packages.JOURNEY + len(on) * packages.DAY)
    return best


@given(st.lists(_OPTIONS, min_size=2, max_size=3))
def test_the_package_is_as_good_as_the_best_of_all_that_could_be_put_together(rows):
    parts = [options(number, part) for number, part in enumerate(rows)]
    tops = [part[0].score for part in parts]
    by_trying = min(
        sum(top - one.score for top, one in zip(tops, chosen, strict=True))
        + len({one.provider for one in chosen}) * packages.PROVIDER
        + cost_of_all_ways(chosen)
        for chosen in product(*parts)
    )
    found = packages.best_package(parts)
    assert found is not None
    assert found.cost == by_trying
    assert found.trips.cost == cost_of_all_ways(found.options)
    assert found.cost <= packages.best_of_each(parts).cost


def many() -> list[list[Option]]:
    """The most that a package looks at, all of it different: five kinds, twenty of each, a day and a place for each, and few providers."""
    return [
        [
            Option(f"{part}-{n}", score, f"P{(n * 5 + part) % 14}", f"{part} {n}", frozenset([n * 3 % 7]))
            for n, score in enumerate(range(1000, 960, -2))
        ]
        for part in range(packages.MOST_PARTS)
    ]


def test_the_largest_choice_is_proved_in_few_steps(monkeypatch):
    """Counted, not timed: without a bound on the lists to come it is far from done after `MOST_STEPS`."""
    looked, cost = [], packages._cost
    monkeypatch.setattr(packages, "_cost", lambda chosen, tops: looked.append(1) or cost(chosen, tops))
    parts = many()
    found = packages.best_package(parts)
    assert found.proved
    assert len(looked) < 8_000
    assert found.providers < packages.best_of_each(parts).providers


def test_a_search_that_ends_early_still_finds_a_package_and_says_that_it_may_not_be_the_best(monkeypatch):
    parts = many()
    first = packages.best_of_each(parts)
    monkeypatch.setattr(packages, "MOST_STEPS", 3)
    found = packages.best_package(parts)
    assert not found.proved
    assert found.cost <= first.cost
    assert "a better one may exist" in packages.sentences(found, first, list("ABCDE"))[-1]


def test_one_provider_on_one_day_wins_where_little_is_lost_and_says_so():
    tuesday, friday = frozenset([1]), frozenset([4])
    parts = [
        [Option("a", 900, "P", "A", friday), Option("b", 880, "Q", "B", tuesday)],
        [Option("c", 900, "R", "C", tuesday), Option("d", 870, "Q", "B", tuesday | friday)],
    ]
    found, first = packages.best_package(parts), packages.best_of_each(parts)
    assert [option.key for option in found.options] == ["b", "d"]
    assert packages.sentences(found, first, ["Quarry Trust", "Quarry Trust"]) == [
        "Both with one provider: Quarry Trust.",
        "All journeys at one place on the same day: Tuesdays.",
        "One journey instead of 2.",
        "It gives up 50 points against the best of each list for that.",
    ]


def test_nobody_is_sent_far_worse_for_the_sake_of_one_provider():
    parts = [[Option("a", 900, "P"), Option("b", 300, "Q")], [Option("c", 900, "Q")]]
    found = packages.best_package(parts)
    assert [option.key for option in found.options] == ["a", "c"]
    assert packages.best_package([[], [Option("c", 900, "Q")]]) is None
