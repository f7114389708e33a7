"""A referral in three clicks from what is known of somebody: the need, the service, send. And coming here from a record system."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

import flow.intake.operations as intake
import flow.launch.operations as launches
import flow.operations
import matching.operations
from capacity.models import ServiceCapacity
from capacity.queries import with_state
from catalogue.lexicon import Lexicon
from catalogue.models import User
from core import audit, clock
from core.errors import Conflict, Invalid, LuneError
from flow.models import Episode, Patient
from flow.pathways import choosing
from frontend.forms.need import NeedForm, initial_from_patient
from frontend.forms.pathway_questions import add_pathway, pathway_field
from frontend.forms.pathway_questions import chosen as chosen_pathway
from frontend.forms.tell import tell
from frontend.presenters import match as presenter
from frontend.presenters.match import chosen
from matching.models import MatchRun

from .access import Request, SignedIn, for_roles
from .find import USUAL_PATHWAY
from .on_pathway import OnPathway, on_pathway
from .patients import already, looked

#: So many services are offered; the others are on the full list.
OFFERED = 6


class SendForm(forms.Form):
    """What may be added before sending. All of it may be left out; who names a pathway answers its questions."""

    pathway = pathway_field("It asks its own questions and sets its own deadlines.")
    urgency = forms.ChoiceField(label="How urgent?", choices=[("routine", "Routine"), ("urgent", "Urgent")], initial="routine")
    reason = forms.CharField(
        label="What should the service know?",
        help_text="Read only by a service that has said yes.",
        required=False,
        max_length=4000,
        widget=forms.Textarea,
    )

    def __init__(self, *args: Any, on: OnPathway, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = add_pathway(self, on.versions, on.version)
        self.order_fields([name for name in ("pathway", *self.questions) if name in self.fields])

    def said(self) -> dict[str, Any]:
        """What `flow.intake.operations.refer` takes."""
        data = self.cleaned_data
        return {"urgency": data["urgency"], "reason": data["reason"], **chosen_pathway(self, self.questions)}


@csrf_exempt
@require_POST
@never_cache
def launch(request: Request) -> HttpResponse:
    """What a record system signed, sent by the browser's form or by the system itself: neither who it is nor the token is in an address.

    A system that asks for JSON gets the address to open; a browser is sent there.
    """
    as_json = request.content_type == "application/json"
    token = _token(request) if as_json else request.POST.get("token", "")
    try:
        word = launches.receive(token=token, at=clock.now())
    except LuneError as error:
        if as_json:
            return JsonResponse({"code": error.code, "message": error.message}, status=error.http_status)
        raise
    address = reverse("launch-open", args=[word])
    return JsonResponse({"url": request.build_absolute_uri(address)}, status=201) if as_json else redirect(address)


@for_roles(User.Role.REFERRER)
@never_cache
@transaction.atomic
def launch_open(request: SignedIn, token: str) -> HttpResponse:
    """The person whom the record system vouches for, and what may be asked for them."""
    at = clock.now()
    known: list[Patient] = []
    if request.method == "POST":
        try:
            return _find(request, launches.person(word=token, by=request.user, at=at, **looked(request)))
        except Conflict as error:
            if error.code != "perhaps-recorded":
                raise
            known = already(request, error)
    found = launches.open_with(word=token, by=request.user, at=at)
    if found.patient is not None:
        return redirect(f"{reverse('refer')}?patient={found.patient_id}")
    audit.record_read(user=request.user, record_type="launch", record_id=found.pk)
    told = found.told | {"born": date.fromisoformat(found.told["birth_date"])}
    context = {"told": told, "action": reverse("launch-open", args=[token]), "known": known, "care": request.POST.get("care", "")}
    return _needs(request, context, status=409 if known else 200)


@for_roles(User.Role.REFERRER)
@transaction.atomic
def refer(request: SignedIn) -> HttpResponse:
    """The first click: what is needed."""
    patient = _patient(request)
    if request.method == "POST":
        return _find(request, patient)
    return _needs(request, {"patient": patient, "action": f"{reverse('refer')}?patient={patient.pk}"})


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def refer_choose(request: SignedIn, pk: UUID) -> HttpResponse:
    """The second click: which service."""
    patient, at = _patient(request), clock.now()
    run = get_object_or_404(MatchRun.objects.visible_to(request.user).select_related("profile"), pk=pk)
    rows = presenter.rows(matching.operations.lines(run), user=request.user, at=at)
    context = {"patient": patient, "run": run, "rows": rows[:OFFERED], "more": len(rows) - OFFERED}
    return render(request, "refer/choose.jinja", context)


@for_roles(User.Role.REFERRER)
@transaction.atomic
def refer_send(request: SignedIn, pk: UUID, pool_id: UUID) -> HttpResponse:
    """The third click: send. The button says that the person agrees. Who names a pathway is asked its questions first."""
    patient, at = _patient(request), clock.now()
    run = get_object_or_404(MatchRun.objects.visible_to(request.user).select_related("profile"), pk=pk)
    states = with_state(ServiceCapacity.objects.visible_to(request.user).filter(pk=pool_id), at)
    if not states:
        raise Http404
    on = on_pathway(request, choosing.fitting(choosing.current_versions(request.user), [pool_id]))
    asking = not on.lost and request.method == "POST" and (on.asks_first or "questions" in request.POST)
    given = (request.POST.dict() if asking else {}) | {"pathway": on.version.pk if on.version else ""}
    form = SendForm(request.POST if request.method == "POST" and not asking else None, initial=given, on=on)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                sent = intake.refer(
                    patient_id=patient.pk, match_run_id=run.pk, pool_id=pool_id, by=request.user, at=at, consent=True, **form.said()
                )
        except Invalid as error:
            tell(form, error)
        except Conflict as error:
            messages.error(request, error.message)
            return redirect(f"{reverse('refer-choose', args=[pk])}?patient={patient.pk}")
        else:
            messages.success(request, f"{states[0].service_name} has been asked.")
            return redirect("referral", sent.pk)
    context = {"patient": patient, "run": run, "state": states[0], "form": form, "on": on}
    return render(request, "refer/send.jinja", context, status=409 if on.is_newer else 422 if form.errors else 200)


def _patient(request: SignedIn) -> Patient:
    """The person in the address; another organisation's is not found. Looking at the name is recorded."""
    named = chosen([request.GET.get("patient", "")])
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=named[0] if named else None)
    audit.record_read(user=request.user, record_type="patient", record_id=patient.pk)
    return patient


