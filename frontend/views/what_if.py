"""What if: a manager asks, a worker simulates, and the answer says how sure it is."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from catalogue.models import User
from core import clock
from core.errors import LuneError
from flow.models import WhatIf, WhatIfResult
from flow.whatif import asking, operations, queries
from frontend.forms.tell import tell
from frontend.forms.what_if import WhatIfForm
from frontend.presenters import spreadsheet
from frontend.presenters import what_if as presenter
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE = 20


@require_GET
@for_roles(User.Role.MANAGER)
def what_if(request: SignedIn) -> HttpResponse:
    """The questions of one's organisation, the newest first."""
    questions = WhatIf.objects.visible_to(request.user).defer("world")
    page = Paginator(questions, PAGE).get_page(request.GET.get("page"))
    return render(request, "what_if/list.jinja", {"page": page, "query": Query(request.GET), "present": presenter})


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.MANAGER)
def what_if_new(request: SignedIn) -> HttpResponse:
    """Ask a question."""
    form = WhatIfForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = form.asked(request.user)
            name = form.cleaned_data["name"].strip() or (asking.words(asked[0])[:100] if asked else "What if")
            question = operations.ask(
                name=name,
                asked=asked,
                days=form.cleaned_data["days"],
                seeds=form.cleaned_data["seeds"],
                policies=form.cleaned_data["policies"],
                by=request.user,
                at=clock.now(),
            )
            return redirect("what-if-answer", question.pk)
        except LuneError as error:
            tell(form, error)
    return render(request, "what_if/new.jinja", {"form": form}, status=422 if form.errors else 200)


@require_GET
@for_roles(User.Role.MANAGER)
def what_if_answer(request: SignedIn, pk: UUID) -> HttpResponse:
    """How far the work is, and what came of it so far. To htmx the progress alone."""
    question = get_object_or_404(WhatIf.objects.visible_to(request.user).defer("world"), pk=pk)
    context: dict[str, Any] = {"question": question, "present": presenter}
    if request.htmx:
        return render(request, "what_if/_progress.jinja", context) if question.is_running else HttpResponseClientRefresh()
    answers = queries.answers(question)
    chosen = answers.get(request.GET.get("policy", "")) or next(iter(answers.values()), None)
    context |= {
        "answers": answers,
        "answer": chosen,
        "figures": presenter.figures(question, chosen, answers) if chosen and not question.is_running else [],
        "query": Query(request.GET),
    }
    return render(request, "what_if/answer.jinja", context)


@require_GET
@for_roles(User.Role.MANAGER)
def what_if_csv(request: SignedIn, pk: UUID) -> HttpResponse:
    """Every simulated time as a line."""
    question = get_object_or_404(WhatIf.objects.visible_to(request.user).defer("world"), pk=pk)
    results = WhatIfResult.objects.visible_to(request.user).filter(what_if=question)
    rows = presenter.file_rows(list(results))
    answer: Any = StreamingHttpResponse(spreadsheet.lines(presenter.COLUMNS, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="what-if-{question.at:%Y-%m-%d-%H%M}.csv"'
    return answer


@for_roles(User.Role.MANAGER)
@require_POST
def what_if_stop(request: SignedIn, pk: UUID) -> HttpResponse:
    """End the work; what is finished stays."""
    return _done(request, pk, operations.stop, "The work is stopped. What was simulated so far is below.")


@for_roles(User.Role.MANAGER)
@require_POST
def what_if_go_on(request: SignedIn, pk: UUID) -> HttpResponse:
    """Take the work up again."""
    return _done(request, pk, operations.go_on, "The work goes on where it ended.")


def _done(request: SignedIn, pk: UUID, verb: Any, words: str) -> HttpResponse:
    try:
        verb(what_if_id=pk, by=request.user, at=clock.now())
        messages.success(request, words)
    except LuneError as error:
        if error.http_status == 404:
            raise
        messages.warning(request, error.message)
    return redirect("what-if-answer", pk)
