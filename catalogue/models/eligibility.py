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

    class SexReason(models.TextChoices):
        """Grounds of the Equality Act 2010, schedule 3."""

        SHARED = "shared-rooms", "people share rooms or bathrooms"
        PERSONAL = "personal-care", "it gives intimate care"
        SAFETY = "safety", "people come to it for safety from violence"
        NEED = "need", "only they need it, or it works better for them apart"
        RELIGION = "religion", "a religion asks for it"

    service = models.OneToOneField(Service, on_delete=models.CASCADE, primary_key=True, related_name="eligibility")
    minimum_age = models.PositiveSmallIntegerField(null=True, blank=True, help_text="In years, inclusive.")
    maximum_age = models.PositiveSmallIntegerField(null=True, blank=True, help_text="In years, inclusive.")
    sex = models.CharField(max_length=10, choices=Sex.choices, blank=True)
    sex_reason = models.CharField(
        max_length=20, choices=SexReason.choices, blank=True, help_text="Why it is for women or men only, where the law allows that."
    )
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

    Terms come from the `need`, `condition`, `funding`, `language` and `referral-source` taxonomies. For needs: *accepts* = can meet it,
    *required* = takes only people with it, *excluded* = cannot take people with it, *preferred* = takes them first. Of several required
    needs a person must have all; of several required conditions, payers, languages or referrers, one. Of a list of funding, languages or
    referral sources all that is not excluded is taken, and no list is unknown; where something of it is required, that alone decides.
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


@pghistory.track()
class RegistrationCriterion(models.Model):
    """Whom a service takes by where they are registered: with a general practice, or in a primary care network or integrated care board."""

    class Kind(models.TextChoices):
        PRACTICE = "practice", "General practice"
        PCN = "pcn", "Primary care network"
        ICB = "icb", "Integrated care board"

    class Rule(models.TextChoices):
        REQUIRED = "required", "only people registered there"
        EXCLUDED = "excluded", "nobody registered there"
        PREFERRED = "preferred", "first people registered there"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="registrations")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    code = models.CharField(max_length=10, help_text="ODS code.")
    name = models.CharField(max_length=200)
    rule = models.CharField(max_length=10, choices=Rule.choices, default=Rule.REQUIRED)

    class Meta:
        verbose_name_plural = "registration criteria"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "kind", "code"],
                name="one_rule_per_registration",
                violation_error_message="This service already has a rule for that practice, network or board.",
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Z0-9]{2,10}$"),
                name="registration_code_is_ods",
                violation_error_message="An ODS code has 2 to 10 capital letters and digits.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}: {self.name}"

    @property
    def token(self) -> str:
        """As matching compares it: `practice|P81001`."""
        return f"{self.kind}|{self.code}"
