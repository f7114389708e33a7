"""The board: what is free, for a screen on a wall. Nobody touches it, and no person is on it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from capacity import boards, queries
from capacity.models import BoardKey, ServiceCapacity
from catalogue.models import Organization, User
from core.clock import now
from core.errors import LuneError, NotFound
from frontend.forms.board import BoardForm, ScreenForm
from frontend.limits import too_often
from frontend.presenters.board import MOST_ROWS, in_order
from frontend.views.access import SignedIn, for_roles
from frontend.views.errors import too_many_requests

#: All screens of a hospital may come from one network address, and each asks once a minute.
A_MINUTE = 240


@require_GET
@for_roles(User.Role.MANAGER, User.Role.REFERRER, User.Role.PROVIDER)
def board(request: SignedIn) -> HttpResponse:
    """The whole screen; to htmx its rows alone, which are fetched anew each minute for what came or went."""
    return _board(request, request.user)


@require_GET
def screen(request: HttpRequest, token: str) -> HttpResponse:
    """The same by the link of one screen, for nobody in particular: it shows what the public may see, whoever looks."""
    if too_often(request, "screen", a_minute=A_MINUTE):
        answer = too_many_requests(request)
    else:
        try:
            key = boards.used(token=token, at=now())
            answer = _board(request, AnonymousUser(), screen=key.name)
        except NotFound:
            answer = render(request, "board/ended.jinja", status=404)
            # What stands on the wall must go: its rows are renewed by htmx, which leaves the page as it is on an error.
            answer["HX-Refresh"] = "true"
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _board(request: Any, viewer: Any, *, screen: str = "") -> HttpResponse:
    at = now()
    form = BoardForm(request.GET)
    shown = form.pools(ServiceCapacity.objects.visible_to(viewer).offered(at))
    states = in_order(queries.next_of_each(queries.with_state(shown, at)))
    context = {"form": form, "states": states[:MOST_ROWS], "left_out": max(0, len(states) - MOST_ROWS), "at": at, "screen": screen}
    if request.htmx:
        return render(request, "board/_rows.jinja", context)
    context["heading"] = form.heading(Organization.objects.visible_to(viewer))
    return render(request, "board.jinja", context)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.MANAGER, User.Role.PROVIDER)
def screens(request: SignedIn) -> HttpResponse:
    """The links of the organisation's screens, and a form for another. A new one is shown in the answer, this once."""
    form = ScreenForm(request.POST if request.method == "POST" else None)
    link, made = "", None
    if form.is_valid():
        try:
            made, token = boards.make(name=form.cleaned_data["name"], by=request.user, at=now())
        except LuneError as error:
            form.add_error(None, error.message)
        else:
            only = f"?provider={request.user.organization_id}" if request.user.is_provider else ""
            link = request.build_absolute_uri(reverse("board-screen", args=[token])) + only
            form = ScreenForm()
    keys = BoardKey.objects.visible_to(request.user).select_related("created_by")
    context = {"form": form, "keys": keys, "link": link, "made": made, "at": now()}
    return render(request, "board/screens.jinja", context, status=422 if form.errors else 200)


@for_roles(User.Role.MANAGER, User.Role.PROVIDER)
@require_POST
def screen_revoke(request: SignedIn, pk: UUID) -> HttpResponse:
    """End the link of one screen."""
    key = boards.revoke(key_id=pk, by=request.user, at=now())
    messages.success(request, f"The link of {key.name} has ended. The screen goes blank within a minute.")
    return redirect("board-screens")
