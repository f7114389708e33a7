"""Say what somebody needs; the answer is a ranked list."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

import matching.operations
from catalogue.models import User
from core import clock
from core.errors import LuneError
from flow.models import Episode, Patient
from frontend.forms.need import NeedForm, initial_from_patient, initial_from_profile
from frontend.forms.tell import tell
from frontend.presenters.match import chosen
from matching.models import NeedProfile

from .access import SignedIn, for_roles


def _patient(request: SignedIn) -> Patient | None:
    """The person named in the address, if any; another organisation's is not found."""
    named = request.GET.get("patient")
    if not named:
        return None
    return get_object_or_404(Patient.objects.visible_to(request.user), pk__in=chosen([named]))


def _initial(request: SignedIn, patient: Patient | None) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    if patient is not None:
        episode = Episode.objects.visible_to(request.user).filter(patient=patient, ended_at__isnull=True).first()
        initial = initial_from_patient(patient, episode)
    if request.GET.get("profile"):
        profile = get_object_or_404(NeedProfile.objects.visible_to(request.user), pk__in=chosen([request.GET["profile"]]))
        initial = initial_from_profile(profile) | ({"postcode": patient.postcode} if patient else {})
    elif request.GET.get("care"):
        initial["care_types"] = request.GET.getlist("care")
    return initial


def match_address(run_id: UUID, patient_id: UUID | None) -> str:
    """The page of a ranking, for a person if one was named."""
    address = reverse("match", args=[run_id])
    return f"{address}?{urlencode({'patient': patient_id})}" if patient_id else address


@for_roles(User.Role.REFERRER)
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
                run = matching.operations.match(need, by=request.user, at=at)
        except LuneError as error:
            tell(form, error)
        else:
            return redirect(match_address(run.pk, patient.pk if patient else None))
    return render(request, "find/find.jinja", {"form": form, "patient": patient}, status=422)
