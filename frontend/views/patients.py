"""People of one's own organisation: one person's page, a new person, changes of what is recorded."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

import flow.operations
from catalogue.lexicon import name_of
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.merging import candidates
from flow.models import Consent, Episode, Patient, PatientMerge, Referral, RelatedPerson
from flow.past import changes_of
from frontend.forms.patient import EpisodeForm, PatientForm
from frontend.forms.person import VersionField
from frontend.forms.tell import tell
from frontend.presenters import person as present
from frontend.presenters.match import chosen
from frontend.presenters.referral import Ask

from .access import SignedIn, for_roles


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def patient(request: SignedIn, pk: UUID) -> HttpResponse:
    """Who it is, how to reach them, what they agreed to, who is around them, stays, and what was asked of whom. Looking is recorded."""
    if merged := PatientMerge.objects.visible_to(request.user).filter(gone=pk, undone_at=None).first():
        return redirect("patient", merged.kept_id)
    person = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
    audit.record_read(user=request.user, record_type="patient", record_id=person.pk, refresh=bool(request.htmx))
    at = clock.now()
    referrals = Referral.objects.visible_to(request.user).filter(patient=person)
    context = {
        "patient": person,
        "age": person.age_on(clock.local_date(at)),
        "asks": [
            Ask.of(referral, at)
            for referral in referrals.select_related("hub_entry").prefetch_related("tasks__pool__service__organization")
        ],
    }
    if request.htmx:
        return render(request, "patients/_referrals.jinja", context)
    context |= _parts(request, person)
    return render(request, "patients/patient.jinja", context)


def _parts(request: SignedIn, person: Patient) -> dict[str, Any]:
    """What the parts of the page show; whoever is named beside the person is looked at too."""
    consents = list(Consent.objects.visible_to(request.user).filter(patient=person).current())
    rows = RelatedPerson.objects.visible_to(request.user).current().naming(person).select_related("patient", "person")
    around = [present.Around.of(row, person) for row in rows]
    audit.record_reads(user=request.user, record_type="patient", record_ids=[one.person for one in around if one.person])
    return {
        "episodes": Episode.objects.visible_to(request.user).filter(patient=person).order_by("-started_at"),
        "keeps": Patient.objects.visible_to(request.user).kept_by(request.user).filter(pk=person.pk).exists(),
        "number": present.number_words(person),
        "language": name_of("language", person.preferred_language),
        "consents": [(consent, present.consent_words(consent)) for consent in consents],
        "withdrawn": [consent for consent in consents if consent.purpose == "direct-care" and consent.decision != "given"],
        "not_asked": present.missing(consents),
        "around": around,
        "pairs": candidates.like(person, request.user),
    }


@for_roles(User.Role.REFERRER)
@transaction.atomic
def patient_new(request: SignedIn) -> HttpResponse:
    """Record somebody, and the stay or wait that they are in. Whoever is recorded already is offered instead."""
    person_form, episode_form = PatientForm(request.POST or None), EpisodeForm(request.POST or None)
    known: list[Patient] = []
    perhaps = False
    if request.method == "POST" and all([person_form.is_valid(), episode_form.is_valid()]):
        at = clock.now()
        try:
            with transaction.atomic():
                person = flow.operations.add_patient(
                    by=request.user, at=at, is_another=request.POST.get("is_another") == "yes", **person_form.cleaned_data
                )
                stay = episode_form.cleaned_data
                if stay["kind"]:
                    times: dict[str, Any] = episode_form.times(at)
                    flow.operations.start_episode(
                        patient_id=person.pk,
                        by=request.user,
                        at=at,
                        kind=stay["kind"],
                        discharge_pathway=stay["discharge_pathway"],
                        ward=stay["ward"],
                        delay_reason=stay["delay_reason"],
                        **times,
                    )
        except LuneError as error:
            known, perhaps = already(request, error), error.code == "perhaps-recorded"
            if not perhaps:
                tell(episode_form if error.details.get("field") in episode_form.fields else person_form, error)
        else:
            return redirect("patient", person.pk)
    status = 200 if request.method != "POST" else 409 if known else 422
    context = {"form": person_form, "episode_form": episode_form, "known": known, "perhaps": perhaps}
    return render(request, "patients/new.jinja", context, status=status)


def already(request: SignedIn, error: LuneError) -> list[Patient]:
    """The records that a refusal names, to be opened instead. Showing them is a look at each."""
    named: Any = error.details.get("patients", [])
    found = list(Patient.objects.visible_to(request.user).filter(pk__in=chosen(named)))
    audit.record_reads(user=request.user, record_type="patient", record_ids=[each.pk for each in found])
    return found


def looked(request: SignedIn) -> dict[str, Any]:
    """What somebody said of the records that were offered, as `flow.intake.operations.person_of` takes it."""
    said = request.POST.get("is", "")
    return {"is_record": next(iter(chosen([said])), None), "is_another": said == "another"}


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def patient_edit(request: SignedIn, pk: UUID) -> HttpResponse:
    """Change what is recorded of a person. Who typed on an older version sees what was changed meanwhile, and keeps what they typed."""
    person = get_object_or_404(Patient.objects.visible_to(request.user).kept_by(request.user), pk=pk)
    audit.record_read(user=request.user, record_type="patient", record_id=person.pk)
    form = PatientForm(request.POST or None, initial=PatientForm.of(person))
    version = VersionField().clean(request.POST.get("version", person.version))
    stale: LuneError | None = None
    known: list[Patient] = []
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                flow.operations.edit_patient(patient_id=person.pk, version=version, by=request.user, at=clock.now(), **form.cleaned_data)
        except LuneError as error:
            if error.code == "stale-version":
                stale, version = error, person.version
            else:
                known = already(request, error)
                tell(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("patient", person.pk)
    differs = _differs(form, person) if stale else []
    context = {"form": form, "patient": person, "version": version, "stale": stale, "differs": differs, "known": known}
    status = 200 if request.method == "GET" else 409 if stale or known else 422
    return render(request, "patients/edit.jinja", context, status=status)


def _differs(form: PatientForm, person: Patient) -> list[tuple[str, str]]:
    """Of each field that was typed otherwise than it stands now, what stands there now."""
    now = PatientForm(initial=PatientForm.of(person))
    found = []
    for name, field in form.fields.items():
        value = getattr(person, name)
        if form.cleaned_data.get(name) != value:
            words = dict(getattr(field, "choices", [])).get(value, value) if not isinstance(value, list) else ", ".join(person.access_words)
            found.append((str(now[name].label), str(words if words not in ("", None, False) else "nothing")))
    return found


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def patient_changes(request: SignedIn, pk: UUID) -> HttpResponse:
    """Who changed what of a person's record, and when."""
    person = get_object_or_404(Patient.objects.visible_to(request.user).kept_by(request.user), pk=pk)
    audit.record_read(user=request.user, record_type="patient", record_id=person.pk)
    return render(request, "patients/changes.jinja", {"patient": person, "changes": changes_of(person)})
