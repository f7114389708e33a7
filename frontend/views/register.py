"""The register: the sessions of a day, who is expected at one, one tap for who came, and the figures. For those who run the services."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalogue.models import User
from core.clock import local_date, now
from core.errors import Invalid, LuneError, NotFound
from flow.attendance import calling_off, operations, queries, report
from flow.models import Attendance, ReferralTask
from flow.reminders.queries import to_go
from frontend.forms import register as forms
from frontend.forms.tell import tell
from frontend.presenters.spreadsheet import lines as csv_lines
from frontend.views.access import SignedIn, for_roles

_STAMP = "%Y%m%dT%H%MZ"


def stamp(moment: datetime) -> str:
    """A session's time as it stands in its address."""
    return moment.astimezone(UTC).strftime(_STAMP)


@require_GET
@for_roles(User.Role.PROVIDER)
def day(request: SignedIn) -> HttpResponse:
    """The sessions of one day: today's unless another is asked for."""
    today = local_date(now())
    try:
        shown = date.fromisoformat(request.GET.get("day", "")) if request.GET.get("day") else today
    except ValueError:
        shown = today
    if not date(2020, 1, 1) <= shown <= date(2100, 1, 1):
        shown = today
    lines = [
        (line, reverse("register-session", args=[line.service, stamp(line.starts_at)])) for line in queries.sessions_on(request.user, shown)
    ]
    context = {"day": shown, "today": today, "before": shown - timedelta(days=1), "after": shown + timedelta(days=1), "lines": lines}
    return render(request, "register/day.jinja", context)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def session(request: SignedIn, pk: UUID, when: str) -> HttpResponse:
    """Who is expected, and who came. Each button is a form of its own: nothing is lost when the line drops between two."""
    starts_at = read_when(when)
    at = now()
    problem: LuneError | None = None
    counting = forms.WalkInsForm(request.POST) if request.POST.get("do") == "walk-ins" else None
    if request.method == "POST":
        try:
            if counting is None:
                task = _uuid(request.POST.get("task", ""))
                said, _, reason = request.POST.get("mark", "").partition(":")
                operations.mark(
                    task_id=task, service_id=pk, starts_at=starts_at, mark=said, reason=reason or request.POST.get("reason", ""),
                    by=request.user, at=at,
                )  # fmt: skip
                return redirect(f"{request.path}#task-{task}")
            if counting.is_valid():
                operations.count_walk_ins(
                    service_id=pk, starts_at=starts_at, number=counting.cleaned_data["number"], by=request.user, at=at
                )  # fmt: skip
                messages.success(request, "The walk-ins are counted.")
                return redirect(request.path)
        except NotFound as error:
            raise Http404 from error
        except LuneError as error:
            problem = error
    try:
        found = queries.register(request.user, pk, starts_at)
    except NotFound as error:
        raise Http404 from error
    called_off = calling_off.standing(request.user, pk, starts_at)
    context = {
        "session": found.session,
        "lines": found.lines,
        "reasons": Attendance.Reason.choices,
        "open": local_date(starts_at) <= local_date(at),
        "when": when,
        "called_off": called_off,
        "to_go": to_go(called_off, user=request.user),
        "can_call_off": starts_at > at,
        "problem": problem,
        "counting": counting or forms.WalkInsForm(initial={"number": found.session.walk_ins}),
        "day": local_date(starts_at),
    }
    wrong = problem.http_status if problem else 422 if counting is not None and counting.errors else 200
    answer = render(request, "register/session.jinja", context, status=wrong)
    answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def book(request: SignedIn, pk: UUID) -> HttpResponse:
    """Put the person of one referral on the list of sessions, or book an appointment with a named worker."""
    task = get_object_or_404(
        ReferralTask.objects.visible_to(request.user).taken_on_by(_organization(request)).select_related("pool__service"), pk=pk
    )
    at = now()
    coming = queries.sessions_to_book(task, at=at)
    do = request.POST.get("do", "")
    to_sessions = forms.SessionsForm(request.POST if do == "sessions" else None, coming=coming)
    to_worker = forms.AppointmentForm(request.POST if do == "appointment" else None)
    problem: LuneError | None = None
    try:
        if do == "sessions" and to_sessions.is_valid():
            chosen = [UUID(each) for each in to_sessions.cleaned_data["sessions"]]
            booked, refused = operations.book_coming(task_id=pk, by=request.user, at=at, session_ids=chosen)
            for words in refused:
                messages.error(request, words)
            if booked:
                messages.success(request, "They are expected. The team that referred them can see it.")
            return redirect("register-book", pk)
        if do == "appointment" and to_worker.is_valid():
            operations.book_appointment(task_id=pk, by=request.user, at=at, **to_worker.cleaned_data)
            messages.success(request, "The appointment is booked. The team that referred them can see it.")
            return redirect("register-book", pk)
    except Invalid as error:
        tell(to_worker if do == "appointment" else to_sessions, error)
    except LuneError as error:
        problem = error
    bound = to_worker if do == "appointment" else to_sessions
    context = {
        "task": task,
        "visits": queries.visits([task.pk], user=request.user, at=at),
        "can_book": queries.can_be_expected(task),
        "coming": coming,
        "to_sessions": to_sessions,
        "to_worker": to_worker,
        "bound": bound,
        "problem": problem,
    }
    return render(
        request, "register/book.jinja", context, status=problem.http_status if problem else 422 if request.method == "POST" else 200
    )


