"""An Open Referral UK feed over HTTP, asked politely: again after a while when it is busy, never more often than it wants."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import sleep
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from core.clock import now

from .network import BrokenAnswer, Client, Limits, shown
from .run import BrokenSource

PER_PAGE = 100
TRIES = 4
MAX_WAIT_S = 30.0
#: A record of Open Referral UK nests a dozen levels; this many are an attack or a mistake.
MAX_DEPTH = 40
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Envelope:
    """One page: its records, and what it says about all of them."""

    records: list[Any]
    total: int | None = None
    total_pages: int | None = None
    is_last: bool = False
    version_1: bool = False


class Feed:
    """One publisher's feed. Use as a context manager."""

    def __init__(self, base: str, *, allow_private: bool = False, limits: Limits | None = None) -> None:
        self.base = base.rstrip("/").removesuffix("/services")
        self._client = Client(allow_private=allow_private, limits=limits)

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.__exit__(*exc)

    def page(self, number: int, per_page: int = PER_PAGE, **parameters: str) -> Envelope:
        """One page of the services."""
        query = urlencode({"page": number, "per_page": per_page, **parameters})
        return envelope(self.get(f"{self.base}/services?{query}"))

    def service(self, service_id: str) -> Any:
        """One service whole."""
        return self.get(f"{self.base}/services/{quote(service_id, safe='')}")

    def get(self, url: str, *, tries: int = TRIES) -> Any:
        """The JSON at an address, after up to so many tries. Raises `BrokenSource`."""
        problem = ""
        for attempt in range(tries):
            wait = 0.5 * 2**attempt
            try:
                answer = self._client.get(url)
            except httpx.HTTPError as error:
                problem = f"did not answer ({type(error).__name__})"
            else:
                if answer.status == 200:
                    return _json(url, answer.body)
                problem = f"answered {answer.status}"
                if answer.status not in _TRY_AGAIN:
                    break
                wait = _wanted(answer.headers, wait)
            if attempt + 1 < tries:
                sleep(min(wait, MAX_WAIT_S))
        raise BrokenSource(f"{shown(url)} {problem}. Check the address, or try again later.")


def envelope(answer: Any) -> Envelope:
    """A page in the envelope of version 3, of version 1, or in none."""
    if isinstance(answer, list):
        return Envelope(answer, is_last=True)
    if isinstance(answer, dict):
        for key in ("contents", "content", "services"):
            if isinstance(answer.get(key), list):
                return Envelope(
                    answer[key],
                    total=_count(answer, "total_items", "totalElements"),
                    total_pages=_count(answer, "total_pages", "totalPages"),
                    is_last=answer.get("last_page") is True or answer.get("last") is True,
                    version_1=key == "content",
                )
    raise BrokenAnswer("This is not a page of services as Open Referral UK has it. Check the address or the file.")


def too_deep(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether lists and objects are nested in one another more than `limit` deep."""
    level = [value]
    for _ in range(limit):
        level = [
            part
            for one in level
            for part in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True


def _count(answer: Mapping[str, Any], *keys: str) -> int | None:
    return next((answer[key] for key in keys if isinstance(answer.get(key), int) and answer[key] >= 0), None)


def _wanted(headers: Mapping[str, str], otherwise: float) -> float:
    """How long the publisher wants us to wait: seconds, or until a time of day."""
    told = headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    try:
        until: datetime = parsedate_to_datetime(told)
        return max(0.0, (until - now()).total_seconds())
    except (ValueError, TypeError):
        return otherwise


def _json(url: str, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        what = "HTML, a page for people," if body.lstrip()[:1] == b"<" else "something that is not JSON, or cut short,"
        raise BrokenAnswer(f"{shown(url)} sent {what} where services belong. Check the address, or tell the publisher.") from error
