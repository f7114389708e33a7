"""Messages that did not arrive: to users and systems for whoever runs the site, to people for their teams; and in a demonstration all
that would have gone out.
"""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import User
from core.clock import now
from core.errors import Conflict, NotFound
from flow.reminders import failures
from frontend.forms.notices import CaughtFilter, FailureFilter, PersonFailureFilter
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles
from notifications.models import Delivery
from notifications.notices import caught as kept
from notifications.notices import delivering

PAGE_SIZE = 25


@require_GET
@for_roles(User.Role.ADMINISTRATOR, User.Role.REFERRER, User.Role.PROVIDER)
def failed(request: SignedIn) -> HttpResponse:
    """The newest first; the filters are in the address. Teams see what went to the people whom they know."""
    if not request.user.is_administrator:
        return _to_people(request)
    form = FailureFilter(request.GET)
    found = form.chosen(Delivery.objects.visible_to(request.user).select_related("webhook", "organization", "user", "settled_by"))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    stuck = failures.not_handed_over(by=request.user, at=now())
    return render(request, "notices/failed.jinja", {"form": form, "page": page, "query": Query(request.GET), "stuck": stuck})


def _to_people(request: SignedIn) -> HttpResponse:
    """What did not reach people. No name is among it: who it is stands on the referral."""
    form = PersonFailureFilter(request.GET)
    page = Paginator(form.chosen(failures.of(request.user)), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "notices/failed_people.jinja", {"form": form, "page": page, "query": Query(request.GET)})


@for_roles(User.Role.REFERRER, User.Role.PROVIDER)
@require_POST
def person_do(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """Try one message to a person again, or give it up."""
    if action not in ("again", "give-up"):
        raise NotFound("There is no such step.")
    try:
        if action == "again":
            failures.try_again(message_id=pk, by=request.user, at=now())
            messages.success(request, "It is tried again. At night it waits for the morning.")
        else:
            failures.give_up(message_id=pk, by=request.user, at=now())
            messages.success(request, "Given up. It is off this list.")
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("notices-failed")


@for_roles(User.Role.ADMINISTRATOR)
@require_POST
def people_again(request: SignedIn) -> HttpResponse:
    """Start anew all that no carrier took."""
    number = failures.try_all_again(by=request.user, at=now())
    messages.success(
        request, f"{number} {'message is' if number == 1 else 'messages are'} tried again. At night they wait for the morning."
    )
    return redirect("notices-failed")


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
