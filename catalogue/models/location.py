"""Where services are and whom they reach."""

import uuid

from django.contrib.gis.db import models

from core.geo import BNG


class Location(models.Model):
    """A place. A confidential one (a refuge) is never published, mapped or counted in public."""

    class Type(models.TextChoices):
        PHYSICAL = "physical", "Building"
        POSTAL = "postal", "Postal address"
        VIRTUAL = "virtual", "Online or by phone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    location_type = models.CharField(max_length=10, choices=Type.choices, default=Type.PHYSICAL)
    name = models.CharField(max_length=255, blank=True)
    point = models.PointField(srid=BNG, null=True, blank=True)
    uprn = models.CharField(max_length=12, blank=True)
    cqc_location_id = models.CharField(max_length=20, null=True, blank=True, unique=True)
    ods_code = models.CharField(max_length=10, null=True, blank=True, unique=True)
    is_confidential = models.BooleanField(default=False)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)
    source_hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.name or str(self.pk)


class Address(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="addresses")
    address_1 = models.CharField(max_length=255)
    address_2 = models.CharField(max_length=255, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    state_province = models.CharField(max_length=100, blank=True, help_text="County, in Open Referral's word.")
    postal_code = models.CharField(max_length=10)
    country = models.CharField(max_length=2, default="GB")
    address_type = models.CharField(max_length=20, default="physical")

    class Meta:
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return ", ".join(part for part in (self.address_1, self.city, self.postal_code) if part)


class ServiceAtLocation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="service_at_locations")
    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="service_at_locations")
    description = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "location"], name="service_once_per_location")]

    def __str__(self) -> str:
        return f"{self.service} at {self.location}"


class ServiceArea(models.Model):
    """An area whose residents the service takes, does not take, or takes first. None required: anybody within `Service.catchment_m`."""

    class Rule(models.TextChoices):
        REQUIRED = "required", "only people who live there"
        EXCLUDED = "excluded", "nobody who lives there"
        PREFERRED = "preferred", "first people who live there"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="service_areas")
    name = models.CharField(max_length=200, blank=True)
    area = models.ForeignKey("catalogue.Area", on_delete=models.PROTECT, null=True, blank=True, related_name="service_areas")
    extent = models.MultiPolygonField(srid=BNG, null=True, blank=True, help_text="Drawn by hand, if no coded area fits.")
    uri = models.CharField(max_length=255, blank=True)
    rule = models.CharField(max_length=10, choices=Rule.choices, default=Rule.REQUIRED)

    def __str__(self) -> str:
        return self.name or str(self.area or self.pk)
