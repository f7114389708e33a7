"""Who answers for a service whose provider has no account, and how they are reached."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Service, User
from core.scoping import VisibleQuerySet


class ReplyContactQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those who run the service, and those who keep the directory."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_curator or user.is_administrator:
            return self.filter(service__in=Service.objects.visible_to(user))
        if user.is_provider and user.organization_id:
            return self.filter(service__organization_id=user.organization_id)
        return self.none()

    def active(self) -> Self:
        return self.filter(ended_at=None)


class ReplyContact(models.Model):
    """Requests to this service go to this address as a link, and are answered by it. Never changed: another address is another contact."""

    class Check(models.TextChoices):
        """How it is known that the address is the service's own."""

        PUBLISHED = "published", "Rang the number that they publish"
        MET = "met", "Met them, or they came to us"
        LETTER = "letter", "They wrote on paper or from a known address"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="reply_contacts")
    name = models.CharField(max_length=80, help_text="A person or a desk: stands beside every answer.")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="Of a mobile, in E.164.")
    check_made = models.CharField(max_length=10, choices=Check.choices)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    refused_at = models.DateTimeField(null=True, blank=True, help_text="When a message to it could not be delivered.")

    objects = ReplyContactQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["service"],
                condition=Q(ended_at=None),
                name="one_reply_contact",
                violation_error_message="Somebody answers for this service already. Change that instead.",
            ),
            models.CheckConstraint(
                condition=~Q(email="") | ~Q(phone=""),
                name="a_contact_can_be_reached",
                violation_error_message="Give an e-mail address, a mobile number, or better both.",
            ),
        ]

    def __str__(self) -> str:
        return f"Contact {self.pk}"
