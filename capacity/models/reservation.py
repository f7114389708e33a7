"""Places kept for somebody."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .pool import ServiceCapacity


class ReservationQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Holds of one's own organisation, and holds on one's own places."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        return self.filter(Q(organization_id=user.organization_id) | Q(pool__service__organization_id=user.organization_id))

    def due(self, at) -> Self:
        return self.filter(state=Reservation.State.HELD, expires_at__lte=at)


class Reservation(models.Model):
    """One place kept for one request until `expires_at`."""

    class State(models.TextChoices):
        HELD = "held", "Held"
        FILLED = "filled", "Taken"
        RELEASED = "released", "Given back"
        EXPIRED = "expired", "Ran out"
        WITHDRAWN = "withdrawn", "Taken back by the provider"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.PROTECT, related_name="reservations")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Who holds it.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    extended_at = models.DateTimeField(null=True, blank=True, help_text="A hold is made longer once.")
    ended_because = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="What the provider said; never about a person."
    )
    ended_at = models.DateTimeField(null=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], condition=Q(state="held"), name="reservation_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="held", ended_at__isnull=True) | (~Q(state="held") & Q(ended_at__isnull=False)),
                name="reservation_ends_once",
                violation_error_message="A hold has an end exactly when it is no longer held.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} until {self.expires_at:%d %b %H:%M}"
