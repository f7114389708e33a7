"""A large charity's services as one spreadsheet: download it, change it, look at what would change, apply it."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.entry import batches, spreadsheet
from core.clock import now
from core.errors import Invalid, NotFound
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
            batch = batches.upload(data=form.cleaned_data["file"].read(), by=request.user, at=now())
        except Invalid as error:
            form.add_error("file", error.message)
        else:
            return redirect("entry-sheet-review", batch)
    return render(request, "entry/sheet.jinja", {"form": form, "most": spreadsheet.MOST_ROWS}, status=422 if form.errors else 200)


@require_GET
@for_roles(*KEEPERS)
def download(request: SignedIn) -> HttpResponse:
    """The services as they stand."""
    return HttpResponse(
        batches.download(request.user),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": 'attachment; filename="services.xlsx"'},
    )


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def review(request: SignedIn, batch: UUID) -> HttpResponse:
    """Row by row: what is new, what changes from what to what, what is wrong; and applying or undoing it."""
    counts = {state: batches.rows_of(request.user, batch, state).count() for state in STATES}
    if not any(counts.values()):
        raise Http404
    if request.method == "POST":
        return _act(request, batch)
    state = request.GET.get("state", "")
    found = batches.rows_of(request.user, batch, state if state in STATES else "")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(change, present.differences(change.base, change.content)) for change in page]
    context = {"batch": batch, "counts": counts, "page": page, "rows": rows, "state": state, "query": Query(request.GET)}
    return render(request, "entry/review.jinja", context)


def _act(request: SignedIn, batch: UUID) -> HttpResponse:
    try:
        if request.POST.get("action") == "undo":
            counts, verb = batches.undo(batch=batch, by=request.user, at=now()), "put back"
        else:
            ticked = (
                None if request.POST.get("action") == "all" else [UUID(text) for text in request.POST.getlist("rows") if _is_uuid(text)]
            )
            counts, verb = batches.apply(batch=batch, by=request.user, at=now(), rows=ticked), "changed"
    except NotFound as error:
        messages.error(request, error.message if request.POST.get("action") != "some" else "Tick at least one row first.")
    else:
        said = [f"{counts.made:,} {'service' if counts.made == 1 else 'services'} {verb}."]
        said += [f"{counts.waiting:,} sent to a curator."] if counts.waiting else []
        said += [f"{counts.left:,} left as they are: see what is wrong below."] if counts.left else []
        messages.success(request, " ".join(said))
    return redirect("entry-sheet-review", batch)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
