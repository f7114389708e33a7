"""RAG: stale never becomes green."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.models import CapacityStatus
from capacity.status import CLOCK_SKEW, Freshness, Rag, Said, rag, timeline, told
from core.clock import LONDON

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # half an hour before the clocks go forward
FRESH = Freshness(timedelta(hours=24), timedelta(hours=72))

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


@pytest.mark.parametrize(
    ("change", "said", "word", "reason"),
    [
        ({"is_open": False}, {"closed_until": date(2026, 6, 3), "closed_reason": "norovirus"}, "Closed until 3 June: norovirus", None),
        ({"is_open": False}, {"closed_until": date(2027, 1, 4)}, "Closed until 4 January 2027", "Closed until 4 January 2027."),
        ({"is_open": False}, {"closed_reason": "Refurbishment."}, "Closed: Refurbishment", "Closed: Refurbishment."),
        (
            {"is_open": False},
            {"closed_until": date(2026, 3, 29)},
            "Closed",
            "It was to open again on 29 March; nobody has told us that it has.",
        ),
        ({"is_open": False}, {"closed_reason": "x" * 99}, f"Closed: {'x' * 59}…", f"Closed: {'x' * 99}."),
        ({"status": "waitlist"}, {"waiting": 5, "expected_wait_days": 21}, "Waiting list: 5 people, about 3 weeks", None),
        ({"status": "waitlist"}, {"waiting": 0}, "Waiting list: nobody before you", None),
        ({"status": "waitlist"}, {"waiting": 1, "expected_wait_days": 1}, "Waiting list: 1 person, about 1 day", None),
        ({"status": "waitlist"}, {"expected_wait_days": 200}, "Waiting list: about 7 months", None),
        ({"free": 0}, {"reserved": 2}, "Full, 2 reserved", "No place is free. 2 more are empty but reserved."),
        ({}, {"reserved": 1}, "3 free", "Accepting now. 1 more is empty but reserved."),
    ],
)  # fmt: skip
def test_what_else_was_said_is_said_in_its_words(change, said, word, reason):
    state = rag(**GOOD | change, reported_at=NOW - timedelta(hours=1), at=NOW, freshness=FRESH, said=Said(**said))
    assert (state.word, state.reason) == (word, reason or state.reason)


#: Both changes of the clocks of 2026, seen by the clock on the wall and by the world's.
moments = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5), timezones=st.sampled_from([UTC, LONDON, ZoneInfo("Asia/Tokyo")]))  # noqa: DTZ001
windows = st.builds(lambda fresh, more: Freshness(timedelta(minutes=fresh), timedelta(minutes=fresh + more)), *2 * [st.integers(1, 9_999)])
extras = st.builds(
    Said,
    closed_reason=st.sampled_from(["", "norovirus", "x" * 200]),
    closed_until=st.none() | st.dates(date(2025, 12, 1), date(2028, 2, 1)) | st.just(date.max),
    waiting=st.none() | st.integers(0, 99),
    expected_wait_days=st.none() | st.integers(0, 999),
    reserved=st.none() | st.integers(0, 9),
)
told_pools = st.fixed_dictionaries({"status": st.sampled_from(CapacityStatus.values), "free": st.none() | st.integers(0, 40),
    "maximum": st.none() | st.integers(0, 60), "is_open": st.booleans(), "freshness": windows, "said": extras})  # fmt: skip


@pytest.mark.req("R028")
@given(told_pools, moments, st.timedeltas(-timedelta(hours=1), timedelta(days=90)), st.timedeltas(timedelta(0), timedelta(days=500)))
@settings(deadline=None, max_examples=60)
def test_a_figure_only_decays_whatever_the_clocks_do(pool, reported_at, age, later):
    """Stale is never green; an hour is an hour through a change of the clocks; what a screen was sent stays true."""
    at = reported_at.astimezone(UTC) + age
    first, second = (rag(**pool, reported_at=reported_at, at=moment) for moment in (at, at + later))
    order = {Rag.GREEN: 0, Rag.AMBER: 1, Rag.RED: 1, Rag.GREY: 2}
    if age >= -CLOCK_SKEW and pool["is_open"]:
        assert order[second.rag] >= order[first.rag]
    assert second.rag is not Rag.GREEN or age + later < pool["freshness"].fresh_for
    assert pool["is_open"] or second.rag is Rag.RED
    for zone in (UTC, LONDON):
        assert rag(**pool, reported_at=reported_at.astimezone(zone), at=at.astimezone(zone)) == first
        assert told(reported_at.astimezone(zone), at.astimezone(zone)) == told(reported_at, at)
    shown = [state for start, state in timeline(**pool, reported_at=reported_at, at=at) if start <= at + later][-1]
    assert shown == second
    assert rag(**pool | {"said": Said()}, reported_at=reported_at, at=at).rag is first.rag
    assert first.word and first.reason  # noqa: PT018


@pytest.mark.parametrize("day", [(2026, 3, 28), (2026, 10, 24)], ids=["clocks forward", "clocks back"])
def test_twenty_four_hours_are_twenty_four_hours_when_the_clocks_change(day):
    seen = datetime(*day, 12, tzinfo=LONDON)
    goes = seen.astimezone(UTC) + FRESH.fresh_for
    for moment, colour in ((goes - timedelta(seconds=1), Rag.GREEN), (goes, Rag.AMBER)):
        assert rag(**GOOD, reported_at=seen, at=moment.astimezone(LONDON), freshness=FRESH).rag is colour


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
