"""What every API view shares: pages and errors."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from core.errors import LuneError


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
    """Answer a `LuneError` with its message and code; leave everything else to DRF."""
    if isinstance(exc, LuneError):
        return Response({"code": exc.code, "detail": exc.message, **exc.details}, status=exc.http_status)
    return exception_handler(exc, context)
