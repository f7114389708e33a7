"""A provider's own places: one tap says what is free."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from capacity import operations, queries
from capacity.models import CapacityStatus, ServiceCapacity
from catalogue import operations as catalogue_operations
from catalogue.models import Service, User
from core.clock import now
from core.errors import LuneError
from frontend.forms.places import PlaceForm
from frontend.presenters.directory import assurance
from frontend.presenters.places import HISTORY, Card, Problem, cards, said
from frontend.views.access import SignedIn, for_roles


@require_GET
@for_roles(User.Role.PROVIDER)
def places(request: SignedIn) -> HttpResponse:
    """Every pool of the organisation, a card each."""
    return _page(request)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def place(request: SignedIn, pk: UUID) -> HttpResponse:
    """GET: the figure and quick buttons of one card, for the live refresh. POST: one press on that card.

    A press that is refused answers with the present figure, why, and the buttons again.
    """
    pool = get_object_or_404(ServiceCapacity.objects.visible_to(request.user).run_by(request.user), pk=pk)
    if request.method == "GET":
        return render(request, "places/_now.jinja", {"card": _cards(request, only=pk)[0]})
    form = PlaceForm(request.POST)
    problem = None
    try:
        changes = form.changes(pool)
        operations.report(pool_id=pk, by=request.user, at=now(), expected_version=form.cleaned_data["version"], **changes)
    except LuneError as error:
        problem = Problem(message=error.message, code=error.code, held=pool.held, typed=form.typed())
    if getattr(request, "htmx", False):
        card = _cards(request, only=pk, problem=problem)[0]
        return render(request, "places/_answer.jinja", {"card": card, "said": said(card), "statuses": CapacityStatus.choices})
    if problem:
        return _page(request, problem_at=pk, problem=problem)
    return redirect(f"{reverse('places')}#place-{pk}")


@for_roles(User.Role.PROVIDER)
@require_POST
def still_correct(request: SignedIn, pk: UUID) -> HttpResponse:
    """One press: the public record of this service is right as it stands."""
    service = catalogue_operations.assure(service_id=pk, by=request.user, at=now())
    messages.success(request, f"Thank you. The entry of {service.name} is marked as checked today.")
    return redirect("places")


@for_roles(User.Role.PROVIDER)
@require_POST
def place_public(request: SignedIn, pk: UUID) -> HttpResponse:
    """One press: everybody may see what is free here, or professionals alone."""
    pool = get_object_or_404(ServiceCapacity.objects.visible_to(request.user).run_by(request.user), pk=pk)
    pool = operations.show_to_public(pool_id=pool.pk, shown=request.POST.get("shown") == "yes", by=request.user, at=now())
    who = "Everybody can now see" if pool.shown_to_public else "Only professionals can now see"
    messages.success(request, f"{who} what is free in {pool.name}.")
    return redirect("places")


def _cards(request: SignedIn, *, only: UUID | None = None, problem_at: UUID | None = None, problem: Problem | None = None) -> list[Card]:
    at = now()
    pools = ServiceCapacity.objects.visible_to(request.user).run_by(request.user).order_by("service__name", "service_id", "name")
    if only:
        pools = pools.filter(pk=only)
        problem_at = only
    states = queries.with_state(pools, at)
    history = queries.histories([state.id for state in states], at - HISTORY)
    return cards(states, history, at=at, problem_at=problem_at, problem=problem)


def _page(request: SignedIn, **problem: Any) -> HttpResponse:
    shown = _cards(request, **problem)
    services = Service.objects.visible_to(request.user).filter(pk__in={card.state.service for card in shown})
    checks = {service.pk: assurance(service, today=timezone.localdate()) for service in services}
    pools = (
        ServiceCapacity.objects.visible_to(request.user).run_by(request.user).select_related("service").order_by("service__name", "name")
    )
    context = {"cards": shown, "checks": checks, "statuses": CapacityStatus.choices, "pools": pools.order_by("service__name", "name")}
    return render(request, "places.jinja", context, status=409 if problem else 200)
