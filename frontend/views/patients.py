"""People of one's own organisation: one person's story, and a new person."""

from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

import flow.operations
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.models import Episode, Patient, Referral
from frontend.forms.patient import EpisodeForm, PatientForm
from frontend.forms.tell import tell
from frontend.presenters.referral import Ask

from .access import SignedIn, for_roles


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def patient(request: SignedIn, pk: UUID) -> HttpResponse:
    """Who it is, the stays and waits, and what was asked of whom. Looking is recorded."""
    person = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
    audit.record_read(user=request.user, record_type="patient", record_id=person.pk, refresh=bool(request.htmx))
    at = clock.now()
    referrals = Referral.objects.visible_to(request.user).filter(patient=person)
    context = {
        "patient": person,
        "age": person.age_on(at.date()),
        "episodes": Episode.objects.visible_to(request.user).filter(patient=person).order_by("-started_at"),
        "asks": [Ask.of(referral, at) for referral in referrals.prefetch_related("tasks__pool__service__organization")],
    }
    template = "patients/_referrals.jinja" if request.htmx else "patients/patient.jinja"
    return render(request, template, context)


@for_roles(User.Role.REFERRER)
def patient_new(request: SignedIn) -> HttpResponse:
    """Record somebody, and the stay or wait that they are in."""
    person_form, episode_form = PatientForm(request.POST or None), EpisodeForm(request.POST or None)
    if request.method == "POST" and all([person_form.is_valid(), episode_form.is_valid()]):
        at = clock.now()
        try:
            with transaction.atomic():
                person = flow.operations.add_patient(by=request.user, at=at, **person_form.cleaned_data)
                stay = episode_form.cleaned_data
                if stay["kind"]:
                    flow.operations.start_episode(
                        patient_id=person.pk,
                        by=request.user,
                        at=at,
                        kind=stay["kind"],
                        discharge_pathway=stay["discharge_pathway"],
                        ward=stay["ward"],
                        delay_reason=stay["delay_reason"],
                        **episode_form.times(at),
                    )
        except LuneError as error:
            tell(episode_form if error.details.get("field") in episode_form.fields else person_form, error)
        else:
            return redirect("patient", person.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/new.jinja", {"form": person_form, "episode_form": episode_form}, status=status)
