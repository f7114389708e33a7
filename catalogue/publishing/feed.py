"""Lists of documents: a page with the standard's envelope, one by its id, or all as lines of JSON."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import close_old_connections, connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.models import Organization, Service, ServiceAtLocation, Taxonomy, TaxonomyTerm
from core.clock import LONDON, now

from . import documents, filters, rows
from .documents import Writer
from .filters import Asked
from .values import Document

PER_PAGE = 50
#: A list of ids alone is small: the standard would have it in one page.
PER_MINIMAL_PAGE = 200_000
#: Services that are in memory together while everything is streamed.
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of record: which of them were asked for, and how some of them become documents."""

    known: tuple[str, ...]
    """Parameters that its list understands."""
    found: Callable[[Asked], QuerySet[Any]]
    write: Callable[[QuerySet[Any], Asked], list[Document]]


def page(listing: Listing, asked: Asked) -> Document:
    """One page, with the counts of all. A page after the last is empty."""
    found = listing.found(asked)
    size = asked.per_page or (PER_MINIMAL_PAGE if asked.minimal else PER_PAGE)
    total = found.count()
    pages = max(1, -(-total // size))
    start = (asked.page - 1) * size
    contents = listing.write(found[start : start + size], asked) if start < total else []
    return {
        "total_items": total,
        "total_pages": pages,
        "page_number": asked.page,
        "size": len(contents),
        "first_page": asked.page == 1,
        "last_page": asked.page == pages,
        "empty": not contents,
        "contents": contents,
    }


def one(listing: Listing, identity: str) -> Document | None:
    """The whole document of one record; None when there is none that is public, or the id is none."""
    try:
        key = UUID(identity)
    except ValueError:
        return None
    found = listing.write(listing.found(Asked()).filter(pk=key), Asked(full=True))
    return found[0] if found else None


def lines(listing: Listing, asked: Asked) -> Iterator[bytes]:
    """All that were asked for, one JSON document on each line, a chunk of lines at a time, in the order of their ids.

    Each chunk begins after the last id of the one before: no transaction stays open, and memory holds one chunk however many there are.
    What was asked for is understood before the first line, so that a refusal is not the end of an answer that began well.
    """
    return _chunks(listing, asked, listing.found(asked).order_by("pk"))


def _chunks(listing: Listing, asked: Asked, ordered: QuerySet[Any]) -> Iterator[bytes]:
    after: UUID | None = None
    while keys := list((ordered if after is None else ordered.filter(pk__gt=after)).values_list("pk", flat=True)[:CHUNK]):
        chunk = listing.write(listing.found(Asked()).filter(pk__in=keys).order_by("pk"), asked)
        written = b"".join(_line(document) for document in chunk)
        # Whoever reads slowly holds no connection meanwhile: there are fewer of those than readers.
        if not connection.in_atomic_block:
            close_old_connections()
        yield written
        if len(keys) < CHUNK:
            return
        after = keys[-1]


def _line(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def writer(found: QuerySet[Service]) -> Writer:
    at = now()
    return Writer(rows.read(found, at), at.astimezone(LONDON).date())


def _services(found: QuerySet[Service], asked: Asked) -> list[Document]:
    if asked.minimal:
        changes: Iterable[Any] = found.values("id", "modified_at", "publication__changed_at")
        return [documents.minimal(row) for row in changes]
    made = writer(found)
    write = made.full if asked.full else made.brief
    return [write(row) for row in made.rows.services]


def _at_locations(found: QuerySet[ServiceAtLocation], asked: Asked) -> list[Document]:
    order = list(found.values_list("pk", "service_id"))
    made = writer(Service.objects.public().filter(pk__in={service for _, service in order}))
    by_id = {row["id"]: row for row in made.rows.services}
    places = {place["id"]: place for those in made.rows.places.values() for place in those}
    there = [(by_id[service], places[pk]) for pk, service in order if service in by_id and pk in places]
    if asked.minimal:
        return [documents.minimal({**row, "id": place["id"]}) for row, place in there]
    return [made.at_location(row, place, full=asked.full) for row, place in there]


def _found_organizations(asked: Asked) -> QuerySet[Organization]:
    """Those that run a public service or help to run one: who runs refuges alone is not told of."""
    running = Service.objects.public().filter(organization=OuterRef("pk"))
    helping = Service.partners.through.objects.filter(organization=OuterRef("pk"), service__in=Service.objects.public())
    found = Organization.objects.visible_to(AnonymousUser()).filter(Exists(running) | Exists(helping)).order_by("pk")
    if asked.search.strip():
        found = found.filter(name__icontains=asked.search.strip())
    return found.filter(modified_at__gte=asked.modified_after) if asked.modified_after else found


def _organizations(found: QuerySet[Organization], asked: Asked) -> list[Document]:
    keys = list(found.values_list("pk", flat=True))
    read = rows.organization_rows(keys)
    return [documents.organization(read[key]) for key in keys if key in read]


def _found_taxonomies(asked: Asked) -> QuerySet[Taxonomy]:
    return Taxonomy.objects.filter(name__icontains=asked.search.strip()).order_by("pk")


def _found_terms(asked: Asked) -> QuerySet[TaxonomyTerm]:
    """All of them: a retired term may still stand in a record, and its id must lead somewhere."""
    found = TaxonomyTerm.objects.select_related("taxonomy").order_by("pk")
    if asked.taxonomy_id:
        found = found.filter(taxonomy=asked.taxonomy_id)
    if words := asked.search.strip():
        found = found.filter(Q(name__icontains=words) | Q(synonyms__icontains=words))
    return found


SERVICES = Listing(filters.SERVICES, filters.services, _services)
AT_LOCATIONS = Listing(filters.AT_LOCATIONS, filters.at_locations, _at_locations)
ORGANIZATIONS = Listing(filters.ORGANIZATIONS, _found_organizations, _organizations)
TAXONOMIES = Listing(filters.TAXONOMIES, _found_taxonomies, lambda found, asked: [documents.taxonomy(record) for record in found])
TERMS = Listing(filters.TERMS, _found_terms, lambda found, asked: [documents.term(record) for record in found])
