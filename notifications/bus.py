"""What the relay and the hubs share: the channel of Redis, the two messages, and how long silence may last.

Redis is spoken to directly, not through a channel layer: a layer hides that its connection broke and tries again in its own time, and then
pages were not live for many seconds after Redis was back.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

#: One batch of rows: {previous, cursor, events: [{type, topics, audience}]}.
BATCH = "event.batch"
#: The relay lives: {cursor}.
HEARTBEAT = "event.heartbeat"
#: Seconds between two heartbeats of the relay.
BEAT = 1.0
#: Seconds without a word after which the far end is held to be dead.
SILENCE = 3.0
#: Seconds that opening a connection, or sending one message, may take.
TIMEOUT = 1.0


def client() -> Redis:
    """A connection that says at once that it broke: who uses it knows better when to try again."""
    return Redis.from_url(
        settings.REDIS_URL, retry=Retry(NoBackoff(), 0), socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT, health_check_interval=0
    )


async def send(redis: Redis, message: dict[str, Any]) -> None:
    """Tell all hubs that hear now."""
    await redis.publish(settings.LIVE_CHANNEL, json.dumps(message))


async def hear(redis: Redis) -> AsyncIterator[dict[str, Any]]:
    """Each message from now on. Raises as soon as Redis is gone, and TimeoutError when nothing was said for `SILENCE`."""
    async with redis.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(settings.LIVE_CHANNEL)
        while True:
            async with asyncio.timeout(SILENCE):
                message = None
                while message is None:
                    message = await heard.get_message(timeout=SILENCE)
            yield json.loads(message["data"])


def back_off(attempt: int, *, chance: float, first: float = 0.1, most: float = 0.5) -> float:
    """Seconds to wait before try number `attempt` (from 0): doubling, at most `most`, spread by `chance` (0 to 1)."""
    return min(most, first * 2 ** min(attempt, 16)) * (0.5 + chance / 2)
