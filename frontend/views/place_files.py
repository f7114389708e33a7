"""Figures by file: send a spreadsheet, look at each row, keep what is right; and take the same figures along for other returns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from capacity import files
from capacity.models import ServiceCapacity
from capacity.queries import with_state
from catalogue.models import User
from core.clock import now
from core.errors import Invalid
from frontend.environment import plural
from frontend.forms.places import FiguresFileForm
from frontend.presenters.spreadsheet import lines
from frontend.views.access import SignedIn, for_roles

_SALT = "places-file"
#: What somebody looked at is kept for so many seconds, in the page itself.
_LASTS = 6 * 3600


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def places_file(request: SignedIn) -> HttpResponse:
    """Where a file is sent; the answer is what each row would change. Nothing is kept before somebody has looked at it and says so."""
    if request.method == "POST" and "looked" in request.POST:
        return _keep(request)
    form = FiguresFileForm(request.POST, request.FILES) if request.method == "POST" else FiguresFileForm()
    if form.is_valid():
        data, at = form.cleaned_data["file"].read(), now()
        try:
            reviews = files.compare(files.read(data), digest=files.digest_of(data), by=request.user, at=at)
        except Invalid as error:
            form.add_error("file", error.message)
        else:
            return _review(request, reviews)
    context = {"form": form, "most": files.MOST_ROWS, "headings": [name for name, _ in files.COLUMNS.values()]}
    return render(request, "places/file.jinja", context, status=422 if form.errors else 200)


@require_GET
@for_roles(User.Role.PROVIDER, User.Role.MANAGER)
def places_export(request: SignedIn) -> HttpResponse:
    """The present figures in the mandatory shape: a provider's own, or all that a manager may see."""
    at = now()
    pools = ServiceCapacity.objects.visible_to(request.user).offered(at).filter(is_open=True)
    if request.user.is_provider:
        pools = pools.run_by(request.user)
    else:
        pools = pools.filter(service__is_confidential=False, service__organization__is_confidential=False)
        pools = pools.exclude(location__is_confidential=True)
    pools = pools.order_by("service__name", "service_id", "name", "starts_at")
    cqc = {pk: code or "" for pk, code in pools.values_list("pk", "location__cqc_location_id")}
    return HttpResponse(
        lines(files.HEADINGS, files.table(with_state(pools, at), cqc)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="places-{timezone.localtime():%Y-%m-%d-%H%M}.csv"'},
    )


def _review(request: SignedIn, reviews: list[files.Review]) -> HttpResponse:
    good = [review for review in reviews if review.counts]
    rows: list[list[Any]] = [
        [
            review.row.number,
            str(review.pool_id),
            review.row.figures,
            review.observed_at.isoformat() if review.observed_at else "",
            review.key,
        ]
        for review in good
    ]
    context = {
        "reviews": reviews,
        "names": {name: heading for name, (heading, _) in files.COLUMNS.items()},
        "good": len(good),
        "faults": sum(review.state == "fault" for review in reviews),
        "looked": signing.dumps([str(request.user.pk), rows], salt=_SALT, compress=True) if good else "",
    }
    return render(request, "places/file_review.jinja", context)


def _keep(request: SignedIn) -> HttpResponse:
    try:
        user, rows = signing.loads(request.POST["looked"], salt=_SALT, max_age=_LASTS)
    except signing.BadSignature:
        user, rows = "", []
    if user != str(request.user.pk):
        messages.error(request, "That page was too old. Send the file again; nothing has been changed.")
        return redirect("places-file")
    chosen = [(UUID(pool), figures, datetime.fromisoformat(seen), key) for _, pool, figures, seen, key in rows]
    outcomes = files.apply(chosen, by=request.user, at=now())
    kept = sum(outcome.error is None for outcome in outcomes)
    if kept:
        messages.success(request, f"{plural(kept, 'row')} kept.")
    for (number, *_), outcome in zip(rows, outcomes, strict=True):
        if outcome.error is not None:
            messages.error(request, f"Row {number} was not kept: {outcome.error.message}")
    return redirect("places")
