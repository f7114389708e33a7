"""What every page must be, and where things are on the pages that several journeys use."""

import os
import re
from urllib.parse import urlsplit
from zlib import crc32

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from capacity.models import ServiceCapacity
from tests.stack.live import eventually

AXE = Axe()


#: What a page is made of: each kind of element that is drawn, with its classes, its attributes and what they say of its role and state.
_KINDS = """() => {
  const said = ["role", "type", "lang", "aria-expanded", "aria-hidden", "aria-live", "scope", "href", "for"];
  const kind = (element) => [element.tagName, element.className.baseVal ?? element.className, ...element.getAttributeNames(),
    ...said.map((name) => (name === "href" || name === "for" ? element.hasAttribute(name) : element.getAttribute(name))),
    element.children.length ? "" : Boolean(element.textContent.trim())].join(" ");
  const all = [...document.querySelectorAll("html, head > *, body, body *")];
  const drawn = all.filter((one) => one.closest("head") || one.checkVisibility());
  return [window.innerWidth, document.title, location.pathname.replace(/[0-9a-f-]{36}|[\\w:=-]{30,}|[0-9]+/g, "*"),
    ...new Set(drawn.map(kind))].sort().join("\\n");
}"""
_examined: set[str] = set()


def assert_accessible(page: Page) -> None:
    """No rule of axe is broken, and nothing has to be scrolled sideways: in this window, and in one of the other width.

    A page made of the same kinds of elements, at the same width, address and title, is examined once: axe takes a third of a journey.
    In the other width axe looks at every third page, drawn from its address, and by `make nightly` at each, for that makes every journey at
    both widths; that nothing is too wide is asked of all.
    """
    size = page.viewport_size
    assert size is not None
    others = [width for width in (1280, 390) if width != size["width"]]
    _examine(page)
    for width in others:
        page.set_viewport_size({"width": width, "height": size["height"]})
        if os.environ.get("LUNE_WIDTHS") == "both" or _is_drawn(page):
            _examine(page)
        else:
            assert_fits(page)
    page.set_viewport_size(size)


def _is_drawn(page: Page) -> bool:
    """Whether axe looks at this page in the other width too: the same for all pages of one kind, in each run."""
    address = re.sub(r"[0-9a-f-]{36}|[\w:=-]{30,}|[0-9]+", "*", urlsplit(page.url).path)
    return crc32(address.encode()) % 3 == 0


def _examine(page: Page) -> None:
    kinds = page.evaluate(_KINDS)
    if kinds not in _examined:
        found = AXE.run(page, options={"resultTypes": ["violations"]})  # what passes need not be told in full
        assert found.violations_count == 0, f"{page.url} in {page.viewport_size}\n{found.generate_report()}"
        _examined.add(kinds)
    assert_fits(page)


def assert_fits(page: Page) -> None:
    """The page is no wider than the window, once its menu has found room in a window that has changed."""
    eventually(lambda: page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} fits into its window", 10)


def assert_live(page: Page) -> None:
    """The page says that it hears of changes."""
    expect(page.locator("#live-status")).to_have_text("Live")


def badge(page: Page, pool: ServiceCapacity) -> Locator:
    """What the page says is free there. A page may say it twice: the first counts."""
    return page.locator(f'.lune-rag[data-pool="{pool.pk}"]').first


def shows(page: Page, pool: ServiceCapacity, words: str, colour: str) -> None:
    """The badge comes to say that, in words and by its shape and colour."""
    found = badge(page, pool)
    expect(found.locator(".lune-rag__word")).to_have_text(words)
    expect(found).to_have_class(re.compile(rf"\blune-rag--{colour}\b"))


def line(page: Page, name: str) -> Locator:
    """One service of a ranked list, or one answer of a referral."""
    return page.locator(".lune-line").filter(has=page.get_by_role("heading", name=name))


def place(page: Page, pool: ServiceCapacity) -> Locator:
    """One card of a provider's own places."""
    return page.locator(f"#place-{pool.pk}")


def press(where: Page | Locator, name: str | re.Pattern[str]) -> None:
    where.get_by_role("button", name=name).click()


def follow(where: Page, name: str | re.Pattern[str]) -> None:
    """Follow a link of the page itself, not of its menu."""
    where.get_by_role("main").get_by_role("link", name=name).click()
