"""A publisher on a real HTTP server, whose every answer a test decides."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import NAMESPACE_DNS, uuid5

#: Status, headers and body; a callable writes the body itself, onto the open connection.
Answer = tuple[int, dict[str, str], bytes | Callable[[Any], None]]


def service(number: int, **values: Any) -> dict[str, Any]:
    """A whole service of Open Referral UK 3."""
    return {
        "id": str(uuid5(NAMESPACE_DNS, f"service {number}")),
        "name": f"Group {number}",
        "status": "active",
        "description": f"What group {number} does.",
        "organization": {"id": str(uuid5(NAMESPACE_DNS, "organisation")), "name": "Preston Neighbours", "description": "A charity"},
        "service_at_locations": [],
        "phones": [{"number": f"01772 {number:06}"}],
        **values,
    }


def reply(content: Any, status: int = 200, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}, body


class Publisher:
    """`services` in pages of `size`; `wrong` maps an address (path, or "page 2") to another answer. `calls` are the addresses asked for."""

    def __init__(self) -> None:
        self.services: list[Any] = []
        self.size = 2
        self.shallow = False
        self.honours: set[str] = set()
        self.total: int | None = None
        self.wrong: dict[str, Answer | Callable[[dict[str, str]], Answer]] = {}
        self.calls: list[str] = []
        self.address = ""

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        number = int(query.get("page", "1"))
        for key in (path, f"page {number}" if path == "/services" and query.get("per_page") == "100" else ""):
            if key in self.wrong:
                wrong = self.wrong[key]
                return wrong(query) if callable(wrong) else wrong
        if path == "/":
            return reply({"version": "HSDS-UK-3.0"})
        if path == "/services":
            return reply(self.page(number, query))
        found = next((s for s in self.services if isinstance(s, dict) and path == f"/services/{s.get('id')}"), None)
        return reply(found or {}, 200 if found else 404)

    def page(self, number: int, query: dict[str, str]) -> dict[str, Any]:
        chosen = self.services
        if "modified_after" in query and "modified_after" in self.honours:
            chosen = [s for s in chosen if s.get("last_modified", "2020") > query["modified_after"]]
        if "search" in query and "search" in self.honours:
            chosen = []
        part = chosen[(number - 1) * self.size : number * self.size]
        if self.shallow and not ("full" in query and "full" in self.honours):
            part = [{key: s[key] for key in ("id", "name", "status", "organization")} for s in part]
        pages = -(-len(chosen) // self.size)
        total = len(chosen) if self.total is None else self.total
        return {"total_items": total, "total_pages": pages, "page_number": number, "last_page": number >= pages, "contents": part}


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A publisher that listens on this machine until the test ends."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            publisher.calls.append(self.path)
            status, headers, body = publisher.answer(unquote(parts.path), {key: values[0] for key, values in parse_qs(parts.query).items()})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                if callable(body):
                    body(self.wfile)
                else:
                    self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the reader had enough

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        publisher.address = f"http://127.0.0.1:{server.server_port}"
        yield publisher
        server.shutdown()
        thread.join()
