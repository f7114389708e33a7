"""One socket's side of the hub: what it watches, and what waits to be written to it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from websockets.frames import Frame, Opcode

from notifications.viewer import Viewer

#: Seconds that one write may take. Whoever reads more slowly is cut off, and comes back with its cursor.
SEND_TIMEOUT = 20.0


def encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Message:
    """What many sockets are told alike: the text, and the bytes that a server puts on the wire for it, made once for all."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def frame(self) -> bytes:
        """An unmasked, uncompressed frame of RFC 6455: the same for every client."""
        return Frame(Opcode.TEXT, self.text.encode()).serialize(mask=False)


class State(NamedTuple):
    """What one pool shows: its version, and the whole of it as JSON."""

    version: int
    text: str


def events(cursor: str, states: Mapping[UUID, State], topics: Iterable[str]) -> str:
    """The text that tells of changed pools and topics, as of `cursor`."""
    pools = ",".join(f'"{pool}":{state.text}' for pool, state in states.items())
    return f'{{"kind":"events","cursor":"{cursor}","pools":{{{pools}}},"topics":{encode(sorted(topics))}}}'


class Listener:
    """Watches pools and topics, and writes what the hub offers, one message at a time.

    While a write is under way, later offers merge: of each pool only the last state is kept, of each topic its name. A slow
    reader therefore costs no more memory than what it watches, misses no last state, and holds up nobody else.

    With `put`, which writes a ready frame at once and says whether it could, a reader that keeps up is written to directly: no task, no
    text of its own. That is a tenth of the work, and most of what a thousand open pages cost.

    `begin` holds everything back until `answer` has given the snapshot (or replay) that the offers follow: a client may
    remember a cursor only when it has seen all that came before. What the answer told may be younger than what the hub was reading
    meanwhile: an offer of an older version is not written any more.
    """

    def __init__(
        self,
        viewer: Viewer,
        write: Callable[[str], Awaitable[None]],
        cut_off: Callable[[], Awaitable[None]],
        put: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.viewer = viewer
        self.pools: set[UUID] = set()
        self.topics: set[str] = set()
        self._write, self._cut_off, self._put = write, cut_off, put
        self._held = True
        self._first = ""
        self._beat = ""
        self._cursor = ""
        self._states: dict[UUID, State] = {}
        #: Versions that the answer told, of pools that no offer has caught up with yet.
        self._answered: dict[UUID, int] = {}
        self._named: set[str] = set()
        self._writer: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A new watch begins: write nothing until it is answered."""
        self._held = True

    def answer(self, text: str, versions: Mapping[UUID, int]) -> None:
        """Write the answer to a watch, which told these versions, then whatever was offered in the meantime."""
        self._answered = dict(versions)
        self._first, self._states, self._held = text, self._not_older(self._states), False
        self._wake()

    def offer(self, cursor: str, states: Mapping[UUID, State], topics: Iterable[str], message: Message) -> None:
        """Changed pools and topics, as of `cursor`; `message` says the same, and goes to others too."""
        if not self._held and self._answered:
            new = self._not_older(states)
            if len(new) < len(states):
                states, message = new, Message(events(cursor, new, topics))
        if self._put_now(message):
            return
        self._cursor = cursor
        self._states.update(states)
        self._named.update(topics)
        self._wake()

    def beat(self, message: Message) -> None:
        """A heartbeat; only the last one counts."""
        if self._put_now(message):
            return
        self._beat = message.text
        self._wake()

    def _not_older(self, states: Mapping[UUID, State]) -> dict[UUID, State]:
        """What is no older than the answer told; with that, the offers have caught up."""
        new = {pool: state for pool, state in states.items() if state.version >= self._answered.get(pool, 0)}
        for pool in new:
            self._answered.pop(pool, None)
        return new

    def _put_now(self, message: Message) -> bool:
        """Write it at once, unless something is to be written before it."""
        if self._put is None or self._held or not (self._writer is None or self._writer.done()):
            return False
        return not (self._first or self._states or self._named or self._beat) and self._put(message.frame)

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
            text = events(self._cursor, self._states, self._named)
            self._states, self._named = {}, set()
            return text
        text, self._beat = self._beat, ""
        return text
