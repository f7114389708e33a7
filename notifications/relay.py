"""The relay: reads settled event rows and tells every web process's hub, by way of Redis.

It keeps no place of its own. On start it begins at the newest settled row; a message that Redis lost is not sent again.
Neither loses anything: each batch says which cursor it follows and each heartbeat says the newest, so a hub that missed a
batch sees it (its own cursor is not the one that was followed) and reads the rows by itself.

A transaction that stays open for long holds back the watermark, not the screens: rows that stay visible but unsettled are
told early, without moving the cursor, and told again once they settle.
"""

import asyncio
import logging
import random
import time
from typing import Any

import psycopg
import redis.exceptions
from django.db import connection

from core.events import WAKE_CHANNEL
from notifications import bus, journal
from notifications.journal import Cursor, Row
from notifications.notices.hearing import TYPES
from notifications.notices.tasks import look

logger = logging.getLogger(__name__)

#: Key of the advisory lock that makes one relay the active one.
LOCK_KEY = 0x4C554E45  # "LUNE"
#: Rows read at once.
PAGE = 500
#: Seconds between two looks when no wake-up comes: a lost one costs no more than this.
POLL = 0.5
#: Seconds between two looks while visible rows wait for an older transaction to end.
POLL_UNSETTLED = 0.02
#: Seconds for which the watermark may stand still before unsettled rows are told early.
STALL = 0.1
#: Seconds between two heartbeats while Redis is away: the first that arrives makes the pages live again.
BEAT_AWAY = 0.25
#: Seconds between two hints that there is something to tell people.
HINTS = 0.3
#: Seconds between two looks whether the active relay has died.
STANDBY = 0.25

TRANSIENT = (psycopg.Error, redis.exceptions.RedisError, OSError, TimeoutError)


class Relay:
    """One relay. `run` returns only when it is cancelled."""

    def __init__(self) -> None:
        self.redis = bus.client()
        self.cursor = journal.START
        self._early: set[int] = set()
        self._moved_at = 0.0
        self._beat_due = 0.0
        self._redis_away = False
        self._for_people = asyncio.Event()

    async def run(self) -> None:
        """Lead whenever the lock can be had; when PostgreSQL goes away, come back."""
        hints = asyncio.create_task(self._hint())
        try:
            await self._run()
        finally:
            hints.cancel()

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                async with await self._connect() as database:
                    attempt = 0
                    await self._wait_for_lock(database)
                    await self._lead(database)
            except TRANSIENT as error:
                pause = bus.back_off(attempt, chance=random.random())  # noqa: S311 – spreads retries, guards nothing
                logger.warning("relay: PostgreSQL is away (%s); next try in %.1f s", type(error).__name__, pause)
                attempt += 1
                await asyncio.sleep(pause)

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        known = connection.get_connection_params()
        wanted = {key: value for key, value in known.items() if key not in ("context", "cursor_factory", "pool")}
        # Keep-alives notice a server that vanished without a goodbye; the relay's own name shows in pg_stat_activity.
        wanted |= {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
        return await psycopg.AsyncConnection.connect(**wanted, autocommit=True, application_name="lune relay")

    async def _wait_for_lock(self, database: psycopg.AsyncConnection[Any]) -> None:
        """Stand by until no other relay is active. Asks again and again: a waiting lock statement would hold back vacuum."""
        standby = False
        while True:
            row = await (await database.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])).fetchone()
            if row and row[0]:
                logger.info("relay: active")
                return
            if not standby:
                logger.info("relay: another one is active; standing by")
                standby = True
            await asyncio.sleep(STANDBY)

    async def _lead(self, database: psycopg.AsyncConnection[Any]) -> None:
        await database.execute(f'LISTEN "{WAKE_CHANNEL}"')
        found = await (await database.execute(journal.NEWEST)).fetchone()
        self.cursor = Cursor(int(found[0]), found[1]) if found else journal.START
        self._early.clear()
        self._moved_at = time.monotonic()
        self._beat_due = 0.0
        while True:
            if time.monotonic() >= self._beat_due:
                await self._send({"type": bus.HEARTBEAT, "cursor": str(self.cursor)})
                self._beat_due = time.monotonic() + (BEAT_AWAY if self._redis_away else bus.BEAT)
            read = [Row.of(values) for values in await self._read(database)]
            unsettled = await self._tell(read)
            if len(read) < PAGE or unsettled:
                pause = POLL_UNSETTLED if unsettled else POLL
                await self._sleep(database, max(0.0, min(pause, self._beat_due - time.monotonic())))

    async def _read(self, database: psycopg.AsyncConnection[Any]) -> list[tuple[Any, ...]]:
        arguments = [str(self.cursor.xid), self.cursor.id, PAGE + len(self._early)]
        return await (await database.execute(journal.READ, arguments)).fetchall()

    async def _tell(self, read: list[Row]) -> bool:
        """Send what is new among the rows after the cursor. Returns whether some are not settled."""
        settled = [row for row in read if row.settled]
        waiting = [row for row in read if not row.settled]
        now = time.monotonic()
        if settled or not waiting:
            self._moved_at = now
        early = [row for row in waiting if row.cursor.id not in self._early] if now - self._moved_at >= STALL else []
        previous = self.cursor
        if settled:
            self.cursor = settled[-1].cursor
            self._early.difference_update(row.cursor.id for row in settled)
        self._early.update(row.cursor.id for row in early)
        if any(row.type in TYPES for row in settled):
            self._for_people.set()
        if settled or early:
            events = [
                {
                    "type": row.type,
                    "topics": row.topics,
                    "audience": None if row.audience is None else [str(organization) for organization in row.audience],
                }
                for row in (*settled, *early)
            ]
            await self._send({"type": bus.BATCH, "previous": str(previous), "cursor": str(self.cursor), "events": events})
        return bool(waiting)

    async def _hint(self) -> None:
        """Have a worker look for what people are to be told. It keeps its own place and looks each minute: a lost hint costs no more."""
        while True:
            await self._for_people.wait()
            self._for_people.clear()
            try:
                await asyncio.to_thread(_look)
            except Exception as error:  # the relay goes on, whatever is wrong there
                logger.warning("relay: no worker could be asked to tell people (%s)", type(error).__name__)
            await asyncio.sleep(HINTS)

    async def _send(self, message: dict[str, Any]) -> None:
        """Tell the hubs. Redis is a hint: a failure is noted once and the message dropped."""
        try:
            async with asyncio.timeout(2 * bus.TIMEOUT):
                await bus.send(self.redis, message)
        except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
            if not self._redis_away:
                logger.warning("relay: Redis is away (%s); hubs will read the rows by themselves", type(error).__name__)
            self._redis_away = True
        else:
            if self._redis_away:
                logger.info("relay: Redis is back")
            self._redis_away = False

    async def _sleep(self, database: psycopg.AsyncConnection[Any], seconds: float) -> None:
        """Until a commit wakes us, or `seconds` have passed."""
        async for _ in database.notifies(timeout=seconds, stop_after=1):
            pass


def _look() -> None:
    """In a thread of its own, whose connection to the database is given back."""
    try:
        look()
    finally:
        connection.close()
