"""Values of a feed as Python has them; None when they are not what they should be."""

from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon, Polygon

from core.geo import WGS84, to_bng

from .write import clean


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; empty when it is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def day(value: Any) -> date | None:
    """A date, also the one in front of a time."""
    try:
        return date.fromisoformat(clean(value)[:10])
    except ValueError:
        return None


def clock(value: Any) -> time | None:
    """`10:00`, `10:00:00` or `10:00Z`: feeds write all three; all mean the clock on the wall."""
    try:
        return time.fromisoformat(clean(value).removesuffix("Z")).replace(tzinfo=None, microsecond=0)
    except ValueError:
        return None


def amount(value: Any) -> Decimal | None:
    """Money, in pounds and pence."""
    try:
        money = Decimal(clean(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return money if money.is_finite() and money >= 0 else None


def age(value: Any) -> int | None:
    """A person's age in whole years."""
    try:
        years = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return years if 0 <= years <= 125 else None


def outline(value: Any) -> MultiPolygon | None:
    """An outline given as GeoJSON in longitude and latitude; None when it is anything else."""
    text = clean(value)
    if not text.startswith("{") or '"coordinates"' not in text:
        return None
    try:
        shape = to_bng(GEOSGeometry(text, srid=WGS84)) if '"crs"' not in text else None
    except (ValueError, GEOSException):
        return None
    if isinstance(shape, Polygon):
        shape = MultiPolygon(shape, srid=shape.srid)
    return shape if isinstance(shape, MultiPolygon) and shape.valid else None
