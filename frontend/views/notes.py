"""Notes about a person: those that there are, a new one, and one with its versions."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from core import clock
from core.errors import LuneError
from flow.casework import operations, queries
from flow.models import Note
from frontend.forms.casework import CorrectForm, NoteForm, WithdrawForm
from frontend.forms.tell import tell

from .access import SignedIn, for_roles
from .story import CARING, known_person


@require_http_methods(["GET", "POST"])
@for_roles(*CARING)
@transaction.atomic
def notes(request: SignedIn, pk: UUID) -> HttpResponse:
    """All notes of a person that one may read, and a form for another."""
    person = known_person(request, pk)
    choices: dict[str, Any] = {
        "teams": queries.teams(request.user, mine=True),
        "referrals": queries.shareable(request.user, person),
        "initial": {"audience": Note.Audience.OWN},
    }
    form = NoteForm(request.POST if request.method == "POST" else None, **choices)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            operations.write_note(
                patient_id=person.pk,
                words=sent["words"],
                audience=sent["audience"],
                team_id=sent.get("team"),
                referral_id=sent.get("referral"),
                by=request.user,
                at=clock.now(),
            )
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "The note is written.")
            return redirect("patient-notes", person.pk)
    context = {"patient": person, "form": form, "notes": queries.notes(request.user, person)}
    return render(request, "casework/notes.jinja", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_roles(*CARING)
@transaction.atomic
def note(request: SignedIn, pk: UUID) -> HttpResponse:
    """One note with what it said before; those of the organisation that wrote it correct or withdraw it."""
    found = get_object_or_404(Note.objects.visible_to(request.user).select_related("organization", "team", "created_by"), pk=pk)
    person = known_person(request, found.patient_id)
    own = found.organization_id == request.user.organization_id
    versions = list(found.versions.select_related("by").order_by("-number"))
    action, problem = request.POST.get("action", ""), None
    start = {"version": found.version, "words": versions[0].words}
    correct = CorrectForm(request.POST if action == "correct" else None, initial=start)
    withdraw = WithdrawForm(request.POST if action == "withdraw" else None, initial=start)
    form = withdraw if action == "withdraw" else correct
    if request.method == "POST" and form.is_valid():
        sent = dict(form.cleaned_data)
        verb = operations.withdraw_note if action == "withdraw" else operations.correct
        try:
            verb(note_id=pk, by=request.user, at=clock.now(), expected_version=sent.pop("version"), **sent)
        except LuneError as error:
            if error.details.get("field") in form.fields:
                tell(form, error)
            else:
                problem = error
        else:
            messages.success(request, "The note is withdrawn." if action == "withdraw" else "The note is corrected. What it said stays.")
            return redirect("patient-notes", person.pk)
    context = {
        "patient": person,
        "note": found,
        # The other side of the referral reads the note as it stands, not how it came to that.
        "versions": versions if own else [],
        "newest": versions[0],
        "own": own,
        "correct": correct,
        "withdraw": withdraw,
        "problem": problem,
    }
    return render(request, "casework/note.jinja", context, status=_status(request, problem))


def _status(request: SignedIn, problem: LuneError | None) -> int:
    return 200 if request.method == "GET" else problem.http_status if problem else 422
