"""The curator's list of records that may no longer hold, and the letters to those who know."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from catalogue import assurance, assurance_queue, operations, reminders
from catalogue import letters as letters_of
from catalogue.models import AssuranceRound, User
from core.clock import now
from core.errors import Invalid
from frontend.environment import plural
from frontend.forms.assurance import DoForm, QueueFilter
from frontend.presenters import assurance as present
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 25
#: So many records at one press; the rest by the next press, or by the clock.
MOST_AT_ONCE = 2_000


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def queue(request: SignedIn) -> HttpResponse:
    """Records to look at, by reason; and what a curator does about them. The filters stay in the address."""
    form = QueueFilter(request.GET)
    found = assurance_queue.queue(request.user, at=now(), **form.chosen())
    if request.method == "POST":
        return _do(request, found)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "lines": assurance_queue.lines(page, at=now()),
        "counts": present.counts(assurance_queue.counts(request.user, at=now()), chosen=form.chosen()["show"]),
        "rounds": AssuranceRound.objects.visible_to(request.user).select_related("asked_by")[:5],
        "query": Query(request.GET),
        "most_at_once": MOST_AT_ONCE,
        "outcome": present.outcome,
        "silence": present.silence,
    }
    return render(request, "curate/assurance.jinja", context)


def _do(request: SignedIn, found: Any) -> HttpResponse:
    """One press of a button. Afterwards the same list again, or the letters on their way."""
    form = DoForm(request.POST)
    here = f"{reverse('assurance-queue')}?{request.GET.urlencode()}"
    form.is_valid()
    sent, by, at = form.cleaned_data, request.user, now()
    said = ""
    if sent.get("assure"):
        service = operations.assure(service_id=sent["assure"], by=by, at=at)
        said = f"{service.name} is marked as checked today."
    elif sent.get("revoke"):
        count = assurance.revoke(service_id=sent["revoke"], by=by, at=at)
        said = f"{plural(count, 'link')} taken back."
    elif sent.get("came_back"):
        count = letters_of.mail_came_back(service_id=sent["came_back"], by=by, at=at)
        said = "Noted: no more letters go to that address." if count else "No letter has gone to that record."
    elif sent.get("works"):
        count = letters_of.works_again(service_id=sent["works"], by=by, at=at)
        said = "Letters go to that address again." if count else "Letters were not held back for mail that came back."
    elif sent.get("mended") or sent.get("dismissed"):
        report = assurance.handle_mistake(report_id=sent.get("mended") or sent["dismissed"], mended=bool(sent.get("mended")), by=by, at=at)
        said = f"The report about {report.service.name} is dealt with."
    else:
        ids = [sent["resend"]] if sent.get("resend") else sent.get("chosen") or []
        if sent.get("send") == "found":
            ids = list(found.values_list("pk", flat=True)[:MOST_AT_ONCE])
        try:
            begun = reminders.ask(service_ids=_some(ids), by=by, at=at)
        except Invalid as error:
            messages.warning(request, error.message)
            return redirect(here)
        return redirect("assurance-round", begun.pk)
    messages.success(request, said)
    return redirect(here)


def _some(ids: list[UUID]) -> list[UUID]:
    if not ids:
        raise Invalid("Tick at least one record first.", code="nothing-chosen")
    return ids


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def queue_csv(request: SignedIn) -> HttpResponse:
    """The whole list as a file for a spreadsheet."""
    found = assurance_queue.queue(request.user, at=now(), **QueueFilter(request.GET).chosen())
    name = f"records-to-check-{timezone.localdate():%Y-%m-%d}.csv"
    answer = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})
    present.write_csv(answer, found, at=now())
    return answer


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def letters(request: SignedIn, pk: UUID) -> HttpResponse:
    """How far one round of letters has gone; to htmx only the part that changes."""
    begun = get_object_or_404(AssuranceRound.objects.visible_to(request.user).select_related("asked_by"), pk=pk)
    return render(request, "curate/_letters.jinja" if request.htmx else "curate/letters.jinja", {"round": begun})
