"""Asking providers for their figures, and what they answer by text message or e-mail."""

import uuid
from datetime import datetime, time
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from catalogue.models import Service, User
from core.scoping import VisibleQuerySet


class Channel(models.TextChoices):
    """How a provider is asked."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "Text message"


def weekdays() -> list[int]:
    """Monday to Friday, as `date.weekday` counts."""
    return [0, 1, 2, 3, 4]


class OfOwnServicesQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """A provider's own; curators and administrators see all, for they answer the telephone when it fails."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_curator or user.is_administrator:
            return self.all()
        return self.filter(service__organization_id=user.organization_id) if user.is_provider else self.none()


class AskingPreference(models.Model):
    """How, and at which hours, one service wants to be asked for its figures. No row: it is not asked."""

    service = models.OneToOneField(Service, on_delete=models.CASCADE, primary_key=True, related_name="asking")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address = models.CharField(max_length=254, help_text="E-mail address, or telephone number in E.164.")
    days = ArrayField(models.PositiveSmallIntegerField(), default=weekdays, help_text="0 is Monday.")
    from_time = models.TimeField(default=time(9))
    until_time = models.TimeField(default=time(17))
    when_stale = models.BooleanField(default=True, help_text="Ask shortly before a figure gets old.")
    on_demand = models.BooleanField(default=True, help_text="Ask when people near wait for what it offers.")
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="A code that went to this address was typed in. Not used before.")
    code_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    codes_sent = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Since an address was last confirmed.")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="They said stop.")
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    objects = OfOwnServicesQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until_time__gt=F("from_time")),
                name="hours_end_after_they_begin",
                violation_error_message="The hours in which we may ask must end later than they begin.",
            ),
            models.CheckConstraint(
                condition=Q(days__len__gt=0),
                name="asked_on_some_day",
                violation_error_message="Choose at least one day, or stop the messages.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.get_channel_display()}"


class UpdateLink(models.Model):
    """A link by which somebody, without an account, says what is free at one service, or at several of one organisation.

    It is a capability: for these services, once, by POST, until it expires or is revoked. Only its hash is kept, and it shows no patient.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="update_links")
    also = models.ManyToManyField(Service, blank=True, related_name="+", help_text="Other services of the organisation that it is for.")
    token_hash = models.CharField(max_length=64, unique=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    sent_to = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    told = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="By pool: the version that this link made, and the figures before, so that it can be undone.",
    )

    objects = OfOwnServicesQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.service}, {self.sent_to}"

    def is_open(self, at: datetime) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and self.revoked_at is None and at < self.expires_at

    def services(self) -> models.QuerySet[Service]:
        """What it is for, by name. A service that has become confidential meanwhile is shown to nobody by a link."""
        named = Service.objects.public().filter(Q(pk=self.service_id) | Q(pk__in=self.also.values("pk")))
        return named.select_related("organization").order_by("name", "pk")


class Ask(models.Model):
    """A message that asked a provider for the figures of one service, or asked again what a reply meant.

    One message may ask about several services: each has a row, and those `with_ask` went in the message of that one.
    """

    class Why(models.TextChoices):
        STALE = "stale", "The figure was about to get old"
        DEMAND = "demand", "People were waiting for such places"
        AGAIN = "again", "The reply was not understood"
        REQUEST = "request", "Somebody pressed a button"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="asks")
    with_ask = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="others",
        help_text="The one in whose message this service is asked about too.",
    )  # fmt: skip
    link = models.OneToOneField(UpdateLink, on_delete=models.SET_NULL, null=True, blank=True, related_name="ask")
    why = models.CharField(max_length=10, choices=Why.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    sent_to = models.CharField(max_length=254)
    waiting_near = models.PositiveIntegerField(null=True, blank=True, help_text="How many waited near by for such places; null: not told.")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failed_because = models.CharField(max_length=200, blank=True)
    gateway_id = models.CharField(max_length=120, blank=True, help_text="What the gateway calls this message.")

    objects = OfOwnServicesQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["sent_to", "-created_at"], name="ask_by_address")]

    def __str__(self) -> str:
        return f"{self.service}: {self.get_why_display()}"


class Reply(models.Model):
    """A text message or e-mail that came in, what was understood of it, and what was done. The words are forgotten after some weeks."""

    class Outcome(models.TextChoices):
        APPLIED = "applied", "Understood and kept"
        ASKED_AGAIN = "asked-again", "Not understood: asked again"
        STOPPED = "stopped", "They want no more messages"
        STRANGER = "stranger", "The sender is not known"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    gateway_id = models.CharField(max_length=200, help_text="What the gateway calls this message: the same one twice is one.")
    sender = models.CharField(max_length=254)
    words = models.TextField(max_length=2000, blank=True)
    received_at = models.DateTimeField()
    service = models.ForeignKey(Service, on_delete=models.SET_NULL, null=True, blank=True, related_name="replies")
    ask = models.ForeignKey(Ask, on_delete=models.SET_NULL, null=True, blank=True, related_name="replies")
    understood = models.JSONField(default=dict, help_text="Pool id to the figures that were read.")
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    answer = models.TextField(max_length=1000, blank=True, help_text="What we wrote back.")

    objects = OfOwnServicesQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        verbose_name_plural = "replies"
        constraints = [models.UniqueConstraint(fields=["channel", "gateway_id"], name="one_reply_per_message")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"
