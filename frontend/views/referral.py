"""A referral as its sender follows it."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

import flow.operations
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow import asking, editing, moves
from flow.attendance.queries import visits_of
from flow.casework import queries as casework
from flow.models import Consent, Referral, ReferralTask, RuleDeed
from flow.outside.queries import reach
from flow.queries import timeline
from flow.reminders.queries import sent
from flow.workflow import Action, Status
from frontend.presenters import hub as hubs
from frontend.presenters.referral import Ask
from notifications.notices.queries import told_about

from .access import SignedIn, for_roles

#: The steps that a sender takes on this page.
STEPS = {Action.WITHDRAW: flow.operations.withdraw, Action.RETRACT: flow.operations.retract}


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def referral(request: SignedIn, pk: UUID) -> HttpResponse:
    """Each service's answer and everything that happened. The part that changes refreshes itself."""
    found = get_object_or_404(
        Referral.objects.visible_to(request.user)
        .select_related("patient", "profile", "episode", "hub_entry__hub", "pathway_version__pathway")
        .prefetch_related("tasks__pool__service__organization", "tasks__reservation"),
        pk=pk,
    )
    others = Referral.objects.visible_to(request.user).filter(package=found.package).exclude(pk=found.pk)
    together = list(others.select_related("profile")) if found.package and not request.htmx else []
    for kind, pk in (("referral", found.pk), *(("referral", other.pk) for other in together), ("patient", found.patient_id)):
        audit.record_read(user=request.user, record_type=kind, record_id=pk, refresh=bool(request.htmx))
    context = {
        "together": together,
        "referral": found,
        "patient": found.patient,
        "withdrawn": _no(request, found),
        "may_change": found.organization_id == request.user.organization_id and not editing.locked(found),
        "ask": Ask.of(found, clock.now()),
        "history": timeline(found)[::-1],
        "move": moves.of_referral(found, clock.now()),
        "queue": moves.queue_of(found),
        "deeds": list(RuleDeed.objects.visible_to(request.user).filter(referral=found)),
        "unread": casework.unread(request.user, tasks=[task.pk for task in found.tasks.all()]),
        "questions": casework.unanswered(request.user, found),
        **hubs.sender_parts(found, request.user, clock.now()),
        "reach": reach(found, user=request.user, at=clock.now()),
        "told": told_about([task.pk for task in found.tasks.all()]),
        "visits": visits_of(found, user=request.user, at=clock.now()),
        "sent": sent([task.pk for task in found.tasks.all()], user=request.user),
    }
    return render(request, "referral/_progress.jinja" if request.htmx else "referral/referral.jinja", context)


@for_roles(User.Role.REFERRER)
@require_POST
def step(request: SignedIn, pk: UUID, task_id: UUID, action: str) -> HttpResponse:
    """Withdraw one request, or say that it was sent by mistake; then back to the referral, which says what came of it."""
    if action not in STEPS:
        raise Http404
    task = get_object_or_404(ReferralTask.objects.visible_to(request.user).filter(referral_id=pk), pk=task_id)
    version = request.POST.get("version", "")
    try:
        STEPS[Action(action)](
            task_id=task.pk,
            by=request.user,
            at=clock.now(),
            reason_text=request.POST.get("reason", ""),
            expected_version=int(version) if version.isdecimal() and len(version) < 10 else None,
        )
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The request is withdrawn. The service can see that.")
    return redirect("referral", pk)


@for_roles(User.Role.REFERRER)
@require_POST
def change_list(request: SignedIn, pk: UUID) -> HttpResponse:
    """One press: a service up, down or off the list, the next one asked now, or the referral closed."""
    found = get_object_or_404(Referral.objects.visible_to(request.user), pk=pk)
    act, _, entry = request.POST.get("act", "").partition(":")
    try:
        messages.success(request, _press(act, _uuid(entry), found, request))
    except LuneError as error:
        messages.error(request, error.message)
    return redirect("referral", pk)


def _press(act: str, entry: UUID, found: Referral, request: SignedIn) -> str:
    by, at = request.user, clock.now()
    if act in ("up", "down"):
        asking.move(entry_id=entry, up=act == "up", by=by, at=at)
        return "The order is changed."
    if act == "leave-out":
        asking.leave_out(entry_id=entry, by=by, at=at)
        return "The service is off the list."
    if act == "next":
        return f"{asking.ask_next(referral_id=found.pk, by=by, at=at).pool.service.name} is asked now."
    asking.close(referral_id=found.pk, reason=request.POST.get("reason", ""), by=by, at=at)
    return "The referral is closed."


def _uuid(text: str) -> UUID:
    """The id that a button sent; one that nothing has when it sent none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _no(request: SignedIn, found: Referral) -> Consent | None:
    """What the person said no to, or took back, that an open request of this referral rests on."""
    if not any(task.status in Status.open() for task in found.tasks.all()):
        return None
    kinds = {"", *(task.provider.kind for task in found.tasks.all() if task.status in Status.open())}
    lines = Consent.objects.visible_to(request.user).filter(patient=found.patient_id, purpose__in=["direct-care", "sharing"]).current()
    return next((line for line in lines if line.kind in kinds and line.decision != Consent.Decision.GIVEN), None)
