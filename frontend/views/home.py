"""The first page after signing in: what to do next."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core import audit, clock
from flow.casework import queries as casework
from frontend.presenters.home import counts

from .access import SignedIn, for_roles
from .story import CARING


@require_GET
@for_roles()
def home(request: SignedIn) -> HttpResponse:
    """Numbers to act on. Asked for as a part of the page, only the numbers, for their refresh."""
    context = {"counts": counts(request.user, clock.now())}
    if request.htmx:
        return render(request, "home/_counts.jinja", context)
    return render(request, "home/home.jinja", context | _due(request))


@transaction.atomic
def _due(request: SignedIn) -> dict[str, Any]:
    """The first of what is to be done today, for those whose work knows people. Whom it names is written to the read audit."""
    if request.user.role not in CARING:
        return {}
    at = clock.now()
    due = casework.due_for(request.user, at)
    audit.record_reads(user=request.user, record_type="patient", record_ids=[one.patient_id for one in due])
    return {"due": due, "due_word": casework.due_word, "at": at}
