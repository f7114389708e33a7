"""Where gateways of text messages and of e-mail tell us what came in. Each call is signed; the same message twice is one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from capacity import replies, reply_mail
from core import sms
from core.clock import now
from core.errors import LuneError


def _hook(view: Callable[[HttpRequest], None]) -> Any:
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


@_hook
def sms_in(request: HttpRequest) -> None:
    """Text messages that came in, and what became of those that went out."""
    for one in sms.gateway().parse_inbound(request):
        if isinstance(one, sms.Inbound):
            replies.receive_sms(message=one, at=now())
        else:
            replies.receipt(told=one)


@_hook
def mail_in(request: HttpRequest) -> None:
    """One e-mail, as it came (RFC 5322), signed with `LUNE_MAIL_SECRET`."""
    body = sms.check_signature(request, secret=settings.MAIL_SECRET, at=now(), largest=reply_mail.LARGEST)
    replies.receive_mail(mail=reply_mail.read(body), at=now())
