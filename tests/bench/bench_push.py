"""From a provider's update to the message at a browser's socket, next to a bare publish to a bare socket."""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.utils import timezone
from websockets.sync.client import ClientConnection, connect

from tests.bench.harness import Measured, bench, timed
from tests.bench.push_floor import CHANNEL

BASE_DIR = Path(__file__).resolve().parents[2]
SINGLE, WARMUP, BURST, SOCKETS = 300, 20, 300, 100
#: Seconds between two updates: longer than the hub's tick, so that each is the first after a quiet time and is told at once.
QUIET = 0.12


@dataclass
class Running:
    """Relay, site and floor on a Redis of their own, on the benchmarks' database."""

    redis_socket: str
    site: int
    floor: int
    site_pid: int = 0
    floor_pid: int = 0


@contextlib.contextmanager
def running() -> Iterator[Running]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lune-bench-"))
        here = Running(f"{folder}/redis.sock", free_port(), free_port())
        env = os.environ | {"REDIS_URL": f"unix://{here.redis_socket}"}
        commands = (
            ["redis-server", "--port", "0", "--unixsocket", here.redis_socket, "--save", "", "--dir", folder],
            [sys.executable, "manage.py", "relay"],
            [
                sys.executable,
                "-m",
                "uvicorn",
                "config.asgi:application",
                "--port",
                str(here.site),
                "--lifespan",
                "off",
                "--no-access-log",
                "--ws",
                "notifications.served:Served",
                "--ws-per-message-deflate",
                "false",
            ],
            [sys.executable, "-m", "tests.bench.push_floor", here.redis_socket, str(here.floor)],
        )
        for command in commands:
            process = subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            if "uvicorn" in command:
                here.site_pid = process.pid
            elif command[2] == "tests.bench.push_floor":
                here.floor_pid = process.pid
            if command[0] == "redis-server":
                patiently(lambda: Path(here.redis_socket).exists())
        yield here


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def patiently(attempt: Callable[[], Any]) -> Any:
    """The first true answer within two minutes: on a busy machine a process takes half of one to begin."""
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(OSError, EOFError):
            if answer := attempt():
                return answer
        if time.monotonic() > deadline:
            raise TimeoutError("The processes of the benchmark did not come up.")
        time.sleep(0.05)


def open_socket(stack: contextlib.ExitStack, port: int, path: str, hello: str) -> ClientConnection:
    """The socket that is timed, and `SOCKETS` - 1 others beside it."""
    address, origin = f"ws://127.0.0.1:{port}{path}", f"http://127.0.0.1:{port}"
    timed_one = patiently(lambda: stack.enter_context(connect(address, origin=origin, compression=None)))  # type: ignore[arg-type]
    if hello:
        timed_one.send(hello)
    command = [sys.executable, "-m", "tests.bench.push_crowd", address, origin, str(SOCKETS - 1), hello]
    crowd = stack.enter_context(subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
    stack.callback(crowd.terminate)
    assert crowd.stdout is not None
    if crowd.stdout.readline() != "ready\n":
        raise RuntimeError("The other sockets of the benchmark did not open.")
    return timed_one


def hear(browser: ClientConnection, pool: str, version: int) -> int:
    """Read until that version (or a later one) of the pool is shown. Returns how many messages told of the pool."""
    told = 0
    while True:
        message = json.loads(browser.recv(timeout=30))
        if state := message.get("pools", {}).get(pool):
            told += 1
            if state["version"] >= version:
                return told


@bench("push-badge", unit="ms", goal="p95 below 100 ms on a quiet machine (what is promised is a second)")
def push_badge() -> Measured:
    """One update at a time, in a quiet system, with 100 sockets watching the pool. One of them is timed."""
    from capacity import operations
    from tests.factories import PoolFactory

    pool = PoolFactory(maximum=None).pk
    turn = itertools.count()
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(running())
        hello = json.dumps({"action": "watch", "pools": [str(pool)], "topics": [], "cursor": None})
        browser = open_socket(stack, here.site, "/live/", hello)
        patiently(lambda: json.loads(browser.recv(timeout=10)).get("live"))
        bare = open_socket(stack, here.floor, "/", "")
        bus = stack.enter_context(contextlib.closing(redis.Redis(unix_socket_path=here.redis_socket)))

        def update() -> None:
            version = operations.report(pool_id=pool, available=next(turn), by=None, at=timezone.now()).version
            hear(browser, str(pool), version)

        def publish() -> None:
            text = str(next(turn))
            bus.publish(CHANNEL, text)
            while bare.recv(timeout=30) != text:
                pass

        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(WARMUP + SINGLE):
            time.sleep(QUIET)
            times[0].append(timed(update))
            times[1].append(timed(publish))
        burst, messages = burst_of(pool, browser)
    note = (
        f"durable write, event row, relay, hub, permission, read and socket included; {SOCKETS} sockets watch. "
        f"A burst of {BURST} updates: last state shown {burst * 1e3:.0f} ms after the last commit, in {messages} messages (100 ms tick)."
    )
    return Measured(times[0][WARMUP:], times[1][WARMUP:], note)


def burst_of(pool: UUID, browser: ClientConnection) -> tuple[float, int]:
    """Seconds from the last of `BURST` commits to its state at the socket, and how many messages told of the burst."""
    from capacity import operations

    for number in range(BURST):
        version = operations.report(pool_id=pool, available=number, by=None, at=timezone.now()).version
    committed = time.perf_counter()
    messages = hear(browser, str(pool), version)
    return time.perf_counter() - committed, messages
