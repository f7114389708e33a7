"""Something done to many lines of a list at once."""

import uuid
from typing import Self

from django.db import models
from django.utils import timezone

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class BatchQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """What one has done oneself, for the organisation where one works now."""
        if getattr(user, "is_authenticated", False) and user.organization_id and (user.is_referrer or user.is_provider):
            return self.filter(user_id=user.pk, organization_id=user.organization_id)
        return self.none()


class Batch(models.Model):
    """One log row for a bulk action: what was asked, what came of each line, and whether it was undone.

    `lines` are ids, codes and Lune's own words: {episode, referral, task, outcome, why, before, after, undone}. No name is in them.
    """

    class Action(models.TextChoices):
        WITHDRAW = "withdraw", "Withdraw requests"
        DELAY = "delay", "Say what they wait for"
        EXPECTED = "expected", "Set the expected date"
        ASSIGN = "assign", "Give to a team or colleague"
        FOLLOW_UP = "follow-up", "Mark for a follow-up"
        START = "start", "Support has started"
        COMPLETE = "complete", "Support is finished"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=12, choices=Action.choices)
    asked = models.JSONField(default=dict, help_text="What was chosen: a date, a code, a reason.")
    lines = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["user", "-at"], name="batch_of_user")]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"

    def count(self, outcome: str) -> int:
        """How many lines came out so: "done" or "refused"."""
        return sum(line["outcome"] == outcome for line in self.lines)
