"""One plan for 13,000 people and 28,000 pools of England, beside the bare call of OR-Tools; one change to it; and side constraints."""

import statistics
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from matching.allocation import mip, oracle, sides
from matching.allocation.live import Live
from matching.allocation.problem import Policy, Problem, build
from matching.allocation.relax import relaxed
from matching.allocation.repair import solve_with
from matching.allocation.sides import Bundle, Sides
from matching.allocation.solve import solve
from matching.allocation.worth import worth
from tests.bench.bench_rank import points
from tests.bench.harness import Measured, bench, interleave, percentile, timed

PEOPLE, POOLS = 13_000, 28_000
#: How the six kinds of place are asked for, and how they are offered: of the first two there are too few nearly everywhere.
ASKED, OFFERED = (0.30, 0.25, 0.15, 0.12, 0.10, 0.08), (0.12, 0.10, 0.25, 0.25, 0.15, 0.13)
CHANGES = 3_000


@cache
def world(people: int = PEOPLE, pools: int = POOLS, *, near: int = 157) -> dict[str, Any]:
    """Options of people who live where services are: of the nearest of the kind, within 60 km, about half fit. Always the same."""
    random = np.random.default_rng(20261122)
    homes, places = points(random, people), points(random, pools)
    asked, offered = random.choice(6, people, p=ASKED), random.choice(6, pools, p=OFFERED)
    person, pool, score = [], [], []
    for kind in range(6):
        who, where = np.flatnonzero(asked == kind), np.flatnonzero(offered == kind)
        away, which = cKDTree(places[where]).query(homes[who], k=min(near, len(where)))
        quality = random.random(len(where))
        i, j = np.nonzero((random.random(away.shape) < 0.5) & (away < 60_000))
        worth = 0.6 * (1 - away[i, j] / 60_000) + 0.25 * quality[which[i, j]] + 0.15 * random.random(len(i))
        person.append(who[i])
        pool.append(where[which[i, j]])
        score.append((10_000 * worth).astype(np.int64))
    order = np.argsort(np.concatenate(person), kind="stable")
    return {
        "person": np.concatenate(person)[order],
        "pool": np.concatenate(pool)[order],
        "score": np.concatenate(score)[order],
        "left": Policy().waiting(random.exponential(12, people).astype(np.int64)),
        "places": np.ones(pools, np.int64),
    }


def plan() -> int:
    """The whole candidate: from arrays to a plan that is proved."""
    return solve(build(**world())).proof.objective


def peak_mb(what: str) -> tuple[float, float]:
    """The most memory that a process of its own has had before and after doing something once."""
    code = f"from tests.bench import bench_allocate as b; b.world(); before = b.used(); b.{what}; print(before, b.used())"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), float(out[1])


