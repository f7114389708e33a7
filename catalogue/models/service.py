"""What somebody offers."""

import uuid
from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from core.scoping import VisibleQuerySet


class ServiceQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Active services; confidential ones for signed-in professionals only. A curator also sees inactive and merged ones."""
        if getattr(user, "is_authenticated", False) and user.is_professional:
            if user.is_curator or user.is_administrator:
                return self.all()
            return self.filter(status=Service.Status.ACTIVE, merged_into=None)
        return self.public()

    def owned_by(self, user) -> Self:
        """Those whose entry `user` may change, whatever state they are in: a provider its organisation's, a curator all."""
        if not getattr(user, "is_authenticated", False) or not user.is_active:
            return self.none()
        if user.is_curator or user.is_administrator:
            return self.all()
        return self.filter(organization=user.organization_id, merged_into=None) if user.is_provider else self.none()

    def public(self) -> Self:
        """What everybody may know of: the one test for every public page, feed, map, count and search."""
        return self.filter(
            status=Service.Status.ACTIVE,
            merged_into=None,
            is_confidential=False,
            is_internal=False,
            organization__is_confidential=False,
        )


@pghistory.track()
class Service(models.Model):
    """One service of one organisation. Its places are `capacity.ServiceCapacity` rows."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        DEFUNCT = "defunct", "Closed for good"
        TEMPORARILY_CLOSED = "temporarily closed", "Closed for now"

    class Quality(models.IntegerChoices):
        """CQC's four ratings. Absent: not rated or not known."""

        INADEQUATE = 1, "Inadequate"
        REQUIRES_IMPROVEMENT = 2, "Requires improvement"
        GOOD = 3, "Good"
        OUTSTANDING = 4, "Outstanding"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey("catalogue.Organization", on_delete=models.CASCADE, related_name="services")
    name = models.CharField(max_length=255)
    alternate_name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    url = models.URLField(max_length=500, blank=True)
    email = models.EmailField(blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    care_type = models.ForeignKey(
        "catalogue.TaxonomyTerm",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What kind of care it is; a term of the care-type taxonomy.",
    )
    taxonomy_terms = models.ManyToManyField("catalogue.TaxonomyTerm", blank=True, related_name="services")
    partners = models.ManyToManyField(
        "catalogue.Organization", blank=True, related_name="partner_services", help_text="Others who deliver it together with its owner."
    )
    catchment_m = models.PositiveIntegerField(
        null=True, blank=True, help_text="Takes people who live within this many metres; empty: no limit stated."
    )
    price_week = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, help_text="Usual price a week in pounds; 0 is free."
    )
    cqc_rating = models.PositiveSmallIntegerField(choices=Quality.choices, null=True, blank=True)
    cqc_rated_on = models.DateField(null=True, blank=True)
    registered_places = models.PositiveIntegerField(null=True, blank=True, help_text="How many people it is registered for, by CQC.")
    is_confidential = models.BooleanField(default=False)
    is_internal = models.BooleanField(default=False, help_text="For professionals only; never in a public feed.")
    assured_date = models.DateField(null=True, blank=True, help_text="When somebody last checked this record.")
    assured_by = models.CharField(max_length=200, blank=True, help_text="Who checked it: an organisation or a source, no person.")
    kept_fields = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="Fields that people here decided; an import leaves them alone."
    )
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="merged_from", help_text="This record is another's double."
    )
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)
    source_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price_week__isnull=True) | models.Q(price_week__gte=0),
                name="price_not_negative",
                violation_error_message="A price cannot be less than nothing.",
            ),
            models.CheckConstraint(
                condition=models.Q(cqc_rating__isnull=True) | models.Q(cqc_rating__range=(1, 4)),
                name="cqc_rating_known",
                violation_error_message="A CQC rating is from 1 (inadequate) to 4 (outstanding), or empty when there is none.",
            ),
        ]
        indexes = [GinIndex(fields=["name"], name="service_name_trgm", opclasses=["gin_trgm_ops"])]

    def __str__(self) -> str:
        return self.name

    @property
    def hides_its_place(self) -> bool:
        """A refuge: nobody is told where it is, professionals neither; they ring."""
        return self.is_confidential or self.organization.is_confidential


class Phone(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(max_length=40)
    description = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.number


class Contact(models.Model):
    """A named desk or person to ask for, of the whole service or of one of its places. Personal contacts are never published."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phones = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="Its own numbers, apart from the service's.")
    location = models.ForeignKey(
        "catalogue.Location",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="contacts",
        help_text="Empty: for all of the service.",
    )
    is_public = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name or self.email


class CostOption(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="cost_options")
    option = models.CharField(max_length=200, blank=True)
    amount = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="GBP")
    amount_description = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.option or str(self.amount)


class Schedule(models.Model):
    """When it is open: RRULE parts, times of day in Europe/London. WEEKLY and MONTHLY only, as Open Referral UK has it."""

    class Frequency(models.TextChoices):
        WEEKLY = "WEEKLY", "Weekly"
        MONTHLY = "MONTHLY", "Monthly"

    class Term(models.TextChoices):
        ALWAYS = "always", "All the year"
        TERM_TIME = "term-time", "In school terms only"
        HOLIDAYS = "holidays", "In school holidays only"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="schedules")
    freq = models.CharField(max_length=10, choices=Frequency.choices, default=Frequency.WEEKLY)
    interval = models.PositiveSmallIntegerField(default=1)
    byday = models.CharField(max_length=40, blank=True, help_text="MO,TU,WE,TH,FR,SA,SU")
    bymonthday = models.CharField(max_length=40, blank=True)
    dtstart = models.DateField(null=True, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
    description = models.CharField(max_length=300, blank=True)
    term = models.CharField(max_length=10, choices=Term.choices, default=Term.ALWAYS)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_from__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="schedule_ends_after_it_begins",
                violation_error_message="The last day cannot be before the first.",
            )
        ]

    def __str__(self) -> str:
        return self.description or f"{self.byday} {self.opens_at}–{self.closes_at}"
