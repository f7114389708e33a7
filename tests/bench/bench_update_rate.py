"""Capacity updates a second through the public API: sixteen clients, real server processes, a history row and an event for each update."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from tests.bench.bench_live import BASE_DIR, cpu, reachable
from tests.bench.bench_push import free_port, patiently
from tests.bench.harness import Measured, bench

CLIENTS, SECONDS, WORKERS = 16, 10, 2
#: 15,500 homes that all tell once within five minutes.
FLOOR = 52


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@bench(
    "update-rate", unit="ms", goal="time for one update at most a tenth of the floor's: 520 a second against the 52 that a country needs"
)
def update_rate() -> Measured:
    """Each client tells the figure of a pool of its own, again as soon as it is answered, with the version it was answered with."""
    from capacity.models import CapacityReport

    clients = told_by(1)
    pools = [pool for _, (pool,) in clients]
    with serving() as (port, site):
        ask(port, 3, [(token, pool, 1) for token, (pool,) in clients])  # the pools of connections fill
        versions = dict(CapacityReport.objects.filter(pool__in=pools).order_by("version").values_list("pool_id", "version"))
        return measured(port, site, pools, [(token, pool, versions[UUID(pool)]) for token, (pool,) in clients])


@bench(
    "update-rate-batch",
    unit="ms",
    goal="520 a second, told by systems that keep many homes, a line for each in a request",
)
def update_rate_batch() -> Measured:
    """Each client tells of 25 pools in one request, each of which is kept or refused by itself, again as soon as it is answered."""
    clients = told_by(25)
    with serving() as (port, site):
        ask(port, 3, [(token, pools, 1) for token, pools in clients])
        return measured(port, site, [pool for _, pools in clients for pool in pools], [(token, pools, 1) for token, pools in clients])


def told_by(count: int) -> list[tuple[str, list[str]]]:
    """A token for each client, and as many pools of its own."""
    from knox.models import AuthToken

    from tests.factories import PoolFactory, ServiceFactory, UserFactory

    clients = []
    for _ in range(CLIENTS):
        user = UserFactory(provider=True, email=f"bench-{uuid4()}@example.org")
        service = ServiceFactory(organization=user.organization)
        clients.append((AuthToken.objects.create(user=user)[1], [str(PoolFactory(service=service, maximum=None).pk) for _ in range(count)]))
    return clients


@contextlib.contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """The site in `WORKERS` processes: its port, and the process that keeps them."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), "--lifespan", "off", "--no-access-log"]
    site = subprocess.Popen([*command, "--workers", str(WORKERS)], cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        patiently(lambda: reachable(port))
        yield port, site.pid
    finally:
        site.terminate()
        site.wait(60)


def measured(port: int, site: int, pools: list[str], clients: list[tuple[str, Any, int]]) -> Measured:
    """Let the clients tell for `SECONDS`; count what was answered, and the rows and events that it left."""
    from capacity.models import CapacityReport
    from core.models import Event

    reports, changes = CapacityReport.objects.filter(pool__in=pools), Event.objects.filter(type="capacity.changed")
    before, events, used = reports.count(), changes.count(), sum(map(cpu, children(site)))
    told = ask(port, SECONDS, clients)
    used = sum(map(cpu, children(site))) - used
    answered, rows, new = len(told["answered"]), reports.count() - before, changes.count() - events
    each_second = [sum(1 for at in told["answered"] if second <= at < second + 1) for second in range(SECONDS)]
    note = (
        f"{answered / SECONDS:.0f} updates a second at {CLIENTS} clients with {WORKERS} uvicorn processes: {answered} answered, "
        f"{rows} history rows, {new} events, other answers {sum(told['other'].values())}; "
        f"the site used {used:.1f} processor seconds in {SECONDS} s "
        f"({used / max(1, answered) * 1e3:.1f} ms each); load {os.getloadavg()[0]:.1f}."
    )
    return Measured([1 / max(1, count) for count in each_second], [1 / FLOOR], note)


def ask(port: int, seconds: float, clients: list[tuple[str, Any, int]]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.tellers", str(port), str(seconds)]
    done = subprocess.run(command, cwd=BASE_DIR, input=json.dumps(clients) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
