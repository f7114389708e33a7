"""People of one's own organisation who wait, and the referrals that it sent."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

import flow.worklist.operations as worklists
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.casework import queries as casework
from flow.hold_queries import holds, lost
from flow.models import SavedView
from flow.worklist.lines import wards
from frontend.presenters import holds as held_words
from frontend.presenters import worklist as presenter
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE = 50
#: Where the words of a search wait: they name somebody, and stand in no address.
WORDS = "worklist_words"


def _filters(request: SignedIn) -> presenter.Filters:
    return presenter.Filters.of(request.GET, request.session.get(WORDS, ""))


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def worklist(request: SignedIn) -> HttpResponse:
    """The list; asked for as a part of the page, only the table that refreshes itself. Whom it names is written to the read audit.

    Without filters in the address it opens as the user likes it.
    """
    if not request.GET and not request.htmx and (first := worklists.first_view(request.user)) and first.filters:
        return redirect(f"{reverse('worklist')}?{first.filters}")
    filters = _filters(request)
    at = clock.now()
    found = presenter.found(request.user, at, filters)
    held, gone = holds(request.user, at), lost(request.user, at)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    named = [line.patient for line in page.object_list] + [hold.patient for hold in gone]
    audit.record_reads(user=request.user, record_type="patient", record_ids=named, refresh=bool(request.htmx))
    teams = worklists.teams_for(request.user)
    context = {
        "filters": filters,
        "query": Query(request.GET),
        "page": page,
        "held": held_words.by_person(held),
        "held_count": len(held),
        "lost": gone,
        "words": held_words.words(at),
        "moves": presenter.MOVE_WORDS,
        "teams": {team.pk: team.name for team in teams},
        "unread": casework.unread_by_referral(request.user, [line.referral for line in page.object_list if line.referral]),
    }
    if not request.htmx:
        kept = presenter.kept(request.GET)
        views = list(SavedView.objects.visible_to(request.user).select_related("owner"))
        first = worklists.first_view(request.user)
        context |= {
            "choices": presenter.choices(teams, filters),
            "wards": wards(request.user),
            "views": views,
            "first": first,
            "here": next((view for view in views if view.filters == kept), None),
            "kept": kept,
            "actions": [(action.value, action.label) for action in presenter.ACTIONS if teams or action != "assign"],
        }
    return render(request, "worklist/_table.jinja" if request.htmx else "worklist/worklist.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def worklist_csv(request: SignedIn) -> HttpResponse:
    """The same list as a file. It leaves Lune, so that each person in it is written to the read audit."""
    found = presenter.found(request.user, clock.now(), _filters(request))
    audit.record_reads(user=request.user, record_type="patient", record_ids=[line.patient for line in found], purpose="export")
    answer = HttpResponse("".join(presenter.as_csv(found)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="people-waiting.csv"'
    return answer


@for_roles(User.Role.REFERRER)
@require_POST
def worklist_search(request: SignedIn) -> HttpResponse:
    """Look for somebody by name or NHS number. Whom is kept in the session: no name comes into an address, a log or a saved view."""
    words = " ".join(request.POST.get("words", "")[:100].replace("\0", "").split())
    there = QueryDict(presenter.kept(QueryDict(request.POST.get("filters", "")[:1000])), mutable=True)
    if words:
        request.session[WORDS] = words
        there["named"] = "1"
    else:
        request.session.pop(WORDS, None)
        there.setdefault("show", "")
    return redirect(f"{reverse('worklist')}?{there.urlencode()}")


@for_roles(User.Role.REFERRER)
@require_POST
def view_save(request: SignedIn) -> HttpResponse:
    """Keep the filters of the page from which this comes under a name."""
    filters = presenter.kept(QueryDict(request.POST.get("filters", "")[:1000]))
    try:
        view = worklists.save_view(
            name=request.POST.get("name", ""),
            filters=filters,
            by=request.user,
            at=clock.now(),
            is_shared=bool(request.POST.get("shared")),
            opens_first=bool(request.POST.get("first")),
        )
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{view.name}” is saved{' for everybody in your organisation' if view.is_shared else ''}.")
    return redirect(f"{reverse('worklist')}?{filters or 'show='}")


@for_roles(User.Role.REFERRER)
@require_POST
def view_change(request: SignedIn, pk: UUID) -> HttpResponse:
    """Open with this view, or no longer; or delete it."""
    filters = presenter.kept(QueryDict(request.POST.get("filters", "")[:1000]))
    try:
        match request.POST.get("do"):
            case "delete":
                worklists.delete_view(view_id=pk, by=request.user)
                messages.success(request, "The view is deleted.")
            case "not-first":
                worklists.open_with(view_id=None, by=request.user)
                messages.success(request, "The list opens with everybody again.")
            case _:
                worklists.open_with(view_id=pk, by=request.user)
                messages.success(request, "The list opens with this view from now on.")
    except LuneError as error:
        messages.error(request, error.message)
    return redirect(f"{reverse('worklist')}?{filters or 'show='}")
