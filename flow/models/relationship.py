"""Two people who are to stay together."""

import uuid
from typing import Self

from django.db import models
from django.db.models import F, Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient


class RelationshipQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of people whose record one keeps, both of them."""
        kept = Patient.objects.kept_by(user).order_by().values("pk")
        return self.filter(patient__in=kept, other__in=kept)

    def of(self, patient: Patient) -> Self:
        """Those that name a person, on either side."""
        return self.filter(Q(patient=patient) | Q(other=patient))


class Relationship(models.Model):
    """Two people of one organisation who want to be at the same place. Whoever is tied to one of them is kept together with both."""

    class Kind(models.TextChoices):
        COUPLE = "couple", "A couple"
        FAMILY = "family", "Family"
        CARER = "carer", "One cares for the other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="+", help_text="The one with the smaller id, so that a pair is kept once."
    )
    other = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = RelationshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "other"],
                name="kept_together_once",
                violation_error_message="These two are kept together already.",
            ),
            models.CheckConstraint(
                condition=Q(patient__lt=F("other")),
                name="a_pair_is_two_people",
                violation_error_message="Nobody is kept together with themselves.",
            ),
        ]

    def __str__(self) -> str:
        # Never a name: this string reaches logs and errors.
        return f"{self.get_kind_display()} {self.pk}"
