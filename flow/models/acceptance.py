"""What was learned of the chance of a yes, how good that was, and who switched it on or off."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import User
from core.scoping import VisibleQuerySet


class AcceptanceModelQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Figures without any person or service: for those who answer for the region and those who run the site."""
        if getattr(user, "is_authenticated", False) and (user.is_manager or user.is_administrator):
            return self.all()
        return self.none()


class AcceptanceModel(models.Model):
    """What one night learned from all answers. Only switched on and off after that, never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(unique=True)
    learned_at = models.DateTimeField()
    first_at = models.DateTimeField(null=True, help_text="The first of the requests whose answers it rests on was sent then.")
    last_at = models.DateTimeField(null=True, help_text="And the last, held out ones counted.")
    answers = models.PositiveIntegerField(help_text="All of them, held out ones counted.")
    learned_from = models.PositiveIntegerField(default=0)
    learned = models.JSONField(default=dict, help_text="Weights by feature and the table of chances; empty: too few answers.")
    figures = models.JSONField(default=dict, help_text="How good it was on the answers held out.")
    audit = models.JSONField(default=list, help_text="The same by group of people. Small groups are not in it.")
    outcomes = models.JSONField(
        default=dict, db_default={}, help_text="How many requests were answered how: accepted, never, or refused for a reason."
    )
    library = models.CharField(max_length=60, blank=True)
    beats_constant = models.BooleanField(default=False, help_text="On the answers held out, by both errors, and not by luck.")
    is_on = models.BooleanField(default=False)

    objects = AcceptanceModelQuerySet.as_manager()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_on"],
                condition=Q(is_on=True),
                name="one_acceptance_model_on",
                violation_error_message="Another version is switched on. Switch that off first.",
            ),
            models.CheckConstraint(
                condition=Q(is_on=False) | Q(beats_constant=True),
                name="on_only_if_better",
                violation_error_message="This version was no better than telling everybody the same, so it cannot be switched on.",
            ),
            models.CheckConstraint(
                condition=Q(beats_constant=False) | ~Q(learned={}),
                name="better_needs_a_model",
                violation_error_message="Nothing was learned, so it cannot be better.",
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.version}"


class AcceptanceSwitch(models.Model):
    """That a version was switched on or off, by whom and why. Never changed."""

    id = models.BigAutoField(primary_key=True)
    model = models.ForeignKey(AcceptanceModel, on_delete=models.PROTECT, related_name="switches")
    on = models.BooleanField()
    points = models.PositiveSmallIntegerField(default=0, help_text="That the chance may give in a ranking.")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", help_text="Null: the nightly check.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="a_switch_says_why", violation_error_message="Say why: others will ask."),
        ]

    def __str__(self) -> str:
        return f"{self.model} {'on' if self.on else 'off'}"
