"""One whole session that does not take place: why, who will be told and how, and another one instead; undone until people are told."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.models import User
from core.clock import local_time, now
from core.errors import LuneError, NotFound
from flow.attendance import calling_off, operations, queries
from frontend.forms.register import CallOffForm
from frontend.forms.tell import tell
from frontend.views.access import SignedIn, for_roles
from frontend.views.register import read_when, stamp


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def call_off(request: SignedIn, pk: UUID, when: str) -> HttpResponse:
    """Say that it does not take place. Nobody is told for ten minutes."""
    starts_at, at = read_when(when), now()
    try:
        found = queries.register(request.user, pk, starts_at)
    except NotFound as error:
        raise Http404 from error
    coming = list(calling_off.sessions_instead(pk, starts_at, at=at).values())
    form: forms.Form = CallOffForm(request.POST if request.method == "POST" else None, coming=coming)
    if form.is_bound and form.is_valid():
        try:
            made = operations.call_off(service_id=pk, starts_at=starts_at, by=request.user, at=at, **form.cleaned_data)
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, f"Cancelled. People are told at {local_time(made.tell_at)}; until then you can undo it.")
            return redirect("register-session", pk, stamp(starts_at))
    context = {
        "session": found.session,
        "form": form,
        "when": when,
        "to_tell": calling_off.to_tell(request.user, pk, starts_at),
        "too_late": starts_at <= at,
        "already": calling_off.standing(request.user, pk, starts_at),
    }
    answer = render(request, "register/call_off.jinja", context, status=422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@for_roles(User.Role.PROVIDER)
def undo(request: SignedIn, pk: UUID, when: str) -> HttpResponse:
    """It takes place after all."""
    starts_at = read_when(when)
    found = calling_off.standing(request.user, pk, starts_at)
    if found is None:
        raise Http404
    try:
        operations.undo(cancellation_id=found.pk, by=request.user, at=now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "It takes place after all. Nobody was told otherwise.")
    return redirect("register-session", pk, stamp(starts_at))
