"""Messages to people about their own appointments, and sessions that are called off as a whole."""

import re
import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from capacity.models import Channel, ServiceCapacity
from catalogue.models import Service, User
from core.scoping import VisibleQuerySet

from .patient import Patient
from .referral import ReferralTask
from .related import RelatedPerson


class SessionCancellationQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those who run the service."""
        if getattr(user, "is_authenticated", False) and user.is_provider and user.organization_id:
            return self.filter(service__organization_id=user.organization_id)
        return self.none()

    def standing(self) -> Self:
        return self.filter(undone_at=None)


class SessionCancellation(models.Model):
    """One session does not take place. Everybody expected is told at `tell_at`; until then it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    reason = models.CharField(max_length=200, help_text="For the teams that referred; the people themselves are not told it.")
    instead = models.ForeignKey(
        ServiceCapacity, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="Offered instead."
    )
    closed_version = models.PositiveIntegerField(null=True, blank=True, help_text="Of the session’s places, when this closed them.")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    tell_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = SessionCancellationQuerySet.as_manager()

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "starts_at"],
                condition=Q(undone_at=None),
                name="called_off_once",
                violation_error_message="This session is cancelled already.",
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(told_at=None),
                name="what_was_told_stays",
                violation_error_message="People have been told already, so this cannot be undone.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="called_off_for_a_reason", violation_error_message="Say why the session does not take place."
            ),
        ]

    def __str__(self) -> str:
        return f"Cancellation {self.pk}"


class PersonMessageQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the request that it is about: the sender, and the provider once it knows the person."""
        seen = self.filter(task__in=ReferralTask.objects.visible_to(user))
        if getattr(user, "is_provider", False):
            return seen.filter(task__in=ReferralTask.objects.taken_on_by(user.organization_id))
        return seen


class PersonMessage(models.Model):
    """One text or e-mail to a person, or to whoever is told in their place, and what they answered. It holds no word of care."""

    class Kind(models.TextChoices):
        ACCEPTED = "accepted", "A service said yes"
        BOOKED = "booked", "A time is booked"
        REMINDER = "reminder", "Reminder"
        CALLED_OFF = "called-off", "The time is cancelled"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        ARRIVED = "arrived", "Arrived"
        FAILED = "failed", "Did not arrive"
        GIVEN_UP = "given-up", "Given up: they were told another way"
        NOT_NEEDED = "not-needed", "Not needed any more"

    class Answer(models.TextChoices):
        NONE = "", "No answer"
        COMING = "coming", "They say they will come"
        CANNOT = "cannot", "They say they cannot come"
        OTHER_TIME = "other-time", "They ask for another time"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="messages_sent")
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, related_name="messages_to_person")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Of the session or appointment that it is about.")
    cancellation = models.ForeignKey(SessionCancellation, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    related = models.ForeignKey(
        RelatedPerson, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="Who is told in their place."
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    sent_to = models.CharField(max_length=254)
    token_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    failed_because = models.CharField(max_length=200, blank=True)
    settled_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="Who tried it again, or gave it up."
    )
    gateway_id = models.CharField(max_length=120, blank=True, db_index=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True, default=Answer.NONE)
    answered_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="When whoever has this address wanted no more messages.")

    objects = PersonMessageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["task", "starts_at"], name="messages_of_a_time"),
            models.Index(fields=["sent_to", "-created_at"], name="messages_to_an_address"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "starts_at"],
                condition=Q(kind="reminder"),
                name="reminded_once",
                violation_error_message="They were reminded of this already.",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__gte=F("created_at"))),
                name="answered_after_it_was_written",
                violation_error_message="An answer comes after the message.",
            ),
        ]

    def __str__(self) -> str:
        # Never an address: this string reaches logs and errors.
        return f"Message {self.pk} ({self.kind})"

    @property
    def why(self) -> str:
        """Why it failed, in words for the team: without the technical name that stands in brackets at the end."""
        return re.sub(r" \(\w+\)\.$", ".", self.failed_because)

    def is_open(self, at: datetime) -> bool:
        """Whether its link still takes an answer: until the time that it is about has begun."""
        return self.starts_at is not None and at < self.starts_at and self.state != self.State.NOT_NEEDED
