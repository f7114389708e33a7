"""The socket at `/live/`."""

import asyncio
import contextlib
import logging
import random
import time
from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError

from core.errors import Invalid, LuneError
from notifications import served, watch
from notifications.hub import hub, in_thread
from notifications.listener import Listener, encode
from notifications.viewer import Viewer

logger = logging.getLogger(__name__)

#: Seconds between two looks whether the viewer is still signed in, and still who it was.
SESSION_CHECK = 30.0
#: Messages that a browser may send at once, and then each second.
BURST, RATE = 20, 2.0
#: Seconds that a first socket waits for the hub to find its place.
PLACE_TIMEOUT = 5.0

#: Close codes, beside those of RFC 6455: sign in again, then come back.
SIGNED_OUT = 4401
POLICY, TOO_BIG, TRY_LATER = 1008, 1009, 1013


class Allowance:
    """A token bucket: `BURST` messages at once, `RATE` a second after that."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), time.monotonic()

    def spend(self) -> bool:
        """Whether one more message is allowed now."""
        now = time.monotonic()
        self._left = min(float(BURST), self._left + (now - self._at) * RATE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class LiveConsumer(AsyncWebsocketConsumer):
    """Checks who comes and what they ask for; the hub and the listener do the rest."""

    #: No channel of its own: the hub hears for the whole process, and a socket opens while Redis is away.
    channel_layer_alias = None

    _checking: asyncio.Task[None] | None = None
    _listener: Listener | None = None

    async def connect(self) -> None:
        self._allowance = Allowance()
        self._viewer = Viewer(self.scope["user"])
        await self.accept()
        put = self.scope.get("extensions", {}).get(served.EXTENSION)
        listener = self._listener = Listener(self._viewer, self._write, self._cut_off, put)
        try:
            async with asyncio.timeout(PLACE_TIMEOUT):
                await hub().join(listener)
        except TimeoutError:
            await self._refuse(LuneError("Live updates are not to be had now. Try again shortly.", code="not-live"), TRY_LATER)
            return
        if self.scope["user"].is_authenticated:
            self._checking = asyncio.create_task(self._keep_checking())

    async def disconnect(self, code: int) -> None:
        if self._listener is not None:
            hub().leave(self._listener)
            self._listener.close()
        if self._checking is not None:
            self._checking.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._allowance.spend():
            await self._refuse(Invalid("Too many messages. Wait a little before you connect again.", code="too-fast"), POLICY)
            return
        if text_data is None:
            await self._refuse(Invalid("Send text, not bytes.", code="not-json"))
            return
        if len(text_data) > watch.MOST_CHARACTERS:
            await self._refuse(Invalid("This message is too long. Watch fewer things at once.", code="too-long"), TOO_BIG)
            return
        try:
            await self._watch(watch.understand(text_data))
        except LuneError as error:
            await self._refuse(error)
        except DatabaseError as error:
            logger.warning("live: cannot answer a watch (%s)", type(error).__name__)
            await self._refuse(LuneError("Live updates are not to be had now. Try again shortly.", code="not-live"), TRY_LATER)

    async def _watch(self, wanted: watch.Watch) -> None:
        """Register first, read second: what commits in between reaches the listener by the hub."""
        listener = self._listener
        if listener is None:
            return
        listener.begin()
        hub().watch(listener, wanted.pools, wanted.topics)
        told = hub().told
        answer = await in_thread(lambda: watch.answer(self._viewer, wanted, told))
        hub().watch(listener, answer.pools, answer.topics)
        listener.answer(answer.text, answer.versions)
        listener.beat(hub().heartbeat())

    async def _refuse(self, error: LuneError, close: int | None = None) -> None:
        """Say what was wrong; with a code, close as well."""
        await self._write(encode({"kind": "error", "code": error.code, "message": error.message}))
        if close is not None:
            await self.close(code=close)

    async def _write(self, text: str) -> None:
        await self.send(text_data=text)

    async def _cut_off(self) -> None:
        """Close a socket that does not read; it may not even answer that."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await self.close(code=TRY_LATER)

    async def _keep_checking(self) -> None:
        """Close the socket once the viewer has signed out, was shut out, or has another role or organisation."""
        store: Any = import_module(settings.SESSION_ENGINE).SessionStore
        key = self.scope["session"].session_key
        while True:
            await asyncio.sleep(SESSION_CHECK * random.uniform(0.8, 1.2))  # noqa: S311 – spreads the load
            try:
                present = Viewer(await get_user({"session": store(key)}))
            except DatabaseError:
                continue  # nothing is told while PostgreSQL is away either
            if present.standing != self._viewer.standing:
                await self.close(code=SIGNED_OUT)
                return
