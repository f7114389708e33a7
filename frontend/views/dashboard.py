"""The flow dashboard: who waits and where places are, in numbers that no person can be read from."""

import csv

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from capacity.models import ServiceCapacity
from capacity.queries import with_state
from catalogue.models import User
from core.clock import now
from flow.queries import dashboard as figures_of
from frontend.forms.dashboard import MapForm
from frontend.presenters import dashboard as present
from frontend.presenters.map import places
from frontend.views.access import SignedIn, for_roles


@require_GET
@for_roles(User.Role.MANAGER)
def dashboard(request: SignedIn) -> HttpResponse:
    """The whole page; to htmx only the figures, which refresh while the map stays as it was left."""
    at = now()
    found = figures_of(request.user, at)
    context = {"found": found, "figures": present.figures(found), "bands": present.BANDS, "colours": present.COLOURS}
    if request.htmx:
        return render(request, "dashboard/_figures.jinja", context)
    form = MapForm(request.GET)
    pools = form.pools(ServiceCapacity.objects.visible_to(request.user).offered(at))
    states = with_state(pools, at)
    points = dict(pools.values_list("pk", "location__point"))
    markers = places((state.id, points.get(state.id), state, reverse("service", args=[state.service])) for state in states)
    context |= {
        "form": form,
        "states": states,
        "markers": [{**marker, "number": ""} for marker in markers],  # the list below is not read by number
    }
    return render(request, "dashboard.jinja", context)


@require_GET
@for_roles(User.Role.MANAGER)
def dashboard_csv(request: SignedIn) -> HttpResponse:
    """The same figures as a file for a spreadsheet."""
    name = f"flow-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    answer = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})
    csv.writer(answer).writerows(present.table(figures_of(request.user, now())))
    return answer
