"""A match over HTTP, as another program asks for one: eight clients at once, 100,000 services, a hundred updates a second beside them."""

import json
import os
import subprocess
import sys
import threading
import uuid

import numpy as np
import psycopg
from django.contrib.gis.geos import Point
from django.db import connection, transaction

from core.geo import BNG
from matching.queries import refresh_facts
from tests.bench.bench_live import BASE_DIR, cpu, reachable
from tests.bench.bench_push import free_port, patiently
from tests.bench.bench_rank import points
from tests.bench.bench_search import fill
from tests.bench.bench_update_rate import children
from tests.bench.harness import Measured, bench

SECONDS, WARM, WORKERS, PEOPLE, UPDATES = 20, 15, 2, 64, 100
#: Name of the places that are added here and taken away afterwards: the benchmark of the search wants a third of its services with places.
ADDED = "Places of bench_match"
ADD = """
    INSERT INTO capacity_servicecapacity (id, service_id, location_id, care_type_id, name, unit, maximum, available, held, status, note,
        is_open, shown_to_public, reported_at, reported_via, version)
    SELECT s.id, s.id, s.id, s.care_type_id, %s, 'place', 10, 3, 0, 'capacity', '', true, true, now(), 'web', 1
    FROM catalogue_service s WHERE s.source = 'bench' AND NOT EXISTS (SELECT FROM capacity_servicecapacity p WHERE p.service_id = s.id)
"""


def places(statement: str) -> None:
    """Add or take away many places, without a history of what nobody ever did."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE capacity_servicecapacity DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM matching_matchcandidate")
        cursor.execute("DELETE FROM matching_poolfact")
        cursor.execute(statement, [ADDED])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE capacity_servicecapacity ENABLE TRIGGER USER")
    refresh_facts()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM matching_factchange")
        cursor.execute("VACUUM ANALYZE capacity_servicecapacity, matching_poolfact, matching_factchange")


def asked() -> dict[str, object]:
    """Who asks, and what."""
    from knox.models import AuthToken

    from capacity import reference as freshness
    from catalogue.models import Outcode, TaxonomyTerm
    from matching import reference
    from tests.factories import UserFactory

    freshness.load()
    reference.load()
    chance = np.random.default_rng(11)
    where = points(chance, PEOPLE)
    homes = [Outcode(code=f"ZM{number}", town="", point=Point(*map(float, home), srid=BNG)) for number, home in enumerate(where)]
    Outcode.objects.bulk_create(homes, update_conflicts=True, unique_fields=["code"], update_fields=["point"])
    kinds = list(TaxonomyTerm.objects.filter(taxonomy__slug="care-type", bit__isnull=False).order_by("bit").values_list("code", flat=True))
    bodies = [
        json.dumps(
            {
                "age": int(chance.integers(60, 98)),
                "postcode": home.code,
                "care_types": [kinds[int(chance.integers(len(kinds)))]],
                "needs": ["dementia"] if number % 2 else [],
                "max_miles": 15,
            }
        )
        for number, home in enumerate(homes)
    ]
    user = UserFactory(email=f"bench-{os.getpid()}@example.org")
    return {"token": AuthToken.objects.create(user=user)[1], "bodies": bodies, "gone": str(uuid.uuid4())}


def tell(stop: threading.Event, done: list[int]) -> None:
    """A hundred figures a second, each of another place, as a statement of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM capacity_servicecapacity")
        pools = cursor.fetchone()[0]
    connected = {
        key: value for key, value in connection.get_connection_params().items() if key not in ("context", "cursor_factory", "pool")
    }
    with psycopg.connect(**connected, autocommit=True) as direct:
        while not stop.wait(1 / UPDATES):
            done[0] += 1
            pool = pools[done[0] * 7_919 % len(pools)]
            direct.execute(
                "UPDATE capacity_servicecapacity SET available = %s, reported_at = now() WHERE id = %s AND held = 0", [done[0] % 9, pool]
            )
    connection.close()


def ask(port: int, seconds: int, given: dict[str, object]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "tests.bench.askers", str(port), str(seconds)]
    done = subprocess.run(command, cwd=BASE_DIR, input=json.dumps(given) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, list[float]] = json.loads(done.stdout)
    return answer


@bench("http-match-100k", unit="ms", goal="p95 at most 25 ms; the floor is the framework: an answer of the same site that finds nothing")
def http_match_100k() -> Measured:
    """Profile, ranking, stored run and explained lines of each match; the answers that there is no such ranking in between."""
    fill()
    places(ADD)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), "--lifespan", "off", "--no-access-log"]
    site = subprocess.Popen([*command, "--workers", str(WORKERS)], cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stop, done = threading.Event(), [0]
    teller = threading.Thread(target=tell, args=(stop, done))
    try:
        given = asked()
        patiently(lambda: reachable(port))
        ask(port, WARM, given)  # the facts come into memory, the pools of connections fill
        before = done[0]
        teller.start()
        used = sum(map(cpu, children(site.pid)))
        told = ask(port, SECONDS, given)
        used = sum(map(cpu, children(site.pid))) - used
        updates = done[0] - before
    finally:
        stop.set()
        if teller.is_alive():
            teller.join(60)
        site.terminate()
        site.wait(60)
        places("DELETE FROM capacity_servicecapacity WHERE name = %s")
    matches, gone = told["match"], told["gone"]
    return Measured(
        matches,
        gone,
        note=f"{len(matches) / SECONDS:.0f} matches and as many other answers a second at 8 clients, with {WORKERS} uvicorn processes and"
        f" {updates / SECONDS:.0f} updates a second beside; the site used {used / max(1, len(matches)) * 1e3:.0f} ms of processor for"
        f" one of each. The floor is what the framework alone takes: routing, token, one question. Other answers: {len(told['other'])};"
        f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
    )
