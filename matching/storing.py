"""Keeping the lines of a ranking, in one statement."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection

from matching.engine.check import Ranked

#: The lines of a stored run, from one JSON text: the driver would write a parameter for each of their values.
_STORE = """
INSERT INTO matching_matchcandidate (run_id, rank, pool_id, score, distance_m, facts, terms)
SELECT %s, rank, pool, score, away, facts, terms
FROM json_to_recordset(%s::json) AS line (rank int, pool uuid, score int, away int, facts jsonb, terms jsonb)
"""


def store(run: UUID, ranked: Sequence[tuple[Ranked, Mapping[str, int]]]) -> None:
    """Keep the lines of a run with the facts that they were judged by, and the points of each factor. One statement."""
    kept = [
        {
            "rank": n,
            "pool": line.facts.pool_id,
            "score": line.score,
            "away": line.distance_m,
            "facts": line.facts.to_json(),
            "terms": points,
        }
        for n, (line, points) in enumerate(ranked, start=1)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [run, json.dumps(kept)])
