"""Coming here from a patient record in another system."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient


class LaunchKeyQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Whoever looks after users and settings."""
        return self.all() if getattr(user, "is_authenticated", False) and user.is_administrator else self.none()


class LaunchKey(models.Model):
    """Lets the record system of one organisation vouch for a person. The secret is worked out from `id`, and kept nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80, help_text="Which system has it.")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = LaunchKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")),
                name="launch_key_lasts",
                violation_error_message="A key must end after it begins. Choose a later day.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class LaunchQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those for one's own organisation that nobody else has opened."""
        if getattr(user, "is_authenticated", False) and user.is_referrer and user.organization_id:
            return self.filter(Q(opened_by=None) | Q(opened_by=user), organization_id=user.organization_id)
        return self.none()


class Launch(models.Model):
    """One launch: who the record system says it is about. What it told is wiped when it was used, or is too old."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(LaunchKey, on_delete=models.CASCADE, related_name="+")
    jti = models.CharField(max_length=120, help_text="What the record system calls it: the same one is not taken twice.")
    token_digest = models.CharField(max_length=64, unique=True)
    told = models.JSONField(default=dict, help_text="Who it is. Emptied when it was used.")
    practitioner = models.CharField(max_length=254, blank=True)
    at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField(null=True, blank=True)
    patient = models.ForeignKey(Patient, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = LaunchQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "jti"], name="launch_comes_once", violation_error_message="This launch has been used. Open it again."
            )
        ]

    def __str__(self) -> str:
        return f"Launch {self.pk}"
