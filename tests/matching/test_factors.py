"""Each factor alone; and the engine's reading of a figure is that of the badge."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models import CapacityStatus
from capacity.status import Freshness, rag
from matching.engine import check, explain, likelihood, place
from matching.engine import times as week
from matching.engine.factors import FACTORS
from matching.engine.problem import FACTORS as NAMES
from matching.engine.problem import Need, PoolFacts, Weights
from tests.matching.test_rules import DEMENTIA, DRIVER, FACTS, MAYBE_DRIVES, NEED, OXYGEN, RIDER, facts, need
from tests.matching.worlds import WORDS

MUSIC, GARDENING = 1 << 42, 1 << 43
SUMMER = date(2026, 6, 20).toordinal()
#: A table in which each thousandth of a logit counts the same: 480 in the middle.
CHANCES = likelihood.packed(
    {
        "usual": -1_000, "days": [0] * 7, "said": [0, -500, -1_000, -2_000], "fresh": 1_000, "step": -100, "no_journey": 700,
        "table": [8 * line for line in range(likelihood.LINES)],
    },
    weekday=0,
)  # fmt: skip
CASES = [
    ("distance", need(max_distance_m=10_000), FACTS, 500, "3.1 miles"),
    ("distance", need(max_distance_m=0), facts(x=0, y=0), 0, "under 0.1 miles"),
    ("distance", NEED, facts(x=None, y=None, online=True), 1000, "no journey"),
    ("distance", NEED, facts(x=None, y=None), 0, "where it is is not known"),
    ("availability", NEED, FACTS, 1000, "2 free"),
    ("availability", NEED, facts(free=1, maximum=10), 850, "1 free, few left"),
    ("availability", NEED, facts(age_s=86_400), 600, "2 free, but the figure is getting old"),
    ("availability", NEED, facts(status=3), 500, "2 free, assessment first"),
    ("availability", NEED, facts(status=2), 300, "a waiting list"),
    ("availability", NEED, facts(age_s=None), 200, "not known whether any is free"),
    ("availability", NEED, facts(free=0), 0, "full"),
    ("freshness", NEED, facts(age_s=0), 1000, "told just now"),
    ("freshness", NEED, facts(age_s=-60), 1000, "told just now"),
    ("freshness", NEED, facts(age_s=129_600), 500, "told 1 day ago"),
    ("freshness", NEED, facts(age_s=259_200), 0, "told 3 days ago"),
    ("freshness", NEED, facts(age_s=None), 0, "never told"),
    ("known", NEED, FACTS, 0, "it has answered 0 of 1 question"),
    ("known", NEED, facts(min_age=65), 1000, "it has answered 1 of 1 question"),
    ("known", need(needs=OXYGEN, funding=1, languages=1, source=1), facts(accepts=OXYGEN, funding=1), 400, "answered 2 of 5 questions"),
    ("known", need(needs=OXYGEN | DEMENTIA), facts(accepts=OXYGEN, languages=1, sources=1), 333, "answered 1 of 3 questions"),
    ("preferences", NEED, FACTS, 1000, "none given"),
    ("preferences", need(preferences=OXYGEN | DEMENTIA), facts(accepts=OXYGEN), 500, "Oxygen"),
    ("preferences", need(preferences=OXYGEN), FACTS, 0, "none that it has spoken of"),
    ("known", need(conditions=(("t2", "ng28"),)), facts(conditions_ok=("ng28",)), 500, "answered 1 of 2 questions"),
    ("known", need(conditions=(("t2",),)), facts(conditions_out=("t2",)), 0, "answered 0 of 2 questions"),
    ("priority", need(funding=4), facts(funding_first=4), 1000, "it takes first people with NHS funded"),
    ("priority", need(languages=2), facts(languages_first=2), 1000, "Urdu"),
    ("priority", need(areas=(4, 5)), facts(areas_first=(5,)), 1000, "it takes first people who live where this person does"),
    ("priority", need(areas=(4,)), facts(areas_first=(5,), drawn_first=False), 0, "nobody like this person"),
    ("priority", NEED, facts(drawn_first=True), 1000, "who live where this person does"),
    ("priority", need(source=1), facts(sources_first=1), 1000, "Hospital discharge team"),
    ("priority", need(conditions=(("t2", "ng28"),)), facts(conditions_first=("ng28",)), 1000, "it takes first people with ng28"),
    ("priority", need(registered=("pcn|U1",)), facts(registered_first=("pcn|U1",)), 1000, "it takes first people with pcn|U1"),
    ("priority", need(registered=("pcn|U2",)), facts(registered_first=("pcn|U1",), funding_first=4), 0, "nobody like this person"),
    ("marks", NEED, facts(marks=1), 1000, "none wished for, so every service gets these"),
    ("marks", need(marks=3), FACTS, 0, "none of those wished for"),
    ("marks", need(marks=3), facts(marks=5), 500, "NCVO Trusted Charity"),
    ("likelihood", NEED, FACTS, 0, "not looked at"),
    (
        "likelihood",
        need(chances=CHANCES),
        facts(age_s=259_200, leaning=600),
        504,
        "too few answers to say of this service alone; about 5 in 10",
    ),
    ("likelihood", need(chances=CHANCES), facts(age_s=0, leaning=600), 584, "too few answers"),
    ("likelihood", need(chances=CHANCES), facts(age_s=259_200), 376, "about 4 in 10, as services like it answer"),
    (
        "likelihood",
        need(chances=CHANCES),
        facts(online=True, leaning=-6_000, answers=5),
        128,
        "said yes to 0 of 5 requests like this; about 1 in",
    ),
    (
        "likelihood",
        need(chances=CHANCES),
        facts(free=0, leaning=900, said_yes=8, answers=10, age_s=None),
        368,
        "to 8 of 10 requests like this",
    ),
    ("likelihood", need(chances=CHANCES), facts(status=2, leaning=-6_000), 0, "fewer than 1 in 10"),
    ("likelihood", need(chances=CHANCES), facts(leaning=6_000, answers=9, said_yes=9), 960, "more than 9 in 10"),
    ("journey", NEED, FACTS, 1000, "no help asked for"),
    ("journey", need(travels=1, brings=3 << 27), FACTS, 0, "it has not said that it visits or fetches people"),
    ("journey", need(travels=1, brings=3 << 27), facts(accepts=1 << 28), 1000, "Transport provided"),
    ("journey", need(travels=2, brings=3 << 27), FACTS, 1000, "no journeys to make"),
    ("journey", need(travels=1, brings=3 << 27), facts(online=True), 1000, "no journeys to make"),
    ("travel", DRIVER, FACTS, 250, "about 15 minutes by car, as reckoned from the distance"),
    ("travel", RIDER, FACTS, 0, "about 30 minutes by public transport"),
    ("travel", replace(RIDER, max_minutes=None, max_distance_m=10_000), FACTS, 400, "about 30 minutes by public transport"),
    (
        "travel",
        MAYBE_DRIVES,
        FACTS,
        250,
        "about 15 minutes by car, about 30 minutes by public transport: whether the person drives is not known",
    ),
    ("travel", RIDER, facts(online=True), 1000, "no journey for the person"),
    ("travel", replace(RIDER, comes=1), facts(x=None, y=None), 1000, "no journey for the person"),
    ("travel", RIDER, facts(x=None, y=None), 0, "how long the way takes is not known"),
    ("travel", NEED, FACTS, 0, "how long the way takes is not known"),
    ("interests", NEED, FACTS, 1000, "none given"),
    ("interests", need(interests=GARDENING | MUSIC), facts(accepts=GARDENING), 500, "Gardening"),
    ("interests", need(interests=MUSIC), FACTS, 0, "none that it has spoken of"),
    ("times", NEED, facts(times=1), 1000, "none given"),
    ("times", need(times=week.mask(["SA", "SU"])), facts(times=week.mask(["FR", "SA"])), 1000, "Saturday"),
    ("times", need(times=week.mask(["evening"])), facts(times=week.mask(["MO", "morning"])), 0, "open at none of them"),
    ("times", need(times=week.mask(["evening"])), FACTS, 400, "when it is open is not known"),
    ("priority", need(needs=OXYGEN), facts(prefers=OXYGEN), 1000, "it takes first people with Oxygen"),
    ("priority", need(preferences=OXYGEN), facts(prefers=OXYGEN), 0, "nobody like this person"),
    ("quality", NEED, FACTS, 400, "not rated"),
    ("quality", NEED, facts(cqc_rating=1), 0, "rated inadequate"),
    ("quality", NEED, facts(cqc_rating=2), 300, "rated requires improvement"),
    ("quality", NEED, facts(cqc_rating=3), 750, "rated good"),
    ("quality", NEED, facts(cqc_rating=4), 1000, "rated outstanding"),
    ("price", NEED, facts(price_pence=1), 1000, "no budget given"),
    ("price", need(budget_pence=100_000), facts(price_pence=75_000), 250, "£750 a week of £1,000"),
    ("price", need(budget_pence=100_000), FACTS, 0, "not known"),
    ("price", need(budget_pence=0), facts(price_pence=0), 1000, "£0 a week of £0"),
    ("price", need(budget_pence=0), facts(price_pence=1), 0, "£0.01 a week of £0"),
    ("assurance", NEED, FACTS, 0, "never checked"),
    ("assurance", NEED, facts(assured_days=365), 500, "checked 365 days ago"),
    ("assurance", NEED, facts(assured_days=-2), 1000, "checked 0 days ago"),
    ("assurance", NEED, facts(assured_days=731), 0, "checked 731 days ago"),
    ("currency", NEED, FACTS, 0, "its record has never been checked, so it is overdue"),
    ("currency", NEED, facts(assured_days=92), 1000, "its record was last checked 92 days ago"),
    ("currency", NEED, facts(assured_days=93), 0, "its record was last checked 93 days ago, so it is overdue"),
    ("currency", need(checked_for_days=10, today=SUMMER), facts(assured_days=11), 0, "last checked on 9 June, so it is overdue"),
    ("currency", need(today=SUMMER), facts(assured_days=20), 1000, "its record was last checked on 31 May"),
    ("currency", need(today=SUMMER), facts(assured_days=200), 0, "last checked on 2 December 2025, so it is overdue"),
]


@pytest.mark.parametrize(("code", "need_", "facts_", "share", "says"), CASES)
def test_factor(code, need_, facts_, share, says):
    factor = next(factor for factor in FACTORS if factor.code == code)
    assert factor.share(need_, facts_) == share
    assert says in factor.words(need_, facts_, WORDS)


@pytest.mark.parametrize(
    ("need_", "facts_", "weights", "says"),
    [
        (NEED, FACTS, {"availability": 100, "distance": 900}, ""),  # nobody moves it nearer
        (NEED, facts(free=1, maximum=10), {"availability": 100}, "Up to 15 points more if it had more places free."),
        (NEED, facts(age_s=86_400), {"availability": 100, "freshness": 60}, "Up to 40 points more if it told its figure again."),
        (NEED, facts(age_s=129_600), {"freshness": 60}, "Up to 30 points more if it told its figure again."),
        (NEED, facts(status=3), {"availability": 100}, "Up to 50 points more if it took people without assessing them first."),
        (NEED, facts(status=2), {"availability": 100}, "Up to 70 points more once a place is free."),
        (need(today=SUMMER), facts(status=2, wait_days=5), {"availability": 100}, "once a place is free: on Thursday by what it says"),
        (NEED, facts(age_s=None), {"availability": 100}, "Up to 80 points more once it says whether a place is free."),
        (need(needs=OXYGEN | DEMENTIA), facts(accepts=OXYGEN), {"known": 30}, "more if it answered 2 questions more that matter here."),
        (
            need(preferences=OXYGEN | DEMENTIA),
            facts(accepts=OXYGEN),
            {"preferences": 1},
            "Up to 1 point more if it offered what was preferred: D",
        ),
        (NEED, facts(cqc_rating=3), {"quality": 100}, "Up to 25 points more with a better rating by the Care Quality Commission."),
        (NEED, FACTS, {"quality": 100}, ""),
        (need(budget_pence=10), FACTS, {"price": 10, "known": 90}, "1 question more"),
        (need(budget_pence=10), facts(min_age=1), {"price": 10, "known": 90}, "Up to 10 points more if it said what it costs."),
        (need(budget_pence=10), facts(min_age=1, price_pence=5), {"price": 10, "known": 90}, "Up to 5 points more if it cost less."),
        (NEED, FACTS, {"assurance": 10, "currency": 20}, "Up to 20 points more if its record were checked."),
        (need(marks=3), facts(marks=2), {"marks": 10}, "Up to 5 points more with NCVO Trusted Charity."),
        (RIDER, FACTS, {"travel": 10}, ""),
        (RIDER, facts(x=None, y=None), {"travel": 10}, "Up to 10 points more if it said where it is."),
        (need(interests=MUSIC), FACTS, {"interests": 10}, "Up to 10 points more if it offered Music and singing."),
        (need(times=week.mask(["TU", "evening"])), facts(times=1), {"times": 10}, "Up to 10 points more if it were open Tuesday evening."),
        (need(times=1), FACTS, {"times": 10}, "Up to 6 points more if it said when it is open."),
        (need(travels=1, brings=3 << 27), FACTS, {"journey": 10}, "Up to 10 points more if it visited or fetched people."),
    ],
)
def test_what_would_change_a_place_in_the_list(need_, facts_, weights, says):
    """The most that somebody could change; a factor of which there is nothing to gain is not named."""
    of_these = Weights.from_json(weights)
    said = explain.better(need_, facts_, of_these, WORDS, check.terms(need_, facts_, of_these))
    assert (says in said) if says else said == ""


def test_every_factor_is_tested_and_named_in_the_same_order():
    assert {code for code, *_ in CASES} == set(NAMES)
    assert tuple(factor.code for factor in FACTORS) == NAMES


STATUSES = dict(enumerate(CapacityStatus.values))
EDGES_US = [-300_000_000, -300_000_001, 60_000_000, 59_999_999, 120_000_000]
AT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


@pytest.mark.req("R010")
@given(
    status=st.sampled_from(sorted(STATUSES)),
    free=st.none() | st.integers(0, 12),
    maximum=st.none() | st.integers(1, 120),
    is_open=st.booleans(),
    age_us=st.none() | st.integers(-400_000_000, 400_000_000) | st.sampled_from(EDGES_US),
)
def test_the_engine_reads_a_figure_as_the_badge_does(status, free, maximum, is_open, age_us):
    age = None if age_us is None else timedelta(microseconds=age_us)
    badge = rag(
        status=STATUSES[status],
        free=free,
        maximum=maximum,
        is_open=is_open,
        reported_at=None if age is None else AT - age,
        at=AT,
        freshness=Freshness(timedelta(seconds=60), timedelta(seconds=120)),
    )
    state = place.place(
        facts(
            status=status,
            free=free,
            maximum=maximum,
            is_open=is_open,
            age_s=None if age is None else age // timedelta(seconds=1),
            fresh_s=60,
            expire_s=120,
        )
    )
    assert (state == place.GREEN) == (badge.rag == "green")
    assert (state in place.RED) == (badge.rag == "red")
    assert (state == place.UNKNOWN) == (badge.rag == "grey")
    words = ("", "few left", "check first", "assessment first", "Waiting list", "Not known", "Not accepting", "Full", "Closed")
    assert words[state] in badge.word


masks = st.integers(0, (1 << 12) - 1)
some_facts = st.builds(
    PoolFacts,
    pool_id=st.uuids().map(str),
    service_id=st.just("s"),
    care_type=st.just(0),
    x=st.integers(0, 9_000),
    y=st.integers(0, 9_000),
    accepts=masks,
    funding=masks,
    price_pence=st.none() | st.integers(0, 200_000),
    cqc_rating=st.none() | st.integers(1, 4),
    free=st.none() | st.integers(0, 5),
    age_s=st.none() | st.integers(-500, 300_000),
)
some_needs = st.builds(Need, age=st.integers(0, 125), sex=st.integers(0, 3), x=st.integers(0, 9_000), y=st.integers(0, 9_000),
                       care_types=st.just(1), needs=masks, funding=masks, budget_pence=st.none() | st.integers(0, 200_000))  # fmt: skip


@given(some_needs, st.lists(some_facts, max_size=8, unique_by=lambda f: f.pool_id), st.randoms())
def test_order_of_input_does_not_matter_and_scores_stay_in_bounds(need_, pools, chance):
    weights = Weights()
    ranked = check.rank(need_, pools, weights)
    chance.shuffle(pools)
    assert check.rank(need_, pools, weights) == ranked
    assert all(0 <= line.score <= weights.total for line in ranked)


@given(some_needs, some_facts, st.integers(0, 11))
def test_saying_more_never_lowers_a_score(need_, facts_, bit):
    """An answer that helps can only help: unknown is never worth more than known and met."""
    more = facts_._replace(accepts=facts_.accepts | 1 << bit)
    assert check.score(need_, more, Weights()) >= check.score(need_, facts_, Weights())


def test_price_cannot_decide_by_itself():
    with pytest.raises(ValueError, match="at most a tenth"):
        Weights(price=200)
    with pytest.raises(ValueError, match="whole number"):
        Weights(distance=-1)
    with pytest.raises(ValueError, match="At least one"):
        Weights(*[0] * len(NAMES))


def test_problem_and_facts_come_back_from_storage_as_they_were():
    stored_need, stored_facts = need(areas=(3, 4)), facts(area_ids=(7,))
    assert Need.from_json(stored_need.to_json() | {"areas": [3, 4]}) == stored_need
    assert PoolFacts.from_json(stored_facts.to_json() | {"area_ids": [7]}) == stored_facts
