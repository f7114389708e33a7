"""How a request is served: in one of a few threads, from its first line to its last."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core import signals
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from core.serving import Handler

seen: list[str] = []
going: list[str] = []


def plain(request: Any) -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse(request.body or b"nothing sent")


def streamed(request: Any) -> StreamingHttpResponse:
    async def parts() -> Any:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            going.append("ended")

    return StreamingHttpResponse(parts())


urlpatterns = [path("plain/", plain), path("streamed/", streamed)]


@pytest.fixture(autouse=True)
def bare(settings):
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    settings.REQUEST_THREADS = 2
    seen.clear()
    going.clear()


def ask(handler: Handler, where: str) -> ApplicationCommunicator:
    return ApplicationCommunicator(handler, {"type": "http", "method": "POST", "path": where, "headers": [], "query_string": b""})


async def answer(handler: Handler, body: bytes) -> bytes:
    talk = ask(handler, "/plain/")
    await talk.send_input({"type": "http.request", "body": body})
    assert (await talk.receive_output(5))["status"] == 200
    return bytes((await talk.receive_output(5))["body"])


async def test_many_requests_at_once_are_answered_by_few_threads_each_with_its_own_body():
    handler = Handler()
    told = [f"body {number}".encode() for number in range(20)]
    assert await asyncio.gather(*(answer(handler, body) for body in told)) == told
    assert 1 <= len(set(seen)) <= 2
    assert all(name.startswith("request") for name in seen)


async def test_the_start_and_the_end_of_a_request_are_told_in_its_own_thread():
    told: list[tuple[str, str]] = []

    def began(**_: Any) -> None:
        told.append(("began", threading.current_thread().name))

    def ended(**_: Any) -> None:
        told.append(("ended", threading.current_thread().name))

    signals.request_started.connect(began)
    signals.request_finished.connect(ended)
    try:
        await answer(Handler(), b"x")
    finally:
        signals.request_started.disconnect(began)
        signals.request_finished.disconnect(ended)
    assert told == [("began", seen[0]), ("ended", seen[0])]


async def test_a_stream_ends_when_whoever_reads_it_goes_away():
    talk = ask(Handler(), "/streamed/")
    await talk.send_input({"type": "http.request", "body": b""})
    assert (await talk.receive_output(5))["status"] == 200
    assert (await talk.receive_output(5))["body"] == b"first"
    await talk.send_input({"type": "http.disconnect"})
    await talk.wait(5)
    assert going == ["ended"]
