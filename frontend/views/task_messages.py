"""What sender and provider say to each other about one request."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from core import audit, clock
from core.errors import Invalid, LuneError
from flow.casework import operations, queries
from flow.models import Patient, ReferralTask
from flow.workflow import REFERRER_WORDS, Status
from frontend.forms.casework import AnswerMessageForm, AskForm, KeyedForm, WriteForm
from frontend.forms.tell import tell
from frontend.presenters.query import Query

from .access import SignedIn, for_roles
from .story import CARING

PAGE = 50


@require_GET
@for_roles(*CARING)
@transaction.atomic
def messages_list(request: SignedIn) -> HttpResponse:
    """Requests in which something is to be read or answered; asked for as a part of the page, only what refreshes itself."""
    page = Paginator(queries.waiting_threads(request.user), PAGE).get_page(request.GET.get("page"))
    lines = queries.waiting(request.user, page.object_list)
    named = [one.person.pk for one in lines if one.person is not None]
    audit.record_reads(user=request.user, record_type="patient", record_ids=named, refresh=bool(request.htmx))
    context = {"page": page, "lines": lines, "query": Query(request.GET)}
    return render(request, "casework/_waiting.jinja" if request.htmx else "casework/waiting.jinja", context)


@require_http_methods(["GET", "POST"])
@for_roles(*CARING)
def task_messages(request: SignedIn, pk: UUID) -> HttpResponse:
    """The thread. Opening the page marks as read what it shows of the other side; a part that refreshes itself does not.

    Whoever writes is led to the page again.
    """
    if request.method == "GET":
        return _page(request, pk)
    found = get_object_or_404(ReferralTask.objects.visible_to(request.user), pk=pk)
    action = request.POST.get("action", "")
    try:
        if action == "read":
            operations.mark_read(task_id=found.pk, last=_shown(request), by=request.user, at=clock.now())
            return redirect("task-messages", pk)
        form = _form(request, action)
        if not form.is_valid():
            return _page(request, pk, form)
        said = _send(request, pk, action, form)
    except LuneError as error:
        if error.http_status == 422 and action in ("ask", "answer", "write"):
            tell(form, error)
            return _page(request, pk, form)
        return _page(request, pk, problem=error)
    messages.success(request, said)
    return redirect("task-messages", pk)


def _shown(request: SignedIn) -> UUID:
    """The newest message on the page of whoever pressed: what came since stays new."""
    try:
        return UUID(request.POST.get("last", ""))
    except ValueError as error:
        raise Invalid("Load the page again, then say that you have read it.", code="unknown-action") from error


def _form(request: SignedIn, action: str) -> KeyedForm:
    match action:
        case "ask":
            return AskForm(request.POST, questions=queries.QUESTIONS)
        case "answer":
            return AnswerMessageForm(request.POST)
        case "write":
            return WriteForm(request.POST)
    raise Invalid("Press one of the buttons on the page.", code="unknown-action")


def _send(request: SignedIn, pk: UUID, action: str, form: KeyedForm) -> str:
    """Do what was asked, and say so."""
    sent, by, at = form.cleaned_data, request.user, clock.now()
    match action:
        case "ask":
            operations.ask(task_id=pk, code=sent["code"], words=sent["words"], key=sent["key"], by=by, at=at)
            return "Your question is sent."
        case "answer":
            operations.answer(message_id=sent["message"], answer=sent["answer"], key=sent["key"], by=by, at=at)
            return "Your answer is sent."
    operations.write(task_id=pk, words=sent["words"], key=sent["key"], by=by, at=at)
    return "Your message is sent."


@transaction.atomic
def _page(request: SignedIn, pk: UUID, form: KeyedForm | None = None, problem: LuneError | None = None) -> HttpResponse:
    tasks = ReferralTask.objects.visible_to(request.user).select_related("referral__organization", "pool__service")
    task = get_object_or_404(tasks, pk=pk)
    thread = queries.thread(task, request.user)
    provider = request.user.is_provider and task.provider_id == request.user.organization_id
    # Before a yes the provider reads of nobody: neither a name nor a line in the audit that it has looked at one.
    knows = not provider or task.status in Status.known_to_provider()
    person = Patient.objects.visible_to(request.user).filter(pk=task.referral.patient_id).first() if knows else None
    if person is not None:
        audit.record_read(user=request.user, record_type="patient", record_id=person.pk, refresh=bool(request.htmx))
    if not provider:
        audit.record_read(user=request.user, record_type="referral", record_id=task.referral_id, refresh=bool(request.htmx))
    if request.method == "GET" and not request.htmx and thread.lines:
        operations.mark_read(task_id=task.pk, last=thread.lines[-1].id, by=request.user, at=clock.now())
    context = {
        "task": task,
        "thread": thread,
        "person": person,
        "provider": provider,
        "status_words": task.get_status_display() if provider else REFERRER_WORDS[task.status],
        "ask": form if isinstance(form, AskForm) else AskForm(questions=thread.questions),
        "write": form if isinstance(form, WriteForm) else WriteForm(),
        "answering": form if isinstance(form, AnswerMessageForm) else None,
        "fresh": KeyedForm(),
        "form": form,
        "problem": problem,
    }
    template = "casework/_thread.jinja" if request.htmx else "casework/messages.jinja"
    return render(request, template, context, status=problem.http_status if problem else 422 if form else 200)
