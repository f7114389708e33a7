"""What stands between a view and the person who asked: refusals, headers, and one line in the log."""

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from core import acting
from core.errors import LuneError
from frontend.views import errors

#: A page of Lune needs none of these, so that nothing that slipped into one gets them either.
PERMISSIONS = ", ".join(f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb"))


class RefusalMiddleware:
    """Answer a `LuneError` that a page's view raises with a page that says what it says. The API answers its own.

    A NUL character is in nothing that a person types, and PostgreSQL takes none: such a request is turned away here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_nul(request):
            return errors.bad_request(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.refused(request, exception) if isinstance(exception, LuneError) else None


def _has_nul(request: HttpRequest) -> bool:
    sent = [request.GET]
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        sent.append(request.POST)
    return "\0" in request.path or any("\0" in text for query in sent for key, values in query.lists() for text in (key, *values))


class HeadersMiddleware:
    """Headers that Django has no setting for. What a signed-in person is shown is kept by no browser and no proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        if not response.has_header("Cache-Control") and request.user.is_authenticated:
            response["Cache-Control"] = "private, no-store"
        return response


class ActingMiddleware:
    """From here on statements run on behalf of whoever the request is from, and of nobody else (`core.acting`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        whose = acting.ForRequest(request)
        with acting.on_behalf_of(whose):
            whose.settle()
            response: Any = self.get_response(request)
            if response.streaming and not response.is_async:
                response.streaming_content = acting.streamed(response.streaming_content)
        return response


class LogMiddleware(RequestMiddleware):
    """One line for each request: the kind of page, the answer, and the id of who asked.

    Not its address, which may hold a postcode, a key that resets a password, or whatever somebody typed; nor where the browser is, nor
    which one it is.
    """

    def prepare(self, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(request_id=str(uuid.uuid4()))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        match: Any = request.resolver_match
        return f"{request.method} {'/' + match.route if match else 'no such address'}"
