"""What the views of the open catalogue share: nobody signs in, everything is JSON, and who asks too often is told when to come back."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.text import compress_sequence
from rest_framework.exceptions import Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from catalogue.publishing.feed import SERVICES, Listing, lines, one, page
from catalogue.publishing.filters import Asked, understood
from catalogue.publishing.values import Document
from core.client import address_of
from core.errors import NotFound

NDJSON = "application/x-ndjson"
_GZIP = re.compile(r"\bgzip\b")
#: How long a copy may be kept on the way: places free change by the minute.
_KEEP = "public, max-age=30"


class AlwaysJson(BaseContentNegotiation):
    """`format` is a parameter of the standard here, not of the framework; whatever a client says that it accepts, it gets JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class OpenThrottle(SimpleRateThrottle):
    """So many requests from one address of the network; `core.client` says which address that is."""

    scope = "open-data"

    def get_rate(self) -> str:
        return str(settings.OPEN_DATA_RATE)

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"{self.scope}:{address_of(request)}"


class ExportThrottle(OpenThrottle):
    """Whoever streams everything reads it all at once: fewer of those."""

    scope = "open-data-export"

    def get_rate(self) -> str:
        return str(settings.OPEN_DATA_EXPORT_RATE)

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return super().get_cache_key(request, view) if request.query_params.get("format") == "ndjson" else None


class OpenView(APIView):
    """Anonymous and read-only. Described by its own OpenAPI document, not by that of `/api/v1/`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (OpenThrottle, ExportThrottle)
    content_negotiation_class = AlwaysJson
    http_method_names = ("get", "head", "options")
    schema = None

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What a browser asks before it reads across origins."""
        headers = {
            "Allow": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
            "Access-Control-Max-Age": "86400",
        }
        return Response(status=204, headers=headers)

    def throttled(self, request: Any, wait: float | None) -> NoReturn:
        seconds = max(1, round(wait or 60))
        raise Throttled(wait, f"Too many requests from your address. Wait {seconds} seconds; to copy everything use format=ndjson once.")

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            code = getattr(exc, "code", None) or getattr(exc, "default_code", "refused")
            response.data = {"code": str(code).replace("_", "-"), **response.data}
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.setdefault("Cache-Control", _KEEP if response.status_code == 200 else "no-store")
        return response


class ListView(OpenView):
    """A page of one kind of record, or all of them as lines. `as_view(listing=…)`."""

    listing: Listing = SERVICES

    def get(self, request: Request) -> Response | HttpResponseBase:
        asked = understood(list(request.query_params.lists()), self.listing.known)
        if asked.format == "ndjson":
            return streamed(request, lines(self.listing, asked))
        found = page(self.listing, asked)
        return Response(found, headers=links(request, asked, found))


class OneView(OpenView):
    """One record, whole. `as_view(listing=…)`."""

    listing: Listing = SERVICES

    def get(self, request: Request, pk: str) -> Response:
        understood(list(request.query_params.lists()), ())
        return Response(found_or_404(self.listing, pk))


def found_or_404(listing: Listing, identity: str) -> Document:
    """The record of that id; the same refusal whether there never was one, or it is not public."""
    found = one(listing, identity)
    if found is None:
        raise NotFound("There is no record with this id, or it is not published.")
    return found


def links(request: Request, asked: Asked, found: Document) -> dict[str, str]:
    """The pages beside this one as a `Link` header, for clients that follow those."""
    beside = {"prev": asked.page - 1 if asked.page > 1 else None, "next": asked.page + 1 if asked.page < found["total_pages"] else None}
    told = []
    for relation, number in beside.items():
        if number is not None:
            query = request.query_params.copy()
            query["page"] = str(number)
            told.append(f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="{relation}"')
    return {"Link": ", ".join(told)} if told else {}


def streamed(request: Request, chunks: Iterator[bytes]) -> StreamingHttpResponse:
    """Chunks as they are made, whichever way the server asks for them: never all of them in memory."""
    headers = {"Vary": "Accept-Encoding"}
    if _GZIP.search(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        chunks = compress_sequence(chunks)
    by_asgi = isinstance(request._request, ASGIRequest)
    return StreamingHttpResponse(_awaited(chunks) if by_asgi else chunks, content_type=NDJSON, headers=headers)


async def _awaited(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    following = sync_to_async(lambda: next(chunks, None))
    while (chunk := await following()) is not None:
        yield chunk
