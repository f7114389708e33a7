"""What calls of gateways have in common: each is signed, and is answered with nothing but whether it was taken."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.errors import LuneError


def hook(view: Callable[[HttpRequest], None]) -> Any:
    """A call that answers nothing but whether it was taken."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        try:
            view(request)
        except LuneError as error:
            return JsonResponse({"code": error.code, "message": error.message}, status=error.http_status)
        except RawPostDataException:  # a form with files, which a signed message never is: its body was read as one already
            return JsonResponse({"code": "not-signed", "message": "This message is not signed."}, status=403)
        except RequestDataTooBig:
            return JsonResponse({"code": "too-large", "message": "This message is too large."}, status=413)
        return HttpResponse(status=204)

    return wrapped
