"""The person."""

import uuid
from typing import Self

from django.contrib.gis.db import models
from django.core.exceptions import ValidationError
from django.utils import timezone
from stdnum.exceptions import ValidationError as NumberError
from stdnum.gb import nhs

from catalogue.models import Organization, User
from core.geo import BNG
from core.scoping import VisibleQuerySet


def validate_nhs_number(value: str) -> None:
    """Ten digits whose last is the modulus 11 check digit."""
    try:
        nhs.validate(value)
    except NumberError:
        raise ValidationError("That is not an NHS number: it has ten digits, and the last one checks the others.") from None


class PatientQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The referring organisation's own people, and people whom one's organisation has taken on."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        if user.is_referrer:
            return self.filter(organization_id=user.organization_id)
        if user.is_provider:
            from .referral import ReferralTask

            taken_on = ReferralTask.objects.taken_on_by(user.organization_id).values("referral__patient_id")
            return self.filter(pk__in=taken_on)
        return self.none()


class Patient(models.Model):
    """Somebody for whom help is sought. Belongs to the organisation that recorded them."""

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Other"
        UNKNOWN = "unknown", "Not known"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="patients")
    nhs_number = models.CharField(max_length=10, blank=True, validators=[validate_nhs_number])
    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    postcode = models.CharField(max_length=8)
    point = models.PointField(srid=BNG, null=True)
    phone = models.CharField(max_length=40, blank=True)
    preferred_language = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "nhs_number"],
                condition=~models.Q(nhs_number=""),
                name="one_patient_per_nhs_number",
                violation_error_message="Your organisation already has a person with this NHS number.",
            )
        ]

    def __str__(self) -> str:
        # Never a name: this string reaches logs and errors.
        return f"Patient {self.pk}"

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    def age_on(self, day) -> int:
        """Completed years on that day."""
        return day.year - self.birth_date.year - ((day.month, day.day) < (self.birth_date.month, self.birth_date.day))
