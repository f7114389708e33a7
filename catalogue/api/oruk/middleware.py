"""Every answer below `/api/oruk/` may be read by any page of the web and is JSON: also those that no view of ours gave."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

PREFIX = "/api/oruk/"
_WORDS = {
    404: ("not-found", "There is no such address here. The list of addresses is at openapi_url of /api/oruk/v3."),
    500: ("fault", "Something went wrong on our side. Try again in a minute."),
}


class OpenMiddleware:
    """Adds the headers of cross-origin reading; turns the site's error pages into JSON."""

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
        if isinstance(response, HttpResponse) and response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
            code, detail = _WORDS.get(response.status_code, ("refused", "This request cannot be answered. Look at the address."))
            told = JsonResponse({"code": code, "detail": detail})
            response.content, response["Content-Type"] = told.content, told["Content-Type"]
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "Link, Retry-After"
        return response
