"""How fresh and complete the directory is, for everybody to see."""

import csv

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalogue.quality import PARTS, Quality, measure
from core.clock import now
from frontend.presenters import quality as present

#: The figures cover every record, and change slowly: a crowd of readers must not count them again and again.
KEPT_SECONDS = 60


def _figures() -> Quality:
    found = cache.get("quality")
    if found is None:
        found = measure(at=now())
        cache.set("quality", found, KEPT_SECONDS)
    return found


@require_safe
def quality(request: HttpRequest) -> HttpResponse:
    """Bars and tables, by district and by source."""
    found = _figures()
    districts = present.named(found.by_district, present.NOT_PLACED)
    sources = present.named(found.by_source, present.KEPT_HERE)
    context = {
        "found": found,
        "headline": present.headline(found),
        "keys": present.AGES,
        "parts": PARTS,
        "districts": districts,
        "sources": sources,
        "district_bars": present.ages(districts),
        "source_bars": present.ages(sources),
    }
    return render(request, "quality.jinja", context)


@require_safe
def quality_csv(request: HttpRequest) -> HttpResponse:
    """The same figures as a file for a spreadsheet."""
    name = f"directory-quality-{timezone.localdate():%Y-%m-%d}.csv"
    answer = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})
    csv.writer(answer).writerows(present.table(_figures()))
    return answer
