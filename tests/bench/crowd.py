"""A thousand browsers in one process that cost almost nothing: they note when each message came, and reckon at the end.

`python -m tests.bench.crowd PORT PATH COUNT`. The first line of its input is what each socket says when it opens (may be empty); it
answers "ready" when all are open and each has been answered: what a thousand pages that open in the same second wait for is another
question than how soon an open page is told. Any further line is a JSON list of updates [[pool, version, sent at], …] (clock:
`time.perf_counter`, the same in all processes of a machine); it answers a line of JSON with what became of them, and forgets what it noted.
"""

import asyncio
import bisect
import json
import math
import os
import sys
import time
from typing import cast

import uvloop

Noted = list[tuple[float, bytes]]


class Socket(asyncio.Protocol):
    """The least of RFC 6455 that a reader needs."""

    def __init__(self, request: bytes, hello: bytes, ready: asyncio.Semaphore) -> None:
        self._request, self._hello, self._ready = request, hello, ready
        self._open, self._rest = False, b""
        self.noted: Noted = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of a class of their own
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._rest + data if self._rest else data
        if not self._open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            if b" 101 " not in head[:20]:
                raise RuntimeError(head.decode(errors="replace"))
            self._open = True
            if self._hello:
                self._transport.write(frame(1, self._hello))
            else:
                self._ready.release()
        while len(data) >= 2:
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            if len(data) < start + size:
                break
            kind, text, data = data[0] & 15, data[start : start + size], data[start + size :]
            if kind == 9:
                self._transport.write(frame(10, text))
            elif kind == 1 and b'"version":' in text:
                self.noted.append((now, text))
                if b'"kind":"snapshot"' in text:
                    self._ready.release()
        self._rest = data


def frame(kind: int, text: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    size = bytes([128 | len(text)]) if len(text) < 126 else bytes([254]) + len(text).to_bytes(2, "big")
    return bytes([128 | kind]) + size + bytes(4) + text


def reckon(sockets: list[Socket], updates: list[tuple[str, int, float]]) -> dict[str, object]:
    """Of each update at each socket: how long until that version, or a later one of the pool, came."""
    read: dict[bytes, list[tuple[str, int]]] = {}
    late: list[float] = []
    lost = back = messages = 0
    for socket in sockets:
        came: dict[str, tuple[list[int], list[float]]] = {}
        for at, text in socket.noted:
            messages += 1
            if text not in read:
                read[text] = [(pool, state["version"]) for pool, state in json.loads(text)["pools"].items()]
            for pool, version in read[text]:
                versions, times = came.setdefault(pool, ([], []))
                back += bool(versions and version < versions[-1])
                versions.append(version)
                times.append(at)
        for pool, version, sent in updates:
            versions, times = came.get(pool, ([], []))
            place = bisect.bisect_left(versions, version)
            if place < len(versions):
                late.append(times[place] - sent)
            else:
                lost += 1
        socket.noted = []
    late.sort()
    return {
        "late": [late[max(0, math.ceil(share / 1000 * len(late)) - 1)] for share in range(1, 1001)] if late else [],
        "lost": lost,
        "back": back,
        "messages": messages,
        "cpu": sum(os.times()[:2]),
    }


async def main(port: int, path: str, count: int) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    hello = (await lines.readline()).strip()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bHVuZS1iZW5jaC1jcm93ZA==\r\n\r\n"
    ).encode()
    ready = asyncio.Semaphore(0)
    sockets: list[Socket] = []
    for _ in range(count):
        _, socket = await loop.create_connection(lambda: Socket(request, hello, ready), "127.0.0.1", port)
        sockets.append(socket)
        await ready.acquire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await lines.readline():
        sys.stdout.write(json.dumps(reckon(sockets, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
