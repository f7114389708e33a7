"""What was asked of a provider, and its answers. Nothing here names a person before the provider has said yes."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from capacity.holding import held_at
from capacity.queries import pool_states
from catalogue.models import User
from core.clock import now
from core.errors import LuneError
from flow import fit, operations, queries, workflow
from flow.casework import queries as casework
from flow.lateness import overdue_tasks
from flow.models import ReferralTask
from flow.queries import AnonymisedProfile
from flow.workflow import Action, Status
from frontend.forms.answer import AnswerForm
from frontend.presenters import inbox as present
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 25
#: The operation behind each step that a provider's page offers.
VERBS = {
    Action.ACCEPT: operations.accept,
    Action.DECLINE: operations.decline,
    Action.WITHDRAW: operations.withdraw,
    Action.START: operations.start,
    Action.PAUSE: operations.pause,
    Action.RESUME: operations.resume,
    Action.COMPLETE: operations.complete,
    Action.FAIL: operations.fail,
}


@require_GET
@for_roles(User.Role.PROVIDER)
def inbox(request: SignedIn) -> HttpResponse:
    """The list: what awaits an answer, the most urgent first; what was taken on, waits for us, is late, or has ended."""
    shown = request.GET.get("show", "new")
    if shown not in present.PARTS:
        raise Http404
    mine = ReferralTask.objects.visible_to(request.user).filter(provider=request.user.organization_id).order_by()
    counted = list(mine.values_list("status").annotate(count=Count("pk"), late=Count("pk", filter=overdue_tasks(now()))))
    counts = {status: count for status, count, _ in counted} | {present.LATE: sum(late for *_, late in counted)}
    late_at = now() if shown == present.LATE else None
    profiles = queries.inbox(request.user, statuses=present.PARTS[shown][1], late_at=late_at)
    page = Paginator(profiles, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "parts": present.parts(counts, shown),
        "page": page,
        "lines": present.lines(page, at=now(), states=pool_states(_asked(page), now()), late=late_at is not None),
        "unread": casework.unread(request.user, tasks=[line.task for line in page]),
        "held": held_at(request.user),
        "query": Query(request.GET),
        "bulk": present.BULK.get(shown, []),
    }
    return render(request, "inbox/_list.jinja" if request.htmx else "inbox.jinja", context)


def _asked(profiles: Iterable[AnonymisedProfile]) -> set[UUID]:
    """The places that those awaiting an answer are for: one question for all of the page."""
    return {profile.pool for profile in profiles if profile.status == Status.REQUESTED}


@require_GET
@for_roles(User.Role.PROVIDER)
def task(request: SignedIn, pk: UUID) -> HttpResponse:
    """One request: what the person needs, what is free, and the buttons. Names and numbers come after a yes."""
    return _page(request, _find(request, pk))


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def step(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """GET: a page that asks for a reason or a second look. POST: take the step.

    A step that the world no longer allows answers 409 with the request as it stands now and why.
    """
    asked = _find(request, pk)
    if action not in VERBS:
        raise Http404
    taken = workflow.BY_ACTION[action]
    if request.method == "GET":
        if taken not in workflow.steps_open_to(status=asked.status, side=asked.side_of(request.user)):
            return redirect("task", pk)
        return _ask(request, asked, taken, AnswerForm(step=taken, initial={"version": asked.version}))
    form = AnswerForm(request.POST, step=taken)
    if not form.is_valid():
        return _ask(request, asked, taken, form)
    try:
        VERBS[taken.action](task_id=pk, by=request.user, at=now(), expected_version=form.cleaned_data["version"], **form.why())
    except LuneError as error:
        return _page(request, _find(request, pk), problem=error)
    messages.success(request, present.DONE[taken.action])
    return redirect("task", pk)


def _find(request: SignedIn, pk: UUID) -> ReferralTask:
    tasks = ReferralTask.objects.visible_to(request.user)
    return get_object_or_404(tasks.select_related("referral__profile", "referral__organization", "pool__service", "reservation"), pk=pk)


def _ask(request: SignedIn, asked: ReferralTask, taken: workflow.Step, form: AnswerForm) -> HttpResponse:
    changes = fit.changes(asked, now()) if taken.action == Action.ACCEPT else []
    if not any(change.to_confirm for change in changes):
        form.fields.pop("even_so", None)
    context = {
        "task": asked,
        "step": taken,
        "form": form,
        "state": pool_states([asked.pool_id], now())[asked.pool_id],
        "changes": changes,
    }
    return render(request, "inbox/step.jinja", context, status=422 if form.errors else 200)


def _page(request: SignedIn, asked: ReferralTask, *, problem: LuneError | None = None) -> HttpResponse:
    at = now()
    state = pool_states([asked.pool_id], at)[asked.pool_id]
    view = queries.provider_view(asked, request.user, refresh=bool(request.htmx))
    changes = fit.changes(asked, at) if asked.status == Status.REQUESTED else []
    context = {
        "task": asked,
        "profile": view.profile,
        "person": view.identity,
        "agrees": view.agrees,
        "changed": view.changed,
        "title": present.title(view.profile),
        "state": state,
        "choices": present.choices(view.profile, view.steps, state, changes),
        "changes": changes,
        "due": present.due(view.profile, at),
        "look": present.look(asked.status),
        "history": list(asked.transitions.select_related("organization")),
        "readable": present.readable_by(request.user, view),
        "unread": casework.unread(request.user, tasks=[asked.pk]).get(asked.pk, 0),
        "problem": problem,
    }
    template = "task/_live.jinja" if request.htmx else "task.jinja"
    return render(request, template, context, status=problem.http_status if problem else 200)
