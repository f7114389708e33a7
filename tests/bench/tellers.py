"""Sixteen computers of providers that tell figures through the public API, in one process that costs little.

`python -m tests.bench.tellers PORT SECONDS`, with a line of JSON on its input: [[token, pool, version], …], one for each client; with a
list of pools in place of one, a client tells of all of them in each request. Writes a line of JSON: when each update was answered (seconds
from the start), and answers other than 200.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter

import uvloop

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_VERSION = re.compile(rb'"version":(\d+)')


async def client(port: int, token: str, pool: str, version: int, until: float, answered: list[float], other: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.perf_counter() < until:
        number += 1
        body = b'{"available": %d}' % (number % 10)
        writer.write(
            f"PATCH /api/v1/capacities/{pool}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Token {token}\r\n"
            f'If-Match: "v{version}"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'.encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        content = await reader.readexactly(int(length[1])) if length else b""
        found = _VERSION.search(content)
        if b" 200 " not in head[:20] or not found:
            other[(head[:20] + content[:200]).decode(errors="replace")] += 1
            continue
        version = int(found[1])
        answered.append(time.perf_counter())
    writer.close()


async def group(port: int, token: str, pools: list[str], until: float, answered: list[float], other: Counter[str]) -> None:
    """What keeps the figures of many homes: a line for each in one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.perf_counter() < until:
        number += 1
        body = json.dumps({"reports": [{"pool": pool, "available": number % 10} for pool in pools]}).encode()
        writer.write(
            f"POST /api/v1/capacities/reports/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Token {token}\r\n"
            f"Idempotency-Key: {token}-{number}-{until}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        content = await reader.readexactly(int(length[1])) if length else b""
        kept = json.loads(content).get("kept", 0) if b" 200 " in head[:20] else 0
        if kept < len(pools):
            other[(head[:20] + content[:200]).decode(errors="replace")] += len(pools) - kept
        answered.extend([time.perf_counter()] * kept)
    writer.close()


async def main(port: int, seconds: float) -> None:
    clients = json.loads(sys.stdin.readline())
    answered: list[float] = []
    other: Counter[str] = Counter()
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(
        *(
            group(port, token, pools, until, answered, other)
            if isinstance(pools, list)
            else client(port, token, pools, version, until, answered, other)
            for token, pools, version in clients
        )
    )
    sys.stdout.write(json.dumps({"answered": [at - began for at in answered], "other": other}) + "\n")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
