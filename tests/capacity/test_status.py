"""RAG: stale never becomes green."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models import CapacityStatus
from capacity.status import Freshness, Rag, rag, timeline, told

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # half an hour before the clocks go forward
FRESH = Freshness(timedelta(hours=24), timedelta(hours=72))

pools = st.fixed_dictionaries(
    {
        "status": st.sampled_from(CapacityStatus.values),
        "free": st.none() | st.integers(0, 40),
        "maximum": st.none() | st.integers(0, 60),
        "is_open": st.booleans(),
        "reported_at": st.none() | st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 15), timezones=st.just(UTC)),  # noqa: DTZ001
    }
)
GOOD = {"status": "capacity", "free": 3, "maximum": 9, "is_open": True}


@pytest.mark.req("R028")
@pytest.mark.parametrize(
    ("change", "hours", "colour", "word"),
    [
        ({}, 1, Rag.GREEN, "3 free"),
        ({}, 25, Rag.AMBER, "3 free, check first"),
        ({}, 72, Rag.GREY, "Not known"),
        ({"free": 0}, 1, Rag.RED, "Full"),
        ({"free": 0}, 73, Rag.GREY, "Not known"),
        ({"status": "waitlist"}, 1, Rag.AMBER, "Waiting list"),
        ({"status": "no-capacity"}, 1, Rag.RED, "Not accepting"),
        ({"status": "additional-assessment-required"}, 1, Rag.AMBER, "3 free, assessment first"),
        ({"free": None}, 1, Rag.GREY, "Not known"),
        ({"free": 2, "maximum": 30}, 1, Rag.AMBER, "2 free, few left"),
        ({"is_open": False}, 1, Rag.RED, "Closed"),
    ],
)
def test_colour_and_word(change, hours, colour, word):
    state = rag(**GOOD | change, reported_at=NOW - timedelta(hours=hours), at=NOW, freshness=FRESH)
    assert (state.rag, state.word) == (colour, word)


def test_never_reported_is_grey():
    assert rag(**GOOD, reported_at=None, at=NOW, freshness=FRESH).rag is Rag.GREY


def test_a_report_from_the_future_is_not_believed():
    assert rag(**GOOD, reported_at=NOW + timedelta(hours=1), at=NOW, freshness=FRESH).rag is Rag.GREY


@given(pools, st.datetimes(datetime(2026, 3, 1), datetime(2026, 5, 1), timezones=st.just(UTC)), st.integers(0, 10**7))  # noqa: DTZ001
def test_waiting_never_makes_it_better(pool, at, later):
    """Whatever is shown now, with nothing said since, it never turns green later unless it was green."""
    order = {Rag.GREEN: 0, Rag.AMBER: 1, Rag.RED: 1, Rag.GREY: 2}
    reported = pool["reported_at"]
    if reported is not None and reported > at:
        return  # not told yet
    first = rag(**pool, at=at, freshness=FRESH)
    second = rag(**pool, at=at + timedelta(seconds=later), freshness=FRESH)
    assert order[second.rag] >= order[first.rag] or not pool["is_open"]


@given(pools, st.datetimes(datetime(2026, 3, 1), datetime(2026, 5, 1), timezones=st.just(UTC)), st.integers(0, 10**7))  # noqa: DTZ001
def test_timeline_foretells_rag(pool, at, later):
    """What a screen was sent says at every later instant what the server would say."""
    if pool["reported_at"] is not None and pool["reported_at"] > at:
        return
    moment = at + timedelta(seconds=later)
    shown = [state for start, state in timeline(**pool, at=at, freshness=FRESH) if start <= moment][-1]
    assert shown == rag(**pool, at=moment, freshness=FRESH)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=20), "told just now"),
        (timedelta(minutes=1), "told 1 minute ago"),
        (timedelta(hours=3, minutes=50), "told 3 hours ago"),
        (timedelta(days=2), "told 2 days ago"),
    ],
)
def test_told(age, words):
    assert told(NOW - age, NOW) == words
