"""One thing that one person is told, and how far the journal has been read for that."""

import uuid
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class JournalPlace(models.Model):
    """Up to which row the event journal was turned into notices. It moves in the transaction that writes them."""

    name = models.CharField(max_length=40, primary_key=True)
    xid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} at {self.xid}.{self.event_id}"


class NoticeQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own, of the organisation that one works for now."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        return self.filter(user_id=user.pk, organization_id=user.organization_id)

    def unread(self) -> Self:
        """Those that stand on the person's list and were not read."""
        return self.filter(read_at=None, listed=True)


class Notice(models.Model):
    """One event, told to one person. It holds ids and codes; words are made from them for whoever reads."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+", help_text="The person's, then.")
    kind = models.CharField(max_length=30, help_text="A code of notices.kinds.")
    urgent = models.BooleanField(default=False)
    event_id = models.BigIntegerField(null=True, help_text="The row of the journal; null for what Lune itself has to say.")
    data = models.JSONField(default=dict, help_text="Ids and codes, never a fact about a person.")
    listed = models.BooleanField(default=True, db_default=True, help_text="Stands on the person's list; if not, only messages tell of it.")
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event_id", "kind"], name="told_once", violation_error_message="This was told to this person already."
            ),
            models.CheckConstraint(
                condition=Q(read_at=None) | Q(read_at__gte=F("at")),
                name="read_after_it_was_told",
                violation_error_message="A notice is read after it was told.",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "organization"], name="notice_unread", condition=Q(read_at=None, listed=True)),
            models.Index(fields=["user", "-at"], name="notice_newest"),
            models.Index(fields=["at"], name="notice_age"),
            models.Index(KT("data__task"), name="notice_of_a_request", condition=Q(kind="referral-new")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
