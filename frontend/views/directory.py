"""The public directory. Anybody may look; what they may see is decided by `visible_to`."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from capacity.models import ServiceCapacity
from capacity.queries import with_state
from catalogue.assurance import told_closed
from catalogue.eligibility_text import eligibility_sentences
from catalogue.models import Service
from catalogue.queries import search_services
from core.clock import now
from frontend.forms.directory import DirectoryForm
from frontend.presenters import directory as present
from frontend.presenters.query import Query

PAGE_SIZE = 20


@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """A search and its results; the whole search is in the address."""
    form = DirectoryForm(request.GET, user=request.user)
    found = search_services(request.user, **form.search()).prefetch_related("service_at_locations__location__addresses")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    ids = [service.pk for service in page]
    pools = ServiceCapacity.objects.visible_to(request.user).filter(service__in=ids)
    rows = present.rows(page, with_state(pools, now()), today=timezone.localdate(), told_closed=told_closed(ids))
    context = {"form": form, "page": page, "rows": rows, "markers": present.markers(rows), "query": Query(request.GET)}
    return render(request, "directory.jinja", context)


@require_GET
def service(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One service: what it offers, to whom, where, when, for how much, and what is free now."""
    found = Service.objects.visible_to(request.user).select_related("organization", "care_type")
    chosen = get_object_or_404(found.prefetch_related("service_at_locations__location__addresses"), pk=pk)
    pools = ServiceCapacity.objects.visible_to(request.user).filter(service=chosen)
    row = present.rows([chosen], with_state(pools, now()), today=timezone.localdate(), told_closed=told_closed([pk]))[0]
    context = {
        "service": chosen,
        "row": row,
        "eligibility": eligibility_sentences(chosen),
        "times": present.times(chosen),
        "costs": present.costs(chosen),
        "addresses": present.addresses(chosen),
        "contacts": chosen.contacts.filter(is_public=True),
        "phones": chosen.phones.all(),
        "markers": present.markers([row]),
    }
    return render(request, "service.jinja", context)
