"""Outlines from GeoJSON as the Office for National Statistics publishes it: wards, MSOAs, LSOAs, districts, ICBs."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.contrib.gis.db.models import Union
from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon, Polygon

from catalogue.models import Area
from core.geo import BNG, WGS84, to_bng

from .files import json_file
from .run import BrokenSource, Importing
from .write import clean

#: Which property tells the kind: `WD25CD` is a ward's code, the digits being the year.
_KINDS = {
    "LSOA": Area.Kind.LSOA,
    "MSOA": Area.Kind.MSOA,
    "WD": Area.Kind.WARD,
    "ICB": Area.Kind.ICB,
    "LAD": Area.Kind.DISTRICT,
}
_PARENT = re.compile(r"LAD(\d\d)?CD(_ACTIVE)?").fullmatch
_FORM = re.compile(r"[A-Z][0-9]{8}").fullmatch


def load(paths: Sequence[Path], importing: Importing) -> None:
    """Import files, or every `.geojson` and `.json` in folders and the folders in them.

    A district that no file draws is made by joining its wards.
    """
    files = [file for path in paths for file in (_in_folder(path) if path.is_dir() else [path])]
    if not files:
        raise BrokenSource("There is no GeoJSON file there. Check the name.")
    importing.begin("Outlines", len(files))
    found: dict[str, Area] = {}
    district_names: dict[str, str] = {}
    for file in files:
        for row, feature in _features(file):
            area = _area(row, feature, importing, district_names)
            if area is None:
                continue
            if area.code in found:
                importing.reject(row, "code", "The area stands in the files more than once.", "The first was used.", {"code": area.code})
                continue
            found[area.code] = area
        importing.advance()
    _write(found, importing)
    _join_wards({area.parent_code for area in found.values() if area.kind == Area.Kind.WARD} - {""}, found, district_names, importing)


def _in_folder(folder: Path) -> list[Path]:
    return sorted(file for pattern in ("*.geojson", "*.json") for file in folder.rglob(pattern))


def _features(file: Path) -> Iterator[tuple[str, Any]]:
    content = json_file(file)
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise BrokenSource(f"{file.name} is not GeoJSON with features. Check that it is the right file.")
    for index, feature in enumerate(features, start=1):
        yield f"{file.name} feature {index}", feature


def _area(row: str, feature: Any, importing: Importing, district_names: dict[str, str]) -> Area | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        importing.reject(row, "properties", "The feature has no properties.", "Each outline needs its code and name.", {})
        return None
    prefix, code_key = next(
        ((prefix, key) for prefix in _KINDS for key in properties if re.fullmatch(rf"{prefix}\d\dCD", key.upper())), ("", "")
    )
    code = clean(properties.get(code_key))
    name = clean(properties.get(f"{code_key[:-2]}NM"))
    if not _FORM(code):
        importing.reject(row, code_key or "code", "No national code was found.", "A ward, for example, needs WD25CD.", properties)
        return None
    parent = next((clean(value) for key, value in properties.items() if prefix != "LAD" and _PARENT(key.upper()) and value), "")
    if parent:
        names = (value for key, value in properties.items() if re.fullmatch(r"LAD(\d\d)?NM(_ACTIVE)?", key.upper()) and value)
        district_names.setdefault(parent, clean(next(names, "")))
    outline = _outline(feature.get("geometry"))
    if outline is None:
        importing.reject(row, "geometry", "The outline cannot be read.", "It must be a polygon in longitude and latitude.", properties)
        return None
    return Area(code=code, name=(name or code)[:120], kind=_KINDS[prefix], parent_code=parent[:9], outline=outline)


def _outline(geometry: Any) -> MultiPolygon | None:
    """In metres, mended if it crosses itself; None when it is no polygon. GeoJSON is longitude and latitude, whatever it names."""
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        shapes = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        shape: GEOSGeometry = MultiPolygon([Polygon(*rings) for rings in shapes], srid=WGS84)
        west, south, east, north = shape.extent
        if not (-9 < west <= east < 2.5 and 49 < south <= north < 61.5):
            return None
        return _multipolygon(to_bng(shape if shape.valid else shape.make_valid()))
    except (GEOSException, TypeError, ValueError, KeyError):
        return None


def _multipolygon(shape: GEOSGeometry) -> MultiPolygon | None:
    if isinstance(shape, Polygon):
        return MultiPolygon(shape, srid=BNG)
    if isinstance(shape, MultiPolygon):
        return shape
    parts = [part for part in shape if isinstance(part, Polygon)] if hasattr(shape, "__iter__") else []
    return MultiPolygon(parts, srid=BNG) if parts else None


def _write(found: dict[str, Area], importing: Importing) -> None:
    """Write what is new or different. An area keeps its id, which places and searches remember."""
    before = {area.code: area for area in Area.objects.filter(code__in=found)}
    new, changed, same = [], [], 0
    for code, area in found.items():
        old = before.get(code)
        if old is None:
            new.append(area)
        elif _digest(old) != _digest(area):
            area.pk = old.pk
            changed.append(area)
        else:
            same += 1
    Area.objects.bulk_create(new, batch_size=200)
    Area.objects.bulk_update(changed, ["name", "kind", "parent_code", "outline"], batch_size=200)
    for kind in Area.Kind:
        added, altered = (sum(area.kind == kind for area in some) for some in (new, changed))
        total = sum(area.kind == kind for area in found.values())
        if total:
            importing.count(_words(kind), added=added, changed=altered, unchanged=total - added - altered)


def _words(kind: Area.Kind) -> str:
    return {Area.Kind.LSOA: "LSOAs", Area.Kind.MSOA: "MSOAs", Area.Kind.ICB: "ICBs"}.get(kind, f"{kind.value}s")


def _digest(area: Area) -> bytes:
    content = f"{area.name}\n{area.kind}\n{area.parent_code}\n".encode() + bytes(area.outline.wkb)
    return hashlib.sha256(content).digest()


def _join_wards(codes: set[str], found: dict[str, Area], names: dict[str, str], importing: Importing) -> None:
    """Make the districts that were not drawn themselves out of their wards."""
    drawn = set(Area.objects.filter(code__in=codes, kind=Area.Kind.DISTRICT).exclude(parent_code=_JOINED).values_list("code", flat=True))
    joined: dict[str, Area] = {}
    for code in sorted(codes - drawn - found.keys()):
        outline = Area.objects.filter(kind=Area.Kind.WARD, parent_code=code).order_by("code").aggregate(whole=Union("outline"))["whole"]
        shape = _multipolygon(outline)
        if shape is not None:
            joined[code] = Area(code=code, name=names.get(code) or code, kind=Area.Kind.DISTRICT, parent_code=_JOINED, outline=shape)
    _write(joined, importing)


#: Parent of a district that was made from wards, so that an outline of its own may take its place and new wards change it.
_JOINED = "wards"
