"""What if: a question about the region's places, and what came of simulating it. Numbers only; no person is in any of it."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class WhatIfQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """A manager's own organisation's."""
        if getattr(user, "is_authenticated", False) and user.organization_id and user.is_manager:
            return self.filter(organization_id=user.organization_id)
        return self.none()


class WhatIf(models.Model):
    """A question, and the state that it was asked of. `asked` is what somebody chose, `changes` the same in the world's numbers."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to begin"
        RUNNING = "running", "Being simulated"
        DONE = "done", "Simulated"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Could not be simulated"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(help_text="When it was asked.")
    name = models.CharField(max_length=100)
    format = models.PositiveSmallIntegerField(help_text="The shape of what was asked.")
    asked = models.JSONField(help_text="The changes as they were chosen, checked.")
    days = models.PositiveSmallIntegerField()
    seeds = models.PositiveSmallIntegerField(help_text="How many futures are simulated.")
    policies = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="Simulated times that are kept.")
    total = models.PositiveIntegerField()
    as_of = models.DateTimeField(null=True, help_text="The instant whose state was copied.")
    world = models.BinaryField(null=True, help_text="That state, as packed arrays without any person.")
    changes = models.JSONField(default=dict)
    about = models.JSONField(default=dict, help_text="What the laws were fitted to, how well they fit, and what is assumed.")
    simulation_version = models.CharField(max_length=20, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = WhatIfQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "what-if questions"
        indexes = [models.Index(fields=["organization", "-at"], name="what_if_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(days__gte=1, days__lte=120, seeds__gte=1, seeds__lte=40),
                name="what_if_size",
                violation_error_message="Simulate from 1 to 120 days, and from 1 to 40 futures.",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status__in=["waiting", "running"]),
                name="one_what_if_at_a_time",
                violation_error_message="A question is being simulated already. Wait for that, or stop it.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def can_go_on(self) -> bool:
        return self.status in (self.Status.STOPPED, self.Status.FAILED)


class WhatIfResultQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the question."""
        return self.filter(what_if__in=WhatIf.objects.visible_to(user))


class WhatIfResult(models.Model):
    """One simulated time: a seed, a way of choosing, with or without the changes. Kept as it comes, so that work that stopped can go on."""

    class Arm(models.TextChoices):
        TODAY = "today", "As it is"
        CHANGED = "changed", "As it would be"

    id = models.BigAutoField(primary_key=True)
    what_if = models.ForeignKey(WhatIf, on_delete=models.CASCADE, related_name="results")
    arm = models.CharField(max_length=10, choices=Arm.choices)
    policy = models.CharField(max_length=10)
    seed = models.PositiveSmallIntegerField()
    figures = models.JSONField()

    objects = WhatIfResultQuerySet.as_manager()

    class Meta:
        ordering = ["what_if", "seed", "policy", "arm"]
        triggers = [pgtrigger.Protect(name="results_stay", operation=pgtrigger.Update)]
        constraints = [models.UniqueConstraint(fields=["what_if", "arm", "policy", "seed"], name="simulated_once")]

    def __str__(self) -> str:
        return f"{self.arm} {self.policy} {self.seed}"
