"""A plan with side constraints: relax, solve, and repair what does not hold; everything not decided by the repair stays the best there is.

Each repair decides one thing – the cohort of a bay, the site of a couple, whether a package is placed – and the live plan places everybody
else anew around it. What the plan costs is compared with the relaxation, which no plan can beat: the gap is reported, not guessed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

import numpy as np

from matching.allocation import sides as sd
from matching.allocation.check import Proof
from matching.allocation.live import NEVER, Live
from matching.allocation.problem import NONE, Ints, Problem
from matching.allocation.relax import relaxed
from matching.allocation.sides import OPEN, Bundle, Sides
from matching.allocation.solve import Unproved, solve


@dataclass(frozen=True, slots=True, eq=False)
class Sided:
    """A plan that keeps side constraints, and by how much it may be from the best."""

    at: Ints
    proof: Proof


def solve_with(problem: Problem, side: Sides) -> Sided:
    """A plan that keeps all side constraints, with its bound."""
    loose, origin = relaxed(problem, side)
    plan = solve(loose)
    # What comes out is checked below, and its bound is that of the relaxation: no step in between needs a certificate.
    live = Live(loose, plan, certify=False)
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
        """Give a bay to one of the cohorts that are in it now, and close it to the others."""
        options = self.into.pop(bay)
        options = options[~self.live.banned(options)]
        cohorts = self._cohorts(options)
        here = self.live.option[self.owner[options]] == options
        loses = np.zeros(len(options), np.int64)
        loses[here] = self.live.otherwise(options[here]) - self.live.asked(options[here])
        closed = options[:0]

        def give(cohort: int) -> None:
            nonlocal closed
            self.live.open(closed)
            closed = options[cohorts != cohort]
            self.live.close(closed)

        self._best([(int(loses[cohorts != cohort].sum()), partial(give, cohort)) for cohort in np.unique(cohorts[here]).tolist()])

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
        """Where a bundle is placed, or nowhere."""
        self.decided.add(number)
        people = list(bundle.people)
        rows = [np.arange(self.loose.start[p], self.loose.start[p + 1]) for p in people]
        asks = [self.live.asked(row) for row in rows]
        pays = self.live.paid(np.array(people))
        ways: list[tuple[int, Callable[[], None]]] = [(int(self.loose.left[people].sum()) - pays, partial(self._out, number, bundle))]
        if bundle.together and self.side.site is not None:
            at = [self.side.site[self.loose.pool[row]] for row in rows]
            allowed = [[(sites == place) & (ask < NEVER) for sites, ask in zip(at, asks, strict=True)] for place in np.unique(at[0])]
        else:
            allowed = [[ask < NEVER for ask in asks]]
        for options in allowed:
            if all(some.any() for some in options):
                least = sum(int(ask[some].min()) for ask, some in zip(asks, options, strict=True))
                ways.append((least - pays, partial(self._in, number, bundle, options)))
        self._best(ways)

    def _best(self, ways: list[tuple[int, Callable[[], None]]]) -> None:
        """Go the way that costs least in the end. Each comes with what it costs more at the least, by the prices of now."""
        before = self.live.cost
        best: tuple[int, Callable[[], None]] | None = None
        last = None
        for least, way in sorted(ways, key=itemgetter(0)):
            if best is not None and before + least >= best[0]:
                break
            way()
            last, cost = way, self.live.cost
            if best is None or cost < best[0]:
                best = cost, way
        if best is not None and best[1] is not last:
            best[1]()

    def _in(self, number: int, bundle: Bundle, allowed: list[np.ndarray]) -> None:
        self.inside[number] = bundle
        for person, options in zip(bundle.people, allowed, strict=True):
            self.live.confine(person, options, left=NEVER)

    def _out(self, number: int, bundle: Bundle) -> None:
        self.inside.pop(number, None)
        for person in bundle.people:
            size = int(self.loose.start[person + 1] - self.loose.start[person])
            self.live.confine(person, np.zeros(size, bool), left=int(self.loose.left[person]))
