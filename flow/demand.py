"""How many people wait near a service for what it offers: a count and nothing else leaves this module."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection

from flow.workflow import Status

#: Somebody for whom a service has said yes waits no more.
_FOUND = [Status.ACCEPTED.value, Status.IN_PROGRESS.value, Status.COMPLETED.value]

_WAITING = """
SELECT fact.service_id, count(DISTINCT episode.id)
FROM matching_poolfact fact
JOIN capacity_servicecapacity pool ON pool.id = fact.pool_id
JOIN catalogue_taxonomyterm kind ON kind.id = pool.care_type_id
JOIN flow_episode episode ON episode.ended_at IS NULL AND episode.ready_at <= %(at)s
JOIN matching_needprofile need ON need.id = episode.profile_id AND kind.code = ANY(need.care_types)
WHERE fact.service_id = ANY(%(services)s)
  AND fact.is_open
  AND ST_DWithin(fact.point, need.point, least(need.max_distance_m, fact.catchment_m))
  AND (fact.min_age IS NULL OR need.age >= fact.min_age)
  AND (fact.max_age IS NULL OR need.age <= fact.max_age)
  AND (fact.sex IN (0, 3) OR need.sex = CASE fact.sex WHEN 1 THEN 'female' ELSE 'male' END)
  AND NOT EXISTS (
    SELECT FROM flow_referral referral JOIN flow_referraltask task ON task.referral_id = referral.id
    WHERE referral.episode_id = episode.id AND task.status = ANY(%(found)s)
  )
GROUP BY fact.service_id
"""


def waiting_near(services: Collection[UUID], at: datetime) -> dict[UUID, int]:
    """People who are ready to move on, for whom such a service within their reach was looked for, and nobody has said yes.

    By kind of care, reach, age and sex. Finer needs are left out: the count is what a provider may look forward to, not whom it must take.
    """
    if not services:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"at": at, "services": list(services), "found": _FOUND})
        return dict(cursor.fetchall())
