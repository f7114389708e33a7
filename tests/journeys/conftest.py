"""Journeys: people at real browsers, on real processes (tests/stack), each test with organisations of its own.

`visit` opens a browser for somebody. When the test ends, none of its pages may have said an error to the console.

Each journey is made at one of two widths, the desktop's or the phone's, and each page that it examines is looked at in the other width too
(`pages.assert_accessible`). `LUNE_WIDTHS=both`, as in `make nightly`, makes every journey at both. One that does something else on a phone
is marked `every_width` and is always made at both; what is mostly done on a phone is marked `on_a_phone`.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, expect

from catalogue.models import User
from tests.stack.live import BACKEND, BASE_DIR, Stack

#: Milliseconds until a journey gives up waiting for a page to show something. Nothing here asserts how fast a thing is.
PATIENCE = 60_000
SCREENSHOTS = BASE_DIR / "var" / "journeys"
#: What a browser says to its console when a server that was there is gone: before it was asked, or in the middle of an answer.
SERVER_GONE = (
    "htmx:(sendError|afterRequest)|WebSocket connection to|"
    "ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|CONTENT_LENGTH_MISMATCH|EMPTY_RESPONSE)|Failed to fetch"
)

#: Of the window, in CSS pixels.
WIDTHS = (1280, 390)

Visit = Callable[..., Page]


#: Browser contexts that are not in use, by what cannot be changed in one: a warm one has the scripts and styles, compiled.
_idle: dict[tuple[int, bool, int], list[BrowserContext]] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "visit" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    if os.environ.get("LUNE_WIDTHS") == "both":
        return
    left_out = [item for item in items if _is_at_the_other_width(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _is_at_the_other_width(item: pytest.Item) -> bool:
    """Whether a journey is made at the other width: which of the two is drawn from its name, so that it is always the same."""
    given = getattr(item, "callspec", None)
    if given is None or "width" not in getattr(item, "fixturenames", ()) or item.get_closest_marker("every_width"):
        return False
    if any("width" in str(mark.args[0]) for mark in item.iter_markers("parametrize")):
        return False
    width = given.params["width"]
    if item.get_closest_marker("on_a_phone"):
        return width != min(WIDTHS)
    name = re.sub(r"\b(desktop|phone)\b", "", item.nodeid)
    return WIDTHS[crc32(name.encode()) % 2] != width


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
        "--renderer-process-limit=1",
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


@pytest.fixture(params=WIDTHS, ids=["desktop", "phone"])
def width(request: pytest.FixtureRequest) -> int:
    """Of the window, in CSS pixels."""
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
    opened: list[tuple[tuple[int, bool, int], BrowserContext]] = []
    said: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(message.text)

    def on_error(error: WebError) -> None:
        said.append(str(error.error))

    def open_page(user: User | None = None, path: str = "/", *, javascript: bool = True, port: int | None = None) -> Page:
        kind = (width, javascript, port or stack.port)
        idle = _idle.get(kind)
        context = idle.pop() if idle else _context(browser, *kind)
        opened.append((kind, context))
        context.on("console", on_console)
        context.on("weberror", on_error)
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
        for number, (_, context) in enumerate(opened):
            name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
            context.pages[-1].screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)
    for kind, context in opened:
        context.remove_listener("console", on_console)
        context.remove_listener("weberror", on_error)
        if ran is None or ran.failed or kind[2] != stack.port:
            context.close()
        else:
            _forget(context)
            _idle.setdefault(kind, []).append(context)
    unexpected = [text for text in said if not any(re.search(pattern, text) for pattern in console)]
    assert not unexpected, "The pages said errors to the console."


def _context(browser: Browser, width: int, javascript: bool, port: int) -> BrowserContext:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{port}",
        viewport={"width": width, "height": 800},
        has_touch=width < 600,
        java_script_enabled=javascript,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/London",
    )
    context.set_default_timeout(PATIENCE)
    return context


def _forget(context: BrowserContext) -> None:
    """Leave a browser as if nobody had used it, but for the files that are the same for everybody."""
    page = context.new_page()
    for used in context.pages[:-1]:
        used.close()
    context.clear_cookies()
    session = context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "local_storage,indexeddb,service_workers,cache_storage"})
    session.detach()
