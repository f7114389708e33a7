"""How a plan treats providers and groups of people: watched, and never part of the choice. Small numbers are not kept."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from capacity.models import ServiceCapacity
from core import clock
from core.geo import miles
from flow.models import Episode, Patient, Plan
from matching.allocation import answer
from matching.allocation.problem import NONE, Ints, Problem

if TYPE_CHECKING:
    from flow.planning.drawing import Drawn

#: A number of people below this is never kept or shown: it could be somebody.
FEWEST = 5
#: Providers that are listed, those with most people in the plan first.
MOST = 15
_BANDS = ((0, "Under 18"), (18, "18 to 64"), (65, "65 to 74"), (75, "75 to 84"), (85, "85 and over"))


#: What stands for all providers that are confidential.
UNNAMED = "Providers that are not named"


def shares(problem: Problem, at: Ints, pools: Sequence[UUID]) -> list[dict[str, Any]]:
    """What each provider gets of all who are placed, beside what it has of all places that are free. Confidential ones are one row."""
    if not pools:
        return []
    of = "service__organization"
    kept = ServiceCapacity.objects.filter(pk__in=list(pools)).values_list("pk", of, f"{of}__name", f"{of}__is_confidential")
    named = {pool: ("" if hidden else str(organization), UNNAMED if hidden else name) for pool, organization, name, hidden in kept}
    names = dict(named.values())
    # A pool that has gone since is of nobody here.
    found = answer.shares(problem, at, [named[pool][0] if pool in named else "gone" for pool in pools])
    rows = sorted((share for share in found if share.label in names), key=lambda share: (-share.placed, -share.places, share.label))[:MOST]
    sizes = [share.placed for share in rows]
    # Where some have a few, none at all is hidden too: of a single free place one would know what "few" is.
    small = {i for i, size in enumerate(sizes) if size < FEWEST} if any(0 < size < FEWEST for size in sizes) else set()
    few = _with_others(small, sizes, lambda some: sum(sizes[i] for i in some) >= FEWEST)
    told = [
        {
            "provider": names[share.label],
            "places": share.places,
            "placed": None if i in few else share.placed,
            "of_places": round(100 * share.of_places, 1),
            "of_placed": None if i in few else round(100 * share.of_placed, 1),
        }
        for i, share in enumerate(rows)
    ]
    # Their order would say who of them has more.
    return sorted(told, key=lambda row: (-(row["placed"] or 0), -row["places"], row["provider"]))


def groups(drawn: "Drawn", plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """By age and sex as recorded: how many wait, are placed, how good their places are and how far. The choice never sees these groups."""
    episodes = drawn.packed.episodes
    kept = Episode.objects.filter(pk__in=episodes).values_list("pk", "patient__birth_date", "patient__sex")
    who = {episode: (born, sex) for episode, born, sex in kept}
    first = [i for i, part in enumerate(drawn.packed.parts) if episodes.index(episodes[i]) == i or not part]
    today, sexes = clock.local_date(plan.at), dict(Patient.Sex.choices)
    ages = [_band(who[episodes[i]][0], today) for i in first]
    of_sex = [str(sexes[who[episodes[i]][1]]) for i in first]
    return {
        "Age": _rows(drawn, plan.policy["span"], first, ages, [label for _, label in _BANDS]),
        "Sex": _rows(drawn, plan.policy["span"], first, of_sex, [str(label) for label in sexes.values()]),
    }


def _band(born: date, today: date) -> str:
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next(label for least, label in reversed(_BANDS) if age >= least)


def _rows(drawn: "Drawn", span: int, people: Sequence[int], labels: Sequence[str], order: Sequence[str]) -> list[dict[str, Any]]:
    problem, at = drawn.problem, drawn.solved.at
    distance = {
        (i, p): int(d) for i, p, d in zip(drawn.packed.person.tolist(), drawn.packed.pool.tolist(), drawn.packed.distance, strict=True)
    }
    rows = []
    for label in order:
        mine = np.array([i for i, other in zip(people, labels, strict=True) if other == label], np.int64)
        if not len(mine):
            continue
        placed = mine[at[mine] >= 0]
        metres = [each for each in (distance[i, int(problem.pool[at[i]])] for i in placed.tolist()) if each != NONE]
        rows.append(
            {
                "group": label,
                "people": len(mine),
                "placed": len(placed),
                "points": round(span - float(problem.points[at[placed]].mean())) if len(placed) else None,
                "miles": round(miles(float(np.mean(metres))), 1) if metres else None,
            }
        )
    return hide(rows)


def hide(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same without numbers of fewer than `FEWEST` people, with a place or without one. None means: not told.

    What is hidden could be worked out from the others and the whole: the next smallest are hidden with it until that tells nothing.
    """
    people, placed = [row["people"] for row in rows], [row["placed"] for row in rows]
    left = [all_of - some for all_of, some in zip(people, placed, strict=True)]

    def covered(sizes: list[int], some: Iterable[int]) -> bool:
        """Whether what these are together is more than one each, and nobody; of none at all each is known anyway."""
        whole = sum(sizes[i] for i in some)
        return not whole or (whole >= FEWEST and whole > len(set(some)))

    groups = _with_others({i for i, size in enumerate(people) if size < FEWEST}, people, lambda some: covered(people, some))
    few = {i for i in range(len(rows)) if 0 < placed[i] < FEWEST or 0 < left[i] < FEWEST}
    places = _with_others(groups | few, people, lambda some: covered(placed, some) and covered(left, some))
    shown = []
    for i, row in enumerate(rows):
        if i in groups:
            row = row | {"people": None, "placed": None, "points": None, "miles": None}
        elif i in places:
            row = row | {"placed": None} | ({"points": None, "miles": None} if placed[i] < FEWEST else {})
        elif placed[i] < FEWEST:
            row = row | {"points": None, "miles": None}
        shown.append(row)
    return shown


def _with_others(hidden: set[int], sizes: Sequence[int], covered: Callable[[set[int]], bool]) -> set[int]:
    """What is hidden, and the next smallest until nothing of it is told by the whole."""
    hidden = set(hidden)
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        if not hidden or (len(hidden) > 1 and covered(hidden)):
            break
        hidden.add(i)
    return hidden
