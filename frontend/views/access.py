"""Who may open a page. Authorisation comes first in every view; what a user sees is then a matter of `visible_to`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import rules
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from catalogue.models import User

View = Callable[..., HttpResponse]


class Request(HttpRequest):
    """A request as the middleware leaves it: it knows whether htmx asks for a part of a page."""

    htmx: HtmxDetails


class SignedIn(Request):
    """A request of somebody who is signed in: what every view behind `for_roles` gets."""

    user: User


def has_role(*roles: str) -> rules.predicates.Predicate:
    """True for an active user whose role is one of these."""

    @rules.predicate(f"role: {' or '.join(roles)}")
    def check(user: Any) -> bool:
        return bool(user and user.is_active and user.role in roles)

    return check


def for_roles(*roles: str) -> Callable[[View], View]:
    """Let only these roles in: somebody not signed in is asked to sign in, another role gets a page that says so (403).

    Without roles anybody who is signed in may pass.
    """
    allowed = has_role(*roles) if roles else rules.is_authenticated

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                if request.htmx:  # a part of a page must not fill itself with the sign-in page
                    return HttpResponseClientRedirect(reverse("account_login"))
                return redirect_to_login(request.get_full_path())
            if not allowed(request.user):
                raise PermissionDenied("This page is for another kind of work than yours.")
            return view(request, *args, **kwargs)

        return wrapped

    return decorate
