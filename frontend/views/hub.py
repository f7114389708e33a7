"""A hub's queue and what its people do with it; sending to a hub, and answering one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

import matching.operations
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.hubs import needs, operations, queries
from flow.hubs.steps import HubSide
from flow.models import Episode, Hub, HubEntry, PathwayVersion, Patient
from flow.pathways.adherence import adherence, helper_name
from flow.pathways.choosing import pathways_open_to, versions_open_to
from flow.pathways.configuration import answered
from flow.sharing.queries import shared_with
from flow.workflow import REFERRER_WORDS, Action
from flow.workflow import STEPS as STEPS_OF_A_REQUEST
from frontend.forms.hub import HubForm, chosen_version
from frontend.forms.tell import tell
from frontend.presenters import hub as presenter
from frontend.presenters import match as lists
from frontend.presenters.query import Query
from matching.models import MatchRun

from .access import SignedIn, for_roles
from .on_pathway import answered_for

PAGE = 50
#: Services offered for one entry.
OFFERED = 20

#: The operation behind each button, what it takes besides, and what the next page says.
STEPS: dict[str, tuple[Callable[..., HubEntry], tuple[str, ...], str]] = {
    "take": (operations.take, (), "It is yours."),
    "put-back": (operations.put_back, (), "It is nobody’s again."),
    "assign": (operations.assign, ("user_id",), "It is given to your colleague."),
    "triage": (operations.triage, ("urgency",), "Accepted into the hub."),
    "ask": (operations.ask, ("words",), "The sender can read your question."),
    "return": (operations.return_, ("words",), "Returned. The sender can read why."),
    "take-back": (operations.take_back, ("task_id", "words"), "Taken back. The service and the sender are told."),
    "pass-on": (operations.pass_on, ("hub_id", "words"), "Passed on to the other hub."),
    "answer": (operations.answer, ("words",), "The hub can read your answer."),
    "send": (operations.send_again, ("words",), "Sent to the hub again."),
    "withdraw": (operations.withdraw, ("words",), "Withdrawn. The hub sees it no longer."),
}
#: Requests that can be taken back: by the table, as their sender can.
_TAKEN_BACK = next(step.sources for step in STEPS_OF_A_REQUEST if step.action == Action.WITHDRAW)
#: Those of the sender: they lead back to the referral.
SENDERS = {"answer", "send", "withdraw"}
#: Those after which the hub may not read it any more.
LEAVES = {"return", "pass-on"}


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def queue(request: SignedIn) -> HttpResponse:
    """The queue of the hubs where one works. Whom it names is written to the read audit, for triage."""
    filters = presenter.Filters.of(request.GET)
    at = clock.now()
    page = Paginator(queries.queue(request.user, **filters.asked), PAGE).get_page(request.GET.get("page"))
    queries.looked_at(request.user, page.object_list, refresh=bool(request.htmx))
    shared = None if request.htmx else Paginator(shared_with(request.user, at), PAGE).get_page(request.GET.get("shared"))
    audit.record_reads(user=request.user, record_type="patient", record_ids=[who.pk for who in shared or ()], purpose="shared-care")
    context = {
        "shared": shared,
        "filters": filters,
        "counts": queries.counts(request.user),
        "shown": queries.SHOWN,
        "pathways": queries.pathways(request.user),
        "hubs": list(Hub.objects.visible_to(request.user).worked_by(request.user)),
        "page": page,
        "lines": presenter.lines(page.object_list, at=at),
        "query": Query(request.GET),
    }
    return render(request, "hub/_queue.jinja" if request.htmx else "hub/queue.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def queue_csv(request: SignedIn) -> HttpResponse:
    """The queue as filtered. Each person in it is a read."""
    found = list(queries.queue(request.user, **presenter.Filters.of(request.GET).asked))
    queries.looked_at(request.user, found)
    answer: Any = StreamingHttpResponse(presenter.as_csv(found, at=clock.now()), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="hub-queue.csv"'
    return answer


def _entry(request: SignedIn, pk: UUID) -> HubEntry:
    """An entry of a hub where one works."""
    mine = HubEntry.objects.visible_to(request.user).in_queue_of(request.user)
    return get_object_or_404(
        mine.select_related(
            "hub__organization", "hub__team", "assigned_to", "referral__patient", "referral__profile", "referral__organization",
            "referral__pathway_version__pathway",
        ),
        pk=pk,
    )  # fmt: skip


@require_GET
@for_roles(User.Role.REFERRER)
def entry(request: SignedIn, pk: UUID) -> HttpResponse:
    """One referral in the hub: who, what for, what was answered, every step, and what can be done now."""
    return _page(request, pk)


@transaction.atomic
def _page(request: SignedIn, pk: UUID, problem: LuneError | None = None) -> HttpResponse:
    found = _entry(request, pk)
    referral, at = found.referral, clock.now()
    for kind, shown in (("patient", referral.patient_id), ("referral", referral.pk)):
        audit.record_read(user=request.user, record_type=kind, record_id=shown, purpose="triage", refresh=bool(request.htmx))
    standing = queries.standing(referral)
    asked = list(referral.tasks.select_related("pool__service").order_by("requested_at", "pk"))
    context = {
        "entry": found,
        "referral": referral,
        "patient": referral.patient,
        "standing": standing,
        "state": presenter.state_of(found, again=standing is not None and standing.nobody_left),
        "late": standing is not None and standing.due_at is not None and standing.due_at < at,
        "answers": answered(referral.pathway_version, referral.pathway_answers, known=True),
        "adherence": adherence(referral, at),
        "helper": helper_name(referral),
        "tasks": asked,
        "moves": {move.action.value: move for move in presenter.moves(found, HubSide.HUB)},
        "words_of": REFERRER_WORDS,
        "may_take_back": [task.pk for task in asked if task.status in _TAKEN_BACK],
        "colleagues": [who for who in queries.colleagues(found.hub) if who.pk != found.assigned_to_id],
        "hubs": [hub for hub in queries.hubs_for(request.user, referral.patient) if hub.pk != found.hub_id],
        "problem": problem,
        "typed": request.POST,
    }
    return render(request, "hub/entry.jinja", context, status=problem.http_status if problem else 200)


@for_roles(User.Role.REFERRER)
@require_POST
def step(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """One step of either side. What is not possible any more is told with the entry as it stands now."""
    if action not in STEPS:
        raise Http404
    found = get_object_or_404(HubEntry.objects.visible_to(request.user), pk=pk)
    verb, takes, said = STEPS[action]
    version = request.POST.get("version", "")
    try:
        verb(
            entry_id=found.pk,
            by=request.user,
            at=clock.now(),
            expected_version=int(version) if version.isdecimal() and len(version) < 10 else None,
            **{name: presenter.value(name, request.POST) for name in takes},
        )
    except LuneError as error:
        if action in SENDERS or error.http_status == 404:
            messages.error(request, error.message)
            return redirect("referral", found.referral_id)
        return _page(request, pk, error)
    messages.success(request, said)
    if action in SENDERS:
        return redirect("referral", found.referral_id)
    return redirect("hub") if action in LEAVES or request.POST.get("back") == "queue" else redirect("hub-entry", pk)


@for_roles(User.Role.REFERRER)
def route(request: SignedIn, pk: UUID) -> HttpResponse:
    """Services that fit, ranked now; those that are ticked are asked on behalf of the sender."""
    with transaction.atomic():
        found = _entry(request, pk)
        audit.record_read(user=request.user, record_type="patient", record_id=found.referral.patient_id, purpose="triage")
    problem = None
    if request.method == "POST" and request.POST.get("do") != "send":
        fresh = needs.search(entry_id=found.pk, by=request.user, at=clock.now())
        return redirect(f"{reverse('hub-route', args=[pk])}?run={fresh.pk}")
    named = lists.chosen([request.POST.get("run") or request.GET.get("run", "")])
    run = MatchRun.objects.visible_to(request.user).select_related("profile").filter(pk=named[0]).first() if named else None
    if request.method == "POST" and run is not None:
        try:
            operations.route(
                entry_id=found.pk, run_id=run.pk, pool_ids=lists.chosen(request.POST.getlist("pools")), by=request.user, at=clock.now()
            )
        except LuneError as error:
            problem = error
        else:
            messages.success(request, "Sent. You and the sender see each answer as it comes.")
            return redirect("hub-entry", pk)
    at = clock.now()
    rows = lists.rows(matching.operations.lines(run), user=request.user, at=at) if run else []
    context = {
        "entry": found,
        "referral": found.referral,
        "run": run,
        "rows": needs.within_pathway(rows, found.referral.pathway_version)[:OFFERED],
        "asked": set(found.referral.tasks.values_list("pool_id", flat=True)),
        "ticked": {str(pool) for pool in lists.chosen(request.POST.getlist("pools"))},
        "problem": problem,
    }
    return render(request, "hub/route.jinja", context, status=problem.http_status if problem else 200)


@for_roles(User.Role.REFERRER)
def send(request: SignedIn, pk: UUID) -> HttpResponse:
    """Send a person's referral to a hub in place of services, with the form of a pathway where one is chosen."""
    with transaction.atomic():
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
        audit.record_read(user=request.user, record_type="patient", record_id=patient.pk)
    hubs = queries.hubs_for(request.user, patient)
    version = chosen_version(versions_open_to(request.user), request.POST.get("version") or request.GET.get("pathway", ""))
    on = answered_for(request, request.POST.get("version", ""), version.pathway.current if version else None)
    version = on.version
    form = HubForm(None if on.is_newer else request.POST or None, initial=request.POST.dict(), hubs=hubs, version=version)
    status = 200
    if on.is_newer:
        status = 409
    elif request.method == "POST":
        status = 422
        if request.POST.get("version") and version is None:  # never sent without the pathway that somebody chose
            form.add_error(None, "This pathway has changed. Choose again; nothing has been sent.")
        elif form.is_valid():
            try:
                _send(request, patient, version, form.cleaned_data, form.typed())
            except LuneError as error:
                tell(form, error)
                status = error.http_status
            else:
                messages.success(request, "Sent to the hub. Here you see what becomes of it.")
                return redirect("patient", patient.pk)
    context = {
        "patient": patient,
        "form": form,
        "version": version,
        "on": on,
        "pathways": pathways_open_to(request.user),
        "questions": [form[name] for name in form.asked],
        "has_need": needs.last_need(request.user, patient) is not None,
    }
    return render(request, "hub/send.jinja", context, status=status)


def _send(request: SignedIn, patient: Patient, version: PathwayVersion | None, data: dict[str, Any], typed: dict[str, str]) -> HubEntry:
    at = clock.now()
    stay = Episode.objects.visible_to(request.user).filter(patient=patient, ended_at__isnull=True).order_by("-started_at").first()
    with transaction.atomic():
        return operations.send(
            patient_id=patient.pk,
            profile_id=needs.need_for(patient, version, by=request.user, at=at).pk,
            hub_id=data["hub"].pk,
            by=request.user,
            at=at,
            urgency=data["urgency"],
            reason=data["reason"],
            consent=data["consent"],
            episode_id=stay.pk if stay else None,
            version_id=version.pk if version else None,
            typed=typed,
        )
