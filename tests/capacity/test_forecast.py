"""The forecast: it never looks ahead, is held against two guesses on days that it had not seen, and is honest where it knows little.

What learns is imported inside the tests: whoever only collects them need not wait for it.
"""

import ast
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.management import call_command

from capacity import forecast, outlook
from capacity.forecast import METHOD, USUAL, beats_both
from capacity.models import ForecastSkill, PoolDay, PoolForecast
from capacity.outlook import Chance, Outlook
from core.clock import LONDON
from frontend.presenters import outlook as words
from tests.factories import PoolFactory
from tests.test_consistency import python_files, syntax

TODAY = date(2026, 11, 22)
AT = datetime(2026, 11, 22, 4, tzinfo=LONDON)
HORIZONS = (1, 3, 7, 14)


def table(seed: int, pools: int = 48, **options):
    from capacity import learning
    from tests.bench.doubles_days import region

    invented = region(seed, pools=pools, days=70, **options)
    return learning.Table.of(invented.rows, invented.pools, last=invented.last), invented


def test_nothing_of_a_later_day_is_known_on_an_earlier_one(monkeypatch):
    import numpy as np

    from capacity import learning

    given, _ = table(3, pools=30)
    day = 45
    other = replace(given, **{name: getattr(given, name).copy() for name in ("known", "place", "free", "share", "filled", "reports")})
    for name in ("known", "place", "free", "share", "filled", "reports"):
        getattr(other, name)[:, day + 1 :] = getattr(given, name)[:, :day:-1]  # the days after it, the other way round
    assert not np.array_equal(given.place, other.place)
    one, two = learning._features(given), learning._features(other)
    assert np.array_equal(one[:, : day + 1], two[:, : day + 1])
    for horizon in HORIZONS:
        guesses = [learning._as_weekday(*each.outcome(horizon), horizon)[:, : day + 1] for each in (given, other)]
        assert np.array_equal(*guesses)
        # and the model learns from days alone whose outcome was known on the first day held out
        learnt = []
        monkeypatch.setattr(learning, "_fit", lambda x, y, groups, kept=learnt: kept.append((x, y)))
        held_out = min(learning.MOST_HELD_OUT, (given.length - learning.FIRST - 2 * horizon) // 3)
        first = given.length - horizon - held_out
        for each in (given, given.part(range(30))):
            each.place[:, first + 1 :] = 1 - each.place[:, first + 1 :]
            came, is_known = each.outcome(horizon)
            learning._back_test(each, learning._features(each), came, is_known & learning._has_past(each), horizon)
        assert len(learnt) == 2
        assert all(np.array_equal(a, b) for a, b in zip(*learnt, strict=True))


def test_it_is_better_than_both_guesses_where_something_can_be_known_and_calibrated():
    import numpy as np

    from capacity import learning

    given, invented = table(7, pools=120)
    found = learning.forecast(given, horizons=HORIZONS, wanted=range(120))
    assert [skill.horizon for skill in found.skill] == list(HORIZONS)
    assert [skill.horizon for skill in found.skill if skill.beats_both][:2] == [1, 3]
    for place, horizon in enumerate((1, 3)):
        said = np.array([chances[place]["chance"] for chances in found.chances])
        truth = invented.truth[horizon]
        assert np.mean((said - truth) ** 2) < np.mean((truth.mean() - truth) ** 2) * 0.75
        assert abs(said.mean() - truth.mean()) < 0.1
    assert all(each["low"] <= each["chance"] <= each["high"] for chances in found.chances for each in chances)
    # more days never make it less likely
    steps = [pair for chances in found.chances for pair in pairwise(chances)]
    assert all(one[name] <= other[name] for one, other in steps for name in ("chance", "low", "high"))
    # of those told about the same chance, as many had a place as was said
    for skill in found.skill:
        missed = sum(abs(each["said"] - each["came"]) * each["count"] for each in skill.calibration) / skill.count
        assert missed < 0.12, skill.horizon
        assert sum(each["count"] for each in skill.calibration) == skill.count


def test_where_nothing_can_be_known_it_is_off():
    from capacity import learning

    given, _ = table(5, chance=True)
    found = learning.forecast(given, horizons=HORIZONS, wanted=range(48))
    assert found.skill
    assert not any(skill.beats_both for skill in found.skill)
    assert found.chances == [[]] * 48
    usual = given.usual(0, (1,))[0]
    assert usual["low"] < usual["chance"] < usual["high"]


@pytest.mark.parametrize(("scores", "better"), [((0.1, 0.2, 0.2), True), ((0.2, 0.1, 0.3), False), ((0.1999, 0.2, 0.3), False)])
def test_a_hair_better_is_not_better(scores, better):
    assert beats_both(*scores) is better


def test_a_wait_that_has_not_ended_counts_for_as_long_as_it_lasted():
    from capacity import learning

    # full for 2, 4, 4 and 6 days, then for 10 that have not ended; what was full before anybody looked is left out
    days = [0, 0, 0, 1, *[0] * 2, 1, *[0] * 4, 1, *[0] * 4, 1, *[0] * 6, 1, *[0] * 10]
    rows = [
        ("pool", TODAY - timedelta(days=len(days) - number), Decimal(24), Decimal(24 * free), free, 0, 10, 0, 1)
        for number, free in enumerate(days)
    ]
    given = learning.Table.of(rows, [("pool", "home")], last=TODAY - timedelta(days=1))
    assert given._waits(0) == ([2, 4, 4, 6, 10], [True, True, True, True, False])
    median, low, high = given.wait(0, at_least=4)
    assert median == 4
    assert low <= 2
    assert high is None  # a fifth has not ended: nobody knows how long the longest are
    assert given.wait(0, at_least=5) is None
    assert learning.wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


@pytest.mark.django_db
def test_a_night_of_it():
    pools = PoolFactory.create_batch(3)
    lines = [(pools[0], 12, 1), (pools[1], 40, 1), (pools[2], 60, 20)]
    for pool, days, ago in lines:
        PoolDay.objects.bulk_create(
            PoolDay(pool=pool, day=TODAY - timedelta(days=ago + number), known_hours=24, free_hours=24 * (number % 3 == 0), available=1)
            for number in range(days)
        )
    said: list[tuple[int, int]] = []
    for _ in range(2):  # twice in a day is once
        done = forecast.make(at=AT, say=lambda done, total, group: said.append((done, total)))
    assert (done.told, done.stopped) == (1, False)
    assert said == [(0, 1), (1, 1)] * 2
    assert PoolForecast.objects.count() == 3
    found = outlook.outlooks([pool.pk for pool in pools], AT)
    few, usual, silent = (found[pool.pk] for pool in pools)
    assert (few.days, few.enough, few.chances) == (12, False, ())
    assert words.words(few, free_now=False) == "Not enough history yet for a forecast: 12 of 28 days."
    # three pools are too few to learn from: what was usual is told
    assert PoolForecast.objects.get(pool=pools[1]).method == USUAL
    assert [chance.days for chance in usual.chances] == [1, 3, 7, 14]
    assert usual.chances[0].chance == pytest.approx(1 / 3, abs=0.03)
    assert words.words(usual, free_now=False).startswith(
        "No forecast, but what was usual: within 3 days a place came more than 9 in 10 times."
    )
    assert (silent.enough, silent.chances) == (True, ())
    assert "nobody has told its figure for a week" in words.words(silent, free_now=False)
    # a forecast that was made some nights ago is told no more, and is forgotten after three months
    assert outlook.outlooks([pools[0].pk], AT + timedelta(days=4)) == {}
    forecast.make(at=AT + timedelta(days=100))
    assert not PoolForecast.objects.filter(made_on=TODAY).exists()


@pytest.mark.django_db
def test_it_ends_when_it_is_asked_to():
    PoolDay.objects.create(pool=PoolFactory(), day=TODAY - timedelta(days=1), known_hours=24, free_hours=0)
    assert forecast.make(at=AT, stop=lambda: True).stopped
    assert not PoolForecast.objects.exists()
    outlook.tell_progress(1, 4, "Care homes")
    assert outlook.progress() == {"done": 1, "total": 4, "group": "Care homes"}
    outlook.tell_progress(4, 4, "")
    assert outlook.progress() is None
    call_command("make_forecasts", stop=True)


@pytest.mark.django_db
def test_only_the_newest_comparison_is_told():
    for ago, brier in ((1, 0.2), (2, 0.1)):
        values = {"brier": brier, "brier_last": 0.15, "brier_weekday": 0.3, "count": 9, "method": METHOD}
        ForecastSkill.objects.create(made_on=TODAY - timedelta(days=ago), group="Care homes", horizon=1, **values)
    (newest,) = outlook.skill(AT)
    assert newest.brier == 0.2
    assert not outlook.is_told(newest)


def test_words():
    def told(*chances: tuple[int, float], **values) -> Outlook:
        usual = {
            "pool": None,
            "made_on": TODAY,
            "days": 84,
            "is_forecast": True,
            "wait": Decimal(3),
            "wait_low": Decimal(2),
            "wait_high": Decimal(6),
        }
        all_chances = tuple(Chance(days, chance, max(0, chance - 0.13), min(1, chance + 0.13)) for days, chance in chances)
        return Outlook(**(usual | {"chances": all_chances} | values))

    assert words.words(told((1, 0.3), (3, 0.7), (7, 0.9)), free_now=False) == (
        "A place is likely within 3 days: 7 in 10 (between 5 and 9 in 10). Usual wait when full 2 to 6 days."
        " From 84 days of its own history and of others of its kind."
    )
    assert "wait" not in words.words(told((1, 0.7)), free_now=True)
    assert words.words(told((1, 0.01), (14, 0.02)), free_now=False).startswith("A place within 14 days is not likely: fewer than 1 in 10")
    assert words.in_ten(0.99) == "more than 9 in 10"
    assert words.wait(told(wait_high=None)) == "Usual wait when full 2 days or more"
    assert words.wait(told(wait=None)) == ""


def test_a_web_process_does_not_load_what_learns():
    """It takes seconds, and megabytes: only functions of the nightly work import it."""
    heavy = {"sklearn", "scipy", "capacity.learning"}
    found = [
        file.name
        for file in python_files("config", "frontend", "notifications", "capacity")
        for node in syntax(file).body
        if file.name != "learning.py"
        and isinstance(node, ast.Import | ast.ImportFrom)
        and heavy & {name for each in node.names for name in (each.name.split(".")[0], f"{getattr(node, 'module', '')}.{each.name}")}
    ]
    assert found == []
