"""How much the public directory is used, for those who keep it and those who answer for it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalogue import usage_figures
from catalogue.models import User
from frontend.forms.usage import UsageFilter
from frontend.presenters import spreadsheet
from frontend.presenters import usage as present
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

READERS = (User.Role.CURATOR, User.Role.ADMINISTRATOR, User.Role.MANAGER)


@require_GET
@for_roles(*READERS)
def figures(request: SignedIn) -> HttpResponse:
    """A chart with its table, what was searched for, what was opened. The filters are in the address."""
    form = UsageFilter(request.GET)
    asked = form.chosen(timezone.localdate())
    found = usage_figures.usage(request.user, **asked)
    context = {
        "form": form,
        "found": found,
        "weekly": asked["weekly"],
        "area": form.area_name(),
        "chart": present.chart(found, weekly=asked["weekly"], today=timezone.localdate()),
        "number": present.number,
        "heads": present.HEADS,
        "query": Query(request.GET),
    }
    return render(request, "curate/usage.jinja", context)


@require_GET
@for_roles(*READERS)
def figures_csv(request: SignedIn) -> HttpResponse:
    """The same figures as a file for a spreadsheet."""
    found = usage_figures.usage(request.user, **UsageFilter(request.GET).chosen(timezone.localdate()))
    head, *rows = present.table(found)
    answer = HttpResponse(spreadsheet.lines(head, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="use-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer
