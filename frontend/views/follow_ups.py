"""What is to be done for people: the list, one of them, and another one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from core import audit, clock
from core.errors import LuneError
from flow.casework import operations, queries
from flow.casework.outcomes import scores, written
from flow.models import FollowUp
from frontend.forms.casework import AssignForm, CancelForm, DoneForm, FollowUpForm, PostponeForm, ScoredForm, VersionForm, given_to
from frontend.forms.tell import tell
from frontend.presenters import spreadsheet
from frontend.presenters.query import Query

from .access import SignedIn, for_roles
from .story import CARING, known_person

PAGE = 50
SHOW = [("due", "Due by today"), ("open", "All to do"), ("ended", "Ended")]
WHOSE = [("all", "Everybody’s"), ("mine", "Mine"), ("team", "My teams’"), ("free", "Nobody’s yet")]
#: The operation behind each button, and what the next page says.
VERBS: dict[str, tuple[Callable[..., FollowUp], str]] = {
    "done": (operations.finish, "Done."),
    "postpone": (operations.postpone, "Postponed."),
    "assign": (operations.assign, "Given on."),
    "cancel": (operations.cancel, "It is not needed any more."),
}


@require_GET
@for_roles(*CARING)
@transaction.atomic
def follow_ups(request: SignedIn) -> HttpResponse:
    """The list, what is longest overdue first; asked for as a part of the page, only what refreshes itself."""
    show, whose, found = _found(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    _look(request, page.object_list, refresh=bool(request.htmx))
    context = {
        "page": page,
        "show": show,
        "whose": whose,
        "shows": SHOW,
        "whoses": WHOSE,
        "query": Query(request.GET),
        "due_word": queries.due_word,
        "at": clock.now(),
    }
    return render(request, "casework/_follow_ups.jinja" if request.htmx else "casework/follow_ups.jinja", context)


@require_GET
@for_roles(*CARING)
@transaction.atomic
def follow_ups_csv(request: SignedIn) -> HttpResponse:
    """The same list as a file. It leaves Lune, so that each person in it is written to the read audit."""
    _, _, found = _found(request)
    rows = list(found)
    _look(request, rows, purpose="export")
    header = ["Name", "What", "Due", "Whose", "State", "What came of it"]
    lines = [
        [
            one.patient.full_name,
            one.words,
            one.due_on.isoformat(),
            str(one.assigned_to or one.team or ""),
            one.get_state_display(),
            one.outcome,
        ]
        for one in rows
    ]
    answer = HttpResponse("".join(spreadsheet.lines(header, lines)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="follow-ups.csv"'
    return answer


@require_http_methods(["GET", "POST"])
@for_roles(*CARING)
@transaction.atomic
def patient_follow_ups(request: SignedIn, pk: UUID) -> HttpResponse:
    """What is and was to be done for one person, and a form for more."""
    person = known_person(request, pk)
    choices: dict[str, Any] = {
        "people": queries.colleagues(request.user),
        "teams": queries.teams(request.user),
        "referrals": queries.shareable(request.user, person),
        "initial": {"whose": f"user:{request.user.pk}"},
    }
    form = FollowUpForm(request.POST if request.method == "POST" else None, **choices)
    if form.is_valid():
        sent = form.cleaned_data
        whose = given_to(sent["whose"])
        try:
            operations.follow_up(
                patient_id=person.pk,
                words=sent["words"],
                due_on=sent["due_on"],
                referral_id=sent.get("referral"),
                user_id=whose["user_id"],
                team_id=whose["team_id"],
                by=request.user,
                at=clock.now(),
            )
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "Noted. It stands on the list of what is to be done.")
            return redirect("patient-follow-ups", person.pk)
    at = clock.now()
    context = {
        "patient": person,
        "form": form,
        "open": queries.follow_ups(request.user, show="open", at=at, patient=person.pk),
        "ended": queries.follow_ups(request.user, show="ended", at=at, patient=person.pk)[:PAGE],
        "scores": scores(request.user, person.pk),
        "written": written,
        "due_word": queries.due_word,
        "at": at,
    }
    return render(request, "casework/patient_follow_ups.jinja", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_roles(*CARING)
@transaction.atomic
def follow_up(request: SignedIn, pk: UUID) -> HttpResponse:
    """One of them with what was done with it, and the buttons."""
    found = get_object_or_404(
        FollowUp.objects.visible_to(request.user).select_related("patient", "assigned_to", "team", "created_by", "ended_by", "referral"),
        pk=pk,
    )
    known_person(request, found.patient_id)
    action, problem = request.POST.get("action", ""), None
    forms = _forms(request, found, action)
    if request.method == "POST" and action in VERBS and forms[action].is_valid():
        sent = dict(forms[action].cleaned_data)
        version = sent.pop("version")
        if action == "assign":
            sent = given_to(sent["whose"])
        verb, said = VERBS[action]
        try:
            verb(follow_up_id=pk, by=request.user, at=clock.now(), expected_version=version, **sent)
        except LuneError as error:
            if error.details.get("field") in forms[action].fields:
                tell(forms[action], error)
            else:
                problem = error
        else:
            messages.success(request, said)
            return redirect("follow-up", pk)
    context = {
        "one": found,
        "patient": found.patient,
        "forms": forms,
        "tried": forms.get(action),
        "steps": found.steps.select_related("by", "assigned_to").order_by("-at", "-pk"),
        "problem": problem,
        "due_word": queries.due_word,
        "at": clock.now(),
    }
    status = 200 if request.method == "GET" else problem.http_status if problem else 422
    return render(request, "casework/follow_up.jinja", context, status=status)


def _forms(request: SignedIn, found: FollowUp, action: str) -> dict[str, VersionForm]:
    sent = {action: request.POST}
    start: dict[str, Any] = {"version": found.version}
    done: type[VersionForm] = ScoredForm if found.tool else DoneForm
    held = f"user:{found.assigned_to_id}" if found.assigned_to_id else f"team:{found.team_id}" if found.team_id else ""
    return {
        "done": done(sent.get("done"), initial=start | {"scored_on": clock.local_date(clock.now())}),
        "postpone": PostponeForm(sent.get("postpone"), initial=start),
        "assign": AssignForm(
            sent.get("assign"), people=queries.colleagues(request.user), teams=queries.teams(request.user), initial={**start, "whose": held}
        ),
        "cancel": CancelForm(sent.get("cancel"), initial=start),
    }


def _found(request: SignedIn) -> tuple[str, str, Any]:
    show, whose = request.GET.get("show", "due"), request.GET.get("whose", "all")
    show, whose = show if show in dict(SHOW) else "due", whose if whose in dict(WHOSE) else "all"
    return show, whose, queries.follow_ups(request.user, show=show, whose=whose, at=clock.now())


def _look(request: SignedIn, rows: Any, *, refresh: bool = False, purpose: str = "direct-care") -> None:
    ids = [one.patient_id for one in rows]
    audit.record_reads(user=request.user, record_type="patient", record_ids=ids, refresh=refresh, purpose=purpose)
