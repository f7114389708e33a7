"""A large charity's services as one spreadsheet: download it, change it, look at what would change, apply it."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from catalogue.entry import batches, columns, sheet_files, spreadsheet
from catalogue.models import Sheet
from core.clock import now
from core.errors import Conflict, Invalid, NotFound
from frontend.forms.entries import SheetForm
from frontend.presenters import entry as present
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles
from frontend.views.entries import KEEPERS

PAGE_SIZE = 100
STATES = ("new", "changed", "unchanged", "faults", "done")


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def sheet(request: SignedIn) -> HttpResponse:
    """Where the spreadsheet is downloaded, and sent back."""
    form = SheetForm(request.POST, request.FILES) if request.method == "POST" else SheetForm()
    if form.is_valid():
        try:
            batch = sheet_files.upload(data=form.cleaned_data["file"].read(), by=request.user, at=now())
        except Invalid as error:
            form.add_error("file", error.message)
        else:
            return redirect("entry-sheet-review", batch)
    context = {
        "form": form,
        "services": sheet_files.services_of(request.user).count(),
        "small": sheet_files.SMALL,
        "most": spreadsheet.MOST_ROWS,
        "clear": columns.CLEAR,
        "keep": columns.KEEP,
    }
    return render(request, "entry/sheet.jinja", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def download(request: SignedIn) -> HttpResponse:
    """The services as they stand: a few at once; many are made by a worker, when somebody presses the button."""
    if sheet_files.services_of(request.user).count() <= sheet_files.SMALL:
        return _workbook(sheet_files.download(request.user))
    if request.method == "GET":
        return redirect("entry-sheet")
    try:
        made = sheet_files.make(by=request.user, at=now())
    except Invalid as error:
        messages.error(request, error.message)
        return redirect("entry-sheet")
    return redirect("entry-sheet-review", made.pk)


@require_GET
@for_roles(*KEEPERS)
def made_file(request: SignedIn, batch: UUID) -> HttpResponse:
    """What a worker made."""
    data = sheet_files.made_file(request.user, batch)
    if data is None:
        raise Http404
    return _workbook(data)


def _workbook(data: bytes) -> HttpResponse:
    return HttpResponse(
        data,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": 'attachment; filename="services.xlsx"'},
    )


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def review(request: SignedIn, batch: UUID) -> HttpResponse:
    """Row by row: what is new, what changes from what to what, what is wrong; applying or undoing it, and to htmx how far that is."""
    found = batches.sheet_of(request.user, batch)
    if found is None:
        raise Http404
    if request.method == "POST":
        return _act(request, batch)
    running = found.status == Sheet.Status.RUNNING
    if request.htmx:
        return render(request, "entry/_sheet_progress.jinja", {"sheet": found}) if running else HttpResponseClientRefresh()
    if found.work == Sheet.Work.WRITE:
        return render(request, "entry/made.jinja", {"sheet": found, "running": running})
    counts = {state: batches.rows_of(request.user, batch, state).count() for state in STATES}
    state = request.GET.get("state", "")
    chosen = batches.rows_of(request.user, batch, state if state in STATES else "")
    page = Paginator(chosen, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(change, present.differences(change.base, change.content)) for change in page]
    context = {
        "sheet": found,
        "running": running,
        "counts": counts,
        "page": page,
        "rows": rows,
        "state": state,
        "query": Query(request.GET),
    }
    return render(request, "entry/review.jinja", context)


def _act(request: SignedIn, batch: UUID) -> HttpResponse:
    action = request.POST.get("action", "")
    by, at = request.user, now()
    try:
        match action:
            case "undo":
                sheet = batches.undo(batch=batch, by=by, at=at)
            case "stop":
                sheet = batches.stop(batch=batch, by=by, at=at)
            case "resume":
                sheet = batches.resume(batch=batch, by=by, at=at)
            case "all":
                sheet = batches.apply(batch=batch, by=by, at=at)
            case _:
                ticked = [UUID(text) for text in request.POST.getlist("rows") if _is_uuid(text)]
                sheet = batches.apply(batch=batch, by=by, at=at, rows=ticked)
    except NotFound as error:
        messages.error(request, error.message if action in ("undo", "all") else "Tick at least one row first.")
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, present.sheet_words(sheet))
    return redirect("entry-sheet-review", batch)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
