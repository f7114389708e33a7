"""For search engines: which pages there are, and which are not for them."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.sitemaps import Sitemap
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalogue.models import Service

#: Where nobody gets without signing in, and links that are meant for one person.
NOT_FOR_CRAWLERS = ("/account/", "/admin/", "/api/v1/", "/curate/", "/entries/", "/match/", "/patients/", "/still-correct/")


class Services(Sitemap):
    """Every public service, with the day on which its page last changed."""

    limit = 10_000

    def items(self) -> Any:
        return Service.objects.visible_to(AnonymousUser()).only("pk", "modified_at").order_by("pk")

    def lastmod(self, service: Service) -> datetime:
        return service.modified_at

    def location(self, service: Service) -> str:
        return reverse("service", args=[service.pk])


class Pages(Sitemap):
    """The pages that anybody may open."""

    def items(self) -> list[str]:
        return ["directory", "diary", "quality"]

    def location(self, name: str) -> str:
        return reverse(name)


SITEMAPS = {"pages": Pages, "services": Services}


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What a search engine may look at, and where the list of it is."""
    sitemap = request.build_absolute_uri(reverse("sitemap"))
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_FOR_CRAWLERS), f"Sitemap: {sitemap}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
