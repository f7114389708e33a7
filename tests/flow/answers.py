"""Invented answers with a known chance of a yes, and a version as a night would keep it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from flow.acceptance.examples import Examples, Place
from flow.models import AcceptanceModel
from matching.engine import likelihood

DAY = 86_400
BEGIN = 1_760_000_000.0
#: The share of each thousand that the table tells, by line.
TABLE = [8 * line + 20 for line in range(likelihood.LINES)]


def invented(count: int, *, services: int = 60, seed: int = 1, told: float = 0.8, noise: bool = False) -> tuple[Examples, np.ndarray]:
    """Answers of services that lean one way or the other, and the true chance of each; with `noise` it is a half for all.

    `told` is what a figure of just now adds to the logit.
    """
    chance = np.random.default_rng(seed)
    places = [Place(UUID(int=n), "abcd"[n % 4], "xyz"[n // 4 % 3]) for n in range(services)]
    leans = chance.normal(0, 1.1, services) + 0.5 * (np.arange(services) % 4) - 0.75
    rows, truth, sent = [], [], BEGIN
    for _ in range(count):
        sent += chance.exponential(120 * DAY / count)
        service, weekday = int(chance.integers(services)), int(sent // DAY) % 7
        said, fresh, away = int(chance.choice(4, p=[0.6, 0.1, 0.2, 0.1])), int(chance.integers(0, 1_001)), int(chance.integers(-1, 7))
        logit = leans[service] + told * fresh / 1_000 - 0.15 * max(away, 0) + (0.3, 0.0, -0.8, -1.0)[said] - 0.3 * (weekday > 4)
        true = 0.5 if noise else 1 / (1 + np.exp(-logit))
        rows.append((places[service], sent, sent + 3 * DAY, chance.random() < true, chance.random() < 0.2, weekday, said, fresh, away))
        truth.append(true)
    return Examples.of(rows), np.array(truth)


def a_version(number: int = 1, **fields: Any) -> AcceptanceModel:
    """A version that was better than a guess, unless it is said that it was not. It counts nothing but what a service answered."""
    difference = {"mean": -0.05, "low": -0.07, "high": -0.03}
    chances = {"usual": 0, "days": [0] * 7, "said": [0] * 4, "fresh": 500, "step": -100, "no_journey": 0, "table": TABLE}
    figures = {
        "answers": 400, "services": 40, "yes": 240, "guess": 0.6, "brier": 0.19, "brier_constant": 0.24, "brier_group": 0.22, "loss": 0.57,
        "loss_constant": 0.67, "loss_group": 0.63, "than_constant": difference, "loss_than_constant": difference, "than_group": difference,
        "loss_than_group": difference, "off_by": 0.03, "enough": True, "beats_constant": True,
        "points": [{"said": s / 10, "came": s / 10, "low": s / 10 - 0.05, "high": s / 10 + 0.05, "count": 80} for s in (3, 5, 6, 7, 9)],
    }  # fmt: skip
    learned = {
        "intercept": 0.0, "own": 1.0, "group": 0.0, "strength": 4, "weights": [["How fresh the figure was", 0.5]], "chances": chances,
    }  # fmt: skip
    at = datetime.fromtimestamp(BEGIN, UTC)
    shown = {"said": 0.6, "came": 0.5, "gap": 0.1, "low": 0.02, "high": 0.18, "told_high": 0.5, "look": True}
    audit = [
        {"characteristic": "Sex", "group": "female", "count": 200, **shown},
        {"characteristic": "Sex", "group": "male or other", "count": 180, **shown, "look": False},
    ]
    kept = {
        "version": number, "learned_at": at, "first_at": at, "last_at": at, "answers": 2_000, "learned_from": 1_600, "learned": learned,
        "figures": figures, "audit": audit,
        "outcomes": {"Accepted": 1_200, "No place": 791, "Too far away": 9}, "library": "scikit-learn 1", "beats_constant": True,
    }  # fmt: skip
    return AcceptanceModel.objects.create(**{**kept, **fields})
