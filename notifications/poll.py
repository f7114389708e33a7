"""`POST /live/poll/`: the socket's protocol, a question at a time, for browsers behind a proxy that lets no socket through.

The body is what a browser would send to the socket; the answer is a list of the messages that the socket would have sent. A browser that
missed something is answered at once, one that did not when something changes, or after `HOLD`. It asks again with the last cursor, so
nothing falls between two questions. What it may see is read by the same functions, from the same hub, anew for each question.
"""

import asyncio
import contextlib
import logging
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer
from django.db import Error as DatabaseError

from core.errors import LuneError
from notifications import watch
from notifications.hub import hub, in_thread
from notifications.listener import Listener, encode
from notifications.viewer import Viewer

logger = logging.getLogger(__name__)

#: Seconds after which a browser is answered although nothing has changed: shorter than the silence in which it ceases to call itself live.
HOLD = 4.0
#: Seconds that a first question waits for the hub to find its place.
PLACE_TIMEOUT = 5.0
#: Bytes of one question.
MOST_BYTES = 4 * watch.MOST_CHARACTERS

NOT_NOW = LuneError("Live updates are not to be had now. Try again shortly.", code="not-live")
HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class LivePoll(AsyncHttpConsumer):
    """One question. It changes nothing, so it needs no token against forgery; another site's page cannot read the answer."""

    #: The hub hears for the whole process.
    channel_layer_alias = None

    async def http_request(self, message: dict[str, Any]) -> None:
        """Collect the question, but not without end."""
        if sum(map(len, self.body)) + len(message.get("body", b"")) > MOST_BYTES:
            await self._answer(413, [_error(LuneError("This message is too long. Watch fewer things at once.", code="too-long"))])
            raise StopConsumer
        await super().http_request(message)

    async def handle(self, body: bytes) -> None:
        if self.scope["method"] != "POST":
            await self._answer(405, [_error(LuneError("Send what you want to watch by POST.", code="not-post"))])
            return
        try:
            wanted = watch.understand(body.decode(errors="replace"))
            await self._answer(200, await self._ask(wanted))
        except TimeoutError:
            await self._answer(503, [_error(NOT_NOW)])
        except DatabaseError as error:
            logger.warning("live: cannot answer a question (%s)", type(error).__name__)
            await self._answer(503, [_error(NOT_NOW)])
        except LuneError as error:
            await self._answer(422, [_error(error)])

    async def _ask(self, wanted: watch.Watch) -> list[str]:
        """Register first, read second, as the socket does; then wait until there is something to say."""
        said: list[str] = []
        news, ended, ending = asyncio.Event(), asyncio.Event(), False

        async def write(text: str) -> None:
            if not text.startswith('{"kind":"heartbeat"'):
                said.append(text)
                if len(said) > 1:
                    news.set()
            elif ending:
                said.append(text)
                ended.set()

        async def cut_off() -> None:
            """Nobody is slow here: what is written is kept until it is sent."""

        listener = Listener(Viewer(self.scope["user"]), write, cut_off)
        try:
            async with asyncio.timeout(PLACE_TIMEOUT):
                await hub().join(listener)
            hub().watch(listener, wanted.pools, wanted.topics)
            told = hub().told
            answer = await in_thread(lambda: watch.answer(listener.viewer, wanted, told))
            hub().watch(listener, answer.pools, answer.topics)
            listener.answer(answer.text, answer.versions)
            if not answer.news:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HOLD):
                        await news.wait()
            # A heartbeat is written after all that was offered before it: its cursor says no more than what the browser has then.
            ending = True
            listener.beat(hub().heartbeat())
            await ended.wait()
        finally:
            hub().leave(listener)
            listener.close()
        return said

    async def _answer(self, status: int, messages: list[str]) -> None:
        await self.send_response(status, f"[{','.join(messages)}]".encode(), headers=HEADERS)


def _error(error: LuneError) -> str:
    return encode({"kind": "error", "code": error.code, "message": error.message})
