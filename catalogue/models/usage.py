"""How much the public directory is used: counts of a day, of which none is about a person."""

from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet


class UsageCountQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators, administrators and managers see all of it; a provider what was counted of its own services. Never of a secret one."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        told = self.exclude(models.Q(service__is_confidential=True) | models.Q(service__organization__is_confidential=True))
        if user.is_curator or user.is_administrator or user.is_manager:
            return told
        return told.filter(service__organization=user.organization_id) if user.is_provider and user.organization_id else self.none()


class UsageCount(models.Model):
    """How often one thing happened on one day."""

    class Kind(models.TextChoices):
        VISITOR = "visitor", "Visitors"
        VISIT = "visit", "Visits"
        SEARCH = "search", "Searches"
        NO_ANSWER = "no-answer", "Searches without an answer"
        OPENED = "opened", "Services opened"
        PHONE = "phone", "Presses on a phone number"
        EMAIL = "email", "Presses on an e-mail address"
        WEB = "web", "Presses on a web address"
        REFERRAL = "referral", "Referrals begun"

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    what = models.CharField(max_length=60, blank=True, help_text="What was searched for, in small letters; empty for the rest.")
    area = models.CharField(max_length=9, blank=True, help_text="Code of the district that was searched; empty: none, or not known.")
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, null=True, blank=True, related_name="usage")
    count = models.PositiveIntegerField()

    objects = UsageCountQuerySet.as_manager()

    class Meta:
        ordering = ["day", "kind"]
        constraints = [
            # By day first: every question is about a period.
            models.UniqueConstraint(fields=["day", "kind", "what", "area", "service"], name="usage_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=models.Q(count__gt=0),
                name="usage_counted",
                violation_error_message="Something that never happened is not counted.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.count}"
