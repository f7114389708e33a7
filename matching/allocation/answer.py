"""What is said about a plan: who is left out and why, whom it treats how, and what other ways of choosing would have done."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from matching.allocation import check
from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.sides import Sides
from matching.allocation.turns import greedy, take_turns

__all__ = ["WORDS", "Figures", "LeftOut", "Share", "Why", "by_group", "compare", "figures", "greedy", "left_out", "shares"]


class Why(StrEnum):
    """Why somebody is left out."""

    NO_OPTION = "no-option"
    FULL = "full"
    LIMIT = "limit"
    TOGETHER = "together"
    PACKAGE = "package"
    ROOM = "room"
    DEARER = "dearer"


WORDS = {
    Why.NO_OPTION: "No pool that is open fits.",
    Why.FULL: "Every place that fits is taken by somebody for whom it does more good.",
    Why.LIMIT: "There is a place that fits, but a limit of the ward or the provider is reached.",
    Why.TOGETHER: "There is a place that fits, but no one site has room for all who stay together.",
    Why.PACKAGE: "There is a place that fits, but not for every service that is needed, and one without the others is no help.",
    Why.ROOM: "There is a place that fits, but in a room shared with others of another sex, or where somebody would meet an infection.",
    Why.DEARER: "There is a free place that fits, but by the weights in force it is no better than waiting.",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody without a place. `pool` is the one where one more place would help this person best (-1: none), and `gain` by how much."""

    person: int
    why: Why
    pool: int
    gain: int


def left_out(problem: Problem, at: Ints, side: Sides | None = None) -> list[LeftOut]:
    """Everybody without a place, those first for whom one would do most."""
    bundled = {person: bundle.together for bundle in side.bundles for person in bundle.people} if side else {}
    load = check.load(problem, at)
    full = load >= problem.places
    limited = np.zeros(len(load), bool)
    for node in range(len(load) - 1, problem.pools - 1, -1):
        limited[node] = full[node] or (problem.parent[node] != NONE and limited[problem.parent[node]])
    under = problem.parent[: problem.pools]
    limited[: problem.pools] = np.where(under >= 0, limited[under], False)
    found = []
    for person in np.flatnonzero(at < 0).tolist():
        begin, end = problem.start[person], problem.start[person + 1]
        pools = problem.pool[begin:end]
        if begin == end:
            found.append(LeftOut(person, Why.NO_OPTION, NONE, 0))
            continue
        free = ~full[pools]
        open_pools = pools[free & ~limited[pools]].astype(np.int64)
        why = _side_why(person, open_pools, bundled, side) if len(open_pools) else Why.LIMIT if free.any() else Why.FULL
        found.append(LeftOut(person, why, int(pools[0]), int(problem.left[person] - problem.cost[begin])))
    return sorted(found, key=lambda one: (-one.gain, problem.lot[one.person]))


def _side_why(person: int, pools: Ints, bundled: dict[int, bool], side: Sides | None) -> Why:
    """Why somebody has none of the places that are open to them alone."""
    if person in bundled:
        return Why.TOGETHER if bundled[person] else Why.PACKAGE
    if side is not None and side.bay is not None and (side.bay[pools] != NONE).all():
        return Why.ROOM
    return Why.DEARER


@dataclass(frozen=True, slots=True)
class Figures:
    """How a plan does for some people. Points and regret are of those placed; None when nobody is."""

    label: str
    people: int
    placed: int
    cost: int
    points: float | None
    regret: float | None
    worst: int


def figures(problem: Problem, at: Ints, *, label: str = "everybody", people: Ints | None = None) -> Figures:
    who = np.arange(problem.people) if people is None else people
    placed = who[at[who] >= 0]
    regret = problem.regret(at)[placed]
    return Figures(
        label=label,
        people=len(who),
        placed=len(placed),
        cost=int(problem.cost[at[placed]].sum() + problem.left[who[at[who] < 0]].sum()),
        points=float(problem.points[at[placed]].mean()) if len(placed) else None,
        regret=float(regret.mean()) if len(placed) else None,
        worst=int(regret.max(initial=0)),
    )


def by_group(problem: Problem, at: Ints, labels: ArrayLike) -> list[Figures]:
    """The same for each group of people that is watched, so that nobody's group is worse off unseen. `labels` has one for each person."""
    names, which = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    return [figures(problem, at, label=name, people=np.flatnonzero(which == i)) for i, name in enumerate(names.tolist())]


@dataclass(frozen=True, slots=True)
class Share:
    """What a provider gets of all who are placed, beside what it has of all places that are free."""

    label: str
    places: int
    placed: int
    of_places: float
    of_placed: float


def shares(problem: Problem, at: Ints, labels: ArrayLike) -> list[Share]:
    """By provider, or whatever the label of each pool says. A ceiling is set with a limit of the problem."""
    names, which = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    places = np.bincount(which, weights=problem.places[: problem.pools], minlength=len(names)).astype(np.int64)
    load = np.bincount(which, weights=check.load(problem, at)[: problem.pools], minlength=len(names)).astype(np.int64)
    all_places, all_placed = max(1, int(places.sum())), max(1, int(load.sum()))
    return [Share(n, int(p), int(q), p / all_places, q / all_placed) for n, p, q in zip(names.tolist(), places, load, strict=True)]


def compare(problem: Problem, at: Ints, *, came: Sequence[int] | Ints | None = None, side: Sides | None = None) -> list[Figures]:
    """The plan beside first come, first served (`came`: people in the order in which they came), and the dearest to leave out first."""
    urgent = np.lexsort((problem.lot, -problem.left))
    arrived = np.asarray(came) if came is not None else urgent
    return [
        figures(problem, at, label="this plan"),
        figures(problem, take_turns(problem, side, arrived.tolist()), label="first come, first served"),
        figures(problem, take_turns(problem, side, urgent.tolist()), label="longest wait and highest priority first"),
    ]
