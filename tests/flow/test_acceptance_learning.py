"""What is learned from invented answers whose true chance is known: numbers alone, no database."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from flow.acceptance import judging, learning
from flow.acceptance.examples import Place
from flow.acceptance.history import Count, Tally, as_known, drawn
from matching.engine import likelihood
from matching.engine.factors import Likelihood
from matching.engine.problem import Need, PoolFacts
from tests.flow.answers import invented


@pytest.fixture(scope="module")
def taught():
    examples, truth = invented(3_000)
    return examples, truth, learning.learn(examples)


def test_a_known_chance_is_found_again_on_later_answers(taught):
    """Near the truth, better than the same for everybody and than the group's share, and right about itself."""
    _, truth, found = taught
    assert np.abs(found.said - truth[found.held_out]).mean() < 0.09
    assert np.corrcoef(found.said, truth[found.held_out])[0, 1] > 0.85
    assert found.figures.beats_constant
    assert found.figures.than_group.smaller
    assert found.figures.off_by < 0.07
    assert sum(point["count"] for point in found.figures.points) == found.figures.answers == 600


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_in_noise(seed):
    examples, _ = invented(900, noise=True, seed=seed)
    found = learning.learn(examples)
    assert found is not None
    assert not found.figures.beats_constant


def test_few_answers_teach_nothing():
    assert learning.learn(invented(70)[0]) is None


def test_one_more_yes_never_lowers_a_chance(taught):
    """Of the service or of its group; nor does a nearer place, a younger figure, or a greater sum."""
    *_, found = taught
    for answers in (0, 1, 5, 40):
        for group in (0.1, 0.5, 0.9):
            leans = [learning.leaning(found.learned, Count(yes, answers), group) for yes in range(answers + 1)]
            assert leans == sorted(leans)
            assert learning.leaning(found.learned, Count(0, answers), group) <= learning.leaning(
                found.learned, Count(1, answers + 1), group
            )
            assert leans[0] <= learning.leaning(found.learned, Count(0, answers), group + 0.05)
    chances = found.learned.chances
    assert chances["table"] == sorted(chances["table"])
    assert chances["fresh"] > 0 >= chances["step"]


def test_a_younger_figure_that_says_the_same_never_lowers_the_chance(taught):
    """From just now until long after nobody believes it, whatever it says."""
    need = Need(age=80, sex=0, x=0, y=0, care_types=1, chances=likelihood.packed(taught[2].learned.chances, 2))
    for status, free in ((0, 3), (0, 0), (2, None), (3, 1)):
        facts = PoolFacts(pool_id="a", service_id="s", care_type=0, x=3_000, y=0, leaning=200, status=status, free=free)
        chance = [Likelihood().share(need, facts._replace(age_s=age)) for age in (*range(0, 300_000, 9_000), None)]
        assert chance == sorted(chance, reverse=True)
        assert chance[0] > chance[-1]


def test_where_old_figures_were_said_yes_to_more_often_freshness_counts_for_nothing():
    """The data say otherwise; the model may not."""
    found = learning.learn(invented(1_500, told=-2.5)[0])
    assert found.learned.chances["fresh"] == 0
    assert dict(found.learned.weights)["How fresh the figure was"] == 0


def test_what_is_held_out_teaches_nothing(taught):
    """All that was learned from was certain before the first request held out was sent: turning those answers round changes no weight."""
    examples, _, found = taught
    assert found.held_out.min() == len(examples) - len(found.held_out)
    turned = examples.yes.copy()
    turned[found.held_out] = ~turned[found.held_out]
    again = learning.learn(replace(examples, yes=turned))
    assert again.learned == found.learned
    assert not again.figures.beats_constant


def test_a_kept_version_says_again_what_it_said(taught):
    examples, _, found = taught
    kept = learning.Learned.from_json(found.learned.to_json())
    assert np.array_equal(learning.tell(kept, examples)[found.held_out], found.said)


def test_a_service_with_few_answers_is_drawn_to_its_group():
    tally = Tally()
    here, there, other = (Place(UUID(int=n), "home", area) for n, area in ((1, "x"), (2, "x"), (3, "y")))
    for _ in range(30):
        tally.add(here, yes=True)
        tally.add(other, yes=False)
    assert tally.of(there) == Count(0, 0)
    assert 0.5 < drawn(tally.of(there), tally.group(there), 8) == tally.group(there) < drawn(tally.of(here), tally.group(here), 8)
    assert tally.group(other) < 0.5
    known = as_known([here, here], [0.0, 10.0], [5.0, 15.0], [True, True])
    assert [(yes, answers) for yes, answers, _ in known] == [(0, 0), (1, 1)]


def test_a_gap_between_groups_is_pointed_out_and_small_groups_are_not_told_by_themselves():
    chance = np.random.default_rng(0)
    said = np.full(400, 0.6)
    yes = chance.random(400) < np.where(np.arange(400) < 200, 0.6, 0.35)
    groups = {"Age": ["75 to 84"] * 200 + ["85 and over"] * 200, "Sex": ["female"] * 195 + ["male"] * 200 + ["other"] * 5}
    rows = {row["group"]: row for row in judging.audit(said, yes, groups)}
    assert not rows["75 to 84"]["look"]
    assert rows["85 and over"]["look"]
    assert rows["85 and over"]["gap"] > 0.15
    assert [row["group"] for row in rows.values() if row["characteristic"] == "Sex"] == ["female or other", "male"]
    assert rows["female or other"]["count"] == 200
    assert judging.audit(said[:9], yes[:9], {"Sex": ["female"] * 5 + ["male"] * 4}) == []
