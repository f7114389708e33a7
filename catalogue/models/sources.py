"""Where records come from: publishers, and what each of them says."""

import uuid
from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet


class SourceQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators and administrators look after sources. The public sees their figures on the quality page, without addresses."""
        if getattr(user, "is_authenticated", False) and (user.is_curator or user.is_administrator):
            return self.all()
        return self.none()


class Source(models.Model):
    """One publisher's feed or file. Records name it by its `name` in their `source`."""

    class Kind(models.TextChoices):
        ORUK_3 = "oruk-3", "Open Referral UK 3"
        ORUK_1 = "oruk-1", "Open Referral UK 1"
        HSDS_PACKAGE = "hsds-package", "HSDS data package (zip or csv)"
        SPREADSHEET = "spreadsheet", "Spreadsheet"
        CQC = "cqc", "CQC register"
        ODS = "ods", "NHS organisation data"
        POSTCODES = "postcodes", "Postcodes"
        BOUNDARIES = "boundaries", "Outlines of areas"
        OWN = "own", "Kept in Lune"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True, help_text="Who publishes it. Records carry this name, so it must not change.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    url = models.URLField(max_length=500, blank=True, help_text="Base address of the feed, or of the file. Empty: uploaded by hand.")
    licence = models.CharField(max_length=100, blank=True, help_text="Such as: Open Government Licence 3.0.")
    licence_url = models.URLField(max_length=500, blank=True)
    attribution = models.CharField(max_length=500, blank=True, help_text="Words that the licence asks to be shown.")
    contact_email = models.EmailField(blank=True, help_text="Who mends mistakes at the source.")
    is_active = models.BooleanField(default=True)
    allow_private = models.BooleanField(default=False, help_text="The address may lie inside our own network. For administrators only.")
    every_hours = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: only when somebody asks for it.")
    next_run_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, help_text="How many runs failed since the last good one.")
    capabilities = models.JSONField(default=dict, blank=True, help_text="What the feed was found to support.")
    probed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(every_hours__isnull=True) | models.Q(every_hours__gte=1),
                name="source_interval_positive",
                violation_error_message="A source is read at most once an hour.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SourceRecord(models.Model):
    """What one source last said about one of its records: the provenance of a service.

    `content` is what was understood, by field, in plain values, so that two sources can be laid side by side.
    """

    class Kind(models.TextChoices):
        SERVICE = "service", "Service"
        ORGANIZATION = "organization", "Organisation"
        LOCATION = "location", "Place"

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="records")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.SERVICE)
    foreign_id = models.CharField(max_length=200, help_text="The publisher's own id.")
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, null=True, blank=True, related_name="source_records")
    content = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    first_seen_at = models.DateTimeField()
    fetched_at = models.DateTimeField(help_text="When the content was last different.")
    last_seen_at = models.DateTimeField(help_text="When the source last had it.")
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First whole crawl that did not have it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "kind", "foreign_id"], name="one_record_per_source_id")]

    def __str__(self) -> str:
        return f"{self.source}: {self.foreign_id}"
