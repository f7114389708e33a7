"""What the map draws without any network: outlines of districts and names of towns, from what is loaded."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.gis.db.models import MultiPolygonField
from django.contrib.gis.db.models.functions import AsGeoJSON, Transform
from django.contrib.gis.geos import Point
from django.db.models import F, Func, Value
from django.db.models.functions import Length

from capacity.queries import PoolState
from catalogue.models import Area, Outcode
from core.geo import BNG, WGS84, to_wgs84

#: How far, in metres, a drawn outline may stray from the true one: less than a pixel at the zooms the map opens with.
TOLERANCE_M = 150.0
#: A town of this many postcode districts or more is named at every zoom.
LARGE_TOWN = 2


def areas() -> dict[str, Any]:
    """Districts as a GeoJSON FeatureCollection, and towns as `{name, lat, lon, size}`."""
    simplified = Func(F("outline"), Value(TOLERANCE_M), function="ST_SimplifyPreserveTopology", output_field=MultiPolygonField(srid=BNG))
    districts = Area.objects.filter(kind=Area.Kind.DISTRICT).annotate(shape=AsGeoJSON(Transform(simplified, WGS84), precision=4))
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": json.loads(shape)}
        for name, shape in districts.values_list("name", "shape")
    ]
    centres: dict[str, list[Point]] = defaultdict(list)
    for town, point in Outcode.objects.exclude(town="").order_by(Length("code"), "code").values_list("town", "point"):
        centres[town].append(point)
    return {
        "outlines": {"type": "FeatureCollection", "features": features},
        "towns": [_town(name, points) for name, points in sorted(centres.items())],
    }


def _town(name: str, points: list[Point]) -> dict[str, Any]:
    # The lowest code is the middle of the town nearly everywhere: LA1, PR1, BB1. A mean of all would lie in the fields.
    lat, lon = lat_lon(points[0])
    return {"name": name, "lat": lat, "lon": lon, "size": "large" if len(points) >= LARGE_TOWN else "small"}


def lat_lon(point: Point) -> tuple[float, float]:
    """Latitude and longitude to about a metre."""
    there = to_wgs84(point)
    return round(there.y, 5), round(there.x, 5)


def places(found: Iterable[tuple[UUID, Point | None, PoolState, str]]) -> list[dict[str, Any]]:
    """Pins for the map: (id, point, live state, address of its page or "#anchor"). What has no point is only in the list.

    The number on a pin is its line in the list, so that lines without a point keep theirs.
    """
    pins = []
    for number, (pool_id, point, state, href) in enumerate(found, start=1):
        if point is None:
            continue
        lat, lon = lat_lon(point)
        pins.append(
            {
                "id": str(pool_id),
                "number": number,
                "lat": lat,
                "lon": lon,
                "name": state.service_name,
                "rag": state.rag.value,
                "word": state.word,
                "href": href,
            }
        )
    return pins
