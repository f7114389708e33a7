"""Every answer below `/api/oruk/` may be read by any page of the web and is JSON: also those that no view of ours gave."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

PREFIX = "/api/oruk/"
_FAULT = {"code": "fault", "detail": "Something went wrong on our side. Try again in a minute."}


class OpenMiddleware:
    """Adds the headers of cross-origin reading; tells a fault of ours as JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

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
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "Link, Retry-After"
        return response
