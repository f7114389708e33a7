"""Who answers for a service without an account, and calls to providers who are not on the platform."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from catalogue.models import Service, User
from core.clock import now
from core.errors import Invalid, LuneError
from flow.outside import calls, contacts, operations, queries
from flow.workflow import Status
from frontend.forms.outside import CallForm, ContactForm
from frontend.forms.tell import tell
from frontend.views.access import SignedIn, for_roles


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER, User.Role.CURATOR, User.Role.ADMINISTRATOR)
def contact(request: SignedIn, pk: UUID) -> HttpResponse:
    """Requests to a service go by link to this person or desk. Saving ends the links of the one before."""
    service = get_object_or_404(Service.objects.visible_to(request.user).owned_by(request.user).select_related("organization"), pk=pk)
    current = queries.contact_of(pk, user=request.user)
    names = ("name", "email", "phone", "check_made")
    form = ContactForm(
        request.POST if request.method == "POST" else None, initial={name: getattr(current, name) for name in names} if current else None
    )
    problem: LuneError | None = None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "end":
                operations.end_contact(service_id=pk, by=request.user, at=now())
                messages.success(request, "Requests to this service no longer go out as links. Links that were sent have ended.")
                return redirect("reply-contact", pk)
            if form.is_valid():
                operations.register_contact(service_id=pk, by=request.user, at=now(), **form.cleaned_data)
                messages.success(request, "Saved. Each request to this service now goes out as a link. Those that wait are sent now.")
                return redirect("reply-contact", pk)
        except Invalid as error:
            tell(form, error)
        except LuneError as error:
            problem = error
    context = {
        "service": service,
        "current": current,
        "form": form,
        "problem": problem,
        "signs_in": contacts.signs_in(service.organization_id),
    }
    return render(request, "outside/contact.jinja", context, status=_status(form, problem))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
def call(request: SignedIn, pk: UUID, task_id: UUID) -> HttpResponse:
    """What a provider said on the telephone, for one that nobody answers for here."""
    task = queries.task_to_ring(task_id, user=request.user)
    if task is None or task.referral_id != pk:
        raise Http404
    form = CallForm(request.POST, task=task) if request.method == "POST" else CallForm(task=task)
    problem: LuneError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            given: dict[str, Any] = dict(form.cleaned_data)
            version = given.pop("version")
            operations.log_call(task_id=task_id, by=request.user, at=now(), expected_version=version, **given)
        except Invalid as error:
            tell(form, error)
        except LuneError as error:
            problem = error
        else:
            messages.success(request, "The call is written down.")
            return redirect("referral", pk)
    context = {"task": task, "form": form, "problem": problem, "refusal": calls.refusal(task, now()), "referral_id": pk}
    return render(request, "outside/call.jinja", context, status=_status(form, problem))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
def read_code(request: SignedIn, pk: UUID, task_id: UUID) -> HttpResponse:
    """A code to read out on the telephone, to somebody whose one address the link went to. Shown once."""
    task = queries.task_to_ring(task_id, user=request.user)
    if task is None or task.referral_id != pk:
        raise Http404
    code, problem = "", None
    if request.method == "POST":
        try:
            code = operations.read_out_code(task_id=task_id, by=request.user, at=now())
        except LuneError as error:
            problem = error
    answer = render(
        request, "outside/read_code.jinja",
        {"task": task, "referral_id": pk, "code": code, "problem": problem, "said_yes": task.status in Status.taken_on()},
        status=problem.http_status if problem else 200,
    )  # fmt: skip
    answer["Cache-Control"] = "no-store"
    return answer


def _status(form: forms.Form, problem: LuneError | None) -> int:
    return problem.http_status if problem else 422 if form.is_bound and form.errors else 200
