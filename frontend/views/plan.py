"""The plan board: one suggestion for everybody who waits, and what a team decides of each line."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from capacity.queries import pool_states
from catalogue.models import User
from core import audit, clock
from core.errors import Invalid, LuneError
from core.geo import miles
from flow.models import Episode, Plan, PlanLine
from flow.planning import operations, pricing, renewing
from flow.planning.queries import BoardLine, board, changes, current_plan, newest, one_line, proposal, since
from frontend.forms.plan import RejectForm
from frontend.forms.tell import tell
from frontend.presenters import countdown, spreadsheet
from frontend.presenters import plan as presenter
from frontend.presenters.match import chosen
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE = 25
#: Changes of a better plan that are told one by one; all are counted.
CHANGES = 10
#: Other places that are priced on a person's page: in a plan for so many that a worker drew it up, each takes longer.
PRICED, PRICED_OF_MANY = 8, 2


@require_GET
@for_roles(User.Role.REFERRER, User.Role.MANAGER)
@transaction.atomic
def plan(request: SignedIn) -> HttpResponse:
    """The plan in force and how far a new one is; to htmx the part that renews itself. Whom it names is written to the read audit."""
    at = clock.now()
    last, found = newest(request.user), current_plan(request.user)
    running = last if last is not None and last.is_running else None
    if request.htmx.target == "plan-progress":
        return render(request, "plan/_progress.jinja", {"running": running}) if running else HttpResponseClientRefresh()
    filters = presenter.Filters.of(request.GET)
    lines = board(request.user, found, at) if found else []
    page = Paginator([line for line in lines if filters.leave(line)], PAGE).get_page(request.GET.get("page"))
    better = proposal(request.user, found) if found and not running else None
    changed = changes(request.user, better, at) if better else []
    _look(request, [*page.object_list, *changed[:CHANGES]], refresh=bool(request.htmx))
    context: dict[str, Any] = {
        "plan": found,
        "running": running,
        "ended": last if last is not None and not running and found != last else None,
        "since": since(request.user, found, at, lines) if found else None,
        "better": better,
        "changed": changed[:CHANGES],
        "page": page,
        "lines": len(lines),
        "names_people": request.user.is_referrer,
        "filters": filters,
        "choices": {"show": presenter.SHOW, "pathway": presenter.PATHWAYS},
        "query": Query(request.GET),
        "present": presenter,
    }
    return render(request, "plan/_board.jinja" if request.htmx else "plan/plan.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER, User.Role.MANAGER)
@transaction.atomic
def plan_csv(request: SignedIn) -> HttpResponse:
    """The lines as a file, each person written to the read audit; for a manager the figures, which name nobody."""
    found, at = current_plan(request.user), clock.now()
    rows: Iterable[Iterable[object]] = presenter.figure_rows(found) if found else []
    columns: tuple[str, ...] = presenter.FIGURES
    if request.user.is_referrer:
        filters = presenter.Filters.of(request.GET)
        lines = [line for line in (board(request.user, found, at) if found else []) if filters.leave(line)]
        named = {patient for line in lines for patient in line.named}
        audit.record_reads(user=request.user, record_type="patient", record_ids=named, purpose="export")
        rows, columns = presenter.file_rows(lines), presenter.COLUMNS
    answer: Any = StreamingHttpResponse(spreadsheet.lines(columns, list(rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="plan-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer


@for_roles(User.Role.REFERRER, User.Role.MANAGER)
@require_POST
def plan_draw(request: SignedIn) -> HttpResponse:
    """Draw up a plan by what is free now."""
    try:
        made = operations.draw_up(by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{_planned(made) if made.is_running else 'The plan is drawn up.'} Nothing is held or sent by it.")
    return redirect("plan")


@for_roles(User.Role.REFERRER, User.Role.MANAGER)
@require_POST
def plan_take_over(request: SignedIn, pk: UUID) -> HttpResponse:
    """Put the better plan that was suggested in the place of the one in force."""
    try:
        renewing.take_over(plan_id=pk, by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The better plan is in force. Nothing is held or sent by it.")
    return redirect("plan")


@for_roles(User.Role.REFERRER, User.Role.MANAGER)
@require_POST
def plan_stop(request: SignedIn, pk: UUID) -> HttpResponse:
    """Ask the work on a plan to end."""
    operations.stop(plan_id=pk, by=request.user, at=clock.now())
    messages.success(request, "The work on the new plan is stopped. The plan before it stays.")
    return redirect("plan")


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def plan_line(request: SignedIn, pk: UUID) -> HttpResponse:
    """One person of the plan: why this place, what another would cost everybody, and the decision."""
    lines = PlanLine.objects.visible_to(request.user).select_related("plan", "episode")
    line, action, at = get_object_or_404(lines, pk=pk), request.POST.get("action", ""), clock.now()
    form = RejectForm(request.POST if action == "reject" else None)
    problem: LuneError | None = None
    if request.method == "POST":
        try:
            if (answer := _act(request, line, action, form)) is not None:
                return answer
        except LuneError as error:
            problem = error
    if problem is not None and action == "reject" and problem.details.get("field"):
        tell(form, problem)
        problem = None
    shown = one_line(request.user, line, at)
    now = current_plan(request.user)
    in_force = now is not None and now.pk == line.plan_id
    most = PRICED if line.plan.total <= operations.AT_ONCE else PRICED_OF_MANY
    offers = pricing.offers(line, most=most) if in_force and shown.open else []
    states = pool_states({offer.pool for offer in offers} | {pool for o in offers for m in o.moved for pool in (m.was, m.now) if pool}, at)
    people = _people(request, {moved.episode for offer in offers for moved in offer.moved})
    audit.record_reads(user=request.user, record_type="patient", record_ids=shown.named | {person.patient_id for person in people.values()})
    context = {
        "line": shown,
        "plan": line.plan,
        "in_force": in_force,
        "form": form,
        "problem": problem,
        "offers": [(offer, states[offer.pool]) for offer in offers if offer.pool in states],
        "miles": lambda metres: None if metres is None else round(miles(metres), 1),
        "states": states,
        "people": people,
    }
    status = 200 if request.method == "GET" else problem.http_status if problem else 422
    template = "plan/_places.jinja" if request.method == "GET" and request.htmx.target == "plan-places" else "plan/line.jinja"
    return render(request, template, context, status=status)


def _act(request: SignedIn, line: PlanLine, action: str, form: RejectForm) -> HttpResponse | None:
    """Decide what was asked; None when the form must be shown again."""
    by, at = request.user, clock.now()
    match action:
        case "accept":
            done = operations.accept(line_id=line.pk, by=by, at=at)
            if done.plan is None and done.decision.hold is not None:
                until = countdown.clock(done.decision.hold.reservation.expires_at, at)
                messages.success(request, f"The place is held until {until}. Send the referral from the places that you hold.")
            else:
                messages.warning(request, f"{done.decision.reason_text} {_planned(done.plan)}")
        case "reject" if form.is_valid():
            done = operations.reject(line_id=line.pk, by=by, at=at, **form.cleaned_data)
            messages.success(request, f"That place is not suggested for this person again. {_planned(done.plan)}")
        case "reject":
            return None
        case "choose" if pools := chosen(request.POST.getlist("pool")):
            done = operations.override(line_id=line.pk, pool_id=pools[0], by=by, at=at)
            messages.success(request, f"The place is chosen; nothing is held yet. {_planned(done.plan)}")
        case _:
            raise Invalid("Choose what to do with this line.")
    return redirect(f"{reverse('plan')}#line-{line.episode_id}")


def _planned(made: Plan | None) -> str:
    return "A new plan is being drawn up." if made is not None and made.is_running else "The plan was drawn up anew."


def _people(request: SignedIn, episodes: set[UUID]) -> dict[UUID, Episode]:
    """The stays of people who would be moved, of the user's own organisation."""
    return {episode.pk: episode for episode in Episode.objects.visible_to(request.user).filter(pk__in=episodes).select_related("patient")}


def _look(request: SignedIn, lines: Iterable[BoardLine], *, refresh: bool) -> None:
    named = {patient for line in lines for patient in line.named}
    audit.record_reads(user=request.user, record_type="patient", record_ids=named, refresh=refresh)
