"""What a flow cannot hold: people placed together, packages of several services, and bays for one sex or one infection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from matching.allocation import check
from matching.allocation.problem import NONE, Ints, Problem, Refused

#: A bay that anybody can open.
OPEN = -1


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rows that are placed all or none. `together`: at one site, as a couple; otherwise each is one service of a package for somebody.

    Somebody who needs three services is three people in the problem, with what leaving the person out costs shared between them.
    """

    people: tuple[int, ...]
    together: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Side constraints of a problem. Limits of wards and providers are not among them: a flow holds those exactly.

    `site` and `bay` have a number for each pool (-1: none), `cohort` one for each person, `fixed` the cohort of each bay that somebody is
    in already (-1: it is empty, and takes the cohort of whoever comes first). Two cohorts never share a bay: give women and men, or each
    infection, their own numbers.
    """

    bundles: tuple[Bundle, ...] = ()
    site: Ints | None = None
    bay: Ints | None = None
    fixed: Ints | None = None
    cohort: Ints | None = None


def sides(
    problem: Problem,
    *,
    bundles: tuple[Bundle, ...] = (),
    site: ArrayLike | None = None,
    bay: ArrayLike | None = None,
    fixed: ArrayLike | None = None,
    cohort: ArrayLike | None = None,
) -> Sides:
    """Side constraints that go with a problem. Raises `Refused` when they do not."""
    in_bundles = [person for bundle in bundles for person in bundle.people]
    if len(set(in_bundles)) < len(in_bundles):
        raise Refused("Somebody is in two bundles, or twice in one.")
    if in_bundles and not 0 <= min(in_bundles) <= max(in_bundles) < problem.people:
        raise Refused("A bundle names somebody who is not there.")
    if any(bundle.together for bundle in bundles) and site is None:
        raise Refused("To place people together, say at which site each pool is.")
    arrays = {name: None if given is None else np.asarray(given, np.int64) for name, given in (("site", site), ("bay", bay))}
    of_bay, of_person = (None if given is None else np.asarray(given, np.int64) for given in (fixed, cohort))
    for name, array in arrays.items():
        if array is not None and len(array) != problem.pools:
            raise Refused(f"There are {len(array)} numbers of a {name} for {problem.pools} pools.")
    if arrays["bay"] is not None:
        if of_person is None or len(of_person) != problem.people or (of_person < 0).any():
            raise Refused("With bays, everybody needs a cohort: a number from 0.")
        bays = int(arrays["bay"].max(initial=NONE)) + 1
        if of_bay is None:
            of_bay = np.full(bays, OPEN, np.int64)
        if len(of_bay) < bays:
            raise Refused(f"There are {bays} bays, and cohorts of only {len(of_bay)}.")
        if not bays:
            arrays["bay"] = None
    return Sides(tuple(bundles), arrays["site"], arrays["bay"], of_bay, of_person)


def faults(problem: Problem, side: Sides, at: Ints) -> list[str]:
    """Why a plan cannot be carried out, side constraints included. Empty when it can. Knows no solver."""
    found = check.faults(problem, at)
    if found:
        return found
    pool = problem.pool_of(at)
    for number, bundle in enumerate(side.bundles):
        where = pool[list(bundle.people)]
        if (where < 0).any() and (where >= 0).any():
            found.append(f"Of bundle {number} only some have a place.")
        elif bundle.together and side.site is not None and (where >= 0).all():
            sites = side.site[where]
            if sites[0] == NONE or (sites != sites[0]).any():
                found.append(f"Bundle {number} is not at one site.")
    if side.bay is not None and side.fixed is not None and side.cohort is not None:
        cohorts: dict[int, set[int]] = {bay: {int(c)} - {OPEN} for bay, c in enumerate(side.fixed)}
        for person in np.flatnonzero(pool >= 0).tolist():
            if side.bay[pool[person]] != NONE:
                cohorts[int(side.bay[pool[person]])].add(int(side.cohort[person]))
        found += [f"Bay {bay} has people of {len(some)} cohorts." for bay, some in cohorts.items() if len(some) > 1]
    return found
