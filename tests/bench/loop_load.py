"""Senders, homes and a stopwatch on one site, in one process that costs little: each request has its instant, whatever came before.

`python -m tests.bench.loop_load PORT SECONDS`, with a line of JSON on its input:
`{"referrals": [[token, patient, profile, [pool, …]], …], "updates": [[token, pool], …], "rates": {"referral": 22, "update": 52}}`.
Writes a line of JSON: for each kind the seconds from the instant at which a request was due to its answer, and answers that were not right.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import uvloop

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Line:
    """Connections that are kept open, as many as are needed at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def _waiting(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection that is open still: the site closes one on which nothing came for five seconds."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
        return None

    async def ask(self, method: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        reader, writer = self._waiting() or await asyncio.open_connection("127.0.0.1", self._port)
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(answer)
        content = await reader.readexactly(int(length[1])) if length else b""
        self._idle.append((reader, writer))
        return int(answer.split(b" ", 2)[1]), content


def requests(given: dict[str, Any], line: Line) -> dict[str, Callable[[int], Any]]:
    """What is asked, by kind: the number of the request says whose turn it is. Each returns the answer and which status is right."""

    async def referral(number: int) -> tuple[int, bytes, int]:
        token, patient, profile, pools = given["referrals"][number % len(given["referrals"])]
        body = json.dumps({"patient": patient, "profile": profile, "pools": pools, "consent": True, "reason": "Of the benchmark"}).encode()
        told = {"Authorization": f"Token {token}", "Idempotency_Key": str(uuid4()), "Content_Type": "application/json"}
        return *await line.ask("POST", "/api/v1/referrals/", body, **told), 201

    async def update(number: int) -> tuple[int, bytes, int]:
        token, pool = given["updates"][number % len(given["updates"])]
        body = json.dumps({"reports": [{"pool": pool, "available": 20 + number % 20}]}).encode()
        told = {"Authorization": f"Token {token}", "Idempotency_Key": str(uuid4()), "Content_Type": "application/json"}
        return *await line.ask("POST", "/api/v1/capacities/reports/", body, **told), 200

    async def floor(number: int) -> tuple[int, bytes, int]:
        return *await line.ask("GET", "/robots.txt", b""), 200

    return {"referral": referral, "update": update, "floor": floor}


async def main(port: int, seconds: float) -> None:
    given = json.loads(sys.stdin.readline())
    times: dict[str, list[float]] = {kind: [] for kind in given["rates"]}
    wrong: Counter[str] = Counter()
    kinds = requests(given, Line(port))
    began = time.perf_counter()

    async def one(kind: str, number: int, due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        try:
            status, content, right = await kinds[kind](number)
        except (OSError, asyncio.IncompleteReadError) as error:
            wrong[f"{kind}: {type(error).__name__}"] += 1
            return
        times[kind].append(time.perf_counter() - due)
        if status != right or (kind == "update" and json.loads(content).get("kept") != 1):
            wrong[f"{kind}: {status} {content[:120].decode(errors='replace')}"] += 1

    due = [
        (number / rate, kind, number) for kind, rate in given["rates"].items() for number in range(int(seconds * rate))
    ]  # all of it known before: a slow answer holds up nothing that comes after
    await asyncio.gather(*(one(kind, number, began + at) for at, kind, number in sorted(due)))
    sys.stdout.write(json.dumps({"times": times, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
