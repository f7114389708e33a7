"""Lists of Open Referral UK 1.0 that version 3 has not: places, reviews, and what belongs to an organisation.

Everything is made from documents of public services, so that version 1 can say no more than version 3.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.models import Location, QualityMark, Service, ServiceAtLocation, Taxonomy
from core.clock import LONDON, now

from . import documents, feed, filters, v1
from .feed import Listing, writer
from .filters import Asked, unknown, wrong
from .values import Document, day, filled, web

_PAGING = ("page", "per_page")


@dataclass(frozen=True, slots=True)
class Old:
    """One kind of record of version 1: where it comes from, and its shapes in a list and alone."""

    listing: Listing
    names: dict[str, str]
    """Parameters by their names of version 1, with the names that they have today."""
    brief: Callable[[Document], Document]
    full: Callable[[Document], Document]
    more: tuple[str, ...] = ()
    """Parameters that version 3 has not."""
    more_of: Callable[["Old", Asked, dict[str, list[str]]], "Wanted"] = lambda old, asked, more: Wanted(old.listing, asked, old.brief)


def _same(document: Document) -> Document:
    return document


# --- places


def _found_locations(asked: Asked) -> QuerySet[Location]:
    """Places of public services that are not confidential themselves."""
    used = ServiceAtLocation.objects.filter(location=OuterRef("pk"), service__in=Service.objects.public())
    return Location.objects.filter(Exists(used), is_confidential=False).order_by("pk")


def _locations(found: QuerySet[Location], asked: Asked) -> list[Document]:
    keys = list(found.values_list("pk", flat=True))
    there = ServiceAtLocation.objects.filter(location__in=keys).values("service")
    made = writer(Service.objects.public().filter(pk__in=there).order_by("pk"))
    at: dict[UUID, list[tuple[Document, Document]]] = defaultdict(list)
    for row in made.rows.services:
        for place in made.rows.places.get(row["id"], []):
            at[place["location_id"]].append(({"id": str(place["id"]), "service": v1.brief(made.brief(row))}, made.location(place)))
    return [_location(at[key], asked.full) for key in keys if key in at]


def _location(there: list[tuple[Document, Document]], whole: bool) -> Document:
    # What makes the place accessible was said by each of its services: all of it, once.
    _, location = there[0]
    easy = {said["accessibility"]: said for _, place in there for said in place.get("accessibility", [])}
    told = v1.location({**location, "accessibility": list(easy.values())})
    if whole:
        return {**told, "service_at_locations": [service for service, _ in there]}
    return {name: told[name] for name in ("id", "name", "latitude", "longitude") if name in told}


# --- reviews: marks of quality with a score


def _found_reviews(asked: Asked) -> QuerySet[QualityMark]:
    today = now().astimezone(LONDON).date()
    holds = Q(expires_on=None) | Q(expires_on__gte=today)
    return QualityMark.objects.filter(holds, service__in=Service.objects.public(), score__isnull=False).order_by("pk")


def _reviews(found: QuerySet[QualityMark], asked: Asked) -> list[Document]:
    marks: list[Any] = list(found.values("id", "service_id", "name", "score", "out_of", "awarded_on", "url"))
    made = writer(Service.objects.public().filter(pk__in={mark["service_id"] for mark in marks}))
    services = {row["id"]: v1.brief(made.brief(row)) for row in made.rows.services}
    return [
        filled(
            id=str(mark["id"]),
            service=services[mark["service_id"]],
            title=mark["name"],
            date=day(mark["awarded_on"]),
            score=documents.score(mark),
            url=web(mark["url"]),
        )
        for mark in marks
        if mark["service_id"] in services
    ]


def _reviews_where(**condition: Any) -> list[Document]:
    found = _reviews(_found_reviews(Asked()).filter(**condition), Asked())
    return [{**review, "service": v1.without(review["service"], "organization")} for review in found]


# --- those of version 3, with what version 1 tells besides


def _service(document: Document) -> Document:
    return v1.full(document) | filled(reviews=[v1.without(review, "service") for review in _reviews_where(service=document["id"])])


def _organization(document: Document) -> Document:
    key = document["id"]
    run = feed.SERVICES.write(Service.objects.public().filter(organization=key).order_by("pk"), Asked())
    return v1.organization(document) | filled(
        services=[v1.without(v1.brief(service), "organization") for service in run],
        reviews=_reviews_where(service__organization=key),
    )


# --- parameters


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked of a list, understood."""

    listing: Listing
    asked: Asked
    brief: Callable[[Document], Document]


