"""Pages that whoever has a link from a message may open, without an account.

Looking changes nothing, because programs that check mail for harm open every link: only a press of a button does. These forms carry no
CSRF token: the address itself is the secret that a forger would need, and a mail program's own browser often keeps no cookies.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from core.errors import LuneError, NotFound
from frontend.limits import too_often
from frontend.views.errors import too_many_requests

View = Callable[..., HttpResponse]


def by_link(
    what: str, *, a_minute: Callable[[], int], spent: str, errors: tuple[type[LuneError], ...] = (NotFound,)
) -> Callable[[View], View]:
    """Every answer below such a link: kept by nobody, indexed by nobody, and its address told to nobody.

    `what` names the limit of `a_minute` requests of one address. `spent` is the template for a link that is used up or was never made,
    which the view tells by one of `errors`; it is given the `token`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if too_often(request, what, a_minute=a_minute()):
                answer = too_many_requests(request)
            else:
                try:
                    answer = view(request, *args, **kwargs)
                except errors as error:
                    answer = render(request, spent, {"token": kwargs.get("token", ""), "unknown": True}, status=error.http_status)
            answer["Cache-Control"] = "no-store"
            answer["Referrer-Policy"] = "no-referrer"
            answer["X-Robots-Tag"] = "noindex, nofollow"
            return answer

        return csrf_exempt(wrapped)

    return decorate
