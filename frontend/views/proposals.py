"""What waits for a curator: the queue, one proposal beside what the directory says, and a group that asks to be added."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.entry import approval, queries
from catalogue.entry.operations import Stale
from catalogue.models import ProposedChange, User
from core.clock import now
from core.errors import Conflict, Invalid
from frontend.forms.proposals import DecisionForm, GroupForm
from frontend.limits import too_often
from frontend.presenters import entry as present
from frontend.presenters.query import Query
from frontend.views import errors
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 50
#: So many groups a minute may come from one address of the network.
GROUPS_A_MINUTE = 5


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def proposals(request: SignedIn) -> HttpResponse:
    """All that waits, the oldest first."""
    page = Paginator(queries.waiting_proposals(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "curate/proposals.jinja", {"page": page, "query": Query(request.GET)})


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def proposal(request: SignedIn, pk: UUID) -> HttpResponse:
    """One proposal, side by side with the directory as it is now; approve it, or refuse it with a reason."""
    found = approval.proposal(request.user, pk)
    if found is None:
        raise Http404
    change, work = found
    form = DecisionForm(request.POST if request.method == "POST" else None, change=change)
    status, problem = 200, ""
    if form.is_valid():
        try:
            decided = _decide(request, pk, form)
        except Invalid as error:
            form.tell(cast("Mapping[str, Sequence[str]]", error.details.get("errors") or {}), error.message)
        except Stale as error:
            status, problem = 409, error.message
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("proposal", pk)
        else:
            made = decided.status == ProposedChange.Status.MADE
            messages.success(request, "Approved. Everybody sees it now." if made else "Refused. Whoever proposed it sees the reason.")
            return redirect("proposals")
    if form.errors:
        status = 422
    if status != 200:
        found = approval.proposal(request.user, pk)
        assert found is not None
        change, work = found
    values = approval.proposed(change, work.live)
    waits = change.status == ProposedChange.Status.WAITING
    context = {
        "change": change,
        "work": work,
        "form": form,
        "problem": problem,
        "lines": present.differences(work.live if waits else change.base, values, work.overtaken() if waits else ()),
        "words": approval.in_words(change),
        "seen": approval.seen_stamp(change, work.live),
        "attachments": queries.attachments(request.user, work.service).filter(pk__in=change.content.get("attachments", [])),
    }
    return render(request, "curate/proposal.jinja", context, status=status)


def _decide(request: SignedIn, pk: UUID, form: DecisionForm) -> ProposedChange:
    if form.cleaned_data["decision"] == "refuse":
        return approval.refuse(pk=pk, reason=form.cleaned_data["reason"], by=request.user, at=now())
    return approval.approve(pk=pk, seen=request.POST.get("seen", ""), by=request.user, at=now(), **form.choices())


@require_http_methods(["GET", "POST"])
def add_group(request: HttpRequest) -> HttpResponse:
    """A group without an account asks to be added to the directory."""
    form = GroupForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and too_often(request, "add-group", a_minute=GROUPS_A_MINUTE):
        return errors.too_many_requests(request)
    if form.is_valid():
        # Whoever fills in the box that nobody sees is told the same, and nothing is kept.
        if form.is_a_person():
            try:
                approval.register_group(values=form.cleaned_data, at=now())
            except Invalid as error:
                details: Any = error.details.get("errors") or {}
                for name, texts in details.items():
                    form.add_error(name if name in form.fields else None, texts)
        if not form.errors:
            return redirect("group-added")
    return render(request, "directory/add.jinja", {"form": form}, status=422 if form.errors else 200)


@require_GET
def group_added(request: HttpRequest) -> HttpResponse:
    """Thanks, and what happens next."""
    return render(request, "directory/added.jinja")
