"""Capacity updates a second through the public API: sixteen clients, real server processes, a history row and an event for each update."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
    from knox.models import AuthToken

    from capacity.models import CapacityReport
    from core.models import Event
    from tests.factories import PoolFactory, ServiceFactory, UserFactory

    clients = []
    for number in range(CLIENTS):
        user = UserFactory(provider=True, email=f"bench-{os.getpid()}-{number}@example.org")
        pool = PoolFactory(service=ServiceFactory(organization=user.organization), maximum=None)
        clients.append((AuthToken.objects.create(user=user)[1], str(pool.pk), pool.version))
    pools = [pool for _, pool, _ in clients]
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), "--lifespan", "off", "--no-access-log"]
    site = subprocess.Popen([*command, "--workers", str(WORKERS)], cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        patiently(lambda: reachable(port))
        ask(port, 3, clients)  # the pools of connections fill
        for index, (token, pool, _) in enumerate(clients):
            clients[index] = (
                token,
                pool,
                CapacityReport.objects.filter(pool=pool).order_by("-version").values_list("version", flat=True)[0],
            )
        before, events = CapacityReport.objects.filter(pool__in=pools).count(), Event.objects.filter(type="capacity.changed").count()
        used = sum(map(cpu, children(site.pid)))
        told = ask(port, SECONDS, clients)
        used = sum(map(cpu, children(site.pid))) - used
    finally:
        site.terminate()
        site.wait(60)
    answered = len(told["answered"])
    rows = CapacityReport.objects.filter(pool__in=pools).count() - before
    new = Event.objects.filter(type="capacity.changed").count() - events
    each_second = [sum(1 for at in told["answered"] if second <= at < second + 1) for second in range(SECONDS)]
    note = (
        f"{answered / SECONDS:.0f} updates a second at {CLIENTS} clients with {WORKERS} uvicorn processes: {answered} answered, "
        f"{rows} history rows, {new} events, other answers {sum(told['other'].values())}; "
        f"the site used {used:.1f} processor seconds in {SECONDS} s "
        f"({used / max(1, answered) * 1e3:.1f} ms each); load {os.getloadavg()[0]:.1f}."
    )
    return Measured([1 / max(1, count) for count in each_second], [1 / FLOOR], note)


def ask(port: int, seconds: float, clients: list[tuple[str, str, int]]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "tests.bench.tellers", str(port), str(seconds)]
    done = subprocess.run(command, cwd=BASE_DIR, input=json.dumps(clients) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, list[float]] = json.loads(done.stdout)
    return answer
