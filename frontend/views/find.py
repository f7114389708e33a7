"""Say what somebody needs; the answer is a ranked list."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

import flow.operations
import matching.operations
from catalogue.models import Organization, User
from core import audit, clock
from core.errors import LuneError
from flow.models import Episode, Patient, RelatedPerson
from frontend.forms.need import NeedForm, initial_from_patient, initial_from_profile
from frontend.forms.tell import tell
from frontend.presenters.match import chosen
from matching.models import NeedProfile, Pathway

from .access import SignedIn, for_roles

#: By whose weights the searches of an organisation rank, unless a stay or an earlier search says otherwise.
USUAL_PATHWAY: dict[str, str] = {Organization.Kind.PRACTICE: Pathway.PRIMARY_CARE, Organization.Kind.CHARITY: Pathway.SOCIAL_PRESCRIBING}


def _patient(request: SignedIn) -> Patient | None:
    """The person named in the address, if any; another organisation's is not found. Looking at the name is recorded."""
    named = request.GET.get("patient")
    if not named:
        return None
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk__in=chosen([named]))
    audit.record_read(user=request.user, record_type="patient", record_id=patient.pk)
    return patient


def _initial(request: SignedIn, patient: Patient | None) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    if patient is not None:
        episode = Episode.objects.visible_to(request.user).filter(patient=patient, ended_at__isnull=True).select_related("profile").first()
        initial = initial_from_patient(patient, episode)
        if RelatedPerson.objects.visible_to(request.user).current().cared_for_by(patient).exists():
            initial["needs"] = ["carer"]
        if episode is not None and episode.profile is not None:
            initial = initial_from_profile(episode.profile) | {name: initial[name] for name in ("age", "sex", "postcode")}
            initial["pathway"] = episode.discharge_pathway
    if request.GET.get("profile"):
        profile = get_object_or_404(NeedProfile.objects.visible_to(request.user), pk__in=chosen([request.GET["profile"]]))
        initial = initial_from_profile(profile) | ({"postcode": patient.postcode} if patient else {})
    elif request.GET.get("care"):
        initial["care_types"] = request.GET.getlist("care")
    of_work = USUAL_PATHWAY.get(request.user.organization.kind, "") if request.user.organization else ""
    return {"pathway": of_work} | initial | {"from_record": patient is not None}


def match_address(run_id: UUID, patient_id: UUID | None) -> str:
    """The page of a ranking, for a person if one was named."""
    address = reverse("match", args=[run_id])
    return f"{address}?{urlencode({'patient': patient_id})}" if patient_id else address


@for_roles(User.Role.REFERRER)
@transaction.atomic
def find(request: SignedIn) -> HttpResponse:
    """The search form; sent, it stores the need and shows the ranking."""
    patient = _patient(request)
    if request.method != "POST":
        return render(request, "find/find.jinja", {"form": NeedForm(initial=_initial(request, patient)), "patient": patient})
    form = NeedForm(request.POST)
    if form.is_valid():
        at = clock.now()
        try:
            with transaction.atomic():
                need = matching.operations.profile_from(form.need(timezone.localdate()), by=request.user)
                run = matching.operations.match(need, by=request.user, at=at, nearly=True)
                if patient is not None:
                    flow.operations.note_need(patient_id=patient.pk, profile_id=need.pk, by=request.user)
        except LuneError as error:
            tell(form, error)
        else:
            return redirect(match_address(run.pk, patient.pk if patient else None))
    return render(request, "find/find.jinja", {"form": form, "patient": patient}, status=422)
