"""People who may be recorded twice: the pairs, two records side by side, what was merged."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.merging import candidates, operations
from flow.models import Episode, NotOnePerson, Patient, PatientMerge, Referral
from frontend.forms.person import PairForm
from frontend.presenters import person as present
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE_SIZE = 25


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def pairs(request: SignedIn) -> HttpResponse:
    """Pairs that may be one person, the likeliest first."""
    page = Paginator(candidates.suggested(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    audit.record_reads(
        user=request.user,
        record_type="patient",
        record_ids=[each.pk for pair in page for each in (pair.one, pair.other)],
        purpose="records",
    )
    return render(request, "patients/pairs.jinja", {"page": page, "query": Query(request.GET)})


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.REFERRER)
@transaction.atomic
def pair(request: SignedIn, one_id: UUID, other_id: UUID) -> HttpResponse:
    """Two records side by side. POST: merge them, or say that they are two people."""
    both = Patient.objects.visible_to(request.user).kept_by(request.user).in_bulk([one_id, other_id])
    if len(both) < 2:
        raise Http404
    one, other = both[one_id], both[other_id]
    audit.record_reads(user=request.user, record_type="patient", record_ids=both, purpose="records")
    stays = "one" if one.created_at <= other.created_at else "other"
    differ, same = present.sides(one, other, stays)
    names = [row["name"] for row in differ]
    action = request.POST.get("action", "")
    initial = {f"keep_{row['name']}": row["better"] for row in differ} | {"stays": stays}
    form = PairForm(request.POST if action == "merge" else None, rows=names, initial=initial)
    problem: LuneError | None = None
    if request.method == "POST":
        try:
            with transaction.atomic():
                if action == "different":
                    operations.not_one(one_id=one_id, other_id=other_id, by=request.user, at=clock.now())
                    messages.success(request, "They are marked as two people, and will not be suggested again.")
                    return redirect("patient-pairs")
                if form.is_valid():
                    kept, gone = (one, other) if form.cleaned_data["stays"] == "one" else (other, one)
                    operations.merge(kept_id=kept.pk, gone_id=gone.pk, chosen=form.chosen(), by=request.user, at=clock.now())
                    messages.success(request, "The two records are one now. If that was wrong, press “Undo”.")
                    return redirect("patient-merges")
        except LuneError as error:
            problem = error
    context = {
        "sides": [("A", "one", one, _has(request, one)), ("B", "other", other, _has(request, other))],
        "differ": differ,
        "same": same,
        "form": form,
        "problem": problem,
        "pair": candidates.compare(*sorted(both.values(), key=lambda each: each.pk)),
    }
    status = 200 if request.method == "GET" else 409 if problem and problem.http_status == 409 else 422
    return render(request, "patients/pair.jinja", context, status=status)


@require_GET
@for_roles(User.Role.REFERRER)
@transaction.atomic
def merges(request: SignedIn) -> HttpResponse:
    """What was merged, the newest first, and who was said to be two people."""
    found = PatientMerge.objects.visible_to(request.user).select_related("kept", "gone", "merged_by", "undone_by")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    two = list(NotOnePerson.objects.visible_to(request.user).select_related("one", "other", "said_by").order_by("-said_at")[:PAGE_SIZE])
    shown = [each.pk for line in page for each in (line.kept, line.gone)] + [each.pk for row in two for each in (row.one, row.other)]
    audit.record_reads(user=request.user, record_type="patient", record_ids=shown, purpose="records")
    return render(request, "patients/merges.jinja", {"page": page, "two": two, "query": Query(request.GET)})


@for_roles(User.Role.REFERRER)
@require_POST
def unmerge(request: SignedIn, pk: UUID) -> HttpResponse:
    """Undo a merge, or take back that two records are two people."""
    try:
        if request.POST.get("action") == "again":
            operations.look_again(pair_id=pk, by=request.user)
            messages.success(request, "They may be suggested again.")
        else:
            operations.undo_merge(merge_id=pk, by=request.user, at=clock.now())
            messages.success(request, "They are two records again.")
    except LuneError as error:
        if error.http_status == 404:
            raise Http404 from error
        messages.error(request, error.message)
    return redirect("patient-merges")


def _has(request: SignedIn, person: Patient) -> dict[str, Any]:
    """What hangs on a record, in numbers."""
    return {
        "referrals": Referral.objects.visible_to(request.user).filter(patient=person).count(),
        "stays": Episode.objects.visible_to(request.user).filter(patient=person).count(),
        "open": Episode.objects.visible_to(request.user).filter(patient=person, ended_at=None).count(),
    }
