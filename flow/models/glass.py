"""Opening a record without the right to it, in an emergency: said why, for an hour, and reviewed."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient


class GlassOpeningQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Who opened it, and the managers of both organisations, who review it. It names the person to nobody."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        if user.is_manager:
            return self.filter(Q(organization_id=user.organization_id) | Q(by_organization_id=user.organization_id))
        return self.filter(by_id=user.pk)


class GlassOpening(models.Model):
    """One person's record, opened by somebody who has no right to it."""

    class Reason(models.TextChoices):
        DANGER = "danger", "Somebody’s life or safety is in danger"
        URGENT = "urgent", "Urgent care is being given now, and the team that knows them cannot be reached"
        SAFEGUARDING = "safeguarding", "Safeguarding of a child or an adult at risk"
        OTHER = "other", "Another reason"

    class Verdict(models.TextChoices):
        WAITS = "", "Not reviewed yet"
        JUSTIFIED = "justified", "Justified"
        NOT_JUSTIFIED = "not-justified", "Not justified"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Whose record it is.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    by_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    words = models.CharField(max_length=500)
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    verdict = models.CharField(max_length=20, choices=Verdict.choices, blank=True, default="", db_default="")
    verdict_words = models.CharField(max_length=500, blank=True, default="", db_default="")
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    objects = GlassOpeningQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["by", "until"], name="glass_open")]
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="glass_says_why", violation_error_message="Say why in your own words."),
            models.CheckConstraint(
                condition=Q(until__gt=F("opened_at")),
                name="glass_has_an_end",
                violation_error_message="A record is opened for a time.",
            ),
            models.CheckConstraint(
                condition=Q(verdict="", reviewed_at__isnull=True) | (~Q(verdict="") & ~Q(verdict_words="") & Q(reviewed_at__isnull=False)),
                name="glass_verdict_says_why",
                violation_error_message="Say in a few words how you came to this.",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("by")),
                name="glass_is_reviewed_by_another",
                violation_error_message="You opened this record yourself. Another manager reviews it.",
            ),
        ]

    def __str__(self) -> str:
        # Never a name: this string reaches logs and errors.
        return f"Opening {self.pk}"

    def is_open(self, at: datetime) -> bool:
        return self.opened_at <= at < self.until
