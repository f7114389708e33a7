"""How a plan treats providers and groups of people: watched, and never part of the choice. Small numbers are not kept."""

from collections.abc import Sequence
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


def shares(problem: Problem, at: Ints, pools: Sequence[UUID]) -> list[dict[str, Any]]:
    """What each provider gets of all who are placed, beside what it has of all places that are free."""
    kept = ServiceCapacity.objects.filter(pk__in=list(pools)).values_list("pk", "service__organization__name", "service__organization")
    named = {pool: (str(organization), name) for pool, name, organization in kept}
    names = dict(named.values())
    if not pools:
        return []
    found = answer.shares(problem, at, [named[pool][0] if pool in named else "" for pool in pools])
    rows = sorted((share for share in found if share.label in names), key=lambda share: (-share.placed, -share.places, share.label))
    return [
        {
            "provider": names[share.label],
            "places": share.places,
            "placed": share.placed,
            "of_places": round(100 * share.of_places, 1),
            "of_placed": round(100 * share.of_placed, 1),
        }
        for share in rows[:MOST]
    ]


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
    """The same without numbers of fewer than `FEWEST` people. None means: so few that it is not told; with `most`: all but so few.

    Where one group alone would be hidden, it could be worked out from the others: the next smallest is hidden with it.
    """
    small = [row for row in rows if row["people"] < FEWEST]
    if len(small) == 1 and len(rows) > 1:
        small.append(min((row for row in rows if row["people"] >= FEWEST), key=lambda row: row["people"]))
    hidden = {row["group"] for row in small}
    shown = []
    for row in rows:
        if row["group"] in hidden:
            shown.append(row | {"people": None, "placed": None, "points": None, "miles": None})
            continue
        without = row["people"] - row["placed"]
        row = row | ({"points": None, "miles": None} if row["placed"] < FEWEST else {})
        if 0 < row["placed"] < FEWEST:
            row["placed"] = None
        elif 0 < without < FEWEST:
            row |= {"placed": None, "most": True}
        shown.append(row)
    return shown
