"""Parts of a person's record with a page of their own: what they agreed to, who is around them, their stays."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

import flow.operations
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.models import Consent, Episode, Patient, RelatedPerson
from flow.relations import prefilled
from frontend.forms.patient import PatientForm
from frontend.forms.person import ConsentForm, RelatedForm, StayForm, VersionField
from frontend.forms.tell import tell
from frontend.presenters import person as present

from .access import SignedIn, for_roles
from .patients import already


def _person(request: SignedIn, pk: UUID) -> Patient:
    """A person whose record the user keeps; looking is recorded."""
    person = get_object_or_404(Patient.objects.visible_to(request.user).kept_by(request.user), pk=pk)
    audit.record_read(user=request.user, record_type="patient", record_id=person.pk)
    return person


def _status(request: SignedIn, problem: LuneError | None = None) -> int:
    return 200 if request.method == "GET" else 409 if problem and problem.http_status == 409 else 422


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def consent(request: SignedIn, pk: UUID) -> HttpResponse:
    """The whole history of what a person agreed to, and one line more."""
    person, at = _person(request, pk), clock.now()
    form = ConsentForm(request.POST or None, initial={"decided_on": clock.local_date(at), "purpose": request.GET.get("purpose", "")})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                flow.operations.record_consent(patient_id=person.pk, by=request.user, at=at, **form.cleaned_data)
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "Recorded.")
            return redirect("patient", person.pk)
    lines = Consent.objects.visible_to(request.user).filter(patient=person).select_related("recorded_by")
    context = {
        "patient": person,
        "form": form,
        "lines": [(line, present.consent_words(line)) for line in lines],
        "current": {line.pk for line in lines.current()},
    }
    return render(request, "patients/consent.jinja", context, status=_status(request))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def around_new(request: SignedIn, pk: UUID) -> HttpResponse:
    """Note who is something to a person. Digits are the NHS number of somebody on record."""
    person = _person(request, pk)
    form = RelatedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        if told["name"].replace(" ", "").replace("-", "").isdigit():
            told["person"] = told.pop("name")
        try:
            with transaction.atomic():
                flow.operations.add_related(patient_id=person.pk, by=request.user, at=clock.now(), **told)
        except LuneError as error:
            if error.details.get("field") == "person":
                form.add_error("name", error.message)
            else:
                tell(form, error)
        else:
            messages.success(request, "Noted.")
            return redirect("patient", person.pk)
    return render(request, "patients/around.jinja", {"patient": person, "form": form, "row": None}, status=_status(request))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def around_edit(request: SignedIn, pk: UUID, row_id: UUID) -> HttpResponse:
    """Change what is noted of somebody around a person, or say that it has ended."""
    person = _person(request, pk)
    row = get_object_or_404(RelatedPerson.objects.visible_to(request.user).current().filter(patient=person), pk=row_id)
    if row.person_id:
        audit.record_read(user=request.user, record_type="patient", record_id=row.person_id)
    form = RelatedForm(request.POST or None, row=row)
    problem: LuneError | None = None
    ends = request.POST.get("action") == "end"
    if request.method == "POST" and (ends or form.is_valid()):
        version = VersionField().clean(request.POST.get("version"))
        told = {} if ends else {name: value for name, value in form.cleaned_data.items() if name != "version"}
        verb = flow.operations.end_related if ends else flow.operations.edit_related
        try:
            with transaction.atomic():
                verb(related_id=row.pk, version=version, by=request.user, at=clock.now(), **told)
        except LuneError as error:
            problem = error
        else:
            messages.success(request, "Saved.")
            return redirect("patient", person.pk)
    context = {"patient": person, "form": form, "row": row, "problem": problem}
    return render(request, "patients/around.jinja", context, status=_status(request, problem))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def around_record(request: SignedIn, pk: UUID, row_id: UUID) -> HttpResponse:
    """A record of their own for somebody around a person, such as a carer who needs help too: what is known is filled in."""
    person = _person(request, pk)
    row = get_object_or_404(RelatedPerson.objects.visible_to(request.user).current().filter(patient=person), pk=row_id)
    if row.person_id:
        return redirect("patient", row.person_id)
    form = PatientForm(request.POST or None, initial=prefilled(row))
    known: list[Patient] = []
    perhaps = False
    if request.method == "POST":
        at = clock.now()
        try:
            with transaction.atomic():
                if request.POST.get("is"):
                    made = get_object_or_404(Patient.objects.visible_to(request.user), pk__in=[UUID(request.POST["is"])]).pk
                    flow.operations.link_related(related_id=row.pk, person_id=made, by=request.user, at=at)
                    return redirect("patient", made)
                if form.is_valid():
                    another = request.POST.get("is_another") == "yes"
                    told = form.cleaned_data | {"is_another": another}
                    made = flow.operations.record_related(related_id=row.pk, by=request.user, at=at, **told).pk
                    messages.success(request, "Recorded. What you look for now is for them.")
                    return redirect("patient", made)
        except ValueError:
            form.add_error(None, "Choose one of the records on the page.")
        except LuneError as error:
            known, perhaps = already(request, error), error.code == "perhaps-recorded"
            if not perhaps:
                tell(form, error)
    context = {"patient": person, "row": row, "form": form, "known": known, "perhaps": perhaps}
    status = 200 if request.method == "GET" else 409 if known else 422
    return render(request, "patients/record.jinja", context, status=status)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def stay_new(request: SignedIn, pk: UUID) -> HttpResponse:
    """Record a stay in hospital or a wait in the community."""
    person, at = _person(request, pk), clock.now()
    form = StayForm(request.POST or None, initial={"started_on": clock.local_date(at)})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                flow.operations.start_episode(patient_id=person.pk, by=request.user, at=at, **form.told(at))
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "Recorded.")
            return redirect("patient", person.pk)
    return render(request, "patients/stay.jinja", {"patient": person, "form": form, "stay": None}, status=_status(request))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def stay(request: SignedIn, pk: UUID, stay_id: UUID) -> HttpResponse:
    """Change a stay or wait, or say that it is over."""
    person, at = _person(request, pk), clock.now()
    found = get_object_or_404(Episode.objects.visible_to(request.user).filter(patient=person, ended_at=None), pk=stay_id)
    form = StayForm(request.POST or None, stay=found)
    problem: LuneError | None = None
    ends = request.POST.get("action") == "end"
    if request.method == "POST" and (ends or form.is_valid()):
        try:
            with transaction.atomic():
                if ends:
                    flow.operations.end_episode(episode_id=found.pk, by=request.user, at=at)
                else:
                    flow.operations.edit_episode(episode_id=found.pk, by=request.user, at=at, **form.told(at))
        except LuneError as error:
            if error.code == "stale-version":
                problem = error
            else:
                tell(form, error)
        else:
            messages.success(request, "The stay or wait has ended." if ends else "Saved.")
            return redirect("patient", person.pk)
    context = {"patient": person, "form": form, "stay": found, "problem": problem}
    return render(request, "patients/stay.jinja", context, status=_status(request, problem))
