"""The ranked list, why a service is not in it, and sending to those that were chosen."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

import flow.operations
import matching.operations
from capacity.models import ServiceCapacity
from capacity.queries import next_of_each, with_state
from catalogue.models import User
from catalogue.queries import search_services
from core import audit, clock
from core.errors import Conflict, LuneError
from flow.hold_queries import Hold, holds
from flow.models import Episode, Patient
from frontend.forms.send import SendForm, without_hold
from frontend.forms.tell import tell
from frontend.presenters import map as maps
from frontend.presenters import match as presenter
from matching.models import MatchRun

from .access import SignedIn, for_roles
from .find import match_address

#: Lines that stand open; the others are one press away, so that the best are not lost among fifty.
SHOWN_FIRST = 10
#: Services shown when somebody asks why one is not in the list.
FOUND = 10
#: Other services offered when a chosen place has gone.
ALTERNATIVES = 3


def _run(request: SignedIn, pk: UUID) -> MatchRun:
    return get_object_or_404(MatchRun.objects.visible_to(request.user).select_related("profile"), pk=pk)


def _patient(request: SignedIn) -> Patient | None:
    """The person for whom one searches, from the address or the form; looking at the name is recorded."""
    named = presenter.chosen(request.POST.getlist("patient") or request.GET.getlist("patient"))
    if not named:
        return None
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=named[0])
    audit.record_read(user=request.user, record_type="patient", record_id=patient.pk)
    return patient


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def match(request: SignedIn, pk: UUID) -> HttpResponse:
    """The list as it was ranked, each line with its live badge."""
    run = _run(request, pk)
    patient = _patient(request)
    found = presenter.rows(matching.operations.lines(run), user=request.user, at=clock.now())
    context = {
        "run": run,
        "profile": run.profile,
        "patient": patient,
        "held": {hold.pool: hold for hold in _held(request, patient)},
        "rows": found,
        "shown_first": SHOWN_FIRST,
        "misses": None if found else matching.operations.nearest_misses(run),
        "pins": presenter.pins(found),
        "home": maps.lat_lon(run.profile.point),
        "chosen": presenter.chosen(request.GET.getlist("pools")),
    }
    return render(request, "match/match.jinja", context)


@for_roles(User.Role.REFERRER)
@require_POST
@transaction.atomic
def match_again(request: SignedIn, pk: UUID) -> HttpResponse:
    """Rank the same need by what is free now."""
    run = matching.operations.match(_run(request, pk).profile, by=request.user, at=clock.now())
    patient = _patient(request)
    return redirect(match_address(run.pk, patient.pk if patient else None))


@require_GET
@for_roles(User.Role.REFERRER)
def why_not_search(request: SignedIn, pk: UUID) -> HttpResponse:
    """Find the service that one expected to see in the list."""
    run = _run(request, pk)
    text = request.GET.get("q", "").strip()
    services = search_services(request.user, text=text)[:FOUND] if text else []
    pools = ServiceCapacity.objects.visible_to(request.user).filter(service__in=[service.pk for service in services]).offered(clock.now())
    context = {"run": run, "text": text, "states": next_of_each(with_state(pools, clock.now())), "patient": request.GET.get("patient", "")}
    return render(request, "match/why_not_search.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER)
def why_not(request: SignedIn, pk: UUID, pool_id: UUID) -> HttpResponse:
    """Why one service is not in the list, and what would change that."""
    run = _run(request, pk)
    pool = get_object_or_404(ServiceCapacity.objects.visible_to(request.user), pk=pool_id)
    at = clock.now()
    context = {
        "run": run,
        "explanation": matching.operations.why_not(run, pool.pk, at=at),
        "state": with_state(ServiceCapacity.objects.visible_to(request.user).filter(pk=pool.pk), at)[0],
        "patient": request.GET.get("patient", ""),
    }
    return render(request, "match/why_not.jinja", context)


@for_roles(User.Role.REFERRER)
@transaction.atomic
def send(request: SignedIn, pk: UUID) -> HttpResponse:
    """Check what is about to be sent, then send it. When a place has gone meanwhile, nothing typed is lost."""
    run, patient, at = _run(request, pk), _patient(request), clock.now()
    wanted = presenter.chosen(request.POST.getlist("pools") or request.GET.getlist("pools"))
    if not wanted:
        return redirect(match_address(run.pk, patient.pk if patient else None))
    pools = ServiceCapacity.objects.visible_to(request.user).filter(pk__in=wanted)
    states = with_state(pools.order_by("service__name"), at)
    people = Patient.objects.visible_to(request.user)
    kept = [hold for hold in _held(request, patient) if hold.pool in wanted]
    chosen_states: dict[str, Any] = {"patients": people, "states": states, "held": [hold.pool for hold in kept]}
    form = SendForm(request.POST or None, initial={"patient": patient, "pools": wanted}, **chosen_states)
    gone: Conflict | None = None
    if request.method == "POST" and form.is_valid():
        try:
            referral = flow.operations.send(
                profile_id=run.profile_id,
                match_run_id=run.pk,
                by=request.user,
                at=at,
                episode_id=_waiting(request, form.cleaned_data["patient"]),
                **form.asked(),
            )
        except Conflict as error:
            gone = error
            # What was read above may be older than the refusal. A place that has gone can no longer be kept.
            states = with_state(pools.order_by("service__name"), clock.now())
            form = SendForm(without_hold(request.POST), **(chosen_states | {"states": states}))
        except LuneError as error:
            tell(form, error)
        else:
            return redirect("referral", referral.pk)
    if patient is None:  # the form lists the organisation's people by name
        named = Patient.objects.visible_to(request.user).values_list("pk", flat=True)
        audit.record_reads(user=request.user, record_type="patient", record_ids=named, purpose="choose-person")
    others = matching.operations.next_best(run, exclude_pools=wanted, at=at, limit=ALTERNATIVES) if gone else []
    context = {
        "run": run,
        "form": form,
        "patient": patient,
        "kept": kept,
        "states": states,
        "ticked": [pool for pool in wanted if not gone or str(pool) != gone.details.get("pool")],
        "gone": gone,
        "others": presenter.rows(others, user=request.user, at=at),
        "overdue": presenter.overdue(states, user=request.user, today=timezone.localdate(at)),
    }
    status = 200 if request.method != "POST" else 409 if gone else 422
    return render(request, "send/send.jinja", context, status=status)


def _held(request: SignedIn, patient: Patient | None) -> list[Hold]:
    """The places that are held for this person and not sent with a referral yet."""
    return [hold for hold in holds(request.user, clock.now(), patient=patient) if not hold.referral] if patient else []


def _waiting(request: SignedIn, patient: Patient) -> UUID | None:
    """The open stay or wait that this referral would end."""
    episodes = Episode.objects.visible_to(request.user).filter(patient=patient, ended_at__isnull=True)
    return episodes.order_by("-started_at").values_list("pk", flat=True).first()