@require_POST
@for_roles(User.Role.PROVIDER)
def cancel(request: SignedIn, pk: UUID, booking_id: UUID) -> HttpResponse:
    """Expect somebody no more at one time."""
    get_object_or_404(ReferralTask.objects.visible_to(request.user), pk=pk)
    try:
        operations.cancel(booking_id=booking_id, by=request.user, at=now())
    except NotFound as error:
        raise Http404 from error
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Cancelled. They are no longer expected then; please tell them.")
    return redirect("register-book", pk)


@require_GET
@for_roles(User.Role.PROVIDER)
def figures(request: SignedIn) -> HttpResponse:
    """How sessions were attended, by service."""
    form, rows = _figures(request)
    context = {"form": form, "rows": rows, "reasons": Attendance.Reason.choices, "query": request.GET.urlencode()}
    return render(request, "register/report.jinja", context, status=422 if form.errors else 200)


@require_GET
@for_roles(User.Role.PROVIDER)
def figures_csv(request: SignedIn) -> HttpResponse:
    """The same as a file. With `shared=1` as it may leave the organisation: without small numbers."""
    shared = request.GET.get("shared") == "1"
    form, rows = _figures(request, shared=shared)
    if form.errors:
        raise Http404
    labels = [f"Did not come: {label}" for _, label in Attendance.Reason.choices]
    header = ["Service", "Sessions", "People", "Expected", "Came", *labels, "Nobody has said", "Walk-ins"]
    answer = HttpResponse("".join(csv_lines(header, map(_cells, rows))), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="attendance{"-to-share" if shared else ""}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _cells(row: report.Row) -> list[object]:
    numbers = [row.people, row.expected, row.present, *row.absent.values(), row.not_said, row.walk_ins]
    return [row.service_name, row.sessions, *("not told" if number is None else number for number in numbers)]


def _figures(request: SignedIn, *, shared: bool = False) -> tuple[forms.PeriodForm, list[report.Row]]:
    usual: dict[str, Any] = forms.PeriodForm.usual(local_date(now()))
    form = forms.PeriodForm({name: request.GET.get(name) or usual[name] for name in usual})
    if not form.is_valid():
        return form, []
    try:
        return form, report.rows(request.user, form.cleaned_data["first"], form.cleaned_data["last"], shared=shared)
    except Invalid as error:
        tell(form, error)
        return form, []


def _organization(request: SignedIn) -> UUID:
    if request.user.organization_id is None:
        raise Http404
    return request.user.organization_id


def read_when(text: str) -> datetime:
    """A session’s time from its address."""
    try:
        read = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise Http404 from error
    if not 2020 <= read.year <= 2100:  # nothing is written down so far away, and a day more or less must be possible
        raise Http404
    return read


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
