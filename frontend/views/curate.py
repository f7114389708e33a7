"""The curator's pages about imports: what came in from outside, and what could not."""

from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRefresh

from catalogue.models import ImportRun, User
from frontend.forms.curate import RejectFilter
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 50


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def imports(request: SignedIn) -> HttpResponse:
    """Every import, the newest first."""
    page = Paginator(ImportRun.objects.visible_to(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "curate/imports.jinja", {"page": page, "query": Query(request.GET)})


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def import_run(request: SignedIn, pk: UUID) -> HttpResponse:
    """One import: what it changed, and each record that could not be used, with what to do about it; to htmx how far it is."""
    run = get_object_or_404(ImportRun.objects.visible_to(request.user).select_related("feed"), pk=pk)
    if request.htmx:
        ended = run.status != ImportRun.Status.RUNNING
        return HttpResponseClientRefresh() if ended else render(request, "curate/_import_progress.jinja", {"run": run})
    form = RejectFilter(request.GET, run=run)
    page = Paginator(form.chosen(), PAGE_SIZE).get_page(request.GET.get("page"))
    kinds = run.rejects.values("field", "reason").annotate(times=Count("id")).order_by("-times", "field", "reason")[:10]
    return render(request, "curate/import.jinja", {"run": run, "form": form, "page": page, "kinds": kinds, "query": Query(request.GET)})
