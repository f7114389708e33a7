"""Invented days of invented pools, of which the truth is known: how many places there are, how people come and go, at which pace."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from core.ids import derived

KINDS = ("residential", "nursing", "dementia")


@dataclass(frozen=True)
class Region:
    """`rows` are as those of `PoolDay` that the forecast reads; `truth[h]` is whether a place came within h days after the last one."""

    pools: list[tuple[UUID, str]]
    rows: list[tuple[Any, ...]]
    last: date
    truth: dict[int, np.ndarray]


def region(seed: int, *, pools: int, days: int, last: date = date(2026, 11, 21), blind: float = 0.05, chance: bool = False) -> Region:
    """Each pool frees places at its own pace, more of them at the end of a week, and fills them at another.

    With `chance` whether there is a place is tossed anew each day, so that nothing but the usual share can be known.
    """
    rng = np.random.default_rng(seed)
    ids = [(derived("invented-pool", str(seed), str(number)), KINDS[number % len(KINDS)]) for number in range(pools)]
    comes, goes = rng.gamma(1.5, 0.12, pools), rng.gamma(3, 0.12, pools)
    free = rng.poisson(0.6, pools)
    history = np.zeros((pools, days + 14), dtype=int)
    for day in range(days + 14):
        weekday = (last.weekday() - (days - 1) + day) % 7
        came = rng.poisson(comes * (1.9 if weekday in (3, 4) else 0.5))
        went = rng.binomial(free, 1 - np.exp(-goes * (0.4 if weekday > 4 else 1.2)))
        free = np.minimum(free + came - went, 6)
        history[:, day] = rng.integers(0, 2, pools) if chance else free
    unseen = rng.random((pools, days)) < blind
    return Region(
        pools=ids,
        rows=list(_rows(ids, history[:, :days], unseen, last)),
        last=last,
        truth={ahead: history[:, days : days + ahead].max(axis=1) > 0 for ahead in (1, 3, 7, 14)},
    )


def _rows(ids: list[tuple[UUID, str]], history: np.ndarray, unseen: np.ndarray, last: date) -> Iterator[tuple[Any, ...]]:
    days = history.shape[1]
    for number, (pk, _) in enumerate(ids):
        for day in range(days):
            known = 0 if unseen[number, day] else 24
            free = int(history[number, day])
            yield pk, last - timedelta(days=days - 1 - day), known, known if free else 0, free if known else None, 0, 12, 0, 1
