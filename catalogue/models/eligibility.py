"""Who a service is for, in a form that the engine decides on and a person reads."""

import uuid

import pghistory
from django.db import models

from .service import Service


@pghistory.track()
class Eligibility(models.Model):
    """Limits of age and sex. A field that is empty was not stated: unknown, never assumed."""

    class Sex(models.TextChoices):
        ANY = "any", "Anybody"
        FEMALE = "female", "Women only"
        MALE = "male", "Men only"

    service = models.OneToOneField(Service, on_delete=models.CASCADE, primary_key=True, related_name="eligibility")
    minimum_age = models.PositiveSmallIntegerField(null=True, blank=True, help_text="In years, inclusive.")
    maximum_age = models.PositiveSmallIntegerField(null=True, blank=True, help_text="In years, inclusive.")
    sex = models.CharField(max_length=10, choices=Sex.choices, blank=True)
    notes = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "eligibilities"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(minimum_age__isnull=True)
                | models.Q(maximum_age__isnull=True)
                | models.Q(maximum_age__gte=models.F("minimum_age")),
                name="ages_in_order",
                violation_error_message="The highest age cannot be below the lowest.",
            )
        ]

    def __str__(self) -> str:
        return f"Eligibility of {self.service}"


@pghistory.track()
class EligibilityCriterion(models.Model):
    """One thing that a service has said. What it has not said is unknown.

    Terms come from the `need`, `funding`, `language` and `referral-source` taxonomies. For needs: *accepts* = can meet it,
    *required* = takes only people with it, *excluded* = cannot take people with it, *preferred* = takes them first.
    For funding, languages and referral sources only *accepts* is used: the list is what is taken; no list is unknown.
    """

    class Rule(models.TextChoices):
        ACCEPTS = "accepts", "can meet"
        REQUIRED = "required", "only people with"
        EXCLUDED = "excluded", "cannot take people with"
        PREFERRED = "preferred", "takes first people with"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="criteria")
    term = models.ForeignKey("catalogue.TaxonomyTerm", on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=10, choices=Rule.choices)

    class Meta:
        verbose_name_plural = "eligibility criteria"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "term"],
                name="one_rule_per_term",
                violation_error_message="This service already has a rule for that.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()} {self.term}"
