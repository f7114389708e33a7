"""How a page or an answer of the API is served: from its first line to its last in one thread, one of a few that stay.

All of Lune's views are plain functions, most of which wait for PostgreSQL. Django's own handler would take each request over from the
loop to a thread and back for the signal at its start, for what stands between and for the view, and would start a new thread, with a
new connection object, for every request: twice the processor time of the small answers that homes and other systems ask for most.

There are fewer threads than connections to the database. When more is asked than can be answered, requests wait here, in their order,
rather than each for a connection until none comes.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.db import close_old_connections
from django.http.response import FileResponse, HttpResponseBase
from django.urls import set_script_prefix


class Handler(ASGIHandler):
    """Django's handler of HTTP, with one change of thread for each request."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(settings.REQUEST_THREADS, thread_name_prefix="request")

    def load_middleware(self, is_async: bool = False) -> None:
        """All that stands between is called plainly, whatever it could do."""
        super().load_middleware(is_async=False)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request. What it sends is complete before anything is done; what it gets may come bit by bit."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        response = await sync_to_async(self._answer, thread_sensitive=False, executor=self._threads)(scope, body)
        if not response.streaming:
            await self.send_response(response, send)
            return
        sending = asyncio.ensure_future(self.send_response(response, send))
        leaving = asyncio.ensure_future(receive())  # after the body nothing else comes than that they went away
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await sync_to_async(response.close)()
            body.close()

    def _answer(self, scope: Any, body: IO[bytes]) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body)
        response = cast(HttpResponseBase, refused) if request is None else self.get_response(request)
        response._handler_class = self.__class__  # type: ignore[attr-defined]  # it says at its end whose it was
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if response.streaming:
            close_old_connections()  # it goes on in a thread of its own
        else:
            response.close()
            body.close()
        return response
