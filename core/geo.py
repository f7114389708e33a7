"""Points and postcodes. Geometry is stored in EPSG:27700 (British National Grid, metres) and leaves as WGS84."""

import re
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar, cast

from django.contrib.gis.gdal import CoordTransform, SpatialReference
from django.contrib.gis.geos import GEOSGeometry, Point
from geopy.distance import great_circle

Geometry = TypeVar("Geometry", bound=GEOSGeometry)

BNG = 27700
WGS84 = 4326
METRES_PER_MILE = 1609.344

#: Well-known binary, little end first: a collection's head, and one point of it.
_POINTS, _POINT = struct.Struct("<BII"), struct.Struct("<BIdd")

_POSTCODE = re.compile(r"^([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})$")
_OUTCODE = re.compile(r"^[A-Z]{1,2}[0-9][A-Z0-9]?$")


def normal_postcode(text: str) -> str | None:
    """`"pr18xy "` → `"PR1 8XY"`; None when it has not the form of a postcode."""
    match = _POSTCODE.match(re.sub(r"[\s.-]", "", text or "").upper())
    return f"{match[1]} {match[2]}" if match else None


def outcode(text: str) -> str | None:
    """The first half of a postcode or an outcode itself: `"PR1 8XY"` → `"PR1"`, `"pr1"` → `"PR1"`."""
    full = normal_postcode(text)
    if full:
        return full.split(" ")[0]
    bare = re.sub(r"\s", "", text or "").upper()
    return bare if _OUTCODE.match(bare) else None


@lru_cache(maxsize=4)
def _transform(source: int, target: int) -> CoordTransform:
    return CoordTransform(SpatialReference(source), SpatialReference(target))


def to_wgs84(geometry: Geometry) -> Geometry:
    """A copy in longitude and latitude (x = longitude)."""
    return geometry if geometry.srid == WGS84 else cast(Geometry, geometry.transform(_transform(geometry.srid, WGS84), clone=True))


def to_bng(geometry: Geometry) -> Geometry:
    """A copy in eastings and northings, metres."""
    return geometry if geometry.srid == BNG else cast(Geometry, geometry.transform(_transform(geometry.srid, BNG), clone=True))


def bng_point(easting: float, northing: float) -> Point:
    return Point(float(easting), float(northing), srid=BNG)


def wgs84_point(latitude: float, longitude: float) -> Point:
    """A BNG point from latitude and longitude in degrees."""
    return to_bng(Point(float(longitude), float(latitude), srid=WGS84))


def bng_points(positions: Sequence[tuple[float, float]]) -> list[Point]:
    """BNG points from latitudes and longitudes: many at once, which is much faster than one by one."""
    if not positions:
        return []
    # As bytes: to read and make the points of a collection one by one takes longer than to move them all.
    points = b"".join(_POINT.pack(1, 1, longitude, latitude) for latitude, longitude in positions)
    moved = to_bng(GEOSGeometry(memoryview(_POINTS.pack(1, 4, len(positions)) + points), srid=WGS84))
    return [Point(x, y, srid=BNG) for _, _, x, y in _POINT.iter_unpack(bytes(moved.wkb)[_POINTS.size :])]


def apart_miles(one: Point, other: Point) -> float:
    """Great-circle distance between two points of any reference, in miles: for positions that came from outside the database."""
    ends = [(point.y, point.x) for point in (to_wgs84(one), to_wgs84(other))]
    return great_circle(*ends).miles


def miles(metres: float) -> float:
    return metres / METRES_PER_MILE