def understood(old: Old, sent: list[tuple[str, list[str]]]) -> Wanted:
    """The parameters of a request to a list of version 1. Raises `Invalid` (status 400) as version 3 does."""
    names = (*old.names, *old.more)
    if strange := next((name for name, _ in sent if name not in names), None):
        raise unknown(strange, names)
    more = {name: texts for name, texts in sent if name in old.more}
    asked = filters.understood([(old.names[name], texts) for name, texts in sent if name in old.names], tuple(old.names.values()))
    return old.more_of(old, asked, more) if more else Wanted(old.listing, asked, old.brief)


def _one(name: str, texts: list[str]) -> str:
    if len(texts) != 1:
        raise wrong(name, "give it once.")
    return texts[0]


def _vocabulary(texts: list[str]) -> UUID:
    name = _one("vocabulary", texts).strip()
    found = Taxonomy.objects.filter(name__iexact=name).order_by("pk").values_list("pk", flat=True).first()
    if found is None:
        raise wrong("vocabulary", "give one of the names at /vocabularies.")
    return found


_INCLUDED = (
    "contacts", "cost_options", "eligibilitys", "holiday_schedules", "languages", "regular_schedules", "service_areas",
    "service_at_locations", "service_taxonomys",
)  # fmt: skip


def _more_of_services(old: "Old", asked: Asked, more: dict[str, list[str]]) -> Wanted:
    if "coverage" in more:
        home = _one("coverage", more["coverage"])
        if asked.postcode and asked.postcode.replace(" ", "").upper() != home.replace(" ", "").upper():
            raise wrong("coverage", "give the same postcode as in postcode, or one of the two.")
        asked = replace(asked, postcode=filters.postcode("coverage", home))
    if "vocabulary" in more:
        asked = replace(asked, taxonomy_id=_vocabulary(more["vocabulary"]))
    wanted = {name.strip() for text in more.get("include", []) for name in text.split(",")}
    if not wanted:
        return Wanted(old.listing, asked, old.brief)
    if strange := sorted(wanted.difference(_INCLUDED)):
        raise wrong("include", f"there is no {strange[0][:40]}. Give some of: {', '.join(_INCLUDED)}.")

    def with_included(document: Document) -> Document:
        return v1.brief(document) | {name: value for name, value in v1.full(document).items() if name in wanted}

    return Wanted(old.listing, replace(asked, full=True), with_included)


def _more_of_terms(old: "Old", asked: Asked, more: dict[str, list[str]]) -> Wanted:
    chosen: dict[str, Any] = {}
    if "parent_id" in more:
        chosen["parent_id"] = filters.identity("parent_id", _one("parent_id", more["parent_id"]))
    if "root_only" in more and filters.yes_or_no("root_only", _one("root_only", more["root_only"])):
        chosen["parent__isnull"] = True
    if "vocabulary" in more:
        asked = replace(asked, taxonomy_id=_vocabulary(more["vocabulary"]))
    return Wanted(replace(old.listing, found=lambda asked: old.listing.found(asked).filter(**chosen)), asked, old.brief)


_SERVICE_NAMES = {
    "text": "search", "taxonomy_id": "taxonomy_term_id", "minimum_age": "minimum_age", "maximum_age": "maximum_age",
    "start_time": "start_time", "end_time": "end_time", "day": "day", "postcode": "postcode", "proximity": "proximity",
    "page": "page", "per_page": "per_page",
}  # fmt: skip
_PAGES = {name: name for name in _PAGING}
_SEARCH = {"text": "search", **_PAGES}

SERVICES = Old(feed.SERVICES, _SERVICE_NAMES, v1.brief, _service, ("coverage", "vocabulary", "include"), _more_of_services)
TERMS = Old(feed.TERMS, _SEARCH, v1.term, v1.term, ("vocabulary", "parent_id", "root_only"), _more_of_terms)
ORGANIZATIONS = Old(feed.ORGANIZATIONS, _SEARCH, v1.organization, _organization)
LOCATIONS = Old(Listing(_PAGING, _found_locations, _locations), _PAGES, _same, _same)
REVIEWS = Old(Listing(_PAGING, _found_reviews, _reviews), _PAGES, _same, _same)
