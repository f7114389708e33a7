"""Sixty days of a made-up region, ten futures at three capacities: ways of choosing beside each other, and beside hindsight."""

from collections import defaultdict
from statistics import mean

from flow.simulation import check
from flow.simulation.draws import Draws
from flow.simulation.engine import simulate
from flow.simulation.figures import figures, gain
from flow.simulation.hindsight import hindsight
from flow.simulation.policies import POLICIES
from flow.simulation.world import World
from tests.bench.harness import Measured, bench, timed
from tests.bench.simulated import region

CAPACITIES, SEEDS, DAYS = (0.95, 1.0, 1.05), 10, 60.0
#: Days between two choices: a live plan is made anew at each change, which is as good as this to within the difference of two runs.
EVERY = 1 / 24
#: Beside which all others stand: what teams do by hand.
GREEDY, BEST = "longest", "ahead"
Row = dict[str, float]


@bench(
    "simulate-60d", unit="ms", goal="at least 97% of the hindsight optimum; bed-days, placed, km and worst wait beside longest wait first"
)
def simulate_60d() -> Measured:
    """Timed is one simulated time of the plan that looks ahead; the floor is one of longest wait first."""
    warm = region(1.0)
    simulate(warm, Draws(warm, 99, 3.0), POLICIES[BEST].make())  # compiles
    times: dict[str, list[float]] = defaultdict(list)
    said = []
    for capacity in CAPACITIES:
        world, found = region(capacity), defaultdict(list)
        for seed in range(SEEDS):
            draws = Draws(world, seed, DAYS)
            best = hindsight(world, draws)
            for code, policy in POLICIES.items():
                outcomes: list = []
                times[code].append(timed(lambda o=outcomes, p=policy, d=draws, w=world: o.append(simulate(w, d, p.make(), every=EVERY))))
                assert check.faults(world, outcomes[0]) == []
                sums = figures(world, outcomes[0])["all"]
                assert sums["placed"] <= best.placed
                assert sums["bed_days"] >= best.days
                assert gain(world, outcomes[0]) <= best.gain
                of_best = {
                    "placed of hindsight": 100 * sums["placed"] / best.placed,
                    "gain of hindsight": 100 * gain(world, outcomes[0]) / best.gain,
                    "bound of bed-days": best.days,
                }
                found[code].append({**sums, **of_best})
        said.append(f"Capacity {capacity}: " + "; ".join(_said(code, _means(found[code]), _means(found[GREEDY])) for code in POLICIES))
    return Measured(
        times[BEST],
        times[GREEDY],
        note=". ".join(said)
        + f". Means of {SEEDS} futures of {DAYS:.0f} days, some {_people(warm)} people each. Hindsight: the proved bound of the best that"
        " could be done knowing who comes, every answer and every stay (people placed; points gained against nobody placed; bed-days"
        " at least). Somebody chooses every hour. Each log was walked by the checker.",
    )


def _people(world: World) -> int:
    return round(float(world.rate.sum()) * DAYS)


def _means(rows: list[Row]) -> Row:
    return {name: mean(row[name] for row in rows) for name in rows[0]}


def _said(code: str, row: Row, greedy: Row) -> str:
    more = {name: 100 * (row[name] / greedy[name] - 1) for name in ("bed_days", "placed", "km_mean", "worst")}
    return (
        f"{POLICIES[code].name}: placed {row['placed']:.0f} ({more['placed']:+.1f}%; {row['placed of hindsight']:.1f}% of hindsight), "
        f"gain {row['gain of hindsight']:.1f}% of hindsight, bed-days {row['bed_days']:.0f} ({more['bed_days']:+.1f}%; at least"
        f" {row['bound of bed-days']:.0f}), km {row['km_mean']:.1f} ({more['km_mean']:+.1f}%), worst wait {row['worst']:.0f} d"
        f" ({more['worst']:+.1f}%)"
    )
