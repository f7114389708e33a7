"""How good the chances were on answers that the model never saw, and whether they were as good for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from flow.acceptance.examples import Array

#: So many answers must be held out, of so many services, with so many of either outcome, before anything counts as better.
ENOUGH_ANSWERS, ENOUGH_SERVICES, ENOUGH_OF_EACH = 100, 10, 20
#: Draws of services for an interval, and where it begins and ends: 99%, for somebody looks each night, and some night is lucky.
DRAWS, INTERVAL = 1_000, (0.5, 99.5)
#: Its squared error must be smaller than that of the guess by this much of it at least: less is worth nobody's attention.
MARGIN = 0.01
#: Smaller groups of people are not told by themselves.
SMALL = 10
#: Points of the picture have so many answers at least, and there are no more than this.
IN_A_POINT, POINTS = 30, 10
#: A group for which the chances were wrong by more than this, and not by luck, is pointed out.
GAP = 0.05
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much an error was smaller (below 0) or greater than that of a plain guess; 99% interval over services."""

    mean: float
    low: float
    high: float

    @property
    def smaller(self) -> bool:
        return self.high < 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Errors on the answers held out: squared (Brier) and logarithmic; 0 is perfect. `guess` is the one share told of everybody."""

    answers: int
    services: int
    yes: int
    guess: float
    brier: float
    brier_constant: float
    brier_group: float
    loss: float
    loss_constant: float
    loss_group: float
    than_constant: Difference
    loss_than_constant: Difference
    than_group: Difference
    loss_than_group: Difference
    off_by: float
    """How far the chances were from what came, on average over the points of the picture."""
    points: list[dict[str, float]]

    @property
    def enough(self) -> bool:
        of_each = min(self.yes, self.answers - self.yes)
        return self.answers >= ENOUGH_ANSWERS and self.services >= ENOUGH_SERVICES and of_each >= ENOUGH_OF_EACH

    @property
    def beats_constant(self) -> bool:
        """Better than telling everybody the same, by both errors, and not by luck."""
        better = self.than_constant.smaller and self.loss_than_constant.smaller
        return self.enough and better and self.brier < (1 - MARGIN) * self.brier_constant

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"beats_constant": self.beats_constant, "enough": self.enough}


def judge(said: Array, yes: Array, *, constant: float, group: Array, services: Sequence[Any]) -> Figures:
    """Hold what was said against what came, and against two plain guesses."""
    of = np.unique([str(service) for service in services], return_inverse=True)[1]
    same = np.full(len(said), constant)
    errors = {name: (_squared(each, yes), _logarithmic(each, yes)) for name, each in (("", said), ("constant", same), ("group", group))}
    points = reliability(said, yes)
    return Figures(
        answers=len(yes),
        services=int(of.max()) + 1,
        yes=int(yes.sum()),
        guess=constant,
        brier=float(errors[""][0].mean()),
        brier_constant=float(errors["constant"][0].mean()),
        brier_group=float(errors["group"][0].mean()),
        loss=float(errors[""][1].mean()),
        loss_constant=float(errors["constant"][1].mean()),
        loss_group=float(errors["group"][1].mean()),
        than_constant=_difference(errors[""][0] - errors["constant"][0], of),
        loss_than_constant=_difference(errors[""][1] - errors["constant"][1], of),
        than_group=_difference(errors[""][0] - errors["group"][0], of),
        loss_than_group=_difference(errors[""][1] - errors["group"][1], of),
        off_by=sum(point["count"] * abs(point["said"] - point["came"]) for point in points) / max(1, len(yes)),
        points=points,
    )


def reliability(said: Array, yes: Array) -> list[dict[str, float]]:
    """Of those told about the same chance: what was said on average, what came, between what that lies, and how many there were."""
    if not len(said):
        return []
    order = np.argsort(said, kind="stable")
    found = []
    for part in np.array_split(order, min(POINTS, max(1, len(said) // IN_A_POINT))):
        came = stats.binomtest(int(yes[part].sum()), len(part)).proportion_ci(method="wilson")
        found.append(
            {
                "said": float(said[part].mean()),
                "came": float(yes[part].mean()),
                "low": float(came.low),
                "high": float(came.high),
                "count": len(part),
            }
        )
    return found


def audit(said: Array, yes: Array, groups: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """For each group of people: how many, what was said and came, the gap with its interval, and how often a high chance was told.

    Groups of fewer than `SMALL` are told together with the next smallest, so that nobody's answer can be worked out.
    """
    high = float(np.median(said)) if len(said) else 0.0
    rows: list[dict[str, Any]] = []
    for characteristic, labels in groups.items():
        of = np.array(labels)
        for together in _told_together({str(label): int((of == label).sum()) for label in np.unique(of)}):
            mine = np.isin(of, together)
            count, gap = int(mine.sum()), said[mine] - yes[mine]
            mean, margin = float(gap.mean()), 1.96 * float(gap.std(ddof=1)) / float(mine.sum()) ** 0.5
            rows.append(
                {
                    "characteristic": characteristic,
                    "group": " or ".join(together),
                    "count": count,
                    "said": float(said[mine].mean()),
                    "came": float(yes[mine].mean()),
                    "gap": mean,
                    "low": mean - margin,
                    "high": mean + margin,
                    "told_high": float((said[mine] > high).mean()),
                    "look": abs(mean) > GAP and (mean - margin > 0 or mean + margin < 0),
                }
            )
    return rows


def _told_together(counts: Mapping[str, int]) -> list[list[str]]:
    """The groups by name, the small ones in one with the next smallest; none where all of them are too small."""
    by_size = sorted(counts, key=lambda label: (counts[label], label))
    small: list[str] = []
    while by_size and (counts[by_size[0]] < SMALL or 0 < sum(counts[label] for label in small) < SMALL):
        small.append(by_size.pop(0))
    kept = [[label] for label in by_size]
    return sorted([*kept, sorted(small)] if sum(counts[label] for label in small) >= SMALL else kept)


def _difference(each: Array, of: Array) -> Difference:
    """The mean difference, and its interval when services are drawn anew: answers of one service are not independent."""
    sums, counts = np.bincount(of, each), np.bincount(of)
    draws = np.random.default_rng(len(each)).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS)
    low, high = np.percentile((draws @ sums) / (draws @ counts), INTERVAL)
    return Difference(float(each.mean()), float(low), float(high))


def _squared(said: Array, yes: Array) -> Array:
    return (said - yes) ** 2


def _logarithmic(said: Array, yes: Array) -> Array:
    kept = np.clip(said, _EDGE, 1 - _EDGE)
    return -np.where(yes, np.log(kept), np.log(1 - kept))
