"""Opening a record in an emergency, the review of that, and who has looked at a record."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.models import User
from core.clock import local_date, now
from core.errors import Conflict, LuneError, NotFound
from flow.models import GlassOpening
from flow.sight import all_looks, glass, looks, operations
from frontend.forms.sight import AllLooksForm, GlassForm, LooksForm, ReviewForm, WhoForm
from frontend.forms.tell import tell
from frontend.presenters import spreadsheet
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE_SIZE = 25
COLUMNS = ("When", "Who", "Organisation", "Role", "At what", "How it was seen")


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER, User.Role.PROVIDER)
def open_record(request: SignedIn) -> HttpResponse:
    """Who, and why. The same answer for a wrong number, a wrong date and nobody at all."""
    form, at = GlassForm(request.POST if request.method == "POST" else None), now()
    if request.method == "POST" and form.is_valid():
        try:
            opening = operations.open_record(by=request.user, at=at, **form.cleaned_data)
        except LuneError as error:
            tell(form, error)
        else:
            return redirect("glass-record", opening.pk)
    context = {"form": form, "open_now": glass.open_now(request.user, at), "minutes": int(glass.LASTS.total_seconds() // 60)}
    return render(request, "sight/open.jinja", context, status=422 if request.method == "POST" else 200)


@require_GET
@for_roles(User.Role.REFERRER, User.Role.PROVIDER)
def record(request: SignedIn, pk: UUID) -> HttpResponse:
    """The record, to read, while it is open."""
    try:
        opened = operations.read(opening_id=pk, by=request.user, at=now())
    except NotFound:
        raise Http404 from None
    except Conflict as error:
        return render(request, "sight/closed.jinja", {"problem": error}, status=error.http_status)
    return render(request, "sight/record.jinja", {"opened": opened})


@require_GET
@for_roles(User.Role.MANAGER)
def reviews(request: SignedIn) -> HttpResponse:
    """What was opened: that which waits for a review first, and is late after seven days."""
    show = "all" if request.GET.get("show") == "all" else "waiting"
    found = GlassOpening.objects.visible_to(request.user).select_related("by", "by_organization", "organization", "reviewed_by")
    found = found.order_by("-opened_at") if show == "all" else found.filter(verdict="").order_by("opened_at")
    context = {"page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")), "show": show, "late": now() - glass.REVIEW_WITHIN}
    return render(request, "sight/reviews.jinja", context)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.MANAGER)
def review(request: SignedIn, pk: UUID) -> HttpResponse:
    """One opening, and what a manager says of it."""
    opening = (
        GlassOpening.objects.visible_to(request.user).select_related("by", "by_organization", "organization", "reviewed_by").filter(pk=pk)
    )
    found = opening.first()
    if found is None:
        raise Http404
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.review(opening_id=pk, by=request.user, at=now(), **form.cleaned_data)
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "The review is saved. It stands under “All, reviewed ones too”.")
            return redirect("glass-reviews")
    context = {"opening": found, "form": form, "late": now() - glass.REVIEW_WITHIN}
    return render(request, "sight/review.jinja", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.MANAGER)
def who_looked(request: SignedIn) -> HttpResponse:
    """Who has looked at one person's record. The number is posted, so that it stands in no address and no log; the filters stand in it."""
    form = WhoForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            record_id = looks.whose(by=request.user, **form.cleaned_data)
        except LuneError as error:
            tell(form, error)
        else:
            return redirect(f"{reverse('looks')}?record={record_id}")
    filters = LooksForm(request.GET if "record" in request.GET else None)
    found = looks.at_record(record_id=_named(filters), by=request.user, wanted=filters.wanted()) if filters.is_valid() else None
    context = {
        "form": form,
        "filters": filters,
        "count": len(found or ()),
        "most": looks.MOST,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")) if found is not None else None,
        "columns": COLUMNS,
        "query": Query(request.GET),
    }
    return render(request, "sight/looks.jinja", context, status=422 if form.errors or filters.errors else 200)


@require_GET
@for_roles(User.Role.MANAGER)
def who_looked_csv(request: SignedIn) -> HttpResponse:
    """The same as a file, filtered as the page."""
    filters = LooksForm(request.GET)
    if not filters.is_valid():
        raise Http404
    found = looks.at_record(record_id=_named(filters), by=request.user, wanted=filters.wanted())
    rows = ((f"{each.at:%Y-%m-%d %H:%M}", each.who, each.organization, each.role, each.what, each.purpose) for each in found)
    answer = HttpResponse("".join(spreadsheet.lines(COLUMNS, rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="who-looked.csv"'
    return answer


@require_GET
@for_roles(User.Role.MANAGER)
def all_who_looked(request: SignedIn) -> HttpResponse:
    """Looks at all records of the organisation, of the last week until other days are chosen."""
    filters = AllLooksForm({**_last_week(), **request.GET.dict()})
    found, number = None, request.GET.get("page", "")
    if filters.is_valid():
        try:
            page = int(number) if number.isdecimal() and len(number) < 6 else 1
            found = all_looks.of_organization(by=request.user, wanted=filters.wanted(), page=page, size=PAGE_SIZE)
        except LuneError as error:
            tell(filters, error)
    context = {
        "filters": filters,
        "found": found,
        "most": looks.MOST,
        "page": Paginator(range(found.count), PAGE_SIZE).get_page(found.page) if found else None,
        "columns": COLUMNS,
        "query": Query(request.GET),
    }
    return render(request, "sight/all_looks.jinja", context, status=200 if found else 422)


@require_GET
@for_roles(User.Role.MANAGER)
def all_who_looked_csv(request: SignedIn) -> HttpResponse:
    """The same as a file, the newest two thousand of it, with the id of each record."""
    filters = AllLooksForm({**_last_week(), **request.GET.dict()})
    if not filters.is_valid():
        raise Http404
    try:
        found = all_looks.of_organization(by=request.user, wanted=filters.wanted())
    except LuneError:
        raise Http404 from None
    rows = (
        (f"{look.at:%Y-%m-%d %H:%M}", look.who, look.organization, look.role, look.what, look.purpose, str(each.record))
        for each in found.lines
        for look in (each.look,)
    )
    answer = HttpResponse("".join(spreadsheet.lines([*COLUMNS, "Record"], rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="all-looks.csv"'
    return answer


def _last_week() -> dict[str, str]:
    today = local_date(now())
    return {"since": (today - timedelta(days=6)).isoformat(), "until": today.isoformat()}


def _named(filters: LooksForm) -> UUID:
    named: UUID = filters.cleaned_data["record"]
    return named
