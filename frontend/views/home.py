"""The first page after signing in: what to do next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core import clock
from frontend.presenters.home import counts

from .access import SignedIn, for_roles


@require_GET
@for_roles()
def home(request: SignedIn) -> HttpResponse:
    """Numbers to act on. Asked for as a part of the page, only the numbers, for their refresh."""
    context = {"counts": counts(request.user, clock.now())}
    return render(request, "home/_counts.jinja" if request.htmx else "home/home.jinja", context)
