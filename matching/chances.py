"""What was learned of how likely a yes is, handed down to the ranking: `flow.acceptance` learns it, here it is kept and switched.

While nothing is switched on, the newest sets of weights give it no points and no pool leans to anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core.errors import Invalid
from matching.engine.problem import Weights
from matching.models import PoolChance, WeightSet
from matching.weights import MOST_LIKELIHOOD, next_version

#: Points that are suggested, and the most that it may give.
POINTS, MOST_POINTS = 60, MOST_LIKELIHOOD
_MOST_ANSWERS = 9_999
_FIELDS = ("leaning", "said_yes", "answers")


@dataclass(frozen=True, slots=True)
class Lean:
    """What one pool leans to."""

    pool: UUID
    leaning: int
    said_yes: int
    answers: int


@transaction.atomic
def switch(*, chances: Mapping[str, Any], points: int, note: str, by: User | None, at: datetime) -> list[WeightSet]:
    """Let it count for so many points from now on, in the general weights and those of each pathway; with 0 it counts for nothing.

    A new version of each set: what was ranked before keeps its answer. Raises Invalid.
    """
    if not 0 <= points <= MOST_POINTS:
        raise Invalid(f"Give a whole number of points from 1 to {MOST_POINTS}.", field="points")
    made = []
    first = next_version()  # before all else, so that nobody changes weights between our reading them and writing them
    pathways = sorted(WeightSet.objects.order_by().values_list("pathway", flat=True).distinct())
    for version, pathway in enumerate(pathways, start=first):
        before = WeightSet.objects.newest(pathway)
        weights = Weights.from_json(before.weights | {"likelihood": points})
        made.append(
            WeightSet.objects.create(
                version=version,
                pathway=pathway,
                weights=weights.to_json(),
                chances=dict(chances) if points else {},
                note=note[:200],
                created_by=by,
                created_at=at,
            )
        )
    return made


@transaction.atomic
def tell(leans: Iterable[Lean]) -> int:
    """What each pool leans to now; those not named lean to nothing. Only what changed is written. Returns how many were named."""
    wanted = {lean.pool: lean for lean in leans}
    kept = {row.pool_id: row for row in PoolChance.objects.all()}
    PoolChance.objects.filter(pool__in=kept.keys() - wanted.keys()).delete()
    changed = [row for pool, lean in wanted.items() if _differs(kept.get(pool), row := _row(lean))]
    PoolChance.objects.bulk_create(changed, batch_size=5_000, update_conflicts=True, unique_fields=["pool"], update_fields=_FIELDS)
    return len(wanted)


def _row(lean: Lean) -> PoolChance:
    scale = min(1.0, _MOST_ANSWERS / max(1, lean.answers))
    return PoolChance(
        pool_id=lean.pool, leaning=lean.leaning, said_yes=int(lean.said_yes * scale), answers=min(lean.answers, _MOST_ANSWERS)
    )


def _differs(kept: PoolChance | None, row: PoolChance) -> bool:
    return kept is None or any(getattr(kept, name) != getattr(row, name) for name in _FIELDS)
