"""The sentences of letters in another language, as an organisation has had them translated."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class LetterTranslationQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those of one's own organisation, for who writes its letters and for who answers for their words."""
        if getattr(user, "is_authenticated", False) and user.organization_id and (user.is_referrer or user.is_manager):
            return self.filter(organization_id=user.organization_id)
        return self.none()

    def in_use(self) -> Self:
        """Of each language the newest that was approved and not stopped comes last."""
        return self.filter(approved_at__isnull=False, stopped_at__isnull=True).order_by("language", "approved_at")


class LetterTranslation(models.Model):
    """One version of the sentences in one language. Its sentences never change; letters use it once somebody has approved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=10, help_text="Its code, as in what people prefer.")
    number = models.PositiveIntegerField()
    texts = models.JSONField(help_text="The sentences, by their keys.")
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    checked_by = models.CharField(max_length=100, blank=True, help_text="Who read it and knows the language.")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = LetterTranslationQuerySet.as_manager()

    class Meta:
        ordering = ["language", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "language", "number"],
                name="letter_translation_once",
                violation_error_message="Somebody has just loaded another version. Look again.",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | (Q(approved_at__isnull=False, approved_by__isnull=False) & ~Q(checked_by="")),
                name="an_approved_translation_says_who_checked_it",
                violation_error_message="Say who checked the translation.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language}, version {self.number}"
