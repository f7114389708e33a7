"""One thing done to many lines: look first, then do it, and undo it if it was wrong."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

import flow.worklist.operations as worklists
from catalogue.models import User
from core import audit, clock
from core.errors import Invalid, LuneError, NotFound
from flow.models import Batch, Patient
from flow.worklist.doing import BY_ACTION
from frontend.forms.batch import form_for
from frontend.forms.tell import tell

from .access import SignedIn, for_roles


def _back(request: SignedIn) -> str:
    return "inbox" if request.user.is_provider else "worklist"


@for_roles(User.Role.REFERRER, User.Role.PROVIDER)
@require_POST
def batch_new(request: SignedIn) -> HttpResponse:
    """First what will happen to each line, and why not to others; then, confirmed, do it. Naming somebody is written to the read audit."""
    action, keys, at = request.POST.get("action", ""), request.POST.getlist("keys"), clock.now()
    teams = worklists.teams_for(request.user)
    form = form_for(action, request.POST if "batch" in request.POST else None, teams=teams)
    if form.is_bound and form.is_valid():
        try:
            batch = worklists.carry_out(
                batch_id=UUID(request.POST["batch"]), action=action, asked=form.asked(), keys=keys, by=request.user, at=at
            )
        except ValueError:
            raise NotFound("There is no such change.") from None
        except Invalid as error:
            tell(form, error)
        except LuneError as error:
            messages.error(request, error.message)
            return redirect(_back(request))
        else:
            return redirect("batch", batch.pk)
    with transaction.atomic():
        try:
            plans = worklists.preview(action=action, keys=keys, by=request.user, at=at)
        except LuneError as error:
            messages.error(request, error.message)
            return redirect(_back(request))
        audit.record_reads(user=request.user, record_type="patient", record_ids=[p.row.line.patient for p in plans if p.row.line])
        context = {
            "form": form,
            "action": Batch.Action(action),
            "can_be_undone": BY_ACTION[action].can_be_undone,
            "batch": request.POST.get("batch") or uuid4(),
            "plans": plans,
            "possible": [plan for plan in plans if plan.can],
            "back": _back(request),
        }
        return render(request, "worklist/batch_new.jinja", context, status=422 if form.errors else 200)


@require_GET
@for_roles(User.Role.REFERRER, User.Role.PROVIDER)
@transaction.atomic
def batch(request: SignedIn, pk: UUID) -> HttpResponse:
    """What came of it, line by line, and whether it can be undone."""
    found = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    ids = {line["patient"] for line in found.lines if line.get("patient")}
    people = {str(person.pk): person for person in Patient.objects.visible_to(request.user).filter(pk__in=ids)}
    audit.record_reads(user=request.user, record_type="patient", record_ids=[person.pk for person in people.values()])
    context = {
        "batch": found,
        "people": people,
        "can_be_undone": worklists.can_be_undone(found, clock.now()),
        "back": _back(request),
    }
    return render(request, "worklist/batch.jinja", context)


@for_roles(User.Role.REFERRER, User.Role.PROVIDER)
@require_POST
def batch_undo(request: SignedIn, pk: UUID) -> HttpResponse:
    """Undo what can be undone; the page then says of each line what came of it."""
    get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    try:
        worklists.undo(batch_id=pk, by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    return redirect("batch", pk)
