"""What somebody is to do for a person by a day: a call, a visit, a letter. Never the request to a provider, which is a `ReferralTask`."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .known import on_known_referral
from .patient import Patient
from .referral import Referral
from .sharing import is_caring
from .team import Team


class FollowUpQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own organisation's, about people whom one may know."""
        if not is_caring(user):
            return self.none()
        known = Q(referral__isnull=True) | on_known_referral(user)
        people = Patient.objects.visible_to(user).order_by().values("pk")
        return self.filter(known, organization_id=user.organization_id, patient__in=people)

    def open(self) -> Self:
        return self.filter(state=FollowUp.State.OPEN)


class FollowUp(models.Model):
    """One thing to do, by whom and by when."""

    class Kind(models.TextChoices):
        """What made it."""

        PERSON = "person", "Somebody asked for it"
        ACCEPTED = "accepted", "A service said yes"
        MISSED = "missed", "Sessions were missed"
        OUTCOME = "outcome", "A score is due on the pathway"
        MESSAGE = "message", "What a person answered, or a message that did not reach them"

    class State(models.TextChoices):
        OPEN = "open", "To do"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Not needed any more"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="follow_ups")
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, blank=True, related_name="follow_ups")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    assigned_to = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="follow_ups", help_text="Empty: whoever of the team is free."
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Whose it is to do.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    words = models.CharField(max_length=300)
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When it was told that the day has come; empty again when postponed.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Empty: Lune.")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=500, blank=True, help_text="What came of it.")
    tool = models.CharField(
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="The questionnaire whose score is due; its questions stand elsewhere.",
    )
    score = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    scored_on = models.DateField(null=True, blank=True, help_text="The day on which the person answered.")
    version = models.PositiveIntegerField(default=1)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "created_at"]
        indexes = [
            models.Index(fields=["organization", "due_on"], condition=Q(state="open"), name="follow_ups_to_do"),
            models.Index(fields=["patient"], name="follow_ups_of_a_person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="a_follow_up_ends_once",
                violation_error_message="A follow-up has an end exactly when it is no longer to do.",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="a_follow_up_says_what", violation_error_message="Say what is to be done."),
            models.CheckConstraint(
                condition=Q(score__isnull=True, scored_on__isnull=True) | (Q(score__isnull=False, scored_on__isnull=False) & ~Q(tool="")),
                name="a_score_has_a_tool_and_a_day",
                violation_error_message="Give the score with the day on which the person answered.",
            ),
            models.UniqueConstraint(
                fields=["referral"],
                condition=Q(kind="accepted"),
                name="one_call_after_a_yes",
                violation_error_message="There is a follow-up for this yes already.",
            ),
        ]

    def __str__(self) -> str:
        # Never its words: this string reaches logs and errors.
        return f"Follow-up {self.pk} ({self.state})"


class FollowUpStepQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the follow-up."""
        return self.filter(follow_up__in=FollowUp.objects.visible_to(user))


class FollowUpStep(models.Model):
    """What was done with a follow-up. Never changed."""

    class Action(models.TextChoices):
        MADE = "made", "Follow-up made"
        ASSIGNED = "assigned", "Given to somebody else"
        POSTPONED = "postponed", "Postponed"
        DONE = "done", "Follow-up done"
        CANCELLED = "cancelled", "Follow-up not needed any more"

    id = models.BigAutoField(primary_key=True)
    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="steps")
    action = models.CharField(max_length=10, choices=Action.choices)
    words = models.CharField(max_length=500, blank=True)
    due_on = models.DateField()
    assigned_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Empty: Lune.")
    at = models.DateTimeField()

    objects = FollowUpStepQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="steps_stay", operation=pgtrigger.UpdateOf("follow_up_id", "action", "words", "due_on", "at"))]

    def __str__(self) -> str:
        return f"{self.action} {self.follow_up_id}"
