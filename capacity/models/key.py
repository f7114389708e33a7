"""Keys by which a provider's own system tells what is free, and by which a screen on a wall shows it."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class SystemKeyQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those of one's own organisation, for a provider."""
        if not getattr(user, "is_authenticated", False) or not user.is_provider:
            return self.none()
        return self.filter(organization_id=user.organization_id)


class SystemKey(models.Model):
    """The right of one system to tell the figures of one organisation's places, and nothing else.

    Only the hash of the key is kept, by knox. It belongs to `account`, with which nobody can sign in: it is not active, has no password,
    and stands for the system where a change says by whom it was made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="system_keys")
    account = models.OneToOneField(User, on_delete=models.PROTECT, related_name="system_key")
    name = models.CharField(max_length=80, help_text="Which system: “Care records at Fir Grove”.")
    begins_with = models.CharField(max_length=8, help_text="So that people can tell one from another.")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SystemKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name}, {self.organization}"

    def works(self, at: datetime) -> bool:
        """Whether it can still be used."""
        return self.revoked_at is None and at < self.expires_at


#: A link that no screen has used for so long has ended.
UNUSED = timedelta(days=90)


class BoardKeyQuerySet(VisibleQuerySet):
    def in_use(self, at: datetime) -> Self:
        """Those that still open the board."""
        since = at - UNUSED
        return self.filter(Q(last_used_at__gt=since) | Q(last_used_at=None, created_at__gt=since), revoked_at=None)

    def visible_to(self, user) -> Self:
        """Those of one's own organisation, for managers and providers."""
        if not getattr(user, "is_authenticated", False) or not (user.is_manager or user.is_provider):
            return self.none()
        return self.filter(organization_id=user.organization_id)


class BoardKey(models.Model):
    """The right of one screen to show the board, and nothing else: what the public may see of places, until it is taken back.

    Only the hash of its token is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="board_keys")
    name = models.CharField(max_length=80, help_text="Which screen: “Discharge lounge”.")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = BoardKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name}, {self.organization}"

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself, unless a screen uses it before: what hangs on no wall any more opens nothing."""
        return (self.last_used_at or self.created_at) + UNUSED
