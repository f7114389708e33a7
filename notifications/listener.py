"""One socket's side of the hub: what it watches, and what waits to be written to it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from notifications.viewer import Viewer

#: Seconds that one write may take. Whoever reads more slowly is cut off, and comes back with its cursor.
SEND_TIMEOUT = 20.0


def encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Listener:
    """Watches pools and topics, and writes what the hub offers, one message at a time.

    While a write is under way, later offers merge: of each pool only the last state is kept, of each topic its name. A slow
    reader therefore costs no more memory than what it watches, misses no last state, and holds up nobody else.

    `begin` holds everything back until `answer` has given the snapshot (or replay) that the offers follow: a client may
    remember a cursor only when it has seen all that came before.
    """

    def __init__(self, viewer: Viewer, write: Callable[[str], Awaitable[None]], cut_off: Callable[[], Awaitable[None]]) -> None:
        self.viewer = viewer
        self.pools: set[UUID] = set()
        self.topics: set[str] = set()
        self._write, self._cut_off = write, cut_off
        self._held = True
        self._first = ""
        self._beat = ""
        self._cursor = ""
        self._states: dict[UUID, str] = {}
        self._named: set[str] = set()
        self._writer: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A new watch begins: write nothing until it is answered."""
        self._held = True

    def answer(self, text: str) -> None:
        """Write the answer to a watch, then whatever was offered in the meantime."""
        self._first, self._held = text, False
        self._wake()

    def offer(self, cursor: str, states: Mapping[UUID, str], topics: Iterable[str]) -> None:
        """Changed pools (id → encoded state) and topics, as of `cursor`."""
        self._cursor = cursor
        self._states.update(states)
        self._named.update(topics)
        self._wake()

    def beat(self, text: str) -> None:
        """A heartbeat; only the last one counts."""
        self._beat = text
        self._wake()

    def close(self) -> None:
        """Write nothing more."""
        self._held = True
        if self._writer is not None:
            self._writer.cancel()

    def _wake(self) -> None:
        if not self._held and (self._writer is None or self._writer.done()):
            self._writer = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while not self._held and (text := self._next()):
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._write(text)
        except Exception:  # a socket that cannot be written to is finished, whatever the reason
            self._held = True
            await self._cut_off()

    def _next(self) -> str:
        text, self._first = self._first, ""
        if text:
            return text
        if self._states or self._named:
            pools = ",".join(f'"{pool}":{state}' for pool, state in self._states.items())
            text = f'{{"kind":"events","cursor":"{self._cursor}","pools":{{{pools}}},"topics":{encode(sorted(self._named))}}}'
            self._states, self._named = {}, set()
            return text
        text, self._beat = self._beat, ""
        return text
