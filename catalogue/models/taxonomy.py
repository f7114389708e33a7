"""Taxonomies and their terms. `catalogue/vocabulary.py` holds the small list that Lune ships."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

#: Slugs of the taxonomies that the matching engine decides on.
CARE_TYPE = "care-type"
NEED = "need"
FUNDING = "funding"
LANGUAGE = "language"
REFERRAL_SOURCE = "referral-source"


class Taxonomy(models.Model):
    """A list of terms: Lune's own (`slug` one of the constants above), or one that came with a feed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField()
    uri = models.URLField(blank=True)
    version = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name_plural = "taxonomies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TaxonomyTermQuerySet(models.QuerySet):
    def of(self, slug: str) -> "TaxonomyTermQuerySet":
        """Terms of one taxonomy, by its slug, in the order of their bit."""
        return self.filter(taxonomy__slug=slug).order_by("bit", "name")


class TaxonomyTerm(models.Model):
    """One term. `bit` is its place (0–61) in the masks that the ranking query compares; it is never reused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="terms")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    group = models.CharField(max_length=60, blank=True, help_text="Heading under which forms show it.")
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    bit = models.PositiveSmallIntegerField(null=True, blank=True)
    term_uri = models.CharField(max_length=255, blank=True, help_text="CURIE or URI in a national list.")
    synonyms = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = TaxonomyTermQuerySet.as_manager()

    class Meta:
        ordering = ["taxonomy", "name"]
        constraints = [
            models.UniqueConstraint(fields=["taxonomy", "code"], name="one_term_per_code"),
            models.UniqueConstraint(fields=["taxonomy", "bit"], name="one_term_per_bit"),
            models.CheckConstraint(
                condition=models.Q(bit__isnull=True) | models.Q(bit__lte=61),
                name="bit_fits_a_bigint",
                violation_error_message="A term's bit must be between 0 and 61.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def mask(self) -> int:
        return 0 if self.bit is None else 1 << self.bit
