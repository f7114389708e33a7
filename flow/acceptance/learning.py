"""The arithmetic: a logistic regression that may not learn what would be wrong, calibrated, and judged on answers later than those it saw.

Imported by the task alone: scikit-learn takes seconds. Two things always hold. One more yes never lowers a chance, and a younger figure
that says the same never does: what comes out with the wrong sign is left out, and the rest is learned again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from flow.acceptance.examples import Array, Examples
from flow.acceptance.history import Count, as_known, drawn
from flow.acceptance.judging import Figures, judge
from matching.engine import likelihood

#: What is looked at, and whether its weight may only be positive.
FEATURES: tuple[tuple[str, bool], ...] = (
    ("Share of its requests the service said yes to, drawn to its group", True),
    ("Share of the group: this kind of care in this district", True),
    ("How fresh the figure was", True),
    ("How near the service is", True),
    ("No journey, or the distance is not known", False),
    *((f"The figure said: {words}", False) for words in likelihood.SAYS[1:]),
    *((f"Sent on a {day}", False) for day in ("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")),
    ("Urgent", False),
)
OWN, GROUP, FRESH, NEAR, NO_JOURNEY, SAID, DAYS, URGENT = 0, 1, 2, 3, 4, 5, 8, 14
#: How many answers the group may be worth to a service: the one that foretells best.
STRENGTHS = (2, 4, 8, 16, 32, 64)
#: The latest requests are held out; of those settled before the first of them, the latest calibrate.
HELD_OUT, CALIBRATE = 0.2, 0.25
#: Fewer of either answer teach nothing, and calibrate nothing; from so many on the calibration need have no form.
ENOUGH, ENOUGH_TO_CALIBRATE, ENOUGH_FOR_ISOTONIC = 40, 20, 1_000
#: No chance is told as certain.
LEAST, MOST = 10, 990
_THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Learned:
    """What is kept of a model: enough to tell the chance of any service, with no library."""

    intercept: float
    own: float
    group: float
    strength: int
    weights: list[tuple[str, float]]
    """In words, for people."""
    chances: dict[str, Any]
    """What `likelihood.packed` takes."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(**kept)


@dataclass(frozen=True, slots=True)
class Result:
    """`held_out` are the lines of the examples that it never saw, `said` what it said of them."""

    learned: Learned
    figures: Figures
    held_out: Array
    said: Array
    learned_from: int
    library: str = f"scikit-learn {sklearn.__version__}"


def leaning(learned: Learned, count: Count, group: float) -> int:
    """What a service leans to, by its answers and its group's, in thousandths of a logit."""
    share = drawn(count, group, learned.strength)
    summed = learned.intercept + learned.own * _logit(share) + learned.group * _logit(group)
    return round(_THOUSAND * min(max(summed, -likelihood.FARTHEST / _THOUSAND), likelihood.FARTHEST / _THOUSAND))


def learn(examples: Examples) -> Result | None:
    """Learn, calibrate, and hold against what came later. None: too few answers."""
    if len(examples) < 2 * ENOUGH:
        return None
    first = float(np.quantile(examples.sent, 1 - HELD_OUT))
    held_out, known = examples.sent > first, examples.settled <= first
    if not known.any() or not held_out.any():
        return None
    middle = float(np.quantile(examples.sent[known], 1 - CALIBRATE))
    learning, calibrating = known & (examples.sent <= middle), known & (examples.sent > middle)
    if _fewest(examples.yes[learning]) < ENOUGH or _fewest(examples.yes[calibrating]) < ENOUGH_TO_CALIBRATE:
        return None
    past = as_known(examples.places, examples.sent.tolist(), examples.settled.tolist(), examples.yes.tolist())
    strength = min(
        STRENGTHS, key=lambda each: _log_loss(np.array([drawn(Count(y, n), g, each) for y, n, g in past])[learning], examples.yes[learning])
    )
    raw = _fit(_features(examples, past, strength, learning), examples.yes, learning)
    overall = _logit(float(examples.yes[learning].mean()))
    plain = _without_table(raw, strength, overall)
    sums = np.array([_total(plain, examples, number, past[number]) for number in range(len(examples))])
    table = _calibrated(sums[calibrating], examples.yes[calibrating])
    learned = Learned(**{**asdict(plain), "chances": {**plain.chances, "table": table}})
    said = np.array([table[likelihood.line(int(each))] for each in sums[held_out]]) / _THOUSAND
    figures = judge(
        said,
        examples.yes[held_out],
        constant=float(examples.yes[known].mean()),
        group=np.array([group for _, _, group in past])[held_out],
        services=[place.service for place, out in zip(examples.places, held_out, strict=True) if out],
    )
    return Result(learned, figures, np.flatnonzero(held_out), said, int(known.sum()))


