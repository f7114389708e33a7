"""“How we ask you”: a provider chooses channel, address and hours; curators see whom messages do not reach."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from capacity import ask_queries, asking, preferences
from capacity.models import Ask, AskingPreference, ServiceCapacity
from catalogue.models import Service, User
from core.clock import now
from core.errors import LuneError
from frontend.environment import plural
from frontend.forms.asking import AskingForm, CodeForm, tell
from frontend.limits import too_often
from frontend.presenters import asking as present
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles
from frontend.views.errors import too_many_requests

PAGE_SIZE = 25
#: Presses that send something to an address.
A_MINUTE = 20


@require_GET
@for_roles(User.Role.PROVIDER)
def services(request: SignedIn) -> HttpResponse:
    """The services of the organisation that have places, and how each is asked."""
    pools = ServiceCapacity.objects.visible_to(request.user).run_by(request.user)
    own = Service.objects.visible_to(request.user).filter(pk__in=pools.values("service")).order_by("name", "pk")
    shown = {preference.pk: preference for preference in AskingPreference.objects.visible_to(request.user)}
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    lines = [(service, present.state(shown.get(service.pk))) for service in page]
    return render(request, "asking/services.jinja", {"lines": lines, "page": page, "query": Query(request.GET)})


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def service(request: SignedIn, pk: UUID) -> HttpResponse:
    """How one service is asked: the form, the code, stop and start, a link now, and what became of the messages."""
    found = get_object_or_404(Service.objects.visible_to(request.user).owned_by(request.user), pk=pk)
    preference = AskingPreference.objects.visible_to(request.user).filter(pk=pk).first()
    pools = ServiceCapacity.objects.visible_to(request.user).run_by(request.user)
    several = pools.exclude(service=pk).exists()
    form, code = AskingForm(preference=preference, several=several), CodeForm()
    if request.method == "POST":
        if too_often(request, "asking", a_minute=A_MINUTE):
            return too_many_requests(request)
        at_fault: forms.Form = form
        try:
            match request.POST.get("do"):
                case "confirm":
                    at_fault = code = CodeForm(request.POST)
                    done = code.is_valid() and _confirm(request, pk, code)
                case "save" | None:
                    at_fault = form = AskingForm(request.POST, preference=preference, several=several)
                    done = form.is_valid() and _save(request, pk, form)
                case do:
                    done = _press(request, pk, do)
            if done:
                messages.success(request, done)
                return redirect("asking-service", pk)
        except LuneError as error:
            if at_fault.is_bound:
                tell(at_fault, error)
            else:
                messages.warning(request, error.message)
                return redirect("asking-service", pk)
    history = Paginator(Ask.objects.visible_to(request.user).filter(service=pk), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "service": found, "preference": preference, "form": form, "code": code, "page": history,
        "history": [present.asked(ask) for ask in history], "state": present.state(preference), "query": Query(request.GET),
    }  # fmt: skip
    return render(request, "asking/service.jinja", context, status=422 if form.errors or code.errors else 200)


def _save(request: SignedIn, pk: UUID, form: AskingForm) -> str:
    saved = preferences.save(service_id=pk, by=request.user, at=now(), **form.cleaned_data)
    return "Saved." if saved.confirmed_at else "Saved. We have sent a code to that address: type it in here."


def _confirm(request: SignedIn, pk: UUID, code: CodeForm) -> str:
    preferences.confirm(service_id=pk, code=code.cleaned_data["code"], by=request.user, at=now())
    return "The address is confirmed. We ask there from now on."


def _press(request: SignedIn, pk: UUID, do: str) -> str:
    """One of the buttons beside the form; says what was done."""
    said: dict[str, Any] = {"service_id": pk, "by": request.user, "at": now()}
    match do:
        case "code":
            preferences.new_code(**said)
            return "A new code is on its way."
        case "stop":
            preferences.switch(**said, on=False)
            return "The messages are stopped."
        case "start":
            preferences.switch(**said, on=True)
            return "The messages are started again."
        case "send":
            preferences.ask_now(**said)
            return "A link is on its way to you."
        case "revoke":
            return f"{plural(asking.revoke(**said), 'link')} taken back."
    return ""


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def failing(request: SignedIn) -> HttpResponse:
    """Services that our messages do not reach: ring them."""
    trouble = request.GET.get("show", "")
    page = Paginator(ask_queries.asked(request.user, trouble=trouble), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "curate/asking.jinja", {"page": page, "trouble": trouble, "query": Query(request.GET), "state": present.state})
