"""The words of an organisation's letters in other languages: a sheet out, a sheet in, looked at and approved by its manager."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from catalogue.lexicon import Lexicon
from catalogue.models import User
from core import clock
from core.errors import LuneError
from flow.letters import sheet, translations
from flow.letters.wording import USUAL, direction
from flow.models import LetterTranslation
from frontend.forms.tell import tell

from .access import SignedIn, for_roles


class SheetForm(forms.Form):
    """A sheet that came back from a translator."""

    language = forms.ChoiceField(
        label="Language",
        choices=lambda: [("", "Choose"), *_languages()],
        error_messages={"required": "Choose the language of the sheet.", "invalid_choice": "Choose the language of the sheet."},
    )
    file = forms.FileField(
        label="The sheet, as CSV",
        help_text="The file that you downloaded here, with the column “translation” filled in.",
        error_messages={"required": "Choose the sheet.", "empty": "That file is empty. Choose another one."},
    )


class ApproveForm(forms.Form):
    """Who vouches for the words."""

    checked_by = forms.CharField(
        label="Who checked it?",
        help_text="The name of somebody who reads this language well and has read every sentence. Not who translated it.",
        max_length=100,
        error_messages={"required": "Say who checked it: somebody who reads this language well."},
    )


@for_roles(User.Role.MANAGER)
def letter_words(request: SignedIn) -> HttpResponse:
    """Every version in a line, and the way to the next one."""
    form = SheetForm(request.POST, request.FILES) if request.method == "POST" else SheetForm()
    if form.is_bound and form.is_valid():
        try:
            kept = translations.load(
                language=form.cleaned_data["language"], data=form.cleaned_data["file"].read(), by=request.user, at=clock.now()
            )
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, f"Version {kept.number} is loaded. No letter uses it before it is approved.")
            return redirect("letter-word-version", kept.pk)
    versions = list(LetterTranslation.objects.visible_to(request.user).select_related("by", "approved_by"))
    context = {
        "form": form,
        "versions": [(each, len(sheet.missing(each.texts))) for each in versions],
        "used": _used(request.user, versions),
        "sentences": len(sheet.lines()),
    }
    return render(request, "letters/words.jinja", context, status=422 if form.errors else 200)


@require_GET
@for_roles(User.Role.MANAGER)
def letter_words_sheet(request: SignedIn) -> HttpResponse:
    """The sheet for a translator; with what is translated already, when a language is named."""
    versions = LetterTranslation.objects.visible_to(request.user).filter(language=request.GET.get("language", "")[:10])
    newest = versions.order_by("-number").first()
    name = f"letter-{newest.language}.csv" if newest is not None else "letter.csv"
    # With the mark by which spreadsheets know UTF-8.
    answer = HttpResponse("\ufeff" + sheet.write(newest.texts if newest is not None else {}), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@for_roles(User.Role.MANAGER)
def letter_word_version(request: SignedIn, pk: UUID) -> HttpResponse:
    """One version: a letter that nobody gets, each sentence beside the English, and whether letters use it."""
    mine = LetterTranslation.objects.visible_to(request.user)
    found = get_object_or_404(mine.select_related("by", "approved_by", "stopped_by"), pk=pk)
    form, problem = ApproveForm(request.POST if "approve" in request.POST else None), ""
    if request.method == "POST":
        problem = _changed(request, pk, form)
        if not problem and not form.errors:
            return redirect("letter-word-version", pk)
    lacking = sheet.missing(found.texts)
    context = {
        "version": found,
        "form": form,
        "problem": problem,
        "lines": [(line, found.texts.get(line.key, "")) for line in sheet.lines()],
        "lacking": len(lacking),
        "is_used": found.pk in _used(request.user, list(mine)),
        "sections": sheet.example(found.texts),
        "direction": direction(found.language),
    }
    return render(request, "letters/word_version.jinja", context, status=422 if request.method == "POST" else 200)


def _changed(request: SignedIn, pk: UUID, form: ApproveForm) -> str:
    """Approve the version, or stop it. Returns what is wrong; empty when it is done or the form says it."""
    try:
        if "stop" in request.POST:
            translations.stop(translation_id=pk, by=request.user, at=clock.now())
            messages.success(request, "Letters use this version no more. What was printed stays as it was.")
        elif not form.is_bound:
            return "Choose what is to be done."
        elif form.is_valid():
            translations.approve(translation_id=pk, checked_by=form.cleaned_data["checked_by"], by=request.user, at=clock.now())
            messages.success(request, "Approved: letters in this language use it from now on.")
    except LuneError as error:
        return error.message
    return ""


def _used(user: User, versions: list[LetterTranslation]) -> set[UUID]:
    found = (translations.used(user.organization_id, language) for language in {version.language for version in versions})
    return {each.pk for each in found if each is not None}


def _languages() -> list[tuple[str, str]]:
    return [(code, name) for code, name in Lexicon.read().choices("language") if code != USUAL]
