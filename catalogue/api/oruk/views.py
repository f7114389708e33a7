"""Views of the open catalogue that are no plain list or record: what it is, its description, what changed, and version 1."""

from typing import ClassVar

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.publishing import changes, feed, openapi, v1
from catalogue.publishing.filters import CHANGES, Asked, understood, unknown
from core.errors import NotFound

from .base import OpenView, found_or_404

PROFILE = "https://docs.openreferraluk.org/"


class About(OpenView):
    """Which standard this is, and where it is described."""

    def get(self, request: Request) -> Response:
        understood(list(request.query_params.lists()), ())
        return Response({"version": "HSDS-UK-3.0", "profile": PROFILE, "openapi_url": request.build_absolute_uri(reverse("oruk-openapi"))})


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


class OldServices(OpenView):
    """Version 1: a page of services."""

    #: Names of version 1 and what they are called today.
    NAMES: ClassVar[dict[str, str]] = {
        "text": "search", "taxonomy_id": "taxonomy_term_id", "minimum_age": "minimum_age", "maximum_age": "maximum_age",
        "start_time": "start_time", "end_time": "end_time", "day": "day", "postcode": "postcode", "proximity": "proximity",
        "page": "page", "per_page": "per_page",
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        asked = _renamed(request, self.NAMES)
        found = feed.page(feed.SERVICES, asked)
        return Response(v1.page(found, [v1.brief(document) for document in found["contents"]]))


class OldService(OpenView):
    def get(self, request: Request, pk: str) -> Response:
        return Response(v1.full(found_or_404(feed.SERVICES, pk)))


class OldTaxonomies(OpenView):
    """Version 1: a page of terms."""

    def get(self, request: Request) -> Response:
        asked = _renamed(request, {"text": "search", "page": "page", "per_page": "per_page"})
        found = feed.page(feed.TERMS, asked)
        return Response(v1.page(found, [v1.term(document) for document in found["contents"]]))


class OldTaxonomy(OpenView):
    def get(self, request: Request, pk: str) -> Response:
        return Response(v1.term(found_or_404(feed.TERMS, pk)))


class OldVocabularies(OpenView):
    """Version 1: names of lists of terms."""

    def get(self, request: Request) -> Response:
        found = feed.page(feed.TAXONOMIES, Asked(per_page=1_000))
        return Response([document["name"] for document in found["contents"]])


def _renamed(request: Request, names: dict[str, str]) -> Asked:
    """The parameters of version 1 by the names that they have today."""
    sent = [(name, texts) for name, texts in request.query_params.lists()]
    if strange := next((name for name, _ in sent if name not in names), None):
        raise unknown(strange, tuple(names))
    return understood([(names[name], texts) for name, texts in sent], tuple(names.values()))
