"""Many simulated times beside each other: what to expect, how far it may be otherwise, and what a change does on the same draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Nine of ten simulated times lie within what is told.
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Range:
    """The mean over the draws, and between what nine of ten of them are."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Range":
        low, high = np.quantile(values, [LOW, HIGH])
        return cls(float(np.mean(values)), float(low), float(high))

    def times(self, factor: float) -> "Range":
        """The same in another unit."""
        return Range(self.mean * factor, self.low * factor, self.high * factor)

    @property
    def is_clear(self) -> bool:
        """Whether nine of ten say the same of more or less."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure, as it is and as it would be, and the difference draw by draw."""

    before: Range
    after: Range
    more: Range


def compare(before: Mapping[int, Mapping[str, Any]], after: Mapping[int, Mapping[str, Any]], measure: str) -> Compared:
    """Of the draws that both have. Raises ValueError when there is none."""
    both = sorted(before.keys() & after.keys())
    if not both:
        raise ValueError("There is no draw that both have.")
    was, now = [before[seed][measure] for seed in both], [after[seed][measure] for seed in both]
    return Compared(Range.of(was), Range.of(now), Range.of([b - a for a, b in zip(was, now, strict=True)]))


def daily(runs: Sequence[Sequence[float]]) -> list[Range]:
    """Of each day (or band) the range over the draws."""
    return [Range.of(list(values)) for values in zip(*runs, strict=True)]
