"""What was looked for and not found, for those who decide what there should be more of."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalogue.models import User
from frontend.forms.unmet import UnmetFilter
from frontend.presenters import spreadsheet
from frontend.presenters import unmet as present
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles
from matching.unmet import ledger

PER_PAGE = 50


@require_GET
@for_roles(User.Role.MANAGER)
def unmet(request: SignedIn) -> HttpResponse:
    """A map and a table of needs that nobody could meet, with estimates of what they cost. The filters are in the address."""
    form = UnmetFilter(request.GET, user=request.user)
    found = ledger(request.user, **form.chosen(timezone.localdate()))
    context = {
        "form": form,
        "found": found,
        "page": Paginator(found.rows, PER_PAGE).get_page(request.GET.get("page")),
        "pins": present.pins(found, "#needs"),
        "present": present,
        "query": Query(request.GET),
    }
    return render(request, "unmet.jinja", context)


@require_GET
@for_roles(User.Role.MANAGER)
def unmet_csv(request: SignedIn) -> HttpResponse:
    """The same figures as a file for a spreadsheet."""
    found = ledger(request.user, **UnmetFilter(request.GET, user=request.user).chosen(timezone.localdate()))
    answer = HttpResponse(spreadsheet.lines(present.HEAD, present.table(found)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="unmet-need-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer
