"""Who is asked in which order."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from capacity.models import ServiceCapacity
from core.scoping import VisibleQuerySet

from .referral import Referral


class QueuedAskQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The sender's own. A provider does not learn who else would be asked."""
        return self.filter(referral__in=Referral.objects.visible_to(user))


class QueuedAsk(models.Model):
    """One service of a referral that asks in order. Until it is its turn there is no task, so that its provider knows nothing of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Not asked yet"
        ASKED = "asked", "Asked"
        PASSED = "passed", "Passed over"
        DROPPED = "dropped", "Not needed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="queue")
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    hold = models.BooleanField(default=False, help_text="Keep a place there when it is asked.")
    even_so = models.BooleanField(
        default=False, db_default=False, help_text="The sender asks it though its entry speaks against the person."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    because = models.CharField(max_length=300, blank=True, help_text="Why it was passed over or taken off the list.")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = QueuedAskQuerySet.as_manager()

    class Meta:
        ordering = ["referral", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "position"],
                name="one_after_the_other",
                deferrable=models.Deferrable.DEFERRED,
                violation_error_message="Two services cannot have the same place in the order.",
            ),
            models.UniqueConstraint(
                fields=["referral", "pool"],
                name="once_in_the_order",
                violation_error_message="This service is in the list already.",
            ),
            models.CheckConstraint(
                condition=~Q(state="passed") | ~Q(because=""),
                name="passed_over_says_why",
                violation_error_message="Say why the service was passed over.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.state}"
