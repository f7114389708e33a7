"""The arithmetic of the forecast: days as arrays, what is known at the end of each, a model, and how good it is on days that it never saw.

Imported by the task alone: numpy, scikit-learn and SciPy take seconds.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

import numpy as np
from scipy import stats
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from capacity.forecast import beats_both

Array = np.ndarray[Any, Any]

#: Days of history before the first day from which a model may learn.
FIRST = 7
#: Days held out at the end, as many as there are and no more than this; with fewer than the least nothing is told.
MOST_HELD_OUT, LEAST_HELD_OUT = 28, 5
#: A model needs so many examples of each outcome.
ENOUGH_EXAMPLES = 40
#: The weight of a care type's usual share beside a pool's own days: one pool with few days is drawn to its kind.
SHRINK = 10
#: With so many examples the calibration need have no form.
ENOUGH_FOR_ISOTONIC = 5_000
BINS = 10


@dataclass(slots=True)
class Table:
    """Pools by days, the last of which is yesterday. `place`: a place was free in that day; `free`: how many at its end."""

    known: Array
    place: Array
    free: Array
    share: Array
    maximum: Array
    filled: Array
    reports: Array
    kind: Array
    weekday: Array

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]], pools: Sequence[tuple[UUID, str]], *, last: date) -> Self:
        """From rows of `PoolDay`. Days before the first row are not in the table."""
        where = {pk: number for number, (pk, _) in enumerate(pools)}
        found = [row for row in rows if row[0] in where]
        length = max(((last - row[1]).days + 1 for row in found), default=1)
        shape = (len(pools), length)
        arrays = {name: np.zeros(shape) for name in ("known", "place", "free", "share", "maximum", "filled", "reports")}
        for pool, day, known, free, available, held, maximum, filled, reports in found:
            at = (where[pool], length - 1 - (last - day).days)
            arrays["known"][at] = known > 0
            arrays["place"][at] = free > 0
            arrays["share"][at] = float(free / known) if known else 0
            arrays["free"][at] = max(0, (available or 0) - held) if free > 0 else 0
            arrays["maximum"][at] = maximum or 0
            arrays["filled"][at] = filled
            arrays["reports"][at] = reports
        kinds = {code: number for number, code in enumerate(sorted({code for _, code in pools}))}
        weekday = (np.arange(length) - length + 1 + last.weekday()) % 7
        return cls(**arrays, kind=np.array([kinds[code] for _, code in pools], dtype=int), weekday=weekday)

    @property
    def known_days(self) -> Array:
        return self.known.sum(axis=1).astype(int)

    @property
    def length(self) -> int:
        return int(self.known.shape[1])

    def part(self, pools: Sequence[int]) -> "Table":
        """The same of some pools."""
        chosen = np.array(pools, dtype=int)
        names = ("known", "place", "free", "share", "maximum", "filled", "reports", "kind")
        return Table(**{name: getattr(self, name)[chosen] for name in names}, weekday=self.weekday)

    def known_of_late(self, pool: int, days: int) -> bool:
        return bool(self.known[pool, -days:].any())

    def outcome(self, horizon: int) -> tuple[Array, Array]:
        """For each pool and day: whether a place came within `horizon` days after it, and whether that is known.

        It is known when one came, or when the figure was known on half of those days. Of the last days it is not known yet.
        """
        came = np.zeros_like(self.place)
        days = np.zeros_like(self.known)
        for ahead in range(1, min(horizon, self.length - 1) + 1):
            came[:, :-ahead] = np.maximum(came[:, :-ahead], self.place[:, ahead:])
            days[:, :-ahead] += self.known[:, ahead:]
        is_known = (came > 0) | (days * 2 >= horizon)
        is_known[:, max(0, self.length - horizon) :] = False
        return came, is_known

    def usual(self, pool: int, horizons: Sequence[int]) -> list[dict[str, float]]:
        """How often a place came within so many days, on the days that are known: what was, with no claim on what comes."""
        told = []
        for horizon in horizons:
            came, is_known = self.outcome(horizon)
            count, places = int(is_known[pool].sum()), float(came[pool][is_known[pool]].sum())
            if count >= horizon:
                low, high = wilson(places / count, count / horizon)
                told.append(_chance(horizon, places / count, low, high))
        return told

    def wait(self, pool: int, *, at_least: int) -> tuple[float, float | None, float | None] | None:
        """Median, and from when to when the middle half ended, of the waits from when a pool was full until a place came; in days.

        Kaplan–Meier: a wait that has not ended counts for as long as it lasted. The range is widened by the 95% confidence band. None when
        fewer than `at_least` have ended, or not half of them. Days of which nothing is known end no wait and begin none.
        """
        days, ended = self._waits(pool)
        if sum(ended) < at_least:
            return None
        data = stats.CensoredData(
            uncensored=np.array([d for d, e in zip(days, ended, strict=True) if e], dtype=float),
            right=np.array([d for d, e in zip(days, ended, strict=True) if not e], dtype=float),
        )
        survival = stats.ecdf(data).sf
        half = _falls_to(survival.quantiles, survival.probabilities, 0.5)
        if half is None:
            return None
        if len(survival.quantiles) < 2:
            return half, half, half
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # where everybody's wait has ended there is no band, and none is needed
            band = survival.confidence_interval(0.95, method="linear")
        soonest = _falls_to(band.low.quantiles, np.nan_to_num(band.low.probabilities, nan=0.0), 0.75)
        latest = _falls_to(band.high.quantiles, np.nan_to_num(band.high.probabilities, nan=0.0), 0.25)
        return half, min(half, soonest if soonest is not None else half), None if latest is None else max(half, latest)

    def _waits(self, pool: int) -> tuple[list[int], list[bool]]:
        days: list[int] = []
        ended: list[bool] = []
        began: int | None = None
        before: float | None = None
        for day in range(self.length):
            if not self.known[pool, day]:
                continue
            place = self.place[pool, day]
            if began is not None and place:
                days.append(day - began)
                ended.append(True)
                began = None
            elif began is None and not place and before:  # since when it was full before anybody looked, nobody knows
                began = day
            before = place
        if began is not None:
            days.append(self.length - began)
            ended.append(False)
        return days, ended


@dataclass(frozen=True, slots=True)
class Skill:
    """How good the forecasts for one number of days ahead were on the days held out."""

    horizon: int
    count: int
    brier: float
    brier_last: float
    brier_weekday: float
    calibration: list[dict[str, float]]

    @property
    def beats_both(self) -> bool:
        return beats_both(self.brier, self.brier_last, self.brier_weekday)


@dataclass(frozen=True, slots=True)
class Found:
    """`chances[n]` is of the n-th wanted pool: empty where the forecast was no better than a guess."""

    chances: list[list[dict[str, float]]]
    skill: list[Skill]


def forecast(table: Table, *, horizons: Sequence[int], wanted: Sequence[int]) -> Found:
    """Learn from all pools of `table`; tell of those `wanted`, by their place in it."""
    features = _features(table)
    chances: list[list[dict[str, float]]] = [[] for _ in wanted]
    skills = []
    for horizon in horizons:
        came, is_known = table.outcome(horizon)
        usable = is_known & _has_past(table)
        skill = _back_test(table, features, came, usable, horizon)
        if skill is None:
            continue
        skills.append(skill)
        model = _fit(*_examples(features, came, usable)) if skill.beats_both else None
        if model is None:
            continue
        said = model.predict_proba(features[list(wanted), -1])[:, 1] if len(wanted) else []
        for number, chance in enumerate(said):
            low, high = _interval(float(chance), skill, horizon)
            # More days cannot make a place less likely, whatever two models say.
            before = chances[number][-1] if chances[number] else {"chance": 0.0, "low": 0.0, "high": 0.0}
            told = (max(before["chance"], float(chance)), max(before["low"], low), max(before["high"], high))
            chances[number].append(_chance(horizon, *told))
    return Found(chances, skills)


def _back_test(table: Table, features: Array, came: Array, usable: Array, horizon: int) -> Skill | None:
    """Learn from the earlier days, forecast the last ones, and hold that against what came and against two guesses.

    A day is learnt from only if its outcome was known on the first day held out: the model knows nothing that nobody knew then.
    """
    held_out = min(MOST_HELD_OUT, (table.length - FIRST - 2 * horizon) // 3)
    if held_out < LEAST_HELD_OUT:
        return None
    first = table.length - horizon - held_out
    days = np.arange(table.length)
    learn, test = usable & (days <= first - horizon), usable & (days >= first)
    model = _fit(*_examples(features, came, learn))
    if model is None or not test.any():
        return None
    said = model.predict_proba(features[test])[:, 1]
    truth = came[test]
    return Skill(
        horizon=horizon,
        count=len(truth),
        brier=_brier(said, truth),
        brier_last=_brier(_as_last(table, came, learn)[test], truth),
        brier_weekday=_brier(_as_weekday(came, usable, horizon)[test], truth),
        calibration=_calibration(said, truth),
    )


def _fit(x: Array, y: Array, groups: Array) -> Any:
    """A calibrated model, or None when there is too little to learn from. Pools are never split between model and calibration."""
    if min(y.sum(), len(y) - y.sum()) < ENOUGH_EXAMPLES or len(np.unique(groups)) < 6:
        return None
    folds = list(StratifiedGroupKFold(3).split(x, y, groups))
    if any(len(np.unique(y[part])) < 2 for fold in folds for part in fold):
        return None
    plain = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, solver="newton-cholesky"))
    method = "isotonic" if len(y) >= ENOUGH_FOR_ISOTONIC else "sigmoid"
    return CalibratedClassifierCV(plain, method=method, cv=folds).fit(x, y)


def _examples(features: Array, came: Array, usable: Array) -> tuple[Array, Array, Array]:
    pools = np.broadcast_to(np.arange(len(came))[:, None], came.shape)
    return features[usable], came[usable], pools[usable]


def _has_past(table: Table) -> Array:
    """Days from which one may learn: the figure was known on that day, and a week before it is in the table."""
    past = table.known > 0
    past[:, :FIRST] = False
    return past


def _features(table: Table) -> Array:
    """What was known at the end of each day, for each pool; nothing of a later day."""
    known, place = table.known, table.place * table.known
    days_known, days_with = np.cumsum(known, axis=1), np.cumsum(place, axis=1)
    usual = _share_of_kind(table.kind, days_with, days_known)
    columns = [table.place, table.share, np.log1p(table.free), table.free / np.maximum(table.maximum, 1), usual]
    columns.append((days_with + SHRINK * usual) / (days_known + SHRINK))
    for length in (3, 7, 14, 28):
        columns.append((_last(place, length) + 2 * usual) / (_last(known, length) + 2))
    moves = np.abs(np.diff(table.free, axis=1, prepend=table.free[:, :1]))
    columns += [np.log1p(_last(moves, 14)), np.log1p(_last(table.filled, 7)), _last(known, 7) / 7, np.log1p(_last(table.reports, 7))]
    columns += [np.log1p(_since(place)), np.log1p(_since(known - place))]
    tomorrow = (table.weekday + 1) % 7
    columns += [np.broadcast_to(tomorrow == day, known.shape).astype(float) for day in range(6)]
    return np.stack(columns, axis=2)


def _share_of_kind(kind: Array, days_with: Array, days_known: Array) -> Array:
    """Of the care type so far, the share of known days with a place; one in two where nothing is known."""
    usual = np.empty(days_with.shape)
    for code in np.unique(kind):
        same = kind == code
        usual[same] = (days_with[same].sum(axis=0) + 1) / (days_known[same].sum(axis=0) + 2)
    return usual


def _last(values: Array, length: int) -> Array:
    """The sum of the last `length` days, the present one counted."""
    sums = np.cumsum(values, axis=1)
    sums[:, length:] = sums[:, length:] - sums[:, :-length].copy() if values.shape[1] > length else sums[:, length:]
    return sums


def _since(values: Array) -> Array:
    """How many days ago it was last true, 60 when never."""
    days = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    when = np.maximum.accumulate(np.where(values > 0, days, -60), axis=1)
    return np.minimum(days - when, 60)


def _as_last(table: Table, came: Array, learn: Array) -> Array:
    """As it was last: there is a place, or there is none, told with the share with which that came true in the days learnt from."""
    shares = [float(came[learn & (table.place == state)].mean()) if (learn & (table.place == state)).any() else state for state in (0, 1)]
    return np.where(table.place > 0, shares[1], shares[0])


def _as_weekday(came: Array, usable: Array, horizon: int) -> Array:
    """As on the same weekday: of the last four weeks whose outcome was known by then, how many had a place."""
    with_place, weeks = np.zeros_like(came), np.zeros_like(came)
    first = -(-horizon // 7)
    for week in range(first, first + 4):
        back = 7 * week
        if back < came.shape[1]:
            with_place[:, back:] += (came * usable)[:, :-back]
            weeks[:, back:] += usable[:, :-back]
    return np.where(weeks > 0, with_place / np.maximum(weeks, 1), 0.5)


def _brier(said: Array, truth: Array) -> float:
    return float(np.mean((said - truth) ** 2))


def _calibration(said: Array, truth: Array) -> list[dict[str, float]]:
    """Of those told about the same chance: what was said on average, what came, and how many there were."""
    number = np.minimum((said * BINS).astype(int), BINS - 1)
    return [
        {
            "said": round(float(said[number == each].mean()), 3),
            "came": round(float(truth[number == each].mean()), 3),
            "count": int((number == each).sum()),
        }
        for each in np.unique(number)
    ]


def _interval(chance: float, skill: Skill, horizon: int) -> tuple[float, float]:
    """Between which shares those who were told about this chance had a place, with 95% confidence.

    Windows of several days overlap, and so are worth fewer than there are.
    """
    nearest = min(skill.calibration, key=lambda each: abs(each["said"] - chance))
    low, high = wilson(nearest["came"], nearest["count"] / horizon)
    return min(low, chance), max(high, chance)


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's interval, 95%, for a share of about `count` independent trials."""
    trials = max(1, round(count))
    interval = stats.binomtest(round(share * trials), trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _chance(days: int, chance: float, low: float, high: float) -> dict[str, float]:
    return {"days": days, "chance": round(chance, 3), "low": round(low, 3), "high": round(high, 3)}


def _falls_to(days: Array, shares: Array, level: float) -> float | None:
    """The first day on which no more than that share still waits."""
    below = np.nonzero(shares <= level)[0]
    return float(days[below[0]]) if len(below) else None
