"""A made-up region for the evaluation of ways of choosing: twelve towns, four kinds of place, people who could go to about thirty of them.

Pathways, answers and the chance of a yes are those of the demonstration region; capacity is given as a share of what is asked for.
"""

from functools import cache

import numpy as np

from flow.demo.processes import ANSWER, PATHWAYS, YES
from flow.simulation.laws import Law
from flow.simulation.world import HOURS, World, rows

NEEDS, TOWNS, WIDE = 240, 12, 40_000
KINDS = ("Community bed", "Home care", "Residential home", "Nursing home")
STAYS = (Law("lognormal", 20, 0.6), Law("lognormal", 30, 0.6), Law("lognormal", 60, 0.7), Law("lognormal", 50, 0.7))
#: Places of a pool: from and to.
SIZES = ((3, 8), (4, 10), (2, 6), (2, 6))
#: By pathway: which kinds would do, and how often.
WISHES: dict[str, tuple[tuple[tuple[int, ...], float], ...]] = {
    "P0": (((1,), 1.0),),
    "P1": (((1,), 0.8), ((1, 0), 0.2)),
    "P2": (((0,), 0.65), ((0, 2), 0.35)),
    "P3": (((2,), 0.25), ((2, 3), 0.3), ((3,), 0.45)),
}


@cache
def region(capacity: float, *, day: float = 16.0, seed: int = 5) -> World:
    """So many people come a day; there are as many places as they would fill on average, times `capacity`."""
    random = np.random.default_rng(seed)
    towns, share = random.uniform(0, WIDE, (TOWNS, 2)), random.dirichlet(np.full(TOWNS, 2.0))
    wishes = [(path, kinds, of * part) for path, of in PATHWAYS for kinds, part in WISHES[path]]
    asked = np.zeros(len(KINDS))
    for _, kinds, part in wishes:
        asked[list(kinds)] += part / len(kinds)
    kind, size, quality, where = [], [], [], []
    for n, (stay, sizes) in enumerate(zip(STAYS, SIZES, strict=True)):
        # A place is also taken while its provider answers, and until somebody looks again.
        left = round(day * asked[n] * stay.mean * capacity)
        near = random.dirichlet(share * 8)
        while left > 0:
            places = min(left, int(random.integers(sizes[0], sizes[1] + 1)))
            left -= places
            kind.append(n)
            size.append(places)
            quality.append(random.random())
            where.append(towns[random.choice(TOWNS, p=near)] + random.normal(0, 4_000, 2))
    kinds_, sizes_, points = np.array(kind), np.array(size), np.array(where)
    yes = np.clip(random.normal(YES, 0.1, len(size)), 0.2, 0.95)
    which = random.choice(len(wishes), NEEDS, p=[part for _, _, part in wishes])
    options = [_options(random, kinds_, points, np.array(quality), towns[random.choice(TOWNS, p=share)], wishes[w][1]) for w in which]
    paths = [path for path, _ in PATHWAYS]
    many, leave = len(paths), Law("exponential", 60)
    path = np.array([paths.index(wishes[w][0]) for w in which])
    of_path = [np.flatnonzero(path == n).tolist() for n in range(len(paths))]
    full = np.repeat(np.arange(len(size)), size)
    full = full[random.random(len(full)) < 0.97]
    waiting = random.integers(0, NEEDS, round(2 * day))
    pools = np.concatenate([each[0] for each in options])
    return World(
        kinds=KINDS, kind=kinds_, size=sizes_, others=np.zeros(len(size), np.int64), taken_pool=full, since=np.full(len(full), -1.0),
        stay=STAYS, answer=(ANSWER,) * len(KINDS), pathways=tuple(str(each) for each in paths), in_hospital=(True,) * many,
        search=(Law("fixed", 0),) * many, patience=(leave,) * many, pathway=path, start=rows([e[0] for e in options]),
        pool=pools, score=np.concatenate([each[1] for each in options]), metres=np.concatenate([each[2] for each in options]),
        chance=yes[pools], sources=("Hospital",), stream_source=np.zeros(many, np.int64), stream_pathway=np.arange(many),
        rate=np.array([day * of for _, of in PATHWAYS]), stream_start=rows(of_path), stream_need=np.array([n for e in of_path for n in e]),
        week=_week(), first_hour=8, waiting_need=waiting, waiting_stream=path[waiting],
        waiting_days=random.exponential(3, len(waiting)), waiting_asked=np.ones(len(waiting), np.int64),
    )  # fmt: skip


def _options(random, kind, points, quality, town, kinds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pools of these kinds that fit somebody near that town, with their scores and how far they are; the best first."""
    away = np.hypot(*(points - town - random.normal(0, 4_000, 2)).T)
    right = np.isin(kind, kinds)
    fits = right & (away < random.choice((24_000, 32_000, 40_000))) & (random.random(len(away)) < 0.8)
    fits[np.flatnonzero(right)[np.argsort(away[right])[:3]]] = True
    pool = np.flatnonzero(fits)
    worth = 0.6 * np.clip(1 - away[pool] / 60_000, 0, 1) + 0.25 * quality[pool] + 0.15 * random.random(len(pool))
    score = (10_000 * worth).astype(np.int64)
    order = np.argsort(-score, kind="stable")
    return pool[order], score[order], away[pool][order].astype(np.int64)


def _week() -> np.ndarray:
    """Fewer at weekends and at night."""
    hours = np.arange(HOURS)
    busy = np.where(hours // 24 < 5, 1.0, 0.45) * np.where((hours % 24 >= 9) & (hours % 24 < 18), 1.6, 0.5)
    return busy / busy.mean()
