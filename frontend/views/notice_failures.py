"""Messages that did not arrive, for whoever runs the site; and in a demonstration all that would have gone out."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import User
from core.clock import now
from core.errors import NotFound
from frontend.forms.notices import CaughtFilter, FailureFilter
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles
from notifications.models import Delivery
from notifications.notices import caught as kept
from notifications.notices import delivering

PAGE_SIZE = 25


@require_GET
@for_roles(User.Role.ADMINISTRATOR)
def failed(request: SignedIn) -> HttpResponse:
    """The newest first; the filters are in the address."""
    form = FailureFilter(request.GET)
    found = form.chosen(Delivery.objects.visible_to(request.user).select_related("webhook", "organization", "user", "settled_by"))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "notices/failed.jinja", {"form": form, "page": page, "query": Query(request.GET)})


@for_roles(User.Role.ADMINISTRATOR)
@require_POST
def failed_do(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """Try one again, or give it up."""
    if action == "again":
        delivering.try_again(delivery_id=pk, by=request.user, at=now())
        messages.success(request, "It is tried again.")
    elif action == "give-up":
        delivering.give_up(delivery_id=pk, by=request.user, at=now())
        messages.success(request, "Given up. It is off this list.")
    else:
        raise NotFound("There is no such step.")
    return redirect("notices-failed")


@require_GET
@for_roles()
def caught(request: SignedIn) -> HttpResponse:
    """What a demonstration would have sent. No live site has this page."""
    if not kept.is_on():
        raise Http404
    form = CaughtFilter(request.GET)
    form.is_valid()
    found = kept.caught(form.cleaned_data.get("route") or "", form.cleaned_data.get("q") or "")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "notices/caught.jinja", {"form": form, "page": page, "query": Query(request.GET)})
