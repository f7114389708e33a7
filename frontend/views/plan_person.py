"""What the plan must respect of one person: who stays together with them, and whether they are kept apart."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

import flow.operations
from catalogue.models import User
from core import audit, clock
from core.errors import Invalid, LuneError
from flow.models import Episode, Patient, Relationship
from frontend.forms.plan_person import ApartForm, TogetherForm
from frontend.forms.tell import tell
from frontend.presenters.match import chosen

from .access import SignedIn, for_roles


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def plan_person(request: SignedIn, pk: UUID) -> HttpResponse:
    """Two short forms; whoever is named beside the person is looked at too."""
    person = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
    action = request.POST.get("action", "")
    stay = Episode.objects.visible_to(request.user).filter(patient=person, ended_at=None).first()
    together = TogetherForm(request.POST if action == "together" else None)
    apart = ApartForm(request.POST if action == "infection" else None, initial={"infection": stay.infection if stay else ""})
    problem: LuneError | None = None
    if request.method == "POST":
        try:
            if said := _act(request, person, action, together, apart):
                messages.success(request, said)
                return redirect("patient-plan", person.pk)
        except LuneError as error:
            if error.details.get("field") in together.fields:
                tell(together, error)
            else:
                problem = error
    ties = Relationship.objects.visible_to(request.user).of(person).select_related("patient", "other")
    others = [(tie, tie.other if tie.patient_id == person.pk else tie.patient) for tie in ties]
    audit.record_reads(user=request.user, record_type="patient", record_ids=[person.pk, *(other.pk for _, other in others)])
    context = {"patient": person, "stay": stay, "together": together, "apart": apart, "others": others, "problem": problem}
    status = 200 if request.method == "GET" else problem.http_status if problem else 422
    return render(request, "patients/plan.jinja", context, status=status)


def _act(request: SignedIn, person: Patient, action: str, together: TogetherForm, apart: ApartForm) -> str:
    """Do what was asked, and say so; empty when a form must be shown again."""
    by, at = request.user, clock.now()
    match action:
        case "together":
            if not together.is_valid():
                return ""
            flow.operations.keep_together(patient_id=person.pk, by=by, at=at, **together.cleaned_data)
            return "The plan keeps them together from the next time that it is drawn up."
        case "infection":
            if not apart.is_valid():
                return ""
            flow.operations.keep_apart(patient_id=person.pk, by=by, at=at, **apart.cleaned_data)
            return "Saved. The plan goes by it from the next time that it is drawn up."
        case "let-apart" if ids := chosen(request.POST.getlist("tie")):
            flow.operations.let_apart(relationship_id=ids[0], by=by, at=at)
            return "They need not be at the same place any more."
        case _:
            raise Invalid("Press one of the buttons on the page.")
