"""The hub: one in each web process. It hears the relay once and tells the process's own sockets what they watch."""

import asyncio
import contextlib
import logging
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from channels.db import database_sync_to_async

from capacity import queries
from catalogue.models import User
from core import clock
from notifications import bus, journal, viewer
from notifications.journal import Cursor
from notifications.listener import Listener, Message, State, encode, events

logger = logging.getLogger(__name__)

T = TypeVar("T")
Key = TypeVar("Key", UUID, str)

#: Seconds in which changes are gathered in a burst. The first after a quiet time goes at once, and so do few.
TICK = 0.1
#: How many changes since the last telling are few: then the rest before the next is only as long as the loop was busy with this one.
FEW = 2
#: Seconds between two heartbeats to each listener.
BEAT = 2.0
#: Seconds between two looks at the rows while the relay or Redis is silent.
LOOK = 0.5
#: Rows read at once when the hub catches up by itself.
PAGE = 2_000

#: Who may learn of a change: the organisations of all its events together; None is everybody.
Audience = frozenset[UUID] | None


@dataclass
class Changes:
    """What changed since the last tick, each with its audience."""

    pools: dict[UUID, Audience] = field(default_factory=dict)
    topics: dict[str, Audience] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.pools or self.topics)

    def merge(self, other: "Changes") -> None:
        for pool, audience in other.pools.items():
            widen(self.pools, pool, audience)
        for topic, audience in other.topics.items():
            widen(self.topics, topic, audience)


def widen(known: dict[Key, Audience], key: Key, audience: Audience) -> None:
    """Note that `key` changed, also for `audience`."""
    before = known.get(key, frozenset())
    known[key] = None if before is None or audience is None else before | audience


@dataclass(frozen=True)
class Answer:
    """What was read for one tick: encoded states, the pools that each kind of viewer sees, users and their private topics as of now."""

    states: Mapping[UUID, State]
    seen: Mapping[str, set[UUID]]
    users: Mapping[UUID, User]
    private: Mapping[UUID, set[str]]


async def in_thread(work: Callable[[], T]) -> T:
    """Run database work beside the loop, on a connection of its thread's own."""
    return await database_sync_to_async(work, thread_sensitive=False)()