def tell(learned: Learned, examples: Examples) -> Array:
    """What a model that was kept says of these requests, each as of when it was sent."""
    past = as_known(examples.places, examples.sent.tolist(), examples.settled.tolist(), examples.yes.tolist())
    table = learned.chances["table"]
    return np.array([table[likelihood.line(_total(learned, examples, number, each))] for number, each in enumerate(past)]) / _THOUSAND


def _features(examples: Examples, past: Sequence[tuple[int, int, float]], strength: int, learning: Array) -> Array:
    x = np.zeros((len(examples), len(FEATURES)))
    x[:, OWN] = [_logit(drawn(Count(yes, answers), group, strength)) for yes, answers, group in past]
    x[:, GROUP] = [_logit(group) for _, _, group in past]
    x[:, FRESH] = examples.fresh / _THOUSAND
    x[:, NEAR] = np.where(examples.away < 0, 0, -examples.away)
    x[:, NO_JOURNEY] = examples.away < 0
    for number in range(1, len(likelihood.SAYS)):
        x[:, SAID + number - 1] = examples.said == number
    for day in range(1, 7):
        x[:, DAYS + day - 1] = examples.weekday == day
    # Nobody knows at a search how urgent the request will be: the chance is told for the usual mix of both.
    x[:, URGENT] = examples.urgent - examples.urgent[learning].mean()
    return x


def _fit(x: Array, yes: Array, learning: Array) -> tuple[float, Array]:
    """Intercept and weights. What must not be negative and is, is left out, the most negative first."""
    kept = list(range(x.shape[1]))
    while True:
        model = LogisticRegression(C=0.3, solver="lbfgs", max_iter=500).fit(x[learning][:, kept], yes[learning])
        wrong = [(weight, column) for weight, column in zip(model.coef_[0], kept, strict=True) if FEATURES[column][1] and weight < 0]
        if not wrong:
            weights = np.zeros(x.shape[1])
            weights[kept] = model.coef_[0]
            return float(model.intercept_[0]), weights
        kept.remove(min(wrong)[1])


def _without_table(fitted: tuple[float, Array], strength: int, overall: float) -> Learned:
    """The weights in the whole thousandths that are used from here on, also to calibrate and to judge."""
    intercept, weights = fitted
    parts = np.rint(_THOUSAND * weights).astype(int).tolist()
    return Learned(
        intercept=intercept,
        own=float(weights[OWN]),
        group=float(weights[GROUP]),
        strength=strength,
        weights=[(words, round(float(weight), 3)) for (words, _), weight in zip(FEATURES, weights, strict=True)],
        chances={
            "usual": round(_THOUSAND * (intercept + float(weights[OWN] + weights[GROUP]) * overall)),
            "days": [0, *parts[DAYS:URGENT]],
            "said": [0, *parts[SAID:DAYS]],
            "fresh": parts[FRESH],
            "step": -parts[NEAR],
            "no_journey": parts[NO_JOURNEY],
        },
    )


def _total(learned: Learned, examples: Examples, number: int, past: tuple[int, int, float]) -> int:
    """The sum for one request, by the function that the ranking is specified by."""
    yes, answers, group = past
    parts = likelihood.packed({"table": (), **learned.chances}, int(examples.weekday[number]))
    away = int(examples.away[number])
    leans = leaning(learned, Count(yes, answers), group)
    return likelihood.total(parts, leans, int(examples.said[number]), int(examples.fresh[number]), None if away < 0 else away)


def _calibrated(sums: Array, yes: Array) -> list[int]:
    """For each line of the table, of a thousand so many say yes: what came of such sums later. A greater sum is never less likely."""
    middles = (np.arange(likelihood.LINES) * likelihood.LINE + likelihood.LINE / 2 - likelihood.FARTHEST) / _THOUSAND
    if len(sums) >= ENOUGH_FOR_ISOTONIC:
        said = IsotonicRegression(out_of_bounds="clip").fit(sums / _THOUSAND, yes).predict(middles)
    else:
        model = LogisticRegression(C=10.0).fit(sums[:, None] / _THOUSAND, yes)
        rising = float(model.coef_[0, 0]) > 0
        said = model.predict_proba(middles[:, None])[:, 1] if rising else np.full(len(middles), yes.mean())
    return [int(each) for each in np.clip(np.rint(_THOUSAND * said), LEAST, MOST)]


def _fewest(yes: Array) -> int:
    return int(min(yes.sum(), len(yes) - yes.sum()))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _log_loss(said: Array, yes: Array) -> float:
    return float(-np.mean(np.where(yes, np.log(said), np.log(1 - said))))
