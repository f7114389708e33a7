"""Sources: who publishes what we read, how each is, and reading one now."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalogue import ingest
from catalogue.importers import spreadsheet
from catalogue.importers.network import shown
from catalogue.models import Source, User
from catalogue.source_health import health
from core.clock import now
from core.errors import Conflict, Invalid, LuneError, NotAllowed
from frontend.forms.sources import SourceFilter, SourceForm, UploadForm
from frontend.presenters.query import Query
from frontend.presenters.sources import capabilities
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 50
KEEPERS = (User.Role.CURATOR, User.Role.ADMINISTRATOR)


@require_GET
@for_roles(*KEEPERS)
def sources(request: SignedIn) -> HttpResponse:
    """Every source with how it is."""
    form = SourceFilter(request.GET)
    page = Paginator(form.chosen(Source.objects.visible_to(request.user)), PAGE_SIZE).get_page(request.GET.get("page"))
    lines = health(page.object_list, today=timezone.localdate())
    return render(request, "curate/sources.jinja", {"form": form, "page": page, "lines": lines, "query": Query(request.GET)})


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def source(request: SignedIn, pk: UUID) -> HttpResponse:
    """One source: its health, what its feed supports, its runs; read it now, or upload a file in its place."""
    found = get_object_or_404(Source.objects.visible_to(request.user), pk=pk)
    sent = request.POST if request.method == "POST" and "upload" in request.POST else None
    form = UploadForm(sent, request.FILES if sent is not None else None)
    problem = ""
    try:
        if request.method == "POST" and sent is None:
            return redirect("import-run", ingest.start(source_id=pk, by=request.user, at=now()).pk)
        if form.is_valid():
            file = form.cleaned_data["file"]
            run = ingest.start(
                source_id=pk, by=request.user, at=now(), file=file.chunks(), file_name=file.name, whole=form.cleaned_data["whole"]
            )
            return redirect("import-run", run.pk)
    except (Invalid, Conflict) as error:
        if sent is None:
            problem = error.message
        else:
            form.add_error("file", error.message)
    context = {
        "one": health([found], today=timezone.localdate())[0],
        "address": shown(found.url) if found.url else "",
        "form": form,
        "problem": problem,
        "capabilities": capabilities(found),
        "page": Paginator(found.runs.all(), PAGE_SIZE).get_page(request.GET.get("page")),
        "query": Query(request.GET),
        "largest": ingest.LARGEST_UPLOAD // 1_000_000,
    }
    return render(request, "curate/source.jinja", context, status=422 if form.errors or problem else 200)


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def source_new(request: SignedIn) -> HttpResponse:
    """Set up a source."""
    form = SourceForm(request.POST if request.method == "POST" else None, by=request.user)
    if form.is_valid():
        try:
            made = ingest.add_source(by=request.user, at=now(), **form.cleaned_data)
        except (Invalid, NotAllowed) as error:
            _tell(form, error)
        else:
            messages.success(request, "The source is set up.")
            return redirect("source", made.pk)
    return render(request, "curate/source_form.jinja", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def source_edit(request: SignedIn, pk: UUID) -> HttpResponse:
    """Change what is said of a source."""
    found = get_object_or_404(Source.objects.visible_to(request.user), pk=pk)
    form = SourceForm(request.POST if request.method == "POST" else None, source=found, by=request.user)
    if form.is_valid():
        try:
            ingest.edit_source(source_id=pk, by=request.user, at=now(), **form.cleaned_data)
        except (Invalid, NotAllowed) as error:
            _tell(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("source", pk)
    return render(request, "curate/source_form.jinja", {"form": form, "source": found}, status=422 if form.errors else 200)


@require_POST
@for_roles(*KEEPERS)
def import_stop(request: SignedIn, pk: UUID) -> HttpResponse:
    """Ask an import to end with nothing changed."""
    try:
        ingest.stop(run_id=pk, by=request.user, at=now())
    except Conflict as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, "The import was asked to stop. Nothing is changed.")
    return redirect("import-run", pk)


@require_GET
@for_roles(*KEEPERS)
def source_template(request: SignedIn) -> HttpResponse:
    """The spreadsheet to fill in."""
    return HttpResponse(
        spreadsheet.template(),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": 'attachment; filename="services.xlsx"'},
    )


def _tell(form: SourceForm, error: LuneError) -> None:
    form.tell(cast("Mapping[str, Sequence[str]]", error.details.get("errors") or {}), error.message)
