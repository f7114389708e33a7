"""How many people wait near a service for what it offers: a count and nothing else leaves this module."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection

from core import acting
from flow.workflow import Status
from matching.fitting import count_fitting
from matching.models import NeedProfile
from matching.profiles import needs_of

#: Somebody for whom a service has said yes waits no more.
_FOUND = [Status.ACCEPTED.value, Status.IN_PROGRESS.value, Status.COMPLETED.value]

#: Who waits for such a kind of place and lives so near that it is worth asking whether the service would take them.
_WAITING = """
WITH offered AS MATERIALIZED (
    SELECT DISTINCT fact.point, kind.code FROM matching_poolfact fact
    JOIN capacity_servicecapacity pool ON pool.id = fact.pool_id JOIN catalogue_taxonomyterm kind ON kind.id = pool.care_type_id
    WHERE fact.service_id = ANY(%(services)s) AND fact.is_open
)
SELECT episode.id, episode.profile_id
FROM flow_episode episode JOIN matching_needprofile need ON need.id = episode.profile_id
WHERE episode.ended_at IS NULL AND episode.ready_at <= %(at)s
  AND EXISTS (
    SELECT FROM offered WHERE code = ANY(need.care_types) AND ST_DWithin(offered.point, need.point, need.max_distance_m + 1)
  )
  AND NOT EXISTS (
    SELECT FROM flow_referral referral JOIN flow_referraltask task ON task.referral_id = referral.id
    WHERE referral.episode_id = episode.id AND task.status = ANY(%(found)s)
  )
"""


@acting.across("a count of those who wait names none")
def waiting_near(services: Collection[UUID], at: datetime) -> dict[UUID, int]:
    """People who are ready to move on, for whom such a service within their reach was looked for, and nobody has said yes.

    Counted are those whom the service would be shown for by the rules of the ranking – needs, funding and language among them – whether or
    not it has a place now.
    """
    if not services:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"at": at, "services": list(services), "found": _FOUND})
        waiting = dict(cursor.fetchall())
    if not waiting:
        return {}
    profiles = NeedProfile.objects.in_bulk(set(waiting.values()))
    needs = needs_of({episode: profiles[profile] for episode, profile in waiting.items()}, at=at)
    return count_fitting(needs, services, at=at)
