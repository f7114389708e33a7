"""Letters to a person about a referral: looked at, printed, and kept as they were printed."""

from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

import flow.letters.operations as letters
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.letters import translations
from flow.letters.composing import plain
from flow.letters.wording import USUAL, direction
from flow.models import Letter
from frontend.forms.tell import tell

from .access import SignedIn, for_roles


class LetterForm(forms.Form):
    """Whom the person may call, in which language, and how large."""

    call = forms.CharField(
        label="Whom can they call?",
        help_text="A name and a phone number, such as: the discharge team, 01772 000 000.",
        max_length=120,
        error_messages={"required": "Say whom the person can call: a name and a number"},
    )
    language = forms.ChoiceField(label="Language")
    large = forms.BooleanField(label="Large print", required=False)

    def __init__(self, *args: Any, languages: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = list(languages.items())  # type: ignore[attr-defined]  # a ChoiceField


@for_roles(User.Role.REFERRER)
@transaction.atomic
def letter_new(request: SignedIn, pk: UUID) -> HttpResponse:
    """What the letter would say now; sent, it is kept and ready to print."""
    referral = letters.about(request.user, pk)
    if referral is None:
        raise Http404
    for kind, record in (("referral", referral.pk), ("patient", referral.patient_id)):
        audit.record_read(user=request.user, record_type=kind, record_id=record)
    prefers = referral.patient.preferred_language
    languages = translations.languages_of(referral.organization_id)
    initial = {"language": prefers if prefers in languages else USUAL, "call": letters.usual_call(request.user)}
    form = LetterForm(request.POST if request.method == "POST" else None, initial=initial, languages=languages)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            kept = letters.write(
                referral_id=pk, language=said["language"], call=said["call"], is_large=said["large"], by=request.user, at=clock.now()
            )
        except LuneError as error:
            tell(form, error)
        else:
            return redirect("letter", kept.pk)
    context = {
        "form": form,
        "referral": referral,
        "patient": referral.patient,
        "sections": letters.composed(referral, language=str(initial["language"]), call=initial["call"] or "(a name and a number)"),
        "direction": direction(str(initial["language"])),
        "not_in": prefers if prefers not in languages else "",
        "before": Letter.objects.visible_to(request.user).filter(referral=referral).select_related("by"),
    }
    return render(request, "letters/new.jinja", context, status=422 if form.errors else 200)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def letter(request: SignedIn, pk: UUID) -> HttpResponse:
    """A letter as it was written, for paper."""
    kept = _kept(request, pk)
    prefers = kept.referral.patient.preferred_language
    context = {
        "letter": kept,
        "title": translations.title(kept),
        "direction": direction(kept.language),
        "other_language": prefers if kept.language == USUAL and prefers not in translations.languages_of(kept.organization_id) else "",
    }
    return render(request, "letters/letter.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def letter_text(request: SignedIn, pk: UUID) -> HttpResponse:
    """The same as plain text."""
    kept = _kept(request, pk)
    answer = HttpResponse(plain(kept.body), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="letter.txt"'
    return answer


def _kept(request: SignedIn, pk: UUID) -> Letter:
    kept = get_object_or_404(Letter.objects.visible_to(request.user), pk=pk)
    for kind, record in (("referral", kept.referral_id), ("patient", kept.patient_id)):
        audit.record_read(user=request.user, record_type=kind, record_id=record)
    return kept
