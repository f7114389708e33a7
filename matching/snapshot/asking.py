"""A need as the numbers that the kernel takes."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from core import clock
from matching.engine import journey
from matching.engine.problem import FACTORS, WORD, Need, Weights
from matching.snapshot.kernel import A_W_LIKELIHOOD, ASKED
from matching.snapshot.layout import NEVER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOW = (1 << WORD) - 1


class Question(NamedTuple):
    """What is asked, but for the codes: their numbers are the table's own."""

    need: Need
    asked: np.ndarray
    kinds: np.ndarray
    areas: np.ndarray
    at: int
    """In microseconds since 1970."""
    today: int
    """The day in England, as Python counts it."""


def question(need: Need, weights: Weights, at: datetime) -> Question:
    """What the kernel is asked for this need at the instant `at`."""
    moment, today = (at - _EPOCH) // _MICROSECOND, clock.local_date(at).toordinal()
    (foot_start, foot_pace), (start, pace) = journey.lines(need)
    farthest = journey.farthest(need)
    asked = np.empty(ASKED + len(need.chances), np.int64)
    asked[:ASKED] = (
        need.age, need.sex, need.x, need.y, need.max_distance_m,
        need.needs & _LOW, need.needs >> WORD, need.has & _LOW, need.has >> WORD, need.must_haves & _LOW, need.must_haves >> WORD,
        need.preferences & _LOW, need.preferences >> WORD, max(1, need.preferences.bit_count()), need.asked,
        need.languages, need.funding, need.source, NEVER if need.budget_pence is None else need.budget_pence,
        need.joins_lists, NEVER if need.days is None else need.days, today, today - need.checked_for_days,
        need.marks, max(1, need.marks.bit_count()), need.travels, need.brings & _LOW, need.brings >> WORD, moment, need.conditions != (),
        foot_start, foot_pace, start, pace, NEVER if farthest is None else farthest, journey.longest(need),
        need.comes, need.visits & _LOW, need.visits >> WORD, need.interests & _LOW, need.interests >> WORD,
        max(1, need.interests.bit_count()), need.times,
        *(getattr(weights, name) for name in FACTORS),
    )  # fmt: skip
    asked[ASKED:] = need.chances
    if not need.chances:
        asked[A_W_LIKELIHOOD] = 0
    kinds = [bit for bit in range(need.care_types.bit_length()) if need.care_types >> bit & 1]
    return Question(need, asked, np.array(kinds, np.int64), np.array(need.areas, np.int64), moment, today)
