"""Journeys: people at real browsers, on real processes (tests/stack), each test with organisations of its own.

`visit` opens a browser for somebody. When the test ends, none of its pages may have said an error to the console.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from catalogue.models import User
from tests.stack.live import BACKEND, BASE_DIR, Stack

#: Milliseconds until a journey gives up waiting for a page to show something. Nothing here asserts how fast a thing is.
PATIENCE = 60_000
SCREENSHOTS = BASE_DIR / "var" / "journeys"
#: What a browser says to its console when a server that was there is gone: before it was asked, or in the middle of an answer.
SERVER_GONE = "WebSocket connection to|ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|CONTENT_LENGTH_MISMATCH|EMPTY_RESPONSE)|Failed to fetch"

Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "visit" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the Chromium that LUNE_CHROMIUM or the PATH names, silent on the network but for the pages under test.

    The one without a window takes half the processor's time of the whole browser for the same pages.
    """
    found = (shutil.which(name) for name in ("chromium-headless-shell", "chromium", "google-chrome"))
    chromium = os.environ.get("LUNE_CHROMIUM") or next(filter(None, found), None)
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-gpu",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
    ]
    # Chromium's sandbox does not run as root, nor in most containers; the only pages opened are our own.
    return browser_type_launch_args | {"args": [*quiet, "--no-sandbox"]} | ({"executable_path": chromium} if chromium else {})


@pytest.fixture(scope="session")
def _patience() -> Iterator[None]:
    """Playwright's synchronous API keeps an event loop in this thread, which Django would take for a coroutine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        yield


@pytest.fixture(scope="session")
def _stack(_patience, django_db_setup, django_db_blocker) -> Iterator[Stack]:
    """One set of processes for all journeys of this test process."""
    with django_db_blocker.unblock():
        stack = Stack()
    try:
        yield stack
    finally:
        stack.close()


@pytest.fixture
def stack(_stack: Stack, transactional_db) -> Iterator[Stack]:
    """Redis, relay and web, running; started again when a test has killed one."""
    _stack.start()
    _stack.close_browsers()
    yield _stack
    _stack.close_browsers()


@pytest.fixture(params=[1280, 390], ids=["desktop", "phone"])
def width(request: pytest.FixtureRequest) -> int:
    """Of the window, in CSS pixels. Every journey is made at both."""
    return request.param


@pytest.fixture
def console() -> list[str]:
    """Patterns of console errors that the journey provokes, such as the answer 409: append to it."""
    return []


@pytest.fixture
def visit(stack: Stack, browser: Browser, width: int, console: list[str], request: pytest.FixtureRequest) -> Iterator[Visit]:
    """`visit(user, path="/", javascript=True)`: that user, signed in at a browser of their own, on that page; None is the public.

    With a `port`, by the proxy that listens there.
    """
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_page(user: User | None = None, path: str = "/", *, javascript: bool = True, port: int | None = None) -> Page:
        size = {"width": width, "height": 800}
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{port or stack.port}",
            viewport=size,
            has_touch=width < 600,
            java_script_enabled=javascript,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/London",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: said.append(str(error.error)))
        if user is not None:
            session = Client()
            session.force_login(user, backend=BACKEND)
            context.add_cookies(
                [{"name": "sessionid", "value": session.cookies["sessionid"].value, "url": f"http://127.0.0.1:{stack.port}"}]
            )
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    ran = getattr(request.node, "rep_call", None)
    if ran is None or ran.failed:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for number, context in enumerate(contexts):
            name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
            context.pages[-1].screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)
    for context in contexts:
        context.close()
    unexpected = [text for text in said if not any(re.search(pattern, text) for pattern in console)]
    assert not unexpected, "The pages said errors to the console."
