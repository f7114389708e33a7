"""The history of places: of a region, an area or a kind for managers; of one pool for those who work with it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from capacity import outlook, series
from capacity.models import PoolDay, ServiceCapacity
from capacity.queries import with_state
from catalogue.models import User
from core.clock import now
from frontend.forms.history import Asked, HistoryFilter, PeriodFilter
from frontend.presenters import history as present
from frontend.presenters import outlook as outlook_words
from frontend.presenters import spreadsheet
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles


def _pools(request: SignedIn, asked: Asked):
    return series.pools_in(request.user, area=asked.area, kind=asked.kind, group=asked.group)


@require_GET
@for_roles(User.Role.MANAGER)
def history(request: SignedIn) -> HttpResponse:
    """Charts with their table, and how good the forecasts are. The filters are in the address."""
    form = HistoryFilter(request.GET)
    asked = form.chosen(timezone.localdate())
    found = series.of(
        _pools(request, asked), first=asked.first, last=asked.last, weekly=asked.weekly, small=series.SMALL if asked.narrowed else 0
    )
    context = {
        "form": form,
        "asked": asked,
        "about": form.words(),
        "found": found,
        "figures": present.figures(found, weekly=asked.weekly),
        "heads": present.HEADS,
        "cells": present.cells,
        "span": present.span(asked.first, asked.last),
        "skill": present.skill_rows(outlook.skill(now()), group=asked.group),
        "progress": outlook.progress(),
        "query": Query(request.GET),
    }
    return render(request, "history/history.jinja", context)


@require_GET
@for_roles(User.Role.MANAGER)
def history_csv(request: SignedIn) -> HttpResponse:
    """Every day of every pool that the filters choose, line by line."""
    asked = HistoryFilter(request.GET).chosen(timezone.localdate())
    pools = _pools(request, asked)
    rows = present.file_rows(series.lines(pools, first=asked.first, last=asked.last), series.districts_of(pools))
    answer: Any = StreamingHttpResponse(spreadsheet.lines(present.COLUMNS, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="places-{asked.first}-to-{asked.last}.csv"'
    return answer


@require_GET
@for_roles()
def place(request: SignedIn, pk: UUID) -> HttpResponse:
    """One pool: what is free now, what may come, and what was. For whoever may see the pool while signed in."""
    visible = ServiceCapacity.objects.visible_to(request.user).filter(pk=pk)
    pool = get_object_or_404(visible.select_related("service__organization"))
    own = pool.service.organization_id == request.user.organization_id
    form = PeriodFilter(request.GET)
    asked = form.chosen(timezone.localdate())
    at = now()
    rows = list(PoolDay.objects.visible_to(request.user).filter(pool=pk, day__range=(asked.first, asked.last)).order_by("-day"))
    found = series.of(visible, first=asked.first, last=asked.last, small=0 if own else series.SMALL)
    context = {
        "pool": pool,
        "own": own,
        "state": with_state(visible, at)[0],
        "outlook": outlook.outlooks([pk], at).get(pk),
        "outlook_words": outlook_words,
        "form": form,
        "rows": rows,
        "whole": dict(zip(present.HEADS, present.cells(found.whole), strict=True)),
        "figure": present.free_each_day(rows, pool.unit),
        "heads": present.DAY_HEADS,
        "cells": present.day_cells,
        "span": present.span(asked.first, asked.last),
    }
    return render(request, "history/place.jinja", context)
