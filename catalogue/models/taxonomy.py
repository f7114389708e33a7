"""Taxonomies and their terms. `catalogue/vocabulary.py` holds the small list that Lune ships."""

import uuid

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

#: Slugs of the taxonomies that the matching engine decides on.
CARE_TYPE = "care-type"
NEED = "need"
FUNDING = "funding"
LANGUAGE = "language"
REFERRAL_SOURCE = "referral-source"
CONDITION = "condition"


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


@pghistory.track()
class TaxonomyTerm(models.Model):
    """One term. `bit` is its place (0–123) in the masks that the ranking query compares; it is never reused. Of needs, those from 62 on
    stand in a second word; `catalogue.vocabulary` says which are for the terms of curators.

    A retired term is offered no more, and records with it keep working. One with `replaced_by` was merged: its code is another name for
    that term.
    """

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
    snomed_refset = models.CharField(max_length=18, blank=True, help_text="SNOMED CT reference set with the codes that mean it.")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.CharField(max_length=300, blank=True)
    replaced_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaces")
    unconfirmed = models.BooleanField(default=False, help_text="What its code means has not been checked by a clinician.")
    edited_at = models.DateTimeField(null=True, blank=True, help_text="When a curator last changed it; imports then leave its words alone.")

    objects = TaxonomyTermQuerySet.as_manager()

    class Meta:
        ordering = ["taxonomy", "name"]
        constraints = [
            models.UniqueConstraint(fields=["taxonomy", "code"], name="one_term_per_code"),
            models.UniqueConstraint(fields=["taxonomy", "bit"], name="one_term_per_bit"),
            models.CheckConstraint(
                condition=models.Q(bit__isnull=True) | models.Q(bit__lte=123),
                name="bit_fits_two_words",
                violation_error_message="A term's bit must be between 0 and 123.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def mask(self) -> int:
        return 0 if self.bit is None else 1 << self.bit


class TermMerge(models.Model):
    """Two terms became one: what was moved from the one to the other, so that it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gone = models.ForeignKey(TaxonomyTerm, on_delete=models.CASCADE, related_name="merges_away")
    kept = models.ForeignKey(TaxonomyTerm, on_delete=models.CASCADE, related_name="merges_here")
    moved = models.JSONField(default=dict, help_text="Ids of the rows that were moved, by table and column; and synonyms that were added.")
    merged_by = models.ForeignKey("catalogue.User", on_delete=models.PROTECT, related_name="+")
    merged_at = models.DateTimeField()
    undone_by = models.ForeignKey("catalogue.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-merged_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(gone=models.F("kept")),
                name="term_merge_of_two",
                violation_error_message="A term cannot be merged with itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gone} into {self.kept}"
