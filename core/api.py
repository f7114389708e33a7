"""What every API view shares: pages and errors."""

import logging
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler, set_rollback

from core.errors import LuneError

logger = logging.getLogger(__name__)

#: What is raised when PostgreSQL does not answer, or when every connection is in use for longer than the pool waits.
AWAY = (OperationalError, InterfaceError)
#: Seconds after which somebody who was told to come back may.
RETRY_SECONDS = 5
BUSY = (
    "Lune has too much to do just now, or cannot reach its database. Send the same request again in a few seconds; "
    "with the same Idempotency-Key nothing is done twice."
)


class Page(PageNumberPagination):
    """Numbered pages of 50, at most 500."""

    page_size = 50
    page_size_query_param = "per_page"
    max_page_size = 500

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows of the page that was asked for. Always a list: there is always a page size."""
        return super().paginate_queryset(queryset, request, view) or []


def user_of(request: Request) -> Any:
    """Who asks. Only for views that let nobody in who is not signed in, as all do unless they say otherwise."""
    return request.user


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a `LuneError` with its message and code, 503 when the database is away; leave the rest to DRF.

    A view that says `problems` answers by RFC 9457.
    """
    if isinstance(exc, LuneError):
        said = {"code": exc.code, "detail": exc.message, **exc.details}
        answer: Response | None = Response(said, status=exc.http_status)
    elif isinstance(exc, AWAY):
        logger.warning("api: the database is away or has no connection free (%s)", type(exc).__name__)  # its words may hold values
        set_rollback()
        answer = Response({"code": "busy", "detail": BUSY}, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
    else:
        answer = exception_handler(exc, context)
    if answer is not None and getattr(context.get("view"), "problems", False):
        answer.data = _problem(answer)
        answer.content_type = "application/problem+json"
    return answer


def _problem(answer: Response) -> dict[str, Any]:
    """The same as a problem of RFC 9457; what was wrong with single fields stands in `errors` too."""
    data = answer.data if isinstance(answer.data, dict) else {"detail": answer.data}
    problem = dict(data) if "detail" in data else {"code": "invalid", "detail": in_words(data), "errors": data}
    code = str(problem.get("code") or getattr(problem["detail"], "code", "refused"))
    title = HTTPStatus(answer.status_code).phrase
    return {"type": f"urn:lune:problem:{code}", "title": title, "status": answer.status_code, **problem, "code": code}


def in_words(errors: Any, field: str = "") -> str:
    """What DRF says of wrong fields, as one text: "available: A valid integer is required."."""
    if isinstance(errors, dict):
        return " ".join(in_words(each, "" if name == "non_field_errors" else str(name)) for name, each in errors.items())
    if isinstance(errors, list):
        return " ".join(in_words(each, field) for each in errors)
    return f"{field}: {errors}" if field else str(errors)
