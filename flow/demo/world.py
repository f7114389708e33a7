"""What is being built: the real places, the chance that invents the rest, and the rows to be written."""

import csv
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Point
from django.db import models

from catalogue.models import Area, Organization, Outcode, TaxonomyTerm, User
from core.geo import WGS84, bng_point, to_bng
from core.ids import derived

DATA = Path(__file__).parent / "data"
#: Written as `source` on every invented organisation and service.
SOURCE = "Lune demonstration region (invented)"
#: Letters that no real postcode has in its second half: an invented address is nobody's home.
INWARD_LETTERS = "CIKMOV"
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Town:
    """One outcode: its code, its town, its centre (metres) and how many postcodes it has."""

    code: str
    name: str
    easting: int
    northing: int
    lad: str
    postcodes: int


@dataclass
class World:
    """A region being invented. The same seed gives the same ids, names and choices; times are relative to `now`."""

    seed: int
    now: datetime
    rows: dict[type[models.Model], list[Any]] = field(default_factory=lambda: defaultdict(list))
    #: Made by `organizations`, read by what follows.
    users: dict[UUID, User] = field(default_factory=dict)
    special: dict[str, Organization] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def chance(self, section: str) -> random.Random:
        """A source of chance of its own for each section, so that a change in one leaves the others as they were."""
        return random.Random(f"{self.seed}/{section}")

    def id(self, kind: str) -> UUID:
        """The next id of that kind."""
        self.counts[kind] += 1
        return derived("demo", str(self.seed), kind, str(self.counts[kind]))

    def add(self, row: Any) -> Any:
        self.rows[type(row)].append(row)
        return row

    def ago(self, **delta: float) -> datetime:
        return self.now - timedelta(**delta)

    @cached_property
    def towns(self) -> list[Town]:
        with (DATA / "outcodes.csv").open(newline="") as file:
            return [
                Town(r["code"], r["town"], int(r["easting"]), int(r["northing"]), r["lad"], int(r["postcodes"]))
                for r in csv.DictReader(file)
            ]

    @cached_property
    def town(self) -> dict[str, Town]:
        return {town.code: town for town in self.towns}

    @cached_property
    def outlines(self) -> dict[str, tuple[str, MultiPolygon]]:
        """District code → name and outline in metres."""
        document = json.loads((DATA / "districts.geojson").read_text())
        found = {}
        for feature in document["features"]:
            outline = to_bng(GEOSGeometry(json.dumps(feature["geometry"]), srid=WGS84))
            assert isinstance(outline, MultiPolygon)
            found[feature["properties"]["code"]] = (feature["properties"]["name"], outline)
        return found

    @cached_property
    def _prepared(self) -> dict[str, Any]:
        return {code: outline.prepared for code, (_, outline) in self.outlines.items()}

    @cached_property
    def terms(self) -> dict[tuple[str, str], TaxonomyTerm]:
        return {(t.taxonomy.slug, t.code): t for t in TaxonomyTerm.objects.select_related("taxonomy")}

    @cached_property
    def areas(self) -> dict[str, Area]:
        """Districts by their code, once `geography()` has run."""
        return {area.code: area for area in Area.objects.filter(code__in=self.outlines)}

    def some_town(self, rng: random.Random, lad: str | None = None) -> Town:
        """A town, the likelier the more people live there."""
        towns = [t for t in self.towns if t.postcodes >= 50 and (lad is None or t.lad == lad)] or self.towns
        return rng.choices(towns, [t.postcodes for t in towns])[0]

    def point_in(self, rng: random.Random, town: Town, spread: float = 1_300) -> Point:
        """A point near the town's centre, on land of its district."""
        for _ in range(12):
            point = bng_point(round(rng.gauss(town.easting, spread)), round(rng.gauss(town.northing, spread)))
            if self._prepared[town.lad].contains(point):
                return point
        return bng_point(town.easting, town.northing)

    def postcode_in(self, rng: random.Random, town: Town) -> str:
        """A postcode of that town that does not exist."""
        return f"{town.code} {rng.randint(1, 9)}{rng.choice(INWARD_LETTERS)}{rng.choice(INWARD_LETTERS)}"

    def write(self, model: type[models.Model], **options: Any) -> int:
        """Insert the rows of one model. Returns how many."""
        rows = self.rows[model]
        model._default_manager.bulk_create(rows, batch_size=BATCH, **options)
        return len(rows)


def geography(world: World) -> None:
    """Write outcodes and districts, unless the real files have already brought better ones."""
    Outcode.objects.bulk_create(
        [Outcode(code=t.code, town=t.name, point=bng_point(t.easting, t.northing), lad=t.lad) for t in world.towns],
        ignore_conflicts=True,
    )
    known = set(Area.objects.filter(code__in=world.outlines).values_list("code", flat=True))
    Area.objects.bulk_create(
        [
            Area(code=code, name=name, kind=Area.Kind.DISTRICT, outline=outline)
            for code, (name, outline) in world.outlines.items()
            if code not in known
        ]
    )
