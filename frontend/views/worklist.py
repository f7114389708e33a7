"""People of one's own organisation who wait."""

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from catalogue.models import User
from core import audit, clock
from flow.hold_queries import holds, lost
from frontend.presenters import holds as held_words
from frontend.presenters import worklist as presenter
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE = 50


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def worklist(request: SignedIn) -> HttpResponse:
    """The list; asked for as a part of the page, only the table that refreshes itself. Whom it names is written to the read audit."""
    filters = presenter.Filters.of(request.GET)
    at = clock.now()
    found = presenter.lines(request.user, at, filters)
    held, gone = holds(request.user, at), lost(request.user, at)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    named = [line.patient for line in page.object_list] + [hold.patient for hold in gone]
    audit.record_reads(user=request.user, record_type="patient", record_ids=named, refresh=bool(request.htmx))
    context = {
        "filters": filters,
        "query": Query(request.GET),
        "page": page,
        "held": held_words.by_person(held),
        "held_count": len(held),
        "lost": gone,
        "words": held_words.words(at),
        "choices": {"pathway": presenter.PATHWAYS, "delay": presenter.DELAYS, "days": presenter.DAYS, "status": presenter.ASKED},
    }
    return render(request, "worklist/_table.jinja" if request.htmx else "worklist/worklist.jinja", context)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def worklist_csv(request: SignedIn) -> HttpResponse:
    """The same list as a file. It leaves Lune, so that each person in it is written to the read audit."""
    found = presenter.lines(request.user, clock.now(), presenter.Filters.of(request.GET))
    audit.record_reads(user=request.user, record_type="patient", record_ids=[line.patient for line in found], purpose="export")
    answer = HttpResponse(presenter.as_csv(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="people-waiting.csv"'
    return answer
