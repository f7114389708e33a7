"""Only services that say they take one of the person's diagnoses: what a guideline asks for.

Few services carry any one code, so they are found first, by their facts, and judged one by one by the specification of the ranking.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from core.geo import bng_point
from matching import queries
from matching.engine import check
from matching.engine.problem import Need, PoolFacts, Weights
from matching.models import PoolFact


def carries(need: Need, facts: PoolFacts) -> bool:
    """Whether the service says that it takes people with one of the diagnoses, or with what it falls under."""
    return not need.diagnoses.isdisjoint(facts.conditions_ok or ())


def facts_of_carriers(need: Need, *, at: datetime) -> list[PoolFacts]:
    """The facts of all that carry one of the diagnoses, of the right kinds and within reach."""
    home = bng_point(need.x, need.y)
    kinds = [bit for bit in range(need.care_types.bit_length()) if need.care_types >> bit & 1]
    near = Q(point__dwithin=(home, need.max_distance_m + 1)) | Q(point=None) | Q(online=True)
    found = PoolFact.objects.filter(near, care_type__in=kinds, conditions_ok__overlap=sorted(need.diagnoses))
    pools: list[UUID] = list(found.values_list("pk", flat=True))
    return list(queries.facts_of(need, pools, at=at).values())


def rank(need: Need, weights: Weights, *, at: datetime, limit: int, without: set[UUID]) -> queries.Ranking:
    """The best of them, as `engine.check.rank` has them."""
    found = [facts for facts in facts_of_carriers(need, at=at) if UUID(facts.pool_id) not in without]
    return queries.Ranking(lines=check.rank(need, found, weights, limit), considered=len(found))
