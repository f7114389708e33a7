"""What came of a question: of the futures that are simulated so far, for one way of choosing at a time."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flow.models import WhatIf, WhatIfResult
from flow.simulation.compare import Compared, Range, compare, daily
from flow.simulation.figures import BANDS, MEASURES

Runs = dict[int, dict[str, Any]]
Arm = WhatIfResult.Arm


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one way of choosing: each measure as it is and as it would be, in all and by pathway, and how the days and waits went."""

    policy: str
    futures: int
    measures: dict[str, Compared]
    pathways: dict[str, dict[str, Compared]]
    daily: tuple[list[Range], list[Range]]
    bands: tuple[list[tuple[str, Range]], list[tuple[str, Range]]]
    moved: Range
    moved_placed: Range
    beside: dict[str, Compared]
    """With the change, the first way of choosing and this one, future by future; empty for the first."""


def answers(question: WhatIf) -> dict[str, Answer]:
    """By policy, where at least one future is finished with and without the change."""
    runs: dict[str, dict[str, Runs]] = defaultdict(lambda: defaultdict(dict))
    for row in question.results.order_by("seed"):
        runs[row.policy][row.arm][row.seed] = row.figures
    found: dict[str, Answer] = {}
    first: Runs = {}
    for policy in question.policies:
        today, changed = runs[policy][Arm.TODAY], runs[policy][Arm.CHANGED]
        both = sorted(today.keys() & changed.keys())
        if both:
            beside = _measures(_part(first, "all"), _part(changed, "all")) if first.keys() & changed.keys() else {}
            found[policy] = _answer(policy, {s: today[s] for s in both}, {s: changed[s] for s in both}, beside)
            first = first or changed
    return found


def _answer(policy: str, today: Runs, changed: Runs, beside: dict[str, Compared]) -> Answer:
    names = list(dict.fromkeys(name for run in (*today.values(), *changed.values()) for name in run["pathways"]))
    return Answer(
        policy=policy,
        futures=len(today),
        measures=_measures(_part(today, "all"), _part(changed, "all")),
        pathways={name: _measures(_pathway(today, name), _pathway(changed, name)) for name in names},
        daily=(daily([run["daily"] for run in today.values()]), daily([run["daily"] for run in changed.values()])),
        bands=(_bands(today), _bands(changed)),
        moved=Range.of([run["moved"]["came"] for run in changed.values()]),
        moved_placed=Range.of([run["moved"]["placed"] for run in changed.values()]),
        beside=beside,
    )


def _measures(today: Mapping[int, Mapping[str, float]], changed: Mapping[int, Mapping[str, float]]) -> dict[str, Compared]:
    return {code: compare(today, changed, code) for code, _, _, _ in MEASURES}


def _part(runs: Runs, name: str) -> dict[int, dict[str, float]]:
    return {seed: run[name] for seed, run in runs.items()}


def _pathway(runs: Runs, name: str) -> dict[int, dict[str, float]]:
    nobody = dict.fromkeys((code for code, _, _, _ in MEASURES), 0.0)
    return {seed: run["pathways"].get(name, nobody) for seed, run in runs.items()}


def _bands(runs: Runs) -> list[tuple[str, Range]]:
    each = daily([run["bands"] for run in runs.values()])
    return [(label, found) for (label, _, _), found in zip(BANDS, each, strict=True)]
