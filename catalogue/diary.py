"""What is on: the schedules of services in an area, laid out on days. Only what the public may know of, whoever asks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.gis.geos import Point
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from catalogue.models import Area, Schedule, ScheduleException, SchoolHoliday, Service
from catalogue.schedules import Occurrence, occurrences
from catalogue.search import search_services
from core.clock import LONDON

#: No more services and no more times than this in one diary: the nearest count.
MOST_SERVICES = 400
MOST_TIMES = 2_000
#: The heading of those kinds of service that a diary is about, when nobody asks for one kind.
SOCIAL = "Community and voluntary"

_DISTRICTS = """
SELECT s.service_id, a.code FROM catalogue_servicesearch s
JOIN catalogue_area a ON a.kind = 'district' AND ST_Intersects(a.outline, s.points)
WHERE s.service_id = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class Diary:
    """Times, earliest first, and their services by id. `cut` when there was more than one diary holds."""

    times: list[Occurrence]
    services: dict[UUID, Service]
    cut: bool


def diary(
    *,
    start: datetime,
    end: datetime,
    near: Point | None = None,
    within_m: float | None = None,
    area: Area | None = None,
    care_type: str = "",
) -> Diary:
    """What is on from `start` until `end` near a point, or in an area. A place that is open day and night is not an event."""
    found = search_services(AnonymousUser(), near=near, within_m=within_m, area=area, care_type=care_type)
    if not care_type:
        found = found.filter(Q(care_type__group=SOCIAL) | Q(care_type=None))
    found = found.filter(Exists(Schedule.objects.filter(service=OuterRef("pk"))))
    services = list(found.prefetch_related("service_at_locations__location__addresses")[: MOST_SERVICES + 1])
    times = times_of(services[:MOST_SERVICES], start, end)
    cut = len(services) > MOST_SERVICES or len(times) > MOST_TIMES
    times = times[:MOST_TIMES]
    held = {each.service_id for each in times}
    return Diary(times=times, services={each.pk: each for each in services if each.pk in held}, cut=cut)


def times_of(services: Sequence[Service], start: datetime, end: datetime) -> list[Occurrence]:
    """When these services meet, with their exceptions and the school holidays of the district that each is in."""
    ids = [service.pk for service in services]
    first, last = start.astimezone(LONDON).date(), end.astimezone(LONDON).date()
    schedules = list(Schedule.objects.filter(service__in=ids))
    exceptions = list(ScheduleException.objects.filter(service__in=ids, starts_on__lte=last, ends_on__gte=first))
    by_school = {each.service_id for each in schedules if each.term != Schedule.Term.ALWAYS}
    if not by_school:
        return _events(occurrences(schedules, exceptions, [], start, end))
    holidays = list(SchoolHoliday.objects.filter(starts_on__lte=last, ends_on__gte=first))
    places = _districts(by_school)
    times: list[Occurrence] = []
    groups: dict[frozenset[str], set[UUID]] = defaultdict(set)
    for pk in ids:
        groups[places.get(pk, frozenset())].add(pk)
    for codes, members in groups.items():
        times += occurrences(
            [each for each in schedules if each.service_id in members],
            [each for each in exceptions if each.service_id in members],
            [each for each in holidays if not each.lad or each.lad in codes],
            start,
            end,
        )
    return _events(sorted(times))


def _events(times: Iterable[Occurrence]) -> list[Occurrence]:
    """A time that lasts all day and night is no event."""
    return [each for each in times if each.all_day or (each.ends_at - each.starts_at).total_seconds() < 20 * 3600]


def _districts(ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Codes of the districts that services are in, by service."""
    found: dict[UUID, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_DISTRICTS, [list(ids)])
        for service_id, code in cursor.fetchall():
            found[service_id].add(code)
    return {service_id: frozenset(codes) for service_id, codes in found.items()}
