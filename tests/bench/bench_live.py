"""A thousand open pages: steady updates, a stream of them, and a burst; next to a bare loop from Redis to sockets in the same run.

Two crowds of a thousand sockets are open, one at the site and one at the floor. They are served in turn, some seconds each, so that a busy
machine slows both alike. A time counts from before the update is written until a socket has it.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.db import connection
from django.utils import timezone

from tests.bench.bench_push import BASE_DIR, Running, patiently, running
from tests.bench.harness import Measured, bench, percentile
from tests.bench.push_floor import CHANNEL

SOCKETS = int(os.environ.get("LUNE_BENCH_SOCKETS", "1000"))
POOLS = 40
ROUNDS, SECONDS = 3, 5
Update = tuple[str, int, float]


class Crowd:
    """`SOCKETS` open sockets in a process of their own."""

    def __init__(self, stack: contextlib.ExitStack, port: int, path: str, hello: str) -> None:
        command = [sys.executable, "-m", "tests.bench.crowd", str(port), path, str(SOCKETS)]
        self._process = stack.enter_context(
            subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(self._process.terminate)
        self._say(hello)
        if self._hear() != "ready":
            raise RuntimeError("The sockets of the benchmark did not open.")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def reckon(self, updates: list[Update]) -> dict[str, Any]:
        time.sleep(1.5)  # until the last have come
        self._say(json.dumps(updates))
        told: dict[str, Any] = json.loads(self._hear())
        return told


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def paced(work: Callable[[int], Update], rate: float, seconds: float, hands: int = 1) -> list[Update]:
    """Call `work` that often a second, on a timetable that does not wait for answers, by that many threads."""
    done: list[Update] = []
    began = time.perf_counter()

    def hand(first: int) -> None:
        try:
            for number in range(first, int(rate * seconds), hands):
                time.sleep(max(0.0, began + number / rate - time.perf_counter()))
                done.append(work(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=hand, args=[first]) for first in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@contextlib.contextmanager
def thousand() -> Iterator[tuple[Running, list[str], Crowd, contextlib.ExitStack]]:
    from tests.factories import PoolFactory

    pools = [str(PoolFactory(maximum=None).pk) for _ in range(POOLS)]
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(running())
        patiently(lambda: reachable(here.site))
        yield (
            here,
            pools,
            Crowd(stack, here.site, "/live/", json.dumps({"action": "watch", "pools": pools, "topics": [], "cursor": None})),
            stack,
        )


def reachable(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def teller(pools: list[str]) -> Callable[[int], Update]:
    """Tell the next figure of the next pool."""
    from capacity import operations

    def tell(number: int) -> Update:
        pool, sent = pools[number % len(pools)], time.perf_counter()
        version = operations.report(pool_id=UUID(pool), available=number % 50, by=None, at=timezone.now()).version
        return pool, version, sent

    return tell


def words(told: dict[str, Any], used: float, seconds: float) -> str:
    late = told["late"]
    return (
        f"p50 {percentile(late, 0.5) * 1e3:.0f} ms, p99 {percentile(late, 0.99) * 1e3:.0f} ms, lost {told['lost']}, "
        f"out of order {told['back']}, {told['messages']} messages; the web process used {used:.1f} s in {seconds:.0f} s"
    )


@bench("push-1000", unit="ms", goal="p99 at most 3 times that of a bare loop from Redis to sockets, at 20 updates a second")
def push_1000() -> Measured:
    """20 updates a second to 1,000 sockets, and as many bare messages to 1,000 bare sockets, in turn."""
    with thousand() as (here, pools, crowd, stack):
        patiently(lambda: reachable(here.floor))
        bare = Crowd(stack, here.floor, "/", "")
        bus = stack.enter_context(contextlib.closing(redis.Redis(unix_socket_path=here.redis_socket)))

        def publish(number: int) -> Update:
            sent = time.perf_counter()
            bus.publish(CHANNEL, json.dumps({"pools": {"x": {"version": number + 1, "padding": "x" * 500}}}))
            return "x", number + 1, sent

        times: tuple[list[float], list[float]] = ([], [])
        lost = back = 0
        used = [0.0, 0.0]
        for _ in range(ROUNDS):
            for which, (work, ears, pid) in enumerate(((teller(pools), crowd, here.site_pid), (publish, bare, here.floor_pid))):
                before = cpu(pid)
                told = ears.reckon(paced(work, 20, SECONDS, hands=2 if which == 0 else 1))
                used[which] += cpu(pid) - before
                times[which].extend(told["late"])
                lost, back = lost + told["lost"], back + told["back"]
        p99 = [percentile(each, 0.99) * 1e3 for each in times]
        note = (
            f"{SOCKETS} sockets, {ROUNDS} × {SECONDS} s each: p99 {p99[0]:.0f} ms against {p99[1]:.0f} ms, ratio {p99[0] / p99[1]:.2f}; "
            f"lost {lost}, out of order {back}; processor seconds of web and floor {used[0]:.1f} and {used[1]:.1f}; "
            f"load {os.getloadavg()[0]:.1f}."
        )
    return Measured(times[0], times[1], note)


@bench("push-burst", unit="ms", goal="100 a second: p99 at most 300 ms, under half of a core; a burst of 300: nothing lost or out of order")
def push_burst() -> Measured:
    """100 updates a second for 10 s to 1,000 sockets; then 300 as fast as they can be written. The floor is the goal, 300 ms."""
    with thousand() as (here, pools, crowd, _):
        before = cpu(here.site_pid)
        stream = crowd.reckon(paced(teller(pools), 100, 10, hands=6))
        used = cpu(here.site_pid) - before
        before, began = cpu(here.site_pid), time.perf_counter()
        burst = crowd.reckon(paced(teller(pools), 1e6, 300 / 1e6, hands=6))
        took = time.perf_counter() - began
        note = (
            f"100 a second for 10 s to {SOCKETS} sockets: {words(stream, used, 10)}. "
            f"A burst of 300: {words(burst, cpu(here.site_pid) - before, took)}. Load {os.getloadavg()[0]:.1f}."
        )
    return Measured(stream["late"], [0.3], note)
