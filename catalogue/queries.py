"""Questions about the catalogue that take more than one table."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.gis.geos import Point
from django.db import connection
from django.db.models import Q, QuerySet

from catalogue.models import Area, Location, Outcode, Postcode, Service, TaxonomyTerm
from catalogue.search import search_services
from core.errors import Invalid
from core.geo import normal_postcode
from core.geo import outcode as outcode_of

__all__ = ["Place", "areas_at", "areas_at_each", "find_place", "search_services", "shown_places", "terms_in_use"]

#: Of places: neither the service that is there nor its organisation is confidential. Used beside a condition on that same service.
_FOUND_BY_ANYBODY = Q(
    service_at_locations__service__is_confidential=False, service_at_locations__service__organization__is_confidential=False
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody lives, as well as it is known."""

    point: Point
    """In British National Grid metres."""
    outcode: str
    postcode: str
    """Empty when only the first half was given."""
    approximate: bool
    """True when the point is the outcode's centre, perhaps some miles off."""


def find_place(text: str) -> Place:
    """Find a postcode, or else the centre of its first half.

    Raises `Invalid` (`postcode-form` or `postcode-unknown`) with words that say what to type instead.
    """
    code = outcode_of(text)
    if code is None:
        raise Invalid("That is not a postcode. Enter one like PR1 2HE, or its first half, like PR1.", code="postcode-form")
    full = normal_postcode(text) or ""
    if full:
        exact = Postcode.objects.filter(pk=full).first()
        if exact is not None:
            return Place(point=exact.point, outcode=code, postcode=full, approximate=False)
    point = Outcode.objects.filter(pk=code).values_list("point", flat=True).first()
    if point is None:
        raise Invalid(
            f"We do not know the postcode {full or code}. Check it, or use a postcode nearby.",
            code="postcode-unknown",
        )
    return Place(point=point, outcode=code, postcode=full, approximate=True)


def areas_at(point: Point) -> list[int]:
    """Ids of the areas whose outline holds this point, lowest first."""
    return list(Area.objects.filter(outline__covers=point).order_by("pk").values_list("pk", flat=True))


def areas_at_each(points: Sequence[Point]) -> list[list[int]]:
    """The same for many points, in their order, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_remove(array_agg(area.id ORDER BY area.id), NULL)"
            " FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS at (x, y, number)"
            " LEFT JOIN catalogue_area area ON ST_Covers(area.outline, ST_SetSRID(ST_MakePoint(at.x, at.y), 27700))"
            " GROUP BY at.number ORDER BY at.number",
            [[point.x for point in points], [point.y for point in points]],
        )
        return [found for (found,) in cursor.fetchall()]


def shown_places(service: Service) -> QuerySet[Location]:
    """Where a service is, with addresses and without the places that must not be found."""
    shown = Location.objects.filter(_FOUND_BY_ANYBODY, service_at_locations__service=service, is_confidential=False)
    return shown.prefetch_related("addresses")


def terms_in_use(taxonomy: str = "") -> QuerySet[TaxonomyTerm]:
    """Terms that are not retired, of one taxonomy by its slug or of all, in the order in which forms show them."""
    terms = TaxonomyTerm.objects.filter(retired_at=None).select_related("taxonomy")
    return (terms.filter(taxonomy__slug=taxonomy) if taxonomy else terms).order_by("taxonomy__slug", "bit", "name", "pk")
