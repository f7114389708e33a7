"""Every answer below `/api/oruk/` may be read by any page of the web and is JSON: also those that no view of ours gave.

An answer that the asker has already is not sent again, and the others are sent packed: nothing in them is secret, so that their size
gives nothing away.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import get_conditional_response, set_response_etag

PREFIX = "/api/oruk/"
_FAULT = {"code": "fault", "detail": "Something went wrong on our side. Try again in a minute."}


class OpenMiddleware:
    """Adds the headers of cross-origin reading; tells a fault of ours as JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.packed = GZipMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        if "\0" in request.path or any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
            response: HttpResponseBase = JsonResponse(
                {"code": "wrong-parameter", "detail": "Take the NUL characters (%00) out of the address."}, status=400
            )
        else:
            response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.status_code == 500:
            told = JsonResponse(_FAULT)
            response.content, response["Content-Type"] = told.content, told["Content-Type"]
        # Who is signed in makes no difference here, so that one copy does for everybody.
        del response["Vary"]
        if isinstance(response, HttpResponse) and response.status_code == 200:
            set_response_etag(response)
            response = get_conditional_response(request, etag=response["ETag"], response=response) or response
        if isinstance(response, HttpResponse):  # a stream packs itself, in its own thread
            response = self.packed.process_response(request, response)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After"
        return response
