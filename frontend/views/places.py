"""A provider's own places: one tap says what is free, a form what there is."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from capacity import batch, demand, operations, pools, queries
from capacity.holding import held_at
from capacity.models import CapacityStatus, ServiceCapacity, Via
from catalogue import operations as catalogue_operations
from catalogue.models import Service, User
from core.clock import now
from core.errors import LuneError
from frontend.environment import plural
from frontend.forms.places import PlaceForm, PoolForm, confirmed
from frontend.presenters.directory import assurance
from frontend.presenters.outlook import sentences
from frontend.presenters.places import HISTORY, Card, Problem, by_service, cards, said
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
    problem, changes = None, {}
    try:
        changes = form.changes(pool)
        sent = {"expected_version": form.cleaned_data["version"], "withdraw_because": form.taking_back(), "key": form.cleaned_data["key"]}
        operations.report(pool_id=pk, by=request.user, at=now(), **sent, **changes)
    except LuneError as error:
        problem = Problem(message=error.message, code=error.code, held=pool.held, typed=form.typed(), asked=changes)
    if getattr(request, "htmx", False):
        card = _cards(request, only=pk, problem=problem)[0]
        return render(
            request,
            "places/_answer.jinja",
            {
                "card": card,
                "said": said(card),
                "statuses": CapacityStatus.choices,
                "outlooks": sentences([card.state], now(), full_only=True),
            },
        )
    if problem:
        return _page(request, problem_at=pk, problem=problem)
    return redirect(f"{reverse('places')}#place-{pk}")


@for_roles(User.Role.PROVIDER)
@require_POST
def all_the_same(request: SignedIn) -> HttpResponse:
    """One press: every figure of the page is right as it stood there. What somebody changed meanwhile is told, and left as it is."""
    shown = confirmed(request.POST.getlist("same"))
    # The same press twice is one press: a version is confirmed by somebody once.
    lines = [batch.Line(pool, {"expected_version": version}, key=_once(request.user, pool, version)) for pool, version in shown.items()]
    outcomes = batch.report_each(lines, by=request.user, at=now(), via=Via.WEB, key="")
    kept = sum(outcome.error is None for outcome in outcomes)
    if kept:
        messages.success(request, f"Thank you. {plural(kept, 'figure')} {'is' if kept == 1 else 'are'} marked as correct now.")
    own = ServiceCapacity.objects.visible_to(request.user).run_by(request.user).filter(pk__in=shown)
    names = dict(own.values_list("pk", "name"))
    for pool, outcome in zip(shown, outcomes, strict=True):
        if outcome.error:
            messages.warning(request, f"{names.get(pool, 'One of them')}: not marked as correct. {outcome.error.message}")
    return redirect("places")


def _once(user: User, pool: UUID, version: int) -> str:
    return hashlib.sha256(f"same {user.pk} {pool} {version}".encode()).hexdigest()


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


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def pool_new(request: SignedIn, pk: UUID) -> HttpResponse:
    """More places of a service: another type of bed, a round, a caseload, or so many at each session."""
    service = get_object_or_404(Service.objects.visible_to(request.user).owned_by(request.user).select_related("care_type"), pk=pk)
    form = PoolForm(request.POST if request.method == "POST" else None, service=service)
    if form.is_valid():
        try:
            pool = pools.add(service_id=service.pk, by=request.user, at=now(), **form.set_up())
        except LuneError as error:
            _refused(form, error)
        else:
            messages.success(request, f"{pool.name} is set up. Now say how many are free.")
            return redirect(f"{reverse('places')}#place-{pool.pk}")
    return render(request, "places/pool.jinja", {"form": form, "service": service, "pool": None}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def pool_change(request: SignedIn, pk: UUID) -> HttpResponse:
    """Another name for places, or whom they are for; the figures stay as they are."""
    visible = ServiceCapacity.objects.visible_to(request.user).run_by(request.user)
    pool = get_object_or_404(visible.select_related("service__care_type", "care_type"), pk=pk, session_of=None)
    form = PoolForm(request.POST if request.method == "POST" else None, service=pool.service, pool=pool)
    if form.is_valid():
        try:
            pools.change(pool_id=pk, by=request.user, at=now(), **form.set_up())
        except LuneError as error:
            _refused(form, error)
        else:
            messages.success(request, f"{form.cleaned_data['name']}: changed.")
            return redirect(f"{reverse('places')}#place-{pk}")
    return render(request, "places/pool.jinja", {"form": form, "service": pool.service, "pool": pool}, status=422 if form.errors else 200)


def _refused(form: PoolForm, error: LuneError) -> None:
    field = error.details.get("field")
    form.add_error(field if isinstance(field, str) and field in form.fields else None, error.message)


def _cards(request: SignedIn, *, only: UUID | None = None, problem_at: UUID | None = None, problem: Problem | None = None) -> list[Card]:
    at = now()
    own = ServiceCapacity.objects.visible_to(request.user).run_by(request.user).exclude(starts_at__lte=at)
    own = own.order_by("service__name", "service_id", "name", F("starts_at").asc(nulls_first=True))
    if only:
        own = own.filter(pk=only)
        problem_at = only
    states = queries.with_state(own, at)
    history = queries.histories([state.id for state in states], at - HISTORY)
    held = held_at(request.user, [state.id for state in states if state.held])
    return cards(states, history, at=at, problem_at=problem_at, problem=problem, held=held)


def _page(request: SignedIn, **problem: Any) -> HttpResponse:
    shown = _cards(request, **problem)
    services = list(Service.objects.visible_to(request.user).owned_by(request.user).order_by("name", "pk"))
    checks = {service.pk: assurance(service, today=timezone.localdate()) for service in services}
    own = ServiceCapacity.objects.visible_to(request.user).run_by(request.user).filter(session_of=None)
    context = {
        "cards": by_service(shown),
        "confirmable": sum(card.confirmable for card in shown),
        "services": services,
        "checks": checks,
        "outlooks": sentences((card.state for card in shown), now(), full_only=True),
        "near": {pk: demand.words(count) for pk, count in demand.waiting_near([service.pk for service in services], now()).items()},
        "statuses": CapacityStatus.choices,
        "pools": own.select_related("service").order_by("service__name", "name"),
    }
    return render(request, "places.jinja", context, status=409 if problem else 200)
