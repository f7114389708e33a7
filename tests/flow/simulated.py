"""Small worlds to simulate, told briefly."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from flow.simulation.laws import Law
from flow.simulation.world import HOURS, World, rows

AT_ONCE, FIVE_DAYS, NEVER = Law("fixed", 0.0), Law("fixed", 5.0), Law("fixed", 10_000.0)
#: Of one option: pool, score, metres, chance of a yes.
Option = tuple[int, int, int, float]


def small(
    sizes: Sequence[int],
    needs: Sequence[Sequence[Option]],
    *,
    rate: Sequence[float] = (),
    stay: Law = FIVE_DAYS,
    answer: Law = AT_ONCE,
    patience: Law = NEVER,
    taken: Sequence[int] = (),
    waiting: Sequence[tuple[int, float]] = (),
    others: int = 0,
) -> World:
    """One kind of place, one pathway, and a stream of people for each need. `waiting` are (need, days so far)."""
    every = [option for options in needs for option in options]
    ints: Any = [np.array(column, np.int64) for column in zip(*[each[:3] for each in every], strict=True)]
    many = np.arange(len(needs))
    return World(
        kinds=("bed",), kind=np.zeros(len(sizes), np.int64), size=np.array(sizes), others=np.full(len(sizes), others),
        taken_pool=np.array(taken, np.int64), since=np.full(len(taken), -1.0), stay=(stay,), answer=(answer,),
        pathways=("P2",), in_hospital=(True,), search=(AT_ONCE,), patience=(patience,), pathway=np.zeros(len(needs), np.int64),
        start=rows(needs), pool=ints[0], score=ints[1], metres=ints[2], chance=np.array([each[3] for each in every]),
        sources=("H",), stream_source=np.zeros(len(needs), np.int64), stream_pathway=np.zeros(len(needs), np.int64),
        rate=np.array(rate or [0.0] * len(needs)), stream_start=np.arange(len(needs) + 1), stream_need=many,
        week=np.ones(HOURS), first_hour=0,
        waiting_need=np.array([need for need, _ in waiting], np.int64), waiting_stream=np.array([need for need, _ in waiting], np.int64),
        waiting_days=np.array([days for _, days in waiting]), waiting_asked=np.ones(len(waiting), np.int64),
    )  # fmt: skip
