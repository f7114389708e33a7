"""Places that a team keeps for somebody while they or their family decide."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import flow.operations
from capacity.models import Reservation, ServiceCapacity
from capacity.operations import policy_of
from capacity.queries import with_state
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.hold_queries import holds as holds_of
from flow.models import Episode, Patient
from frontend.environment import url
from frontend.forms.hold import HoldForm
from frontend.presenters import countdown
from frontend.presenters import holds as presenter
from frontend.presenters.match import chosen
from frontend.presenters.query import Query
from matching.models import MatchRun

from .access import SignedIn, for_roles

PAGE = 50


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def holds(request: SignedIn) -> HttpResponse:
    """What the team holds, or what ended of late; to htmx only the list. Whom it names is written to the read audit."""
    at, over = clock.now(), request.GET.get("show") == "ended"
    held = holds_of(request.user, at)
    page = Paginator(holds_of(request.user, at, over=True) if over else held, PAGE).get_page(request.GET.get("page"))
    named = [hold.patient for hold in page.object_list]
    audit.record_reads(user=request.user, record_type="patient", record_ids=named, refresh=bool(request.htmx))
    context = {
        "page": page,
        "query": Query(request.GET),
        "over": over,
        "count": len(held),
        "words": presenter.words(at),
        "longer": presenter.longer,
    }
    return render(request, "holds/_list.jinja" if request.htmx else "holds/holds.jinja", context)


@for_roles(User.Role.REFERRER)
@require_http_methods(["GET", "POST"])
@transaction.atomic
def hold_new(request: SignedIn) -> HttpResponse:
    """Say for whom, then hold the place that was chosen. Without a place, first find one."""
    patient, wanted, run = _patient(request), _named(request, "pool"), _named(request, "run")
    if wanted is None:
        return redirect(url("find", query={"patient": patient.pk if patient else None}))
    pools = ServiceCapacity.objects.visible_to(request.user).filter(pk=wanted)
    pool = get_object_or_404(pools.select_related("service"))
    people = Patient.objects.visible_to(request.user).filter(episodes__in=Episode.objects.visible_to(request.user).filter(ended_at=None))
    form = HoldForm(request.POST or None, initial={"patient": patient}, patients=people.distinct())
    problem: LuneError | None = None
    if request.method == "POST" and form.is_valid():
        whose = form.cleaned_data["patient"]
        waiting = Episode.objects.visible_to(request.user).filter(patient=whose, ended_at=None).order_by("-started_at").first()
        try:
            assert waiting is not None  # the form offers nobody else
            hold = flow.operations.hold_place(episode_id=waiting.pk, pool_id=pool.pk, by=request.user, at=clock.now())
        except LuneError as error:
            problem = error
        else:
            until = countdown.clock(hold.reservation.expires_at, clock.now())
            messages.success(
                request, f"A place at {pool.service.name} is held until {until}. The service sees that it is, and not for whom."
            )
            return redirect(_after(request, run, pool.pk, whose.pk))
    shown = None if form.errors else patient
    if shown is None:  # the form lists the organisation's people by name
        audit.record_reads(
            user=request.user, record_type="patient", record_ids=people.values_list("pk", flat=True), purpose="choose-person"
        )
    policy = policy_of(pool)
    context: dict[str, Any] = {
        "state": with_state(pools, clock.now())[0],
        "form": form,
        "patient": shown,
        "problem": problem,
        "run": run,
        "length": presenter.lasting(policy.hold_for),
        "longer": presenter.lasting(policy.hold_extension),
        "back": _back(request, run, patient) or reverse("service", args=[pool.service_id]),
    }
    status = 200 if request.method == "GET" else problem.http_status if problem else 422
    return render(request, "holds/new.jinja", context, status=status)


@for_roles(User.Role.REFERRER)
@require_POST
def hold_extend(request: SignedIn, pk: UUID) -> HttpResponse:
    """Keep a place longer, once."""
    hold = get_object_or_404(Reservation.objects.visible_to(request.user), pk=pk)
    try:
        hold = flow.operations.extend_hold(hold_id=hold.pk, by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"The place is now held until {countdown.clock(hold.expires_at, clock.now())}.")
    return redirect("holds")


@for_roles(User.Role.REFERRER)
@require_POST
def hold_let_go(request: SignedIn, pk: UUID) -> HttpResponse:
    """Give a place back before its time."""
    hold = get_object_or_404(Reservation.objects.visible_to(request.user), pk=pk)
    try:
        flow.operations.let_go(hold_id=hold.pk, by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The place is given back: others can have it now.")
    return redirect("holds")


def _named(request: SignedIn, name: str) -> UUID | None:
    """An id that the form or the address names."""
    ids = chosen(request.POST.getlist(name) or request.GET.getlist(name))
    return ids[0] if ids else None


def _patient(request: SignedIn) -> Patient | None:
    """The person whom the address names, or the form when nobody was chosen in it; looking at the name is recorded."""
    named = _named(request, "patient")
    if named is None:
        return None
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=named)
    audit.record_read(user=request.user, record_type="patient", record_id=patient.pk)
    return patient


def _back(request: SignedIn, run: UUID | None, patient: Patient | None) -> str:
    """The list of services from which somebody came, if they did."""
    known = run is not None and MatchRun.objects.visible_to(request.user).filter(pk=run).exists()
    return url("match", run, query={"patient": patient.pk if patient else None}) if known else ""


def _after(request: SignedIn, run: UUID | None, pool: UUID, patient: UUID) -> str:
    """Back to the list, with the place ticked; or to what the team holds."""
    known = run is not None and MatchRun.objects.visible_to(request.user).filter(pk=run).exists()
    return url("match", run, query={"patient": patient, "pools": pool}) if known else reverse("holds")
