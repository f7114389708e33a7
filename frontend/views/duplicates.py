"""Doubles: the queue of pairs, two records side by side, what was merged."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from capacity.models import ServiceCapacity
from catalogue.dedupe import operations, queries
from catalogue.dedupe.blockers import in_the_way
from catalogue.dedupe.compare import SURE
from catalogue.models import Attachment, DuplicateCandidate, Merge, Service, User
from core.clock import now
from core.errors import LuneError
from frontend.forms.duplicates import MergeForm, PairFilter
from frontend.presenters import duplicates as present
from frontend.presenters import spreadsheet
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 25
KEEPERS = (User.Role.CURATOR, User.Role.ADMINISTRATOR)


@require_GET
@for_roles(*KEEPERS)
def duplicates(request: SignedIn) -> HttpResponse:
    """Pairs that may be doubles, the surest first; the filters are in the address."""
    form = PairFilter(request.GET, user=request.user)
    context = {
        "form": form,
        "page": Paginator(form.chosen(), PAGE_SIZE).get_page(request.GET.get("page")),
        "query": Query(request.GET),
        "progress": queries.progress(request.user),
        "searched": queries.last_search(),
        "sure": SURE,
    }
    return render(request, "duplicates/list.jinja", context)


@require_GET
@for_roles(*KEEPERS)
def duplicates_csv(request: SignedIn) -> HttpResponse:
    """All pairs that the filters leave, as a file for a spreadsheet."""
    found = PairFilter(request.GET, user=request.user).chosen()
    answer: Any = StreamingHttpResponse(
        spreadsheet.lines(present.COLUMNS, present.file_rows(found)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="doubles-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def duplicate(request: SignedIn, pk: int) -> HttpResponse:
    """Two records side by side. POST: merge them, or say that they are two, or decide later."""
    pairs = DuplicateCandidate.objects.visible_to(request.user).select_related("decided_by")
    pair = get_object_or_404(pairs, pk=pk)
    services = Service.objects.visible_to(request.user).select_related("organization", "care_type", "eligibility", "merged_into")
    both = services.prefetch_related("service_at_locations__location__addresses").in_bulk([pair.one_id, pair.other_id])
    one, other = both[pair.one_id], both[pair.other_id]
    action = request.POST.get("action", "")
    if action in ("different", "later", "again"):
        return _decided(request, pair, action)
    rows = present.rows(one, other)
    counted = ServiceCapacity.objects.visible_to(request.user).filter(service__in=both, reported_at__isnull=False)
    pools = dict(counted.order_by().values_list("service").annotate(Count("pk")))
    photos = Attachment.objects.visible_to(request.user).filter(service__in=both, kind=Attachment.Kind.PHOTO, is_shown=True)
    stays, why = present.stays(one, other, rows, pools)
    form = MergeForm(request.POST if request.method == "POST" else None, one=one, other=other, rows=rows, stays=stays)
    if form.is_valid():
        try:
            done = operations.merge(**form.merging(), by=request.user, at=now())
        except LuneError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"“{done.gone.name}” is now part of “{done.kept.name}”. You can undo it under “What was merged”.")
            return _onwards(request, pair)
    context = {
        "pair": pair,
        "sides": [
            ("A", "one", one, pools.get(one.pk, 0), in_the_way(one)),
            ("B", "other", other, pools.get(other.pk, 0), in_the_way(other)),
        ],
        "rows": rows,
        "photos": {side: [photo for photo in photos if photo.service_id == each.pk] for side, each in (("one", one), ("other", other))},
        "form": form,
        "why_stays": why,
        "suggested": stays,
        "markers": present.markers(one, other),
        "merged": one.merged_into_id or other.merged_into_id,
        "sure": SURE,
    }
    return render(request, "duplicates/pair.jinja", context, status=422 if form.errors else 200)


@require_GET
@for_roles(*KEEPERS)
def merges(request: SignedIn) -> HttpResponse:
    """What was merged, the newest first, and what the sources have said since."""
    found = Merge.objects.visible_to(request.user).select_related("kept", "gone__eligibility", "gone__care_type", "merged_by", "undone_by")
    page = Paginator(found.select_related("gone__organization"), PAGE_SIZE).get_page(request.GET.get("page"))
    lines = [(merge, present.taken(merge), present.since(merge) if merge.undone_at is None else []) for merge in page]
    return render(request, "duplicates/merges.jinja", {"page": page, "lines": lines, "query": Query(request.GET)})


@for_roles(*KEEPERS)
@require_POST
def merge_change(request: SignedIn, pk: UUID) -> HttpResponse:
    """Undo a merge, or take what a source has said since in one field."""
    if name := request.POST.get("take"):
        done = operations.take_news(merge_id=pk, name=name, by=request.user, at=now())
        messages.success(request, f"“{done.kept.name}” now says what the source says.")
    else:
        undone = operations.undo_merge(merge_id=pk, by=request.user, at=now())
        messages.success(request, f"“{undone.kept.name}” and “{undone.gone.name}” are two records again.")
    return redirect("merges")


def _decided(request: SignedIn, pair: DuplicateCandidate, action: str) -> HttpResponse:
    if action == "different":
        operations.not_the_same(pair_id=pair.pk, by=request.user, at=now())
        messages.success(request, "They are marked as two services, and will not be suggested again.")
    elif action == "again":
        operations.look_again(pair_id=pair.pk, by=request.user, at=now())
        messages.success(request, "The pair waits for a decision again.")
        return redirect("duplicate", pair.pk)
    return _onwards(request, pair)


def _onwards(request: SignedIn, pair: DuplicateCandidate) -> HttpResponse:
    """To the next pair that waits, or to the list when there is none."""
    following = queries.next_after(pair, request.user)
    return redirect("duplicate", following.pk) if following else redirect("duplicates")
