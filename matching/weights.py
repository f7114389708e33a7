"""How much each factor counts, for each pathway: set by the operator, each change a new version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from catalogue.models import User
from core.errors import Invalid, NotAllowed
from matching.engine.problem import FACTORS, PRICE_PARTS, Weights
from matching.models import Pathway, WeightSet

#: The most points that a likely yes may give: noticeable beside the distance, never decisive alone.
MOST_LIKELIHOOD = 150
#: For the lock under which versions are numbered.
_LOCK = 7_340_012


def checked(*, pathway: str, weights: Mapping[str, int]) -> tuple[Weights, dict[str, Any]]:
    """Weights that may be used, and what was learned that goes with them. Raises Invalid with words for the operator."""
    if pathway and pathway not in Pathway.values:
        raise Invalid(f"“{pathway}” is not a pathway that we know. Use one of: {', '.join(Pathway.values)}.", field="pathway")
    if set(weights) != set(FACTORS):
        raise Invalid(f"Give a number for each of: {', '.join(FACTORS)}.", field="weights")
    try:
        made = Weights(**weights)
    except ValueError as error:
        raise Invalid(str(error), field="weights") from None
    if made.likelihood > MOST_LIKELIHOOD:
        raise Invalid(f"How likely a yes is may give at most {MOST_LIKELIHOOD} points.", field="likelihood")
    chances = WeightSet.objects.newest().chances
    if made.likelihood and not chances:
        raise Invalid("How likely a yes is may count only while a version that was learned is switched on: give 0.", field="likelihood")
    return made, chances


@transaction.atomic
def change(*, pathway: str, weights: Mapping[str, int], note: str, by: User, at: datetime) -> WeightSet:
    """The weights of a pathway (empty: of all that have none of their own) from now on. What was ranked before keeps its own.

    Raises NotAllowed, and Invalid, also where price would count for too much.
    """
    if not by.is_staff:
        raise NotAllowed("Only an administrator can change what counts for how much.")
    version = next_version()  # first: what was learned may be switched on or off until the lock is held
    made, chances = checked(pathway=pathway, weights=weights)
    return WeightSet.objects.create(
        version=version, pathway=pathway, weights=made.to_json(), note=note, chances=chances, created_by=by, created_at=at
    )


def next_version() -> int:
    """The number of the next set. Nobody else gets it, nor changes any set, before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    return (WeightSet.objects.aggregate(last=Max("version"))["last"] or 0) + 1


def price_share(weights: Mapping[str, int]) -> str:
    """`"4 in 100 points"`: what price counts for, so that it is seen; the most is a tenth."""
    total = sum(weights.values())
    return f"{round(100 * weights.get('price', 0) / total)} in 100 points (at most {100 // PRICE_PARTS})" if total else ""
