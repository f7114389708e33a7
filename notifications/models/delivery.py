"""Messages that leave Lune: by e-mail, by text message, and to an organisation's own computer systems."""

import uuid
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .notice import Notice


def manages(user) -> bool:
    """Whether somebody connects the computer systems of their organisation: its manager, or whoever keeps a provider's keys."""
    return bool(
        getattr(user, "is_authenticated", False)
        and user.is_active
        and user.organization_id
        and (user.is_manager or (user.is_provider and user.keeps_keys))
    )


class WebhookQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        return self.filter(organization_id=user.organization_id) if manages(user) else self.none()


class Webhook(models.Model):
    """An address of an organisation's own system that is told of events, by ids alone. Its key is derived, and kept nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    types = ArrayField(models.CharField(max_length=64), default=list, blank=True, help_text="Of events; empty: all.")
    key_number = models.PositiveIntegerField(default=1)
    old_key_until = models.DateTimeField(null=True, blank=True, help_text="Until then messages bear the signature of the key before too.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_because = models.CharField(max_length=200, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="Since it last answered.")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When it last took a message.")

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(fields=["organization"], name="webhook_working", condition=Q(removed_at=None, stopped_at=None)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def works(self) -> bool:
        return self.removed_at is None and self.stopped_at is None


class Route(models.TextChoices):
    """How a message leaves."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "Text message"
    WEBHOOK = "webhook", "Webhook"


class State(models.TextChoices):
    """What became of a message."""

    WAITING = "waiting", "Waiting"
    TRYING = "trying", "Being sent"
    SENT = "sent", "Sent"
    ARRIVED = "arrived", "Arrived"
    FAILED = "failed", "Failed"
    GIVEN_UP = "given-up", "Given up"
    NOT_NEEDED = "not-needed", "Not needed any more"


class DeliveryQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Administrators see all, for they mend what fails; an organisation's managers what goes to its systems; others nothing."""
        if getattr(user, "is_authenticated", False) and user.is_active and user.is_administrator:
            return self.all()
        return self.filter(webhook__organization_id=user.organization_id) if manages(user) else self.none()


class Delivery(models.Model):
    """One message to one address. Several notices may go in one: those of a digest, or what happened in the same moment."""

    Route = Route
    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    route = models.CharField(max_length=10, choices=Route.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    notices = models.ManyToManyField(Notice, related_name="deliveries", blank=True)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, null=True, related_name="deliveries")
    event_id = models.BigIntegerField(null=True, help_text="Of a webhook: the row of the journal; null for a trial.")
    payload = models.JSONField(default=dict, help_text="Of a webhook: type, time and ids.")
    sent_to = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True, help_text="By the receipt of whoever carries it.")
    failed_at = models.DateTimeField(null=True, blank=True)
    failed_because = models.CharField(max_length=200, blank=True)
    gateway_id = models.CharField(max_length=120, blank=True, db_index=True)
    settled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Who gave up or tried again.")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(route="webhook", webhook__isnull=False, user=None)
                | (~Q(route="webhook") & Q(webhook=None, user__isnull=False)),
                name="to_a_person_or_a_system",
                violation_error_message="A message goes to a person or to a system.",
            ),
            models.UniqueConstraint(
                fields=["user", "route", "due_at"],
                condition=Q(state="waiting", attempts=0),
                name="one_message_at_a_time",
                violation_error_message="What is due at the same time goes in one message.",
            ),
            models.UniqueConstraint(
                fields=["webhook", "event_id"],
                name="webhook_told_once",
                violation_error_message="This event was told to this address already.",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="delivery_under_way", condition=Q(state__in=["waiting", "trying"])),
            models.Index(fields=["state", "-created_at"], name="delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.pk} ({self.state})"
