"""Eight computers of discharge teams that ask for matches through the public API, in one process that costs little.

`python -m tests.bench.askers PORT SECONDS`, with a line of JSON on its input: {"token", "bodies": […], "gone"}. Each client asks for a
match and, in turn, for a ranking that there is not (`gone`): what any answer costs. Writes a line of JSON: seconds of each, other answers.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from typing import Any

import uvloop

CLIENTS = 8
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, wanted: bytes, other: Counter[str]
) -> float | None:
    """Seconds until the whole answer is there; None when it is not the one that was wanted."""
    began = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    content = await reader.readexactly(int(length[1])) if length else b""
    took = time.perf_counter() - began
    if wanted not in head[:20]:
        other[(head[:20] + content[:200]).decode(errors="replace")] += 1
        return None
    return took


async def client(port: int, number: int, until: float, given: dict[str, Any], told: dict[str, list[float]], other: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    head = f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Token {given['token']}\r\n"
    gone = f"GET /api/v1/match-runs/{given['gone']}/ {head}\r\n".encode()
    turn = number
    while time.perf_counter() < until:
        body = given["bodies"][turn % len(given["bodies"])]
        turn += CLIENTS
        post = f"POST /api/v1/match-runs/ {head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        for name, request, wanted in (("match", post, b" 201 "), ("gone", gone, b" 404 ")):
            took = await ask(reader, writer, request, wanted, other)
            if took is not None:
                told[name].append(took)
    writer.close()


async def main(port: int, seconds: float) -> None:
    given = json.loads(sys.stdin.readline())
    told: dict[str, list[float]] = {"match": [], "gone": []}
    other: Counter[str] = Counter()
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client(port, number, until, given, told, other) for number in range(CLIENTS)))
    sys.stdout.write(json.dumps(told | {"other": other}) + "\n")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
