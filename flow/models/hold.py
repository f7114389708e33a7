"""A place kept for one person while they or their family decide, before anything is sent."""

import uuid
from typing import Self

from django.db import models

from capacity.models import Reservation
from catalogue.models import User
from core.scoping import VisibleQuerySet

from .episode import Episode
from .team import own


class EpisodeHoldQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The organisation's own, but what a team keeps to itself. A provider sees the `Reservation`, never for whom it is."""
        if getattr(user, "is_authenticated", False) and user.is_referrer and user.organization_id:
            return self.filter(own(user, of="episode__"))
        return self.none()


class EpisodeHold(models.Model):
    """For whom a place is held. The reservation says until when, and how it ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reservation = models.OneToOneField(Reservation, on_delete=models.CASCADE, related_name="episode_hold")
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="holds")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = EpisodeHoldQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Hold {self.pk}"
