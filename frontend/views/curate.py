"""The curator's pages: what came in from outside, what could not, and changes to one service's record."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from catalogue import operations
from catalogue.models import ImportRun, Service, User
from core.clock import now
from core.errors import Invalid
from frontend.forms.curate import RejectFilter, ServiceForm
from frontend.presenters.curate import history
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


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def service_edit(request: SignedIn, pk: UUID) -> HttpResponse:
    """Correct a record, or say that it is right as it stands; and who changed what, the newest first."""
    service = get_object_or_404(Service.objects.visible_to(request.user).select_related("organization", "eligibility"), pk=pk)
    if request.method == "POST" and "assure" in request.POST:
        operations.assure(service_id=pk, by=request.user, at=now())
        messages.success(request, "The record is marked as checked today.")
        return redirect("service-edit", pk)
    form = ServiceForm(request.POST or None, service=service)
    if form.is_valid():
        try:
            operations.edit_service(service_id=pk, by=request.user, at=now(), **form.changes())
        except Invalid as error:
            form.tell(cast("Mapping[str, Sequence[str]]", error.details.get("errors") or {}), error.message)
        else:
            messages.success(request, "Saved. The record is also marked as checked today.")
            return redirect("service-edit", pk)
    context = {"service": service, "form": form, "history": history(service)}
    return render(request, "curate/service.jinja", context, status=422 if form.errors else 200)
