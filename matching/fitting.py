"""Of many needs at once: which a service could take by its own rules. Whether it has a place just now is left aside."""
# ruff: noqa: S608 (the statement is put together from constants; every value is a parameter)

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

from matching import queries
from matching.engine.problem import Need, Weights

#: Of what the ranking is given, all that its hard rules read, and the type of each.
_TYPES = {
    "home": "text", "care_types": "smallint[]", "max_distance_m": "bigint", "age": "int", "sex": "int", "has": "bigint",
    "own_has": "bigint", "must_haves": "bigint", "own_must_haves": "bigint", "languages": "bigint", "funding": "bigint", "source": "bigint",
    "budget_pence": "int", "areas": "int[]", "conditions": "text[]", "conditions_may": "text[]", "registered": "text[]",
    "registered_kinds": "text[]", "without": "uuid[]", "farthest": "bigint", "comes": "bigint", "visits": "bigint", "own_visits": "bigint",
}  # fmt: skip
_NO_WEIGHTS = Weights()


def _of_each(rule: str) -> str:
    """A rule of the ranking with the columns of many needs in place of the parameters of one."""
    return re.sub(r"%\((\w+)\)s", r"n.\1", rule)


#: The very rules of `matching.queries`, so that nobody is counted who would not be shown. Services that are not on the map are near nobody.
_COUNT = f"""
SELECT f.service_id, count(DISTINCT n.key)
FROM jsonb_to_recordset(%(needs)s::jsonb) AS n (key uuid, {", ".join(f"{name} {kind}" for name, kind in _TYPES.items())})
CROSS JOIN LATERAL (
    SELECT f.*, floor(ST_Distance(f.point, n.home::geometry))::int AS away FROM matching_poolfact f
    WHERE f.service_id = ANY (%(services)s::uuid[]) AND f.is_open AND f.care_type = ANY (n.care_types)
      AND (f.starts_at IS NULL OR f.starts_at > %(at)s::timestamptz) AND f.point IS NOT NULL
    OFFSET 0
) f
WHERE f.away <= n.max_distance_m AND {_of_each(queries.RULES)}
GROUP BY f.service_id
"""


def count_fitting(needs: Mapping[UUID, Need], services: Collection[UUID], *, at: datetime) -> dict[UUID, int]:
    """For each of these services how many of the needs no hard rule of the ranking keeps from it; none: left out.

    By kind, reach, age, sex, needs, diagnoses, registration, funding, budget, language, source and area, as `engine.rules` has them.
    """
    if not needs or not services:
        return {}
    rows = []
    for key, need in needs.items():
        given = queries.parameters(need, _NO_WEIGHTS, at=at, limit=0)
        rows.append({"key": str(key)} | {name: given[name] for name in _TYPES})
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"needs": json.dumps(rows), "services": list(services), "at": at})
        return dict(cursor.fetchall())