def _needs(request: SignedIn, context: dict[str, Any], status: int = 200) -> HttpResponse:
    lexicon = Lexicon.read()
    names = dict(lexicon.choices("care-type"))
    usual = [(code, names[code]) for code in intake.usual_kinds(request.user) if code in names]
    groups = NeedForm.grouped(lexicon.offered("care-type"))
    return render(request, "refer/needs.jinja", {**context, "usual": usual, "groups": groups}, status=status)


def _find(request: SignedIn, patient: Patient) -> HttpResponse:
    """Rank services of the chosen kind for somebody, by what is known of them."""
    episode = Episode.objects.visible_to(request.user).filter(patient=patient, ended_at__isnull=True).first()
    of_work = USUAL_PATHWAY.get(request.user.organization.kind, "") if request.user.organization else ""
    data = {"miles": 15, "pathway": of_work} | initial_from_patient(patient, episode) | {"care_types": [request.POST.get("care", "")]}
    form = NeedForm({name: value for name, value in data.items() if name != "within"})
    if not form.is_valid():
        lacks = "The record lacks something. Use “Find a service”."
        messages.error(request, "Choose what is needed." if "care_types" in form.errors else lacks)
        return redirect(f"{reverse('refer')}?patient={patient.pk}")
    at = clock.now()
    try:
        with transaction.atomic():
            need = matching.operations.profile_from(form.need(timezone.localdate()), by=request.user)
            run = matching.operations.match(need, by=request.user, at=at, nearly=True)
            flow.operations.note_need(patient_id=patient.pk, profile_id=need.pk, by=request.user)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect(f"{reverse('refer')}?patient={patient.pk}")
    return redirect(f"{reverse('refer-choose', args=[run.pk])}?patient={patient.pk}")


def _token(request: Request) -> str:
    try:
        said = json.loads(request.body[:10_000])
    except (ValueError, RecursionError):
        return ""
    return str(said.get("token", "")) if isinstance(said, dict) else ""
