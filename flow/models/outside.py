"""Providers who have no account: who answers for a service, the links and codes by which they do, and the calls that are written down."""

import uuid
from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from capacity.models import Channel
from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .referral import ReferralTask
from .reply_contact import ReplyContact


class OfOneTaskQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the request that it is about."""
        return self.filter(task__in=ReferralTask.objects.visible_to(user))


class TaskLink(models.Model):
    """A link by which somebody without an account answers one request. Only its hash is kept.

    One that was sent takes one answer. That answer opens a door on the same device: a link that nobody sent, for half an hour.
    """

    class Kind(models.TextChoices):
        SENT = "sent", "Sent in a message"
        DOOR = "door", "Opened by an answer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, related_name="links")
    contact = models.ForeignKey(ReplyContact, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = OfOneTaskQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["task", "created_at"], name="links_of_a_task")]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")),
                name="a_task_link_runs_out",
                violation_error_message="A link runs out after it was made.",
            )
        ]

    def __str__(self) -> str:
        return f"Link {self.pk}"

    def is_open(self, at: datetime) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and self.revoked_at is None and at < self.expires_at


class ReleaseCode(models.Model):
    """The second factor, before anybody is named: six digits sent to the registered contact by another way than the link. Hashed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, related_name="release_codes")
    contact = models.ForeignKey(ReplyContact, on_delete=models.CASCADE, related_name="release_codes")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    code_hash = models.CharField(max_length=64, blank=True, help_text="Empty until the message leaves, and when it was used.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = OfOneTaskQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["task", "created_at"], name="codes_of_a_task")]

    def __str__(self) -> str:
        return f"Code {self.pk}"


class PhoneCallQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those who sent the request and see it: a call may name the person, whom a team may keep to itself."""
        if getattr(user, "is_authenticated", False) and user.is_referrer and user.organization_id:
            return self.filter(organization_id=user.organization_id, task__in=ReferralTask.objects.visible_to(user))
        return self.none()


class PhoneCall(models.Model):
    """A sender rang a provider who is not on the platform, and writes down what was said. Never changed."""

    class Said(models.TextChoices):
        YES = "yes", "Yes, we’ll help"
        NO = "no", "No, we can’t"
        CALL_BACK = "call-back", "They will ring back, or asked us to ring again"
        NOBODY = "nobody", "Nobody answered"
        STARTED = "started", "Support has started"
        FINISHED = "finished", "Support is finished"
        FAILED = "failed", "They could not finish"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, related_name="phone_calls")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Whose call it was.")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    rung = models.CharField(max_length=80, help_text="Who was spoken to, or which number was rung.")
    rung_at = models.DateTimeField()
    said = models.CharField(max_length=10, choices=Said.choices)
    reason = models.CharField(max_length=40, blank=True)
    words = models.CharField(max_length=300, blank=True)
    ring_again_on = models.DateField(null=True, blank=True)
    follow_up = models.ForeignKey(
        "flow.FollowUp", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="By which it is rung again."
    )
    at = models.DateTimeField(help_text="When it was written down.")

    objects = PhoneCallQuerySet.as_manager()

    class Meta:
        ordering = ["rung_at", "at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(rung_at__lte=models.F("at")),
                name="a_call_was_made",
                violation_error_message="Write a call down after it was made: its time lies in the future.",
            ),
            models.CheckConstraint(condition=~Q(rung=""), name="a_call_has_a_callee", violation_error_message="Say who was rung."),
        ]
        triggers = [pgtrigger.Protect(name="calls_stay", operation=pgtrigger.UpdateOf("task_id", "rung", "rung_at", "said", "words", "at"))]

    def __str__(self) -> str:
        # Never its words: this string reaches logs and errors.
        return f"Call {self.pk} ({self.said})"
