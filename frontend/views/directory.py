"""The public directory. Anybody may look; what they may see is decided by `visible_to`."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from capacity.models import ServiceCapacity
from capacity.queries import with_state
from catalogue.assurance import report_mistake, told_closed
from catalogue.dedupe.queries import successor
from catalogue.eligibility_text import eligibility_sentences
from catalogue.marks import marks_of
from catalogue.models import Attachment, Service
from catalogue.provenance import of as origins_of
from catalogue.publishing import json_ld, rows
from catalogue.queries import search_services
from catalogue.search import for_file, has_strange_words, in_full, search_lines, who_may_refer
from catalogue.usage import Kind, Seen
from core.client import address_of
from core.clock import now
from core.errors import Invalid
from core.prepared import prepared
from flow.self_referral.queries import takes_requests
from frontend import counting
from frontend.forms.directory import DirectoryForm, MistakeForm
from frontend.presenters import directory as present
from frontend.presenters import directory_filters, spreadsheet
from frontend.presenters.bounded import BoundedPaginator
from frontend.presenters.outlook import sentences
from frontend.presenters.query import Query

PAGE_SIZE = 20
#: How many mistakes may be reported from one network address in an hour.
REPORTS_AN_HOUR = 20


@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """A search and its results; the whole search is in the address."""
    form = DirectoryForm(request.GET, user=request.user)
    search = form.search()
    sorted_whole = bool(search["text"] or search["within_m"])
    asked = any(value not in (None, "", [], False) for value in search.values()) or search["online"] is not None
    key = "" if asked or request.user.is_authenticated else "directory-is-long"
    exact = search_lines(request.user, **search, forgiving=False)
    page = BoundedPaginator(exact, PAGE_SIZE, sorted_whole=sorted_whole, key=key).get_page(request.GET.get("page"))
    if not page.paginator.count and has_strange_words(search["text"]):
        alike = search_lines(request.user, **search, forgiving=True)
        page = BoundedPaginator(alike, PAGE_SIZE, sorted_whole=True).get_page(request.GET.get("page"))
    services = in_full(page, request.user)
    query = Query(request.GET)
    context = {
        "form": form,
        "page": page,
        "query": query,
        "active": directory_filters.active(form, query),
        "near": search["near"],
        "large": request.GET.get("print") == "large",
        **_listed(request, services, told_closed={each.pk for each in services if getattr(each, "told_closed", False)}),
    }
    if page.number == 1:
        words = directory_filters.asked_for(form) if asked else ""
        counting.searched(request, words, form.place, found=bool(services)) if asked else counting.looked(request)
    return render(request, "directory.jinja", context)


@require_GET
def directory_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every service that a search finds, line by line."""
    form = DirectoryForm(request.GET, user=request.user)
    found = search_services(request.user, **form.search())
    answer = StreamingHttpResponse(spreadsheet.lines(present.COLUMNS, _file_rows(found, request)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="services.csv"'
    answer["X-Robots-Tag"] = "noindex"
    return answer


@require_http_methods(["GET", "POST"])
def service(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One service: what it offers, to whom, where, when, for how much, and what is free now. POST: it has a mistake."""
    if request.method == "GET" and (moved := successor(pk, request.user)):
        return redirect("service", moved, permanent=True)
    found = Service.objects.visible_to(request.user).select_related("search", *rows.WITH)
    chosen = get_object_or_404(found.prefetch_related(*rows.parts_of_a_page()), pk=pk)
    form = MistakeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and _reported(request, form, chosen):
        return redirect(f"{reverse('service-reported', args=[pk])}")
    listed = _listed(request, [chosen], told_closed=told_closed([chosen.pk]))
    files = list(Attachment.objects.visible_to(request.user).filter(service=chosen))
    referrers = who_may_refer(chosen)
    context = {
        "service": chosen,
        "row": listed["rows"][0],
        "markers": listed["markers"],
        "outlooks": sentences(listed["rows"][0].states, now()) if request.user.is_authenticated else {},
        "eligibility": eligibility_sentences(chosen),
        "times": present.times(chosen),
        "meets": any(each.opens_at for each in chosen.schedules.all()),
        "costs": present.costs(chosen),
        "addresses": present.addresses(chosen),
        "contacts": present.contacts(chosen),
        "phones": chosen.phones.all(),
        "photos": [file for file in files if file.kind == Attachment.Kind.PHOTO],
        "papers": [file for file in files if file.kind == Attachment.Kind.DOCUMENT],
        "marks": [mark for mark in marks_of(chosen, today=timezone.localdate()) if mark.scheme != "cqc"],
        "origins": origins_of(chosen),
        "self_referral": "self" in referrers,
        "can_ask": takes_requests(chosen, referrers),
        "referrers": list(referrers.values()),
        "mistake": form,
        "linked_data": json_ld.script(chosen, request.build_absolute_uri(reverse("service", args=[pk]))),
        "large": request.GET.get("print") == "large",
        "query": Query(request.GET),
    }
    if request.method == "GET":
        counting.looked(request, Seen(Kind.OPENED, service=pk))
    return render(request, "service.jinja", context, status=422 if form.errors else 200)


@require_POST
def service_pressed(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Somebody presses on a way to reach a service; the page says so while it is left. The answer says nothing of the service."""
    counting.pressed(request, request.POST.get("what", ""), pk)
    return HttpResponse(status=204)


@require_GET
def service_reported(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Thanks to whoever said that an entry is wrong."""
    chosen = get_object_or_404(Service.objects.visible_to(request.user), pk=pk)
    return render(request, "directory/reported.jinja", {"service": chosen})


def _listed(request: HttpRequest, services: list[Service], *, told_closed: Collection[UUID]) -> dict[str, Any]:
    with prepared():
        pools = ServiceCapacity.objects.visible_to(request.user).filter(service__id__any_of=[each.pk for each in services]).offered(now())
        states = with_state(pools, now()) if services else []
    rows = present.rows(services, states, today=timezone.localdate(), told_closed=told_closed)
    return {"rows": rows, "markers": present.markers(rows)}


def _file_rows(found: QuerySet[Service], request: HttpRequest) -> Iterator[list[object]]:
    today = timezone.localdate()
    for each in for_file(found):
        yield present.file_row(each, address=request.build_absolute_uri(reverse("service", args=[each.pk])), today=today)


def _reported(request: HttpRequest, form: MistakeForm, chosen: Service) -> bool:
    """Whether the report is dealt with; if not, the form says why."""
    if not form.is_valid():
        return False
    sent = form.cleaned_data
    if sent["website"]:
        return True  # a program filled in what no person sees: it is thanked, and nothing is kept
    key = f"mistakes:{address_of(request)}"
    cache.add(key, 0, 3600)
    if cache.incr(key) > REPORTS_AN_HOUR:
        form.add_error(None, "Many reports came from this computer in the last hour. Please try again later, or ring the service.")
        return False
    try:
        report_mistake(service_id=chosen.pk, what=sent["what"], words=sent["words"], reply_to=sent["reply_to"], at=now())
    except Invalid as error:
        wrong: Any = error.details.get("errors") or {None: [error.message]}
        for name, messages in wrong.items():
            form.add_error(name if name in form.fields else None, messages)
        return False
    return True
