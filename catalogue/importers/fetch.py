"""Fetching an Open Referral UK feed: page by page, politely, and only from addresses that are public."""

import ipaddress
import json
import socket
from collections.abc import Iterator
from time import sleep
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from .run import BrokenSource

TIMEOUT = httpx.Timeout(30, connect=10)
MAX_BYTES = 50_000_000
MAX_PAGES = 10_000
PER_PAGE = 100
TRIES = 4
MAX_WAIT_S = 30.0
MAX_REDIRECTS = 5
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Feed:
    """One publisher's feed. Use as a context manager."""

    def __init__(self, base: str, *, allow_private: bool = False) -> None:
        self.base = base.rstrip("/").removesuffix("/services")
        self.allow_private = allow_private
        self._client = httpx.Client(
            timeout=TIMEOUT, trust_env=False, headers={"Accept": "application/json", "User-Agent": "Lune (Open Referral UK import)"}
        )

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def pages(self) -> Iterator[list[Any]]:
        """The services, a page at a time, until the feed says or shows that it has no more."""
        before: Any = None
        for number in range(1, MAX_PAGES + 1):
            answer = self.get(f"{self.base}/services?page={number}&per_page={PER_PAGE}")
            contents, total_pages = envelope(answer)
            # Some feeds ignore `page` and give the same one for ever; some count their pages wrongly.
            if not contents or contents == before:
                return
            yield contents
            before = contents
            if isinstance(answer, list) or answer.get("last_page") is True or (total_pages and number >= total_pages):
                return

    def service(self, service_id: str) -> Any:
        """One service whole; None when the feed does not have it."""
        return self.get(f"{self.base}/services/{quote(service_id, safe='')}", missing_ok=True)

    def get(self, url: str, *, missing_ok: bool = False) -> Any:
        """The JSON at an address, after up to `TRIES` tries. Raises `BrokenSource`; with `missing_ok` a 404 is None."""
        problem = ""
        for attempt in range(TRIES):
            wait = 0.5 * 2**attempt
            try:
                status, headers, body = self._read(url)
            except httpx.HTTPError as error:
                problem = f"did not answer ({type(error).__name__})"
            else:
                if status == 200:
                    return _json(url, body)
                if status == 404 and missing_ok:
                    return None
                problem = f"answered {status}"
                if status not in _TRY_AGAIN:
                    break
                if (after := headers.get("retry-after", "")).isdigit():
                    wait = float(after)
            if attempt + 1 < TRIES:
                sleep(min(wait, MAX_WAIT_S))
        raise BrokenSource(f"{_shown(url)} {problem}. Check the address, or try again later.")

    def _read(self, url: str) -> tuple[int, httpx.Headers, bytes]:
        for _ in range(MAX_REDIRECTS + 1):
            self._refuse_private(url)
            with self._client.stream("GET", url) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MAX_BYTES:
                        raise BrokenSource(
                            f"{_shown(url)} sent more than {MAX_BYTES // 1_000_000} MB. Ask the publisher for smaller pages."
                        )
                return response.status_code, response.headers, bytes(body)
        raise BrokenSource(f"{_shown(url)} redirects too often. Check the address.")

    def _refuse_private(self, url: str) -> None:
        """A feed's address comes from people outside: it must not reach into our own network."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BrokenSource(f"{_shown(url)} is not a web address. It must begin with https:// or http://.")
        if self.allow_private:
            return
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        except OSError as error:
            raise BrokenSource(f"Nothing is known under the name {parts.hostname}. Check the address.") from error
        if not all(ipaddress.ip_address(address[4][0]).is_global for address in found):
            raise BrokenSource(f"{parts.hostname} is inside a private network. Use --allow-private if that is meant.")


def envelope(answer: Any) -> tuple[list[Any], int | None]:
    """The records of a page and how many pages there are, in the envelope of version 3, of version 1, or in none."""
    if isinstance(answer, list):
        return answer, None
    if isinstance(answer, dict):
        for key in ("contents", "content", "services"):
            if isinstance(answer.get(key), list):
                pages = answer.get("total_pages", answer.get("totalPages"))
                return answer[key], pages if isinstance(pages, int) else None
    raise BrokenSource("This is not a page of services as Open Referral UK has it. Check the address or the file.")


def _json(url: str, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenSource(f"{_shown(url)} did not answer with JSON. Check the address.") from error


def _shown(url: str) -> str:
    """An address without user name, password or query, for people to read."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
