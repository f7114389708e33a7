"""The board: what is free, for a screen on a wall. Nobody touches it, and no person is on it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from capacity import queries
from capacity.models import ServiceCapacity
from catalogue.models import Organization, User
from core.clock import now
from frontend.forms.board import BoardForm
from frontend.presenters.board import MOST_ROWS, in_order
from frontend.views.access import SignedIn, for_roles


@require_GET
@for_roles(User.Role.MANAGER, User.Role.REFERRER, User.Role.PROVIDER)
def board(request: SignedIn) -> HttpResponse:
    """The whole screen; to htmx its rows alone, which are fetched anew each minute for what came or went."""
    at = now()
    form = BoardForm(request.GET)
    states = in_order(queries.with_state(form.pools(ServiceCapacity.objects.visible_to(request.user)), at))
    context = {"form": form, "states": states[:MOST_ROWS], "left_out": max(0, len(states) - MOST_ROWS), "at": at}
    if request.htmx:
        return render(request, "board/_rows.jinja", context)
    context["heading"] = form.heading(Organization.objects.visible_to(request.user))
    return render(request, "board.jinja", context)