class Hub:
    """Hears, gathers, reads once, fans out. Survives Redis, the relay and PostgreSQL going away."""

    def __init__(self) -> None:
        #: All rows up to here have been noted.
        self.cursor = journal.START
        #: All rows up to here have been told to every listener.
        self.told = journal.START
        self._heard_at = float("-inf")
        self._deaf = True
        self._listeners: set[Listener] = set()
        self._by_pool: dict[UUID, set[Listener]] = defaultdict(set)
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._changes = Changes()
        self._noted = 0
        self._changed = asyncio.Event()
        self._placed = asyncio.Event()
        self._catching_up = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    # --- listeners

    @property
    def live(self) -> bool:
        """Whether the relay was heard lately."""
        return time.monotonic() - self._heard_at < bus.SILENCE

    def heartbeat(self) -> Message:
        """How far listeners have been told, whether the relay is heard, and what time it is here."""
        return Message(encode({"kind": "heartbeat", "cursor": str(self.told), "live": self.live, "at": clock.now().isoformat()}))

    async def join(self, listener: Listener) -> None:
        """Add a listener; the first starts the hub. Returns when the hub knows its place in the journal."""
        self._tasks = [task for task in self._tasks if not task.done()]
        if not self._tasks:
            work = (self._place, self._listen, self._look, self._tell, self._beat)
            self._tasks = [asyncio.create_task(self._for_ever(one)) for one in work]
        self._listeners.add(listener)
        await self._placed.wait()

    def watch(self, listener: Listener, pools: Iterable[UUID], topics: Iterable[str]) -> None:
        """From now on tell `listener` of these and no others."""
        self._forget(listener)
        listener.pools, listener.topics = set(pools), set(topics)
        for pool in listener.pools:
            self._by_pool[pool].add(listener)
        for topic in listener.topics:
            self._by_topic[topic].add(listener)

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._forget(listener)
        self._listeners.discard(listener)

    def _forget(self, listener: Listener) -> None:
        for pool in listener.pools:
            _discard(self._by_pool, pool, listener)
        for topic in listener.topics:
            _discard(self._by_topic, topic, listener)

    # --- hearing

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` again whenever it ends in an error."""
        attempt, began = 0, time.monotonic()
        while True:
            try:
                await work()
            except Exception as error:  # a hub that stops is worse than any error it could meet
                if time.monotonic() - began > bus.SILENCE:
                    attempt = 0
                logger.warning("hub: %s failed (%s: %s); trying again", work.__name__, type(error).__name__, error)
            else:
                return
            await asyncio.sleep(bus.back_off(attempt, chance=random.random()))  # noqa: S311 – spreads retries, guards nothing
            attempt, began = attempt + 1, time.monotonic()

    async def _place(self) -> None:
        """Begin at the newest settled row. What a client missed before that, it asks for with its own cursor."""
        self.cursor = self.told = await in_thread(journal.newest)
        self._placed.set()

    async def _listen(self) -> None:
        """Hear the relay until it falls silent; then start over with a new connection, in case ours was to blame."""
        await self._placed.wait()
        redis = bus.client()
        try:
            async for message in bus.hear(redis):
                self._deaf = False
                await self._hear(message)
        except TimeoutError:
            raise TimeoutError("the relay is silent") from None
        finally:
            self._deaf = True
            await redis.aclose()

    async def _hear(self, message: dict[str, Any]) -> None:
        self._heard_at = time.monotonic()
        cursor = Cursor.parse(message["cursor"])
        for event in message.get("events", ()):
            self._note(event["topics"], event["audience"])
        if cursor == self.cursor:
            return
        if cursor and message["type"] == bus.BATCH and Cursor.parse(message["previous"]) == self.cursor:
            self.cursor = cursor
            self._changed.set()
        else:
            # A batch or more did not reach us, or we are ahead of the relay: the rows tell.
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Note every settled row after our cursor. When our own row is gone, nothing can be ruled out: note everything."""
        async with self._catching_up:
            place = self.cursor
            if not await in_thread(lambda: journal.known(place)):
                self.cursor = await in_thread(journal.newest)
                if self.cursor != place:
                    self._note_everything()
                return
            while rows := await in_thread(lambda: journal.settled_after(self.cursor, PAGE)):
                for row in rows:
                    self._note(row.topics, row.audience)
                self.cursor = max(self.cursor, rows[-1].cursor)
                self._changed.set()

    def _note(self, topics: Iterable[str], audience: Iterable[Any] | None) -> None:
        """Remember what changed, as far as somebody here watches it."""
        who = None if audience is None else frozenset(UUID(str(organization)) for organization in audience)
        for topic in topics:
            if topic in self._by_topic:
                widen(self._changes.topics, topic, who)
            if topic.startswith("pool:"):
                with contextlib.suppress(ValueError):  # one row that nobody can read must not stop all after it
                    if (pool := UUID(topic[5:])) in self._by_pool:
                        widen(self._changes.pools, pool, who)
        if self._changes:
            self._noted += 1
            self._changed.set()

    def _note_everything(self) -> None:
        self._changes = Changes(pools=dict.fromkeys(self._by_pool), topics=dict.fromkeys(self._by_topic))
        self._changed.set()

    async def _look(self) -> None:
        """While Redis is away or the relay silent, look at the rows ourselves: late is better than never."""
        await self._placed.wait()
        while True:
            await asyncio.sleep(LOOK)
            if self._deaf or time.monotonic() - self._heard_at > 1.5 * bus.BEAT:
                await self._catch_up()

    async def _beat(self) -> None:
        """Every two seconds: tell each listener how far it has been told, and whether the relay is heard."""
        while True:
            await asyncio.sleep(BEAT)
            message = self.heartbeat()
            for listener in tuple(self._listeners):
                listener.beat(message)

    # --- telling

    async def _tell(self) -> None:
        """Tell the first change at once, few as they come, and a burst once each tick: the last state of each pool."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            began = busy_since = time.monotonic()
            changes, self._changes = self._changes, Changes()
            upto, noted, self._noted = self.cursor, self._noted, 0
            try:
                if changes:
                    answer = await in_thread(self._question(changes))
                    busy_since = time.monotonic()
                    self._fan_out(changes, answer, upto)
            except Exception:
                changes.merge(self._changes)
                self._changes = changes
                self._changed.set()
                raise
            self.told = upto
            ended = time.monotonic()
            await asyncio.sleep(min(ended - busy_since, TICK) if noted <= FEW else max(0.0, TICK - (ended - began)))

    def _question(self, changes: Changes) -> Callable[[], Answer]:
        """What must be read to tell of `changes`, as work for a thread."""
        watching = {listener for pool in changes.pools for listener in self._by_pool.get(pool, ())}
        kinds = {listener.viewer.catalogue: listener.viewer.user for listener in watching}
        private: dict[UUID, set[str]] = defaultdict(set)
        for topic in changes.topics:
            if topic.startswith(viewer.PRIVATE):
                for listener in self._by_topic.get(topic, ()):
                    private[listener.viewer.user.pk].add(topic)

        def read() -> Answer:
            seen = {kind: viewer.pools_seen(user, changes.pools) for kind, user in kinds.items()}
            shown = set().union(*seen.values())
            states = queries.pool_states(shown, clock.now()) if shown else {}
            users = User.objects.in_bulk(private) if private else {}
            return Answer(
                states={pool: State(state.version, encode(state.as_json())) for pool, state in states.items()},
                seen=seen,
                users=users,
                private={pk: viewer.topics_seen(user, private[pk]) for pk, user in users.items()},
            )

        return read

    def _fan_out(self, changes: Changes, answer: Answer, upto: Cursor) -> None:
        """Offer each listener what it watches and may see. Whoever is told the same changes, each of which is a bit, shares a message."""
        told: dict[Listener, int] = defaultdict(int)
        pools = [(pool, state) for pool in changes.pools if (state := answer.states.get(pool))]
        for number, (pool, _) in enumerate(pools):
            kinds = {kind for kind, seen in answer.seen.items() if pool in seen}
            audience = changes.pools[pool]
            for listener in self._by_pool.get(pool, ()):
                if listener.viewer.catalogue in kinds and (audience is None or viewer.in_audience(listener.viewer.user, audience)):
                    told[listener] |= 1 << number
        topics = list(changes.topics)
        for number, topic in enumerate(topics, start=len(pools)):
            private = topic.startswith(viewer.PRIVATE)
            for listener in self._by_topic.get(topic, ()):
                user = listener.viewer.user
                if private:
                    if topic not in answer.private.get(user.pk, ()):
                        continue
                    user = answer.users[user.pk]
                if viewer.in_audience(user, changes.topics[topic]):
                    told[listener] |= 1 << number
        offers: dict[int, tuple[str, dict[UUID, State], frozenset[str], Message]] = {}
        for listener, which in told.items():
            if which not in offers:
                changed = {pool: state for number, (pool, state) in enumerate(pools) if which >> number & 1}
                named = frozenset(topic for number, topic in enumerate(topics, start=len(pools)) if which >> number & 1)
                offers[which] = (str(upto), changed, named, Message(events(str(upto), changed, named)))
            listener.offer(*offers[which])


def _discard(index: dict[Key, set[Listener]], key: Key, listener: Listener) -> None:
    index[key].discard(listener)
    if not index[key]:
        del index[key]


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This process's hub (one for each event loop, of which a web process has one)."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
