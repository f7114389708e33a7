"""The words of the vocabulary in the hands of curators."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from catalogue import terms as vocabulary
from catalogue.models import User
from core.clock import now
from core.errors import Invalid, NotFound
from frontend.environment import plural
from frontend.forms.terms import MergeForm, NewTermForm, RetireForm, TermFilter, TermForm
from frontend.presenters.curate import history_of
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 50


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def terms(request: SignedIn) -> HttpResponse:
    """Every list's terms, by word, list and state."""
    form = TermFilter(request.GET)
    page = Paginator(vocabulary.search(**form.chosen()), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "curate/terms.jinja", {"form": form, "page": page, "query": Query(request.GET)})


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def term_new(request: SignedIn) -> HttpResponse:
    """A new word in one of the lists."""
    form = NewTermForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = vocabulary.add_term(by=request.user, at=now(), **form.changes())
        except Invalid as error:
            form.tell(error)
        else:
            messages.success(request, f"“{made.name}” is added.")
            return redirect("term", made.pk)
    return render(request, "curate/term_new.jinja", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def term(request: SignedIn, pk: UUID) -> HttpResponse:
    """One term: its words, who uses it, and what may become of it. Every press is one of the page's buttons."""
    found = get_object_or_404(vocabulary.search(), pk=pk)
    sent = request.POST if request.method == "POST" else {}
    form = TermForm(sent if "save" in sent else None, term=found)
    retire = RetireForm(sent if "retire" in sent else None)
    merge = MergeForm(sent if "merge" in sent else None, term=found)
    said = ""
    try:
        if form.is_valid():
            vocabulary.edit_term(term_id=pk, by=request.user, at=now(), **form.changes())
            said = "Saved. Imports and new versions leave these words alone."
        elif retire.is_valid():
            vocabulary.retire_term(term_id=pk, reason=retire.cleaned_data["reason"], by=request.user, at=now())
            said = "Retired. Records that have it keep it."
        elif merge.is_valid():
            made = vocabulary.merge_terms(gone_id=pk, kept_id=merge.cleaned_data["kept"], by=request.user, at=now())
            said = f"Merged into “{made.kept.name}”. You can undo that below."
        elif "confirm" in sent:
            vocabulary.confirm_term(term_id=pk, by=request.user, at=now())
            said = "Noted: a clinician has confirmed the code."
        elif "restore" in sent:
            vocabulary.restore_term(term_id=pk, by=request.user, at=now())
            said = "It is in use again."
        elif "undo" in sent:
            vocabulary.undo_merge(merge_id=_id(sent["undo"]), by=request.user, at=now())
            said = "The merge is undone."
    except Invalid as error:
        (form if form.is_bound else retire if retire.is_bound else merge).tell(error)
    if said:
        messages.success(request, said)
        return redirect("term", pk)
    context = {
        "term": found, "form": form, "retire": retire, "merge": merge, "used": plural(vocabulary.used_by(found), "service"),
        "merges": vocabulary.merges_of(found), "history": history_of([("Term", found)]),
    }  # fmt: skip
    wrong = form.errors or retire.errors or merge.errors
    return render(request, "curate/term.jinja", context, status=422 if wrong else 200)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such merge. Load the page again.", code="no-such-merge") from None
