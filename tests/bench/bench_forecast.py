"""How good the forecast is beside two plain guesses, on days of a region whose truth is known, and what it costs."""

from typing import Any

import numpy as np

from tests.bench.doubles_days import Region, region
from tests.bench.harness import Measured, bench, timed

#: Never looked at while features and weights were chosen; that was 5.
SEEDS = (201, 202, 203)
POOLS, DAYS = 1_000, 84
HORIZONS = (1, 3, 7, 14)


@bench("forecast", unit="s", goal="a smaller Brier score than both guesses for each number of days ahead; 1,000 pools in under 60 s")
def forecast() -> Measured:
    from capacity import learning

    candidate, floor, told = [], [], []
    for seed in SEEDS:
        invented = region(seed, pools=POOLS, days=DAYS)
        found: list[Any] = []

        def learn(invented: Region = invented, found: list[Any] = found) -> None:
            table = learning.Table.of(invented.rows, invented.pools, last=invented.last)
            found.append(learning.forecast(table, horizons=HORIZONS, wanted=range(POOLS)))

        candidate.append(timed(learn))
        # What anybody must do: read the days.
        floor.append(
            timed(lambda invented=invented: learning.Table.of(invented.rows, invented.pools, last=invented.last).place[:, -1].mean())
        )
        told.append(f"seed {seed}: " + "; ".join(_said(skill, found[0], invented) for skill in found[0].skill))
    return Measured(
        candidate,
        floor,
        note=". ".join(told)
        + f". {POOLS:,} pools with {DAYS} days each; Brier scores on days held out, beside “as it was last” and “as on that weekday”;"
        " after the comma that of the days to come, which the region alone knows.",
    )


def _said(skill: Any, found: Any, invented: Region) -> str:
    said = [next((each["chance"] for each in chances if each["days"] == skill.horizon), np.nan) for chances in found.chances]
    came = float(np.nanmean((np.array(said) - invented.truth[skill.horizon]) ** 2))
    return f"{skill.horizon} d {skill.brier:.3f} ({skill.brier_last:.3f}, {skill.brier_weekday:.3f}), {came:.3f}"
