"""Areas as people name them: districts, wards, small areas, first halves of postcodes, practices."""

from typing import cast

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.db import connection
from django.db.models import Q

from catalogue.models import Area, Outcode, Practice
from core.geo import BNG
from core.geo import outcode as outcode_of

#: So many are offered for one search.
MOST = 12
#: Metres around the outermost postcodes of an outcode, so that a house at its edge lies within.
_MARGIN = 150


def find_areas(text: str) -> list[dict[str, str]]:
    """What somebody may mean by `text`, best first: `{"key": …, "name": …}` as `content` has it, with `kind` in words."""
    text = " ".join(text.split())
    if not text:
        return []
    found = []
    code = outcode_of(text)
    if code and Outcode.objects.filter(pk=code).exists():
        town = Outcode.objects.get(pk=code).town
        found.append({"key": f"outcode:{code}", "name": code, "kind": f"postcodes that begin so{f' ({town})' if town else ''}"})
    areas = Area.objects.filter(Q(name__icontains=text) | Q(code__iexact=text))
    # A name that begins so comes before one that holds it; the larger area before the smaller.
    order = list(Area.Kind)
    ranked = sorted(
        areas.defer("outline")[:200],
        key=lambda area: (not area.name.lower().startswith(text.lower()), order.index(Area.Kind(area.kind)), area.name),
    )
    found += [{"key": f"area:{area.code}", "name": area.name, "kind": area.get_kind_display().lower()} for area in ranked[:MOST]]
    practices = Practice.objects.filter(
        Q(organization__name__icontains=text) | Q(organization__ods_code__iexact=text), organization__is_confidential=False
    ).select_related("organization")
    found += [
        {"key": f"practice:{each.organization.ods_code}", "name": each.organization.name, "kind": "patients of this practice"}
        for each in practices.order_by("organization__name")[:MOST]
        if each.organization.ods_code
    ]
    networks = Practice.objects.filter(Q(pcn_name__icontains=text) | Q(pcn_code__iexact=text)).exclude(pcn_code="")
    found += [
        {"key": f"pcn:{code}", "name": name, "kind": "patients of this primary care network"}
        for code, name in networks.order_by("pcn_name").values_list("pcn_code", "pcn_name").distinct()[:MOST]
    ]
    return found[: 2 * MOST]


def outcode_outline(code: str) -> MultiPolygon | None:
    """An outline around the postcodes of an outcode; None when none of them is known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_AsEWKB(ST_Buffer(ST_ConcaveHull(ST_Collect(ST_MakePoint(easting, northing)), 0.5), %s, 2))"
            " FROM catalogue_postcode WHERE postcode LIKE %s",
            [_MARGIN, f"{code} %"],
        )
        row = cursor.fetchone()
    if row is None or row[0] is None:
        return None
    shape = GEOSGeometry(memoryview(row[0]))
    return MultiPolygon(shape, srid=BNG) if isinstance(shape, Polygon) else MultiPolygon(*cast(MultiPolygon, shape), srid=BNG)
