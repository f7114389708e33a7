"""Measure a candidate next to a raw floor, interleaved in the same run, so that a busy machine slows both alike.

A module `tests/bench/bench_<something>.py` holds one or more benchmarks:

    from tests.bench.harness import Measured, bench, interleave


    @bench("rank-sql-100k", unit="ms", goal="p95 at most 4 times a bare nearest-50 query")
    def rank_sql_100k() -> Measured:
        services.fill(100_000)
        return interleave(lambda: rank(...), lambda: nearest_50(...), n=500, warmup=50)

`interleave` calls both in turn and times them. A benchmark that cannot time itself by calling two functions (one that waits for
a socket, or loads a whole file) measures as it must and returns `Measured(candidate=[...], floor=[...])`, times in seconds.

Benchmarks are plain synchronous functions; use `asyncio.run` inside when one needs a loop. Django is set up with
`config.settings.dev` on a database of its own, `lune_bench`, which is migrated, is kept between runs and may hold anything from
before: make sure of your own rows, and analyse the tables after filling them.

`make bench` runs all; `make bench NAME=rank-sql-100k` runs one (several names, separated by spaces). Results are printed and
merged by name into `var/bench.json`.
"""

import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What one of a unit is in seconds.
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Measured:
    """Times in seconds, one for each repetition, of the candidate and of the floor; `note` says what was done, for the reader."""

    candidate: Sequence[float]
    floor: Sequence[float]
    note: str = ""


@dataclass(frozen=True)
class Benchmark:
    """One named benchmark. `goal` is a sentence that a reader can hold the ratios against."""

    name: str
    unit: str
    goal: str
    measure: Callable[[], Measured]


REGISTERED: dict[str, Benchmark] = {}


def bench(name: str, *, unit: str = "ms", goal: str) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
    """Register a function as the benchmark `name`. `unit` (s, ms or us) is only how the result is written.

    Raises ValueError when the name is taken or the unit unknown.
    """
    if unit not in UNITS:
        raise ValueError(f"Benchmark {name}: the unit must be one of {', '.join(UNITS)}, not {unit!r}.")

    def register(measure: Callable[[], Measured]) -> Callable[[], Measured]:
        if name in REGISTERED:
            raise ValueError(f"Two benchmarks are named {name}.")
        REGISTERED[name] = Benchmark(name=name, unit=unit, goal=goal, measure=measure)
        return measure

    return register


def timed(call: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def interleave(candidate: Callable[[], object], floor: Callable[[], object], *, n: int, warmup: int = 10, note: str = "") -> Measured:
    """Call both `n` times in turn, after `warmup` calls of each that do not count.

    Which of the two goes first alternates, so that neither always finds the caches as the other left them.
    """
    for _ in range(warmup):
        candidate()
        floor()
    times: tuple[list[float], list[float]] = ([], [])
    calls = (candidate, floor)
    for turn in range(n):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            times[which].append(timed(calls[which]))
    return Measured(candidate=times[0], floor=times[1], note=note)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def result(benchmark: Benchmark, measured: Measured) -> dict[str, object]:
    """One row of `var/bench.json`. Ratios are of medians and of p95s, candidate to floor."""
    one = UNITS[benchmark.unit]
    median, floor_median = statistics.median(measured.candidate), statistics.median(measured.floor)
    p95, floor_p95 = percentile(measured.candidate, 0.95), percentile(measured.floor, 0.95)
    return {
        "name": benchmark.name,
        "unit": benchmark.unit,
        "n": len(measured.candidate),
        "median": round(median / one, 3),
        "p95": round(p95 / one, 3),
        "floor_median": round(floor_median / one, 3),
        "floor_p95": round(floor_p95 / one, 3),
        "ratio_median": round(median / floor_median, 2),
        "ratio_p95": round(p95 / floor_p95, 2),
        "goal": benchmark.goal,
        "note": measured.note,
    }


def merge(file: Path, rows: Sequence[dict[str, object]]) -> None:
    """Write rows into the file's list, each in the place of an older one of the same name."""
    kept = json.loads(file.read_text()) if file.exists() else []
    by_name = {row["name"]: row for row in [*kept, *rows]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(list(by_name.values()), indent=2) + "\n")
