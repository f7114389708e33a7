"""What stands between a view that refuses and the person who asked."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.errors import LuneError
from frontend.views import errors


class RefusalMiddleware:
    """Answer a `LuneError` that a page's view raises with a page that says what it says. The API answers its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.refused(request, exception) if isinstance(exception, LuneError) else None
