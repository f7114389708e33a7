"""Views of the open catalogue that are no plain list or record: what it is, its description, what changed, and version 1."""

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.publishing import changes, feed, openapi, v1, v1_lists
from catalogue.publishing.filters import CHANGES, Asked, understood
from core.errors import NotFound

from .base import OpenView, found_or_404, links

ENDPOINTS = ("services", "service_at_locations", "organizations", "taxonomies", "taxonomy_terms", "changes")
PROFILE = "https://docs.openreferraluk.org/"


class About(OpenView):
    """Which standard this is, and where it is described."""

    def get(self, request: Request) -> Response:
        understood(list(request.query_params.lists()), ())
        base = request.build_absolute_uri(reverse("oruk")).rstrip("/")
        return Response(
            {
                "version": "HSDS-UK-3.0",
                "profile": PROFILE,
                "openapi_url": f"{base}/openapi.json",
                "endpoints": {name: f"{base}/{name}" for name in ENDPOINTS},
                "version_1": f"{base.removesuffix('v3')}v1/services",
            }
        )


class Unknown(OpenView):
    """An address that is none."""

    def get(self, request: Request) -> Response:
        raise NotFound("There is no such address here. Those that there are stand in the document at openapi_url of /api/oruk/v3.")


class OpenApi(OpenView):
    def get(self, request: Request) -> Response:
        understood(list(request.query_params.lists()), ())
        return Response(openapi.document(request.build_absolute_uri(reverse("oruk"))))


class Changes(OpenView):
    """The change feed: an extension of ours."""

    def get(self, request: Request) -> Response:
        asked = understood(list(request.query_params.lists()), CHANGES)
        return Response(changes.changes(since=asked.since, per_page=asked.per_page or changes.PER_PAGE, full=asked.full))


class OldList(OpenView):
    """Version 1: a page of one kind of record. `as_view(old=…)`."""

    old: v1_lists.Old = v1_lists.SERVICES

    def get(self, request: Request) -> Response:
        wanted = v1_lists.understood(self.old, list(request.query_params.lists()))
        found = feed.page(wanted.listing, wanted.asked)
        told = v1.page(found, [wanted.brief(document) for document in found["contents"]])
        return Response(told, headers=links(request, wanted.asked, found))


class OldOne(OpenView):
    """Version 1: one record, whole. `as_view(old=…)`."""

    old: v1_lists.Old = v1_lists.SERVICES

    def get(self, request: Request, pk: str) -> Response:
        understood(list(request.query_params.lists()), ())
        return Response(self.old.full(found_or_404(self.old.listing, pk)))


class OldVocabularies(OpenView):
    """Version 1: names of lists of terms."""

    def get(self, request: Request) -> Response:
        understood(list(request.query_params.lists()), ())
        found = feed.page(feed.TAXONOMIES, Asked(per_page=1_000))
        return Response([document["name"] for document in found["contents"]])
