"""A worklist as somebody likes to see it: filters and order under a name."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class SavedViewQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own, and those that colleagues share with the organisation."""
        if getattr(user, "is_authenticated", False) and user.is_referrer and user.organization_id:
            return self.filter(Q(owner_id=user.pk) | Q(is_shared=True), organization_id=user.organization_id)
        return self.none()


class SavedView(models.Model):
    """Named filters of the worklist. Never whom somebody searched for: a name stands in no address and in no view."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    filters = models.CharField(max_length=600, blank=True, help_text="As they stand in the address of the list.")
    is_shared = models.BooleanField(default=False, help_text="Colleagues of the organisation see it too.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "organization", "name"],
                name="one_view_of_a_name",
                violation_error_message="You already have a view with this name. Choose another name, or delete that one first.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class FirstView(models.Model):
    """The saved view with which the worklist opens for one user."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="first_view")
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.view_id}"
