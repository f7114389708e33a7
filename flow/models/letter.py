"""What was printed for a person."""

import uuid
from typing import Self

from django.db import models
from django.utils import timezone

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient
from .referral import Referral


class LetterQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Letters of one's own organisation, about people whose record one may see."""
        if getattr(user, "is_authenticated", False) and user.is_referrer and user.organization_id:
            return self.filter(organization_id=user.organization_id, referral__in=Referral.objects.visible_to(user))
        return self.none()


class Letter(models.Model):
    """A letter to a person as it was printed: its words stay as they were, whatever becomes of the referral."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="letters")
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="letters")
    language = models.CharField(max_length=10, default="en")
    translation = models.ForeignKey(
        "flow.LetterTranslation", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Whose words, if one's own."
    )
    is_large = models.BooleanField(default=False)
    call = models.CharField(max_length=120, help_text="Whom the person may call: a name and a number.")
    body = models.JSONField(help_text="Sections: a heading and its lines.")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"Letter {self.pk}"
