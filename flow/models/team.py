"""Teams of an organisation, and what a team keeps to itself."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class TeamQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The teams of one's own organisation; an administrator sets up those of all."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self.all()
        return self.filter(organization_id=user.organization_id) if user.organization_id else self.none()

    def hidden_from(self, user) -> Self:
        """Teams of one's own organisation whose records one may not see."""
        private = self.filter(organization_id=user.organization_id, keeps_to_itself=True)
        return private.exclude(pk__in=Team.members.through.objects.filter(user_id=user.pk).values("team_id"))


class Team(models.Model):
    """People of one organisation who work together. Records may belong to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="teams")
    name = models.CharField(max_length=100)
    manager = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    contact_email = models.EmailField(blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    keeps_to_itself = models.BooleanField(default=False, help_text="Only its members see its records: for safeguarding and the like.")
    members = models.ManyToManyField(User, related_name="teams", blank=True)
    created_at = models.DateTimeField()

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="a_team_has_a_name_of_its_own",
                violation_error_message="Your organisation already has a team of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name


def own(user: User, *, of: str = "", patient: str = "patient") -> Q:
    """The condition that a record is one's own organisation's, and not one that a team keeps to itself: the record's own team, or that
    of the person. `of` is the way to the record, `patient` from there to the person; empty for people themselves.

    Written as `NOT IN` over a handful of ids, so that rows may be locked and row-level security can say the same.
    """
    from .patient import Patient

    hidden = Team.objects.hidden_from(user).order_by().values("pk")
    mine = Q(**{f"{of}organization_id": user.organization_id}) & ~Q(**{f"{of}team__in": hidden})
    if patient:
        mine &= ~Q(**{f"{of}{patient}__in": Patient.objects.filter(team__in=hidden).order_by().values("pk")})
    return mine
