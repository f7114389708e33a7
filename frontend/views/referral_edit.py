"""Changing what a referral says after it was sent."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow import editing, operations, revisions
from flow.models import Referral
from frontend.forms.referral_edit import ReferralEditForm
from frontend.forms.tell import tell

from .access import SignedIn, for_roles


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
def edit(request: SignedIn, pk: UUID) -> HttpResponse:
    """The form as the referral stands. That a colleague was quicker, or a service would not fit any more, is said before it is saved."""
    found = _find(request, pk)
    if reason := editing.locked(found):
        messages.error(request, reason)
        return redirect("referral", pk)
    if request.method == "GET":
        return _page(request, found, ReferralEditForm(initial=ReferralEditForm.of(found, revisions.mark(found))))
    form = ReferralEditForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    try:
        operations.edit_referral(referral_id=pk, by=request.user, at=clock.now(), **form.told())
    except LuneError as error:
        if error.code == "stale-version":
            found = _find(request, pk)
            typed = request.POST.copy()  # what was typed stands; a second press is made on what is shown now
            typed["mark"] = revisions.mark(found)
            form = ReferralEditForm(typed)
        tell(form, error)
        return _page(request, found, form, error)
    messages.success(request, "The referral is changed. Everybody who is asked can see that.")
    return redirect("referral", pk)


@transaction.atomic
def _find(request: SignedIn, pk: UUID) -> Referral:
    sent = Referral.objects.visible_to(request.user).filter(organization=request.user.organization_id)
    sent = sent.select_related("patient", "profile", "episode", "hub_entry").prefetch_related("tasks", "queue")
    found = get_object_or_404(sent, pk=pk)
    for kind, record in (("referral", found.pk), ("patient", found.patient_id)):
        audit.record_read(user=request.user, record_type=kind, record_id=record)
    return found


def _page(request: SignedIn, found: Referral, form: ReferralEditForm, problem: LuneError | None = None) -> HttpResponse:
    context = {
        "referral": found,
        "patient": found.patient,
        "form": form,
        "now": editing.stands(found) if problem is not None and problem.code == "stale-version" else None,
        "unfit": problem.details.get("services", []) if problem is not None else [],
    }
    status = problem.http_status if problem is not None else 422 if form.errors else 200
    return render(request, "referral/edit.jinja", context, status=status)
