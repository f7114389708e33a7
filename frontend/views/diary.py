"""What is on: a public diary of an area, to read, to print and to follow in a calendar program."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalogue.diary import Diary, diary, times_of
from catalogue.models import Service
from catalogue.places import districts
from core.clock import now
from frontend import counting
from frontend.forms.diary import WEEK, DiaryForm, midnight
from frontend.presenters import directory_filters
from frontend.presenters.calendar import calendar
from frontend.presenters.query import Query

#: How far a calendar that programs follow looks ahead.
AHEAD = 8 * WEEK
AHEAD_OF_ONE = 26 * WEEK


@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """Seven days, from today unless another day is asked for."""
    form = DiaryForm(request.GET)
    scope = form.scope()
    today = timezone.localdate()
    first = form.first_day(today)
    start = midnight(first)
    found = diary(start=start, end=midnight(first + WEEK), **scope) if scope else Diary([], {}, cut=False)
    days = [(day, list(times)) for day, times in groupby(found.times, key=lambda each: max(each.starts_at, start).date())]
    query = Query(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "place": form.place,
        "days": days,
        "services": found.services,
        "cut": found.cut,
        "query": query,
        "active": directory_filters.where(form, query),
        "districts": [] if scope else districts(),
        "first": first,
        "last": first + timedelta(days=6),
        "this_week": first == today,
        "before": first - WEEK,
        "after": first + WEEK,
        "large": request.GET.get("print") == "large",
    }
    counting.looked(request)
    return render(request, "directory/diary.jinja", context)


@require_GET
def diary_calendar(request: HttpRequest) -> HttpResponse:
    """The diary of an area for a calendar program, some weeks ahead."""
    form = DiaryForm(request.GET)
    scope = form.scope()
    if scope is None or form.place is None:
        raise Http404
    start = midnight(timezone.localdate())
    found = diary(start=start, end=start + AHEAD, **scope)
    return _file(request, f"What is on: {form.place.name}", found.times, found.services)


@require_GET
def service_calendar(request: HttpRequest, pk: UUID) -> HttpResponse:
    """When one service meets, for a calendar program. Of what is public alone: such programs sign in nowhere."""
    found = Service.objects.visible_to(AnonymousUser()).select_related("organization")
    chosen = get_object_or_404(found.prefetch_related("service_at_locations__location__addresses"), pk=pk)
    start = midnight(timezone.localdate())
    return _file(request, chosen.name, times_of([chosen], start, start + AHEAD_OF_ONE), {chosen.pk: chosen})


def _file(request: HttpRequest, name: str, times: Iterable[Any], services: dict[UUID, Service]) -> HttpResponse:
    links = {pk: request.build_absolute_uri(reverse("service", args=[pk])) for pk in services}
    answer = HttpResponse(calendar(name, times, services, links, at=now()), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="diary.ics"'
    answer["X-Robots-Tag"] = "noindex"
    return answer
