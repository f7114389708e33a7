"""All 100,000 services as lines of Open Referral UK, next to PostgreSQL writing the same rows as JSON by itself."""

import gc
import re
import time
from pathlib import Path

from django.db import connection

from catalogue.publishing import feed
from catalogue.publishing.filters import Asked
from tests.bench import bench_search
from tests.bench.harness import Measured, bench

ROUNDS = 2
#: The same rows of the same tables as JSON: what any export must at least read and write.
BARE = """
COPY (
    SELECT json_build_object(
        'service', s, 'organization', o, 'care_type', t, 'eligibility', e,
        'criteria', (SELECT json_agg(json_build_object('rule', c, 'term', ct)) FROM catalogue_eligibilitycriterion c
                     JOIN catalogue_taxonomyterm ct ON ct.id = c.term_id WHERE c.service_id = s.id),
        'schedules', (SELECT json_agg(h) FROM catalogue_schedule h WHERE h.service_id = s.id),
        'places', (SELECT json_agg(json_build_object('location', l, 'address', a)) FROM catalogue_serviceatlocation sl
                   JOIN catalogue_location l ON l.id = sl.location_id LEFT JOIN catalogue_address a ON a.location_id = l.id
                   WHERE sl.service_id = s.id),
        'capacities', (SELECT json_agg(p) FROM capacity_servicecapacity p WHERE p.service_id = s.id)
    )
    FROM catalogue_service s JOIN catalogue_organization o ON o.id = s.organization_id
    LEFT JOIN catalogue_taxonomyterm t ON t.id = s.care_type_id LEFT JOIN catalogue_eligibility e ON e.service_id = s.id
    ORDER BY s.id
) TO STDOUT
"""


def resident() -> int:
    """Bytes of memory that this process holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def everything() -> tuple[int, int, int]:
    """Services and bytes that were streamed, and by how much memory grew at most meanwhile."""
    gc.collect()
    services = size = most = 0
    before = resident()
    for piece in feed.lines(feed.SERVICES, Asked(full=True, format="ndjson")):
        services += piece.count(b"\n")
        size += len(piece)
        most = max(most, resident() - before)
    return services, size, most


def bare() -> int:
    size = 0
    with connection.cursor() as cursor, cursor.copy(BARE) as copy:
        for piece in copy:
            size += len(piece)
    return size


@bench("catalogue-export-100k", unit="s", goal="all 100,000 services streamed whole, in memory that does not grow with their number")
def catalogue_export_100k() -> Measured:
    bench_search.fill()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalogue_publicationchange")
        if cursor.fetchone()[0] != bench_search.SERVICES:
            cursor.execute("SELECT catalogue_publish(ARRAY(SELECT id FROM catalogue_service))")
            cursor.execute("ANALYZE catalogue_publicationchange")
    next(feed.lines(feed.SERVICES, Asked(full=True)))  # what is loaded once and kept is not growth
    candidate, floor, told, grown = [], [], [], []
    for turn in range(ROUNDS):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            began = time.perf_counter()
            if which == 0:
                services, size, most = everything()
                candidate.append(time.perf_counter() - began)
                if services != bench_search.SERVICES:
                    raise AssertionError(f"{services} services came out, not {bench_search.SERVICES}.")
                told.append(size)
                grown.append(most)
            else:
                bare()
                floor.append(time.perf_counter() - began)
    return Measured(
        candidate,
        floor,
        note=f"{bench_search.SERVICES / sorted(candidate)[len(candidate) // 2]:,.0f} services a second, {told[0] / 2**20:,.0f} MiB;"
        f" memory grew by at most {max(grown) / 2**20:.0f} MiB. The floor is PostgreSQL writing the same rows as JSON, without Python.",
    )
