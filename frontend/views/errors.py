"""Pages for what goes wrong: what happened, and what to do next."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from core.api import AWAY, BUSY, RETRY_SECONDS
from core.errors import LuneError


def _page(request: HttpRequest, status: int, heading: str, text: str) -> HttpResponse:
    return render(request, "errors/error.jinja", {"heading": heading, "text": text, "status": status}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, "We could not understand that", "The request was incomplete. Go back, then try again.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but with a role that does not do this."""
    return _page(
        request,
        403,
        "This page is not for your role",
        "You are signed in, but this work belongs to another role. If you need it, ask your administrator to change your role.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such page, or a record of another organisation. The two are told in the same words on purpose."""
    return _page(
        request,
        404,
        "Page not found",
        "There is no such page, or it belongs to another organisation. Check the address, or start from the home page.",
    )


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429: more tries than a person makes; allauth counts them for each address and account."""
    return _page(request, 429, "Please wait a minute", "There were too many tries in a short time. Wait a minute, then try again.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when the database is away or has no connection free. Reads neither session nor database: either may be what failed."""
    busy = isinstance(sys.exc_info()[1], AWAY)
    status, headers = (503, {"Retry-After": str(RETRY_SECONDS)}) if busy else (500, {})
    if request.path.startswith("/api/"):
        said = {"code": "busy", "detail": BUSY} if busy else {"code": "fault", "detail": "The fault is ours, and it has been recorded."}
        return JsonResponse(said, status=status, headers=headers)
    return HttpResponse(render_to_string("errors/500.jinja", {"busy": busy}), status=status, headers=headers)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        "Please send that again",
        "For your safety we could not accept this form, usually because the page had been open for a long time or you signed in "
        "elsewhere. Nothing was changed. Go back, reload the page and send it again.",
    )


def refused(request: HttpRequest, error: LuneError) -> HttpResponse:
    """A rule or another person's change stood in the way: its own words, with its own status."""
    heading = "Somebody got there first" if error.http_status == 409 else "That was not possible"
    return _page(request, error.http_status, heading, error.message)
