"""What was, as laws: how many come, how long things take. With few observations a group leans on the whole, and says so."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from flow.simulation.laws import Law
from flow.simulation.world import HOURS, Floats

#: With fewer that have ended, nothing is fitted to them.
FEW = 8
#: The whole counts as much as so many observations of a group, and as so many days of its arrivals.
LEANS, LEANS_DAYS = 15, 14
#: Nothing that is timed takes less than a minute.
_SHORTEST = 1 / 1440


@dataclass(frozen=True, slots=True)
class Fitted:
    """A law with what it was fitted to. `gap` is the most by which law and observation differ, in shares of all (Kolmogorov's distance)."""

    law: Law
    ended: int
    going_on: int
    gap: float | None
    leaned: float
    """How much of it is the whole's, from 0 to 1."""
    assumed: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def fit(lengths: Sequence[float], ended: Sequence[bool], whole: Fitted | None, *, usual: Law) -> Fitted:
    """The law of what took so long, or has taken so long and goes on. `usual` is assumed when there is nothing to learn from."""
    days, over = np.maximum(np.asarray(lengths, float), _SHORTEST), np.asarray(ended, bool)
    count, going = int(over.sum()), int((~over).sum())
    if count < FEW:
        if whole is None:
            return Fitted(usual, count, going, None, 1.0, assumed=True)
        return replace(whole, ended=count, going_on=going, gap=gap(whole.law, days, over) if count else None, leaned=1.0)
    # What took no time at all is a share of its own, so that it does not bend the law of the rest.
    at_once = over & (np.asarray(lengths, float) < _SHORTEST)
    if count - int(at_once.sum()) < FEW:
        at_once[:] = False
    law = replace(_likeliest(days[~at_once], over[~at_once]), at_once=round(float(at_once.mean()), 4))
    leaned = 0.0
    if whole is not None and not whole.assumed:
        leaned = LEANS / (LEANS + count)
        law = _between(law, whole.law, leaned)
    return Fitted(law, count, going, gap(law, days, over), round(leaned, 3))


def _likeliest(days: Floats, over: np.ndarray) -> Law:
    """The likelier of an exponential and a lognormal law, by Akaike's criterion; what goes on counts as lasting longer than so far."""
    mean = float(days.sum() / over.sum())
    exponential = float(over.sum()) * -math.log(mean) - float(days.sum()) / mean
    mu, sigma, lognormal = _lognormal(days, over)
    if 2 * 1 - 2 * exponential <= 2 * 2 - 2 * lognormal:
        return Law("exponential", mean)
    return Law("lognormal", math.exp(mu), sigma)


def _lognormal(days: Floats, over: np.ndarray) -> tuple[float, float, float]:
    from scipy.optimize import minimize
    from scipy.stats import norm

    logs = np.log(days)

    def unlikely(given: Floats) -> float:
        mu, sigma = given[0], math.exp(given[1])
        z = (logs - mu) / sigma
        return -float((norm.logpdf(z[over]) - math.log(sigma) - logs[over]).sum() + norm.logsf(z[~over]).sum())

    begin = np.array([float(logs[over].mean()), math.log(max(0.1, float(logs[over].std())))])
    found = minimize(unlikely, begin, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3, "maxiter": 400})
    return float(found.x[0]), float(min(3.0, max(0.05, math.exp(found.x[1])))), -float(found.fun)


def _between(own: Law, whole: Law, leaned: float) -> Law:
    """A law of the own family whose median and spread stand between the two, on the scale of logarithms."""
    half, other_half = (max(_SHORTEST, replace(law, at_once=0.0).at(0.5)) for law in (own, whole))
    middle = math.exp((1 - leaned) * math.log(half) + leaned * math.log(other_half))
    at_once = (1 - leaned) * own.at_once + leaned * whole.at_once
    if own.family == "exponential":
        return Law("exponential", middle / math.log(2), at_once=at_once)
    other = whole.spread if whole.family == "lognormal" else own.spread
    return Law("lognormal", middle, (1 - leaned) * own.spread + leaned * other, at_once)


def gap(law: Law, days: Floats, over: np.ndarray) -> float:
    """The most by which the law differs from what Kaplan and Meier's curve says of the same observations."""
    from scipy.stats import CensoredData, ecdf

    lengths = np.where(days <= _SHORTEST, 0.0, days)
    seen = ecdf(CensoredData(uncensored=lengths[over], right=lengths[~over])).cdf
    said = np.array([law.below(float(each)) for each in seen.quantiles])
    before, said_before = np.concatenate(([0.0], seen.probabilities[:-1])), np.where(seen.quantiles > 0, said, 0.0)
    return round(float(np.maximum(abs(seen.probabilities - said), abs(before - said_before)).max()), 3)


def rates(counts: Sequence[int], days: float, shares: Sequence[float]) -> list[float]:
    """People a day of each stream from how many came in so many days, leaning a little on its share of all (gamma and Poisson)."""
    total = sum(counts) / days
    return [(count + LEANS_DAYS * total * share) / (days + LEANS_DAYS) for count, share in zip(counts, shares, strict=True)]


def week(hours: Sequence[int], weeks: float) -> Floats:
    """How busy each hour of the week is, 1 on average, from the hours at which people came: days of the week times hours of the day.

    Each leans on an even week as if one person had come in each hour of some of the days besides.
    """
    at = np.asarray(hours, np.int64)
    days = np.bincount(at // 24, minlength=7) + max(1.0, weeks) * 1.0
    of_day = np.bincount(at % 24, minlength=24) + max(1.0, weeks) * 0.25
    found = np.outer(days / days.mean(), of_day / of_day.mean()).ravel()
    assert len(found) == HOURS
    return found / found.mean()


def uneven(daily: Sequence[int]) -> float | None:
    """How much more the numbers of each day differ than chance alone would have them differ (1: just as much)."""
    counts = np.asarray(daily, float)
    return None if len(counts) < FEW or not counts.mean() else round(float(counts.var(ddof=1) / counts.mean()), 2)
