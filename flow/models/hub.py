"""Hubs: single points of access, the queue of each, and every step of an entry."""

import uuid
from typing import Self

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from catalogue.models import Area, Organization, User
from core.scoping import VisibleQuerySet
from flow.hubs.steps import HubAction, HubState

from .pathway import Pathway
from .referral import Referral
from .team import Team


class HubQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Where one may refer to is no secret among those who work in care. Closed ones: to their own organisation and administrators."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self.all()
        return self.filter(Q(is_active=True) | Q(organization_id=user.organization_id))

    def worked_by(self, user: User) -> Self:
        """Those whose team `user` is in."""
        return self.filter(team__in=Team.members.through.objects.filter(user_id=user.pk).values("team_id"))


class Hub(models.Model):
    """A single point of access. Its team works its queue."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="hubs")
    team = models.OneToOneField(Team, on_delete=models.PROTECT, related_name="hub")
    name = models.CharField(max_length=100, unique=True, error_messages={"unique": "Another hub has this name."})
    about = models.CharField(max_length=300, blank=True, help_text="What to send here, as a sender reads it.")
    areas = models.ManyToManyField(Area, blank=True, related_name="+", help_text="None: everywhere.")
    pathways = models.ManyToManyField(Pathway, blank=True, related_name="hubs", help_text="None: any, or none.")
    triage_hours = models.PositiveSmallIntegerField(default=24, help_text="Within how many hours an entry is looked at; urgent ones in 2.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = HubQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(triage_hours__range=(1, 336)),
                name="a_hub_looks_within_two_weeks",
                violation_error_message="Give the hours as a number from 1 to 336.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Who works there is of the organisation that answers for it."""
        if self.team_id and self.organization_id and self.team.organization_id != self.organization_id:
            raise ValidationError({"team": "Choose a team of the same organisation."})


class HubEntryQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the referral: the sender's own, and the hub's while its grant is in force."""
        return self.filter(referral__in=Referral.objects.visible_to(user).order_by().values("pk"))

    def in_queue_of(self, user: User) -> Self:
        """Those of the hubs where `user` works."""
        return self.filter(hub__in=Hub.objects.worked_by(user).order_by().values("pk"))


class HubEntry(models.Model):
    """A referral in a hub: one for each referral, at one hub at a time. Changed by `flow.hubs.operations` alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.OneToOneField(Referral, on_delete=models.CASCADE, related_name="hub_entry")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="entries")
    state = models.CharField(max_length=10, choices=HubState.choices, default=HubState.QUEUED)
    assigned_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(help_text="By when the side whose move it is should have moved.")
    queued_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    late_told_of = models.DateTimeField(null=True, blank=True, help_text="The deadline of which it was told that it has passed.")

    objects = HubEntryQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["hub", "state", "due_at"], name="hub_queue")]

    def __str__(self) -> str:
        return f"Entry {self.pk} ({self.state})"


class HubStep(models.Model):
    """One step of one entry. Never updated; both sides read it."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(HubEntry, on_delete=models.CASCADE, related_name="steps")
    action = models.CharField(max_length=20, choices=HubAction.choices)
    from_state = models.CharField(max_length=10, choices=HubState.choices, blank=True)
    to_state = models.CharField(max_length=10, choices=HubState.choices)
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+", help_text="Where it is after the step.")
    assigned_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    words = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="hub_steps_stay", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
