"""A plan with side constraints: relax, solve, and repair what does not hold; everything not decided by the repair stays the best there is.

Each repair decides one thing – the cohort of a bay, the site of a couple, whether a package is placed – and the live plan places everybody
else anew around it. What the plan costs is compared with the relaxation, which no plan can beat: the gap is reported, not guessed.
"""

from dataclasses import dataclass

import numpy as np

from matching.allocation import sides as sd
from matching.allocation.check import Proof
from matching.allocation.live import Live
from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.relax import relaxed
from matching.allocation.sides import OPEN, Bundle, Sides
from matching.allocation.solve import Unproved, solve

#: Leaving out somebody of a bundle that is in costs this: never done if it can be helped.
NEVER = 1 << 36


@dataclass(frozen=True, slots=True, eq=False)
class Sided:
    """A plan that keeps side constraints, and by how much it may be from the best."""

    at: Ints
    proof: Proof


def solve_with(problem: Problem, side: Sides) -> Sided:
    """A plan that keeps all side constraints, with its bound."""
    loose, origin = relaxed(problem, side)
    plan = solve(loose)
    live = Live(loose, plan)
    _Repair(problem, loose, side, live).run()
    at = np.full(problem.people, NONE, np.int64)
    held = live.option
    at[held >= 0] = origin[held[held >= 0]]
    wrong = sd.faults(problem, side, at)
    if wrong:
        raise Unproved("; ".join(wrong[:5]))
    return Sided(at, Proof(problem.objective(at), plan.proof.bound))


class _Repair:
    def __init__(self, problem: Problem, loose: Problem, side: Sides, live: Live) -> None:
        self.problem, self.loose, self.side, self.live = problem, loose, side, live
        self.owner = loose.owner
        self.decided: set[int] = set()
        self.inside: dict[int, Bundle] = {}
        self.into: dict[int, Ints] = {}
        if side.bay is not None and side.fixed is not None:
            bay = side.bay[loose.pool]
            options = np.flatnonzero((bay != NONE) & (side.fixed[bay] == OPEN))
            options = options[np.argsort(bay[options], kind="stable")]
            numbers, first = np.unique(bay[options], return_index=True)
            if len(options):
                self.into = dict(zip(numbers.tolist(), np.split(options, first[1:]), strict=True))

    def run(self) -> None:
        while self._bays() | self._bundles():
            pass

    # --- bays

    def _bays(self) -> bool:
        if not self.into:
            return False
        held = self.live.option
        mixed = []
        for bay, options in self.into.items():
            here = options[held[self.owner[options]] == options]
            if len(np.unique(self._cohorts(here))) > 1:
                mixed.append(bay)
        for bay in mixed:
            self._settle(bay)
        return bool(mixed)

    def _settle(self, bay: int) -> None:
        """Give a bay to the cohort that gains most by it, at the prices of now, and close it to the others."""
        options = self.into.pop(bay)
        cohorts = self._cohorts(options)
        pools, which = np.unique(self.loose.pool[options], return_inverse=True)
        gain = self.live.otherwise(options) - self.loose.cost[options]
        best, most = NONE, -1
        for cohort in np.unique(cohorts).tolist():
            total = 0
            for i, pool in enumerate(pools.tolist()):
                mine = np.sort(gain[(cohorts == cohort) & (which == i)])[::-1][: self.problem.places[pool]]
                total += int(np.maximum(mine, 0).sum())
            if total > most:
                best, most = cohort, total
        self.live.close(options[cohorts != best])

    def _cohorts(self, options: Ints) -> Ints:
        assert self.side.cohort is not None
        return self.side.cohort[self.owner[options]]

    # --- bundles

    def _bundles(self) -> bool:
        held, changed = self.live.option, False
        for number, bundle in enumerate(self.side.bundles):
            mine = held[list(bundle.people)]
            if number in self.inside and (mine < 0).any():
                self._out(number, bundle)
                changed, held = True, self.live.option
            elif number not in self.decided and (mine >= 0).any():
                self._decide(number, bundle)
                changed, held = True, self.live.option
        return changed

    def _decide(self, number: int, bundle: Bundle) -> None:
        """Where a bundle costs least at the prices of now, or nowhere."""
        self.decided.add(number)
        rows = [np.arange(self.loose.start[p], self.loose.start[p + 1]) for p in bundle.people]
        asks = [self.live.asked(row) for row in rows]
        left = int(self.problem.left[list(bundle.people)].sum())
        if not bundle.together or self.side.site is None:
            if sum(int(ask.min(initial=NEVER)) for ask in asks) > left:
                self._out(number, bundle)
            else:
                self._in(number, bundle, [ask < NEVER for ask in asks])
            return
        site = self.side.site
        at = [site[self.loose.pool[row]] for row in rows]
        best, cheapest = NONE, left
        for place in np.unique(at[0]).tolist():
            here = [ask[sites == place] for ask, sites in zip(asks, at, strict=True)]
            cost = sum(int(ask.min(initial=NEVER)) for ask in here)
            if cost < cheapest:
                best, cheapest = place, cost
        if best == NONE:
            self._out(number, bundle)
        else:
            self._in(number, bundle, [(sites == best) & (ask < NEVER) for sites, ask in zip(at, asks, strict=True)])

    def _in(self, number: int, bundle: Bundle, allowed: list[np.ndarray]) -> None:
        self.inside[number] = bundle
        for person, options in zip(bundle.people, allowed, strict=True):
            self.live.confine(person, options, left=NEVER)

    def _out(self, number: int, bundle: Bundle) -> None:
        self.inside.pop(number, None)
        for person in bundle.people:
            size = int(self.loose.start[person + 1] - self.loose.start[person])
            self.live.confine(person, np.zeros(size, bool), left=int(self.loose.left[person]))
