"""Postcodes, outcodes and areas: loaded from public files by `load_postcodes` and `load_boundaries`."""

from django.contrib.gis.db import models
from django.contrib.gis.geos import Point

from core.geo import BNG, bng_point


class Postcode(models.Model):
    """One postcode's centre. `quality` is Code-Point Open's (10 best; 90 = no coordinate, not stored)."""

    # Collation C: postcodes are only compared byte by byte, and its index is built in half the time.
    postcode = models.CharField(primary_key=True, max_length=8, db_collation="C", help_text='With one space: "PR1 8XY".')
    quality = models.PositiveSmallIntegerField(default=10)
    # Columns as the publisher has them, so that a file of all postcodes goes into the table by one COPY.
    easting = models.IntegerField(help_text="Metres of the National Grid.")
    northing = models.IntegerField(help_text="Metres of the National Grid.")
    lad = models.CharField(max_length=9, blank=True, help_text="GSS code of the district; empty: not known.")
    ward = models.CharField(max_length=9, blank=True)

    def __str__(self) -> str:
        return self.postcode

    @property
    def point(self) -> Point:
        return bng_point(self.easting, self.northing)


class Outcode(models.Model):
    """The first half of a postcode: its centre and the town people know it by."""

    code = models.CharField(primary_key=True, max_length=4)
    town = models.CharField(max_length=80, blank=True)
    point = models.PointField(srid=BNG)
    lad = models.CharField(max_length=9, blank=True)

    def __str__(self) -> str:
        return f"{self.code} ({self.town})" if self.town else self.code


class Area(models.Model):
    """An outline with a national code: district, ward, MSOA, LSOA, ICB."""

    class Kind(models.TextChoices):
        ICB = "icb", "Integrated care board"
        DISTRICT = "district", "District"
        WARD = "ward", "Ward"
        MSOA = "msoa", "Middle-layer area"
        LSOA = "lsoa", "Small area"

    id = models.AutoField(primary_key=True)  # small: matching keeps arrays of it
    code = models.CharField(max_length=9, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    parent_code = models.CharField(max_length=9, blank=True)
    outline = models.MultiPolygonField(srid=BNG)

    class Meta:
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name
