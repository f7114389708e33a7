"""The ranked list, why a service is not in it, and sending to those that were chosen."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

import matching.operations
from capacity.models import ServiceCapacity
from capacity.queries import PoolState, next_of_each, with_state
from catalogue.models import User
from catalogue.queries import search_services
from core import audit, clock
from core.errors import Conflict, LuneError
from flow import fit, packages
from flow.hold_queries import Hold, holds
from flow.models import Consent, Episode, Patient
from flow.pathways import choosing
from frontend.forms.send import SendForm, moved, without_hold
from frontend.forms.tell import tell
from frontend.presenters import compare as side_by_side
from frontend.presenters import map as maps
from frontend.presenters import match as presenter
from frontend.presenters import parts as beside
from matching import comparing
from matching.engine import explain
from matching.models import MatchRun

from .access import SignedIn, for_roles
from .find import match_address
from .on_pathway import on_pathway

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
    at = clock.now()
    found = presenter.rows(matching.operations.lines(run), user=request.user, at=at)
    sections = beside.sections(run, user=request.user, at=at)
    of_package = [section for section in sections if not section.is_help]
    context = {
        "run": run,
        "profile": run.profile,
        "patient": patient,
        "held": {hold.pool: hold for hold in _held(request, patient)},
        "rows": found,
        "shown_first": SHOWN_FIRST,
        "misses": matching.operations.nearest_misses(run),
        "pins": beside.section_pins(of_package) if of_package else presenter.pins(found),
        "of_package": of_package,
        "helps": [section for section in sections if section.is_help],
        "together": beside.together(sections, at=at),
        "home": maps.lat_lon(run.profile.point),
        "chosen": presenter.chosen(request.GET.getlist("pools")),
    }
    return render(request, "match/match.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def compare(request: SignedIn, pk: UUID) -> HttpResponse:
    """Two to four services side by side, as they stand now. With fewer or more ticked, the page asks which."""
    run, patient, at = _run(request, pk), _patient(request), clock.now()
    wanted = presenter.chosen(request.GET.getlist("pools"))
    known = ServiceCapacity.objects.visible_to(request.user).filter(pk__in=wanted)
    states = {state.id: state for state in with_state(known, at)}
    wanted = [pool for pool in wanted if pool in states]
    context: dict[str, Any] = {"run": run, "profile": run.profile, "patient": patient, "wanted": wanted}
    try:
        found = side_by_side.columns(comparing.compare(run, wanted, at=at), user=request.user, at=at)
    except LuneError as error:
        offered = [states[pool] for pool in wanted]
        if len(wanted) < comparing.FEWEST:
            offered += [row.state for row in presenter.rows(matching.operations.lines(run), user=request.user, at=at)[:SHOWN_FIRST]]
        context |= {"error": error, "offered": list({state.id: state for state in offered}.values())}
        return render(request, "match/compare_choose.jinja", context, status=error.http_status)
    context |= {
        "columns": found,
        "facts": side_by_side.facts(found),
        "rules": side_by_side.rules(found),
        "factors": side_by_side.factors(found),
    }
    return render(request, "match/compare.jinja", context)


@for_roles(User.Role.REFERRER)
@require_POST
@transaction.atomic
def match_again(request: SignedIn, pk: UUID) -> HttpResponse:
    """Rank the same need by what is free now."""
    run = matching.operations.match(_run(request, pk).profile, by=request.user, at=clock.now(), nearly=True)
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
    on = on_pathway(request, choosing.fitting(choosing.current_versions(request.user), wanted))
    of_pathways = {"versions": on.versions, "version": on.version}
    moving = not on.lost and ("move" in request.POST or "questions" in request.POST or (request.method == "POST" and on.asks_first))
    if moving:
        wanted = moved(request.POST, wanted)
    pools = ServiceCapacity.objects.visible_to(request.user).filter(pk__in=wanted)
    states = _in_order(with_state(pools, at), wanted)
    people = Patient.objects.visible_to(request.user)
    kept = [hold for hold in _held(request, patient) if hold.pool in wanted]
    chosen_states: dict[str, Any] = {"patients": people, "states": states, "held": [hold.pool for hold in kept]} | of_pathways
    agreed = Consent.objects.visible_to(request.user).filter(patient=patient, purpose="direct-care").current().first() if patient else None
    agrees = agreed is not None and agreed.decision == Consent.Decision.GIVEN
    given: dict[str, Any] = {"patient": patient, "pools": wanted, "consent": agrees, "pathway": on.version.pk if on.version else ""}
    if moving:  # nothing is sent, and nothing that was typed is lost
        given |= request.POST.dict() | {"pools": wanted, "pathway": given["pathway"]}
    form = SendForm(None if moving else request.POST or None, initial=given, **chosen_states)
    gone: Conflict | None = None
    if request.method == "POST" and not moving and form.is_valid():
        asked = form.asked()
        try:
            referrals = packages.send(
                parts=beside.asked_of(run, asked.pop("pool_ids")),
                by=request.user,
                at=at,
                episode_id=_waiting(request, form.cleaned_data["patient"]),
                **asked,
            )
        except Conflict as error:
            gone = error
            # What was read above may be older than the refusal. A place that has gone can no longer be kept.
            states = _in_order(with_state(pools, clock.now()), wanted)
            form = SendForm(without_hold(request.POST), **(chosen_states | {"states": states}))
        except LuneError as error:
            tell(form, error)
        else:
            if len(referrals) > 1:
                messages.success(request, f"{len(referrals)} referrals are sent. Each is answered by itself; all of them are wanted.")
                return redirect("patient", referrals[0].patient_id)
            return redirect("referral", referrals[0].pk)
    if patient is None:  # the form lists the organisation's people by name
        named = Patient.objects.visible_to(request.user).values_list("pk", flat=True)
        audit.record_reads(user=request.user, record_type="patient", record_ids=named, purpose="choose-person")
    list_of_gone = beside.list_of(run, str(gone.details.get("pool"))) if gone else run
    others = matching.operations.next_best(list_of_gone, exclude_pools=wanted, at=at, limit=ALTERNATIVES) if gone else []
    context = {
        "run": run,
        "form": form,
        "patient": patient,
        "agreed": agreed,
        "kept": kept,
        "on": on,
        "states": states,
        "parts": _parts(run, states, wanted),
        "ticked": [pool for pool in wanted if not gone or gone.code == "no-longer-fits" or str(pool) != gone.details.get("pool")],
        "against": {pool: [explain.label(code) for code in codes] for pool, codes in fit.failed(run.profile, wanted, at).items() if codes},
        "gone": gone,
        "others": presenter.rows(others, user=request.user, at=at),
        "overdue": presenter.overdue(states, user=request.user, today=timezone.localdate(at)),
    }
    status = 409 if gone or on.is_newer else 200 if request.method != "POST" or moving else 422
    return render(request, "send/send.jinja", context, status=status)


def _in_order(states: list[PoolState], wanted: list[UUID]) -> list[PoolState]:
    """In the order in which they were chosen: so they are asked, when one is asked after the other."""
    return sorted(states, key=lambda state: wanted.index(state.id))


def _parts(run: MatchRun, states: list[Any], wanted: list[UUID]) -> list[tuple[str, list[Any]]]:
    """What the chosen services are asked for, when that is more than one thing: its kind of care, and the states of those asked."""
    by_id = {state.id: state for state in states}
    parts = beside.asked_of(run, [pool for pool in wanted if pool in by_id])
    if len(parts) < 2:
        return []
    return [
        (" or ".join(dict.fromkeys(by_id[pool].care_type_name for pool in part.pool_ids)), [by_id[p] for p in part.pool_ids])
        for part in parts
    ]


def _held(request: SignedIn, patient: Patient | None) -> list[Hold]:
    """The places that are held for this person and not sent with a referral yet."""
    return [hold for hold in holds(request.user, clock.now(), patient=patient) if not hold.referral] if patient else []


def _waiting(request: SignedIn, patient: Patient) -> UUID | None:
    """The open stay or wait that this referral would end."""
    episodes = Episode.objects.visible_to(request.user).filter(patient=patient, ended_at__isnull=True)
    return episodes.order_by("-started_at").values_list("pk", flat=True).first()