def used() -> float:
    """The most memory of this process so far. What `getrusage` says includes the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@bench("allocate-national", unit="ms", goal="at most 1.0 times the bare OR-Tools call; under 2,000 ms and 500 MB")
def allocate_national() -> Measured:
    problem = build(**world())
    found, least = solve(problem), oracle.least(problem)[0]
    assert found.proof.objective == found.proof.bound == least
    more = min(timed(lambda: worth(problem, found.at)) for _ in range(3))
    before, most = peak_mb("plan()")
    return interleave(
        plan,
        lambda: oracle.least(problem),
        n=7,
        warmup=1,
        note=f"{PEOPLE:,} people, {POOLS:,} pools, {len(problem.pool) / PEOPLE:.0f} options each; from arrays, with sorting, plan, proof"
        f" by prices and lots dealt. Same objective as OR-Tools: {least:,}; {int((found.at >= 0).sum()):,} placed. What one more place is"
        f" worth, for all pools: {1000 * more:.0f} ms more. The most memory of its process: {most:.0f} MB, of which {before:.0f} MB before."
        " Compiled before; compiling takes some ten seconds, once for each installation.",
    )


def random_change(live: Live, random: np.random.Generator, reserve: list[dict[str, Any]]) -> Any:
    """Something that happens: a place more or fewer, somebody comes or goes, an offer is accepted or declined."""
    waiting = live.waiting
    person = int(random.choice(waiting))
    match int(random.integers(6)):
        case 0:
            return partial(live.places, pool := int(random.integers(POOLS)), int(live.free(pool)) + 1)
        case 1:
            taken = live.pool[waiting]
            pool = int(random.choice(taken[taken >= 0]))
            return partial(live.places, pool, max(0, int(live.free(pool)) - 1))
        case 2:
            return partial(live.arrive, **reserve[int(random.integers(len(reserve)))])
        case 3:
            return partial(live.leave, person)
        case 4:
            placed = waiting[live.pool[waiting] >= 0]
            person = int(random.choice(placed))

            def answered() -> None:
                live.offer(person)
                live.accept(person)

            return answered
        case _:
            placed = waiting[live.pool[waiting] >= 0]
            live.offer(person := int(random.choice(placed)))
            return partial(live.decline, person)


@bench(
    "allocate-resolve", unit="ms", goal="at most 1.0 times a two-hundredth of a cold plan, at p95; equal to a cold plan after 3,000 changes"
)
def allocate_resolve() -> Measured:
    problem = build(**world())
    live = Live(problem, solve(problem))
    random = np.random.default_rng(7)
    start, left = problem.start, problem.left
    reserve = [
        {"pool": problem.pool[start[i] : start[i + 1]], "score": 10_000 - problem.points[start[i] : start[i + 1]], "left": int(left[i])}
        for i in random.choice(PEOPLE, 500, replace=False)
    ]
    for _ in range(50):
        random_change(live, random, reserve)()
    times, cold, moved = [], [], []
    for turn in range(CHANGES):
        change = random_change(live, random, reserve)
        done: list[Any] = []
        times.append(timed(lambda change=change, done=done: done.append(change())))
        result = done[0][1] if isinstance(done[0], tuple) else done[0]
        moved.append(0 if result is None else len(result.lines))
        if turn % 500 == 0:
            cold.append(timed(plan) / 200)
    now, _ = live.problem()
    assert live.verify().proof.objective == live.cost == oracle.least(now)[0] == solve(now).proof.objective
    return Measured(
        times,
        cold,
        note=f"{CHANGES:,} changes, each with its certificate: a place more or fewer, people who come and go, offers accepted and declined."
        f" The floor is a two-hundredth of a cold plan. Afterwards equal to a cold plan and to OR-Tools ({live.cost:,})."
        f" People whose place changed: {statistics.mean(moved):.1f} on average, {percentile(moved, 0.95)} at p95.",
    )


def with_sides(people: int, pools: int) -> tuple[Problem, Sides]:
    """The same with couples (3% of people), packages (2%) and bays (2% of pools, of two to six beds, a third of them empty)."""
    given = {name: array.copy() for name, array in world(people, pools).items()}
    random = np.random.default_rng(5)
    bays = random.choice(pools, pools // 50, replace=False)
    bay = np.full(pools, -1)
    bay[bays] = np.arange(len(bays))
    given["places"][bays] = random.integers(2, 7, len(bays))
    order = random.permutation(people)
    couples, packages = people * 3 // 200, people * 2 // 200
    pairs = [(int(a), int(b)) for a, b in order[: 2 * (couples + packages)].reshape(-1, 2)]
    rows = np.split(np.arange(len(given["person"])), np.searchsorted(given["person"], np.arange(1, people)))
    partners = {b: a for a, b in pairs[:couples]}
    kept = ~np.isin(given["person"], list(partners))
    person, pool, score = ([given[name][kept]] for name in ("person", "pool", "score"))
    for partner, first in partners.items():
        # Partners live at one address; what suits them differs.
        mine = rows[first]
        person.append(np.full(len(mine), partner))
        pool.append(given["pool"][mine])
        score.append(np.clip(given["score"][mine] + random.integers(-1_500, 1_500, len(mine)), 0, 10_000))
    given |= {"person": np.concatenate(person), "pool": np.concatenate(pool), "score": np.concatenate(score)}
    problem = build(**given)
    return problem, sides.sides(
        problem,
        bundles=tuple(Bundle(pair, together=i < couples) for i, pair in enumerate(pairs)),
        site=np.arange(pools),
        bay=bay,
        fixed=np.where(random.random(len(bays)) < 0.67, random.integers(0, 2, len(bays)), -1),
        cohort=random.integers(0, 2, people),
    )


@bench("allocate-side", unit="ms", goal="at most 2.0 times the relaxed plan; at most 0.5% from the bound")
def allocate_side() -> Measured:
    problem, side = with_sides(PEOPLE, POOLS)
    loose, _ = relaxed(problem, side)
    found = solve_with(problem, side)
    assert sides.faults(problem, side, found.at) == []
    small, small_side = with_sides(500, 1_077)
    repaired = solve_with(small, small_side)
    proved = mip.prove(small, small_side, repaired, seconds=20)
    return interleave(
        lambda: solve_with(problem, side),
        lambda: solve(loose),
        n=7,
        warmup=1,
        note=f"{PEOPLE:,} people, of whom 3% in couples and 2% in packages; {POOLS // 50} bays. The floor is the plan of the relaxation,"
        f" which the bound comes from. From the bound: {found.proof.gap:.2f}%. With 500 people: {repaired.proof.gap:.2f}% from it;"
        f" HiGHS in 20 s: {'optimal' if proved.proof.optimal else f'{proved.proof.gap:.2f}% open'}, and the repair"
        f" {100 * (repaired.proof.objective / proved.proof.objective - 1):.3f}% dearer than the best known.",
    )
