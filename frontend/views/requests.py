"""What people asked for themselves, as those who run the service read and answer it. Each look is written to the read audit."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import User
from core.clock import now
from core.errors import LuneError, NotFound
from flow.models import SelfReferral
from flow.self_referral import operations, queries
from frontend.forms.self_referral import AcceptForm, AskMoreForm, CheckForm, DeclineForm, DoubleForm, StepForm
from frontend.forms.tell import tell
from frontend.presenters import requests as present
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE_SIZE = 25
READERS = (User.Role.PROVIDER, User.Role.CURATOR)

#: The operation behind each answer, and what the next page says.
VERBS: dict[str, tuple[Callable[..., SelfReferral], str]] = {
    "accept": (operations.accept, "You said yes. They are now one of your referrals."),
    "ask": (operations.ask_more, "Your question is there for them to read."),
    "decline": (operations.decline, "You said no. They can read why."),
    "check": (operations.check_identity, "You noted how you know who it is."),
    "double": (operations.mark_double, "This request is closed. The other one goes on."),
}


#: Answers of which the person hears, if they agreed to messages.
TELLS = ("accept", "ask", "decline")
TOLD, NOT_TOLD = "We write to them that there is news.", "They agreed to no messages: ring them, or they see it when they open their link."


@require_GET
@for_roles(*READERS)
@transaction.atomic
def requests(request: SignedIn) -> HttpResponse:
    """The list: those that wait, the longest first; or what became of the others."""
    shown = request.GET.get("show", "waiting")
    if shown not in present.PARTS:
        raise Http404
    services = queries.services_of(request.user)
    chosen = request.GET.get("service", "")
    service = UUID(chosen) if chosen in dict(services) else None
    found = queries.listed(request.user, states=present.PARTS[shown][1], service=service)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    queries.looked_at(request.user, page.object_list, refresh=bool(request.htmx))
    context = {
        "parts": present.parts(queries.counts(request.user), shown),
        "page": page,
        "lines": present.lines(page, at=now()),
        "services": services,
        "chosen": chosen if service else "",
        "shown": shown,
        "query": Query(request.GET),
    }
    return render(request, "requests/_list.jinja" if request.htmx else "requests/list.jinja", context)


@require_GET
@for_roles(*READERS)
def read(request: SignedIn, pk: UUID) -> HttpResponse:
    """One request with all that the person wrote, and the answers."""
    return _page(request, pk)


@require_POST
@for_roles(*READERS)
def step(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """Answer it. What the world no longer allows is told with the request as it stands now."""
    if action not in VERBS:
        raise Http404
    asked = SelfReferral.objects.visible_to(request.user).select_related("service").filter(pk=pk).first()
    if asked is None:
        raise Http404
    form = _forms(asked, {action: request.POST})[action]
    if not form.is_valid():
        return _page(request, pk, {action: form})
    verb, said = VERBS[action]
    try:
        done = verb(request_id=pk, by=request.user, at=now(), expected_version=form.cleaned_data["version"], **_told(action, form))
    except NotFound:
        raise Http404 from None
    except LuneError as error:
        if error.http_status == 422:
            tell(form, error)
            return _page(request, pk, {action: form})
        return _page(request, pk, problem=error)
    messages.success(request, f"{said} {TOLD if done.news_to else NOT_TOLD}" if action in TELLS else said)
    return redirect("request", pk)


def _told(action: str, form: StepForm) -> dict[str, Any]:
    sent = form.cleaned_data
    if isinstance(form, AcceptForm):
        pool = sent.get("pool")
        return {"pool_id": UUID(pool) if pool else None, "birth_date": sent.get("birth_date"), "how": form.how_checked()}
    if action == "double":
        return {"of_id": sent["of"]}
    return {name: value for name, value in sent.items() if name != "version"}


def _forms(asked: SelfReferral, sent: dict[str, Any]) -> dict[str, StepForm]:
    same: dict[str, Any] = {"request": asked, "initial": {"version": asked.version}}
    return {
        "accept": AcceptForm(sent.get("accept"), places=queries.places_of(asked.service, now()), **same),
        "ask": AskMoreForm(sent.get("ask"), **same),
        "decline": DeclineForm(sent.get("decline"), **same),
        "check": CheckForm(sent.get("check"), **same),
        "double": DoubleForm(sent.get("double"), **same),
    }


@transaction.atomic
def _page(request: SignedIn, pk: UUID, tried: dict[str, StepForm] | None = None, problem: LuneError | None = None) -> HttpResponse:
    try:
        asked = queries.read(request.user, pk)
    except NotFound:
        raise Http404 from None
    wrong = next(iter(tried.values())) if tried else None
    context = {
        "asked": asked,
        "forms": _forms(asked, {}) | (tried or {}),
        "wrong": wrong,
        "look": present.LOOKS[asked.state],
        "age": present.age_of(asked),
        "needs": present.needs_of(asked),
        "telephone": present.telephone(asked),
        "consents": present.consents(asked),
        "waits": asked.state in SelfReferral.State.waiting(),
        "going_on": SelfReferral.State.going_on(),
        "notes": queries.notes_of(asked),
        "doubles": queries.doubles_of(asked, request.user),
        "task": queries.task_of(asked) if request.user.is_provider else None,
        "due": present.due(asked, now()),
        "problem": problem,
    }
    status = problem.http_status if problem else 422 if wrong else 200
    return render(request, "requests/request.jinja", context, status=status)
