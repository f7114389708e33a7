"""One plan for all who wait: what was asked, the proof, a line for each person, and what somebody decided of a line."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from capacity.models import ServiceCapacity
from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet
from matching.models import NeedProfile

from .episode import Episode
from .hold import EpisodeHold
from .team import own


class PlanQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The organisation's own: its figures, and how far the work is. Persons are in the lines, which decide for themselves."""
        if getattr(user, "is_authenticated", False) and user.organization_id and (user.is_referrer or user.is_manager):
            return self.filter(organization_id=user.organization_id)
        return self.none()

    def current(self) -> Self:
        """Drawn up, and not replaced by another that is."""
        newer = Plan.objects.filter(replaces=OuterRef("pk"), status=Plan.Status.DONE)
        return self.filter(~Exists(newer), status=Plan.Status.DONE)


class Plan(models.Model):
    """A suggestion for everybody who waits, as of one instant. What it was made from does not change; nothing is sent by it."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to begin"
        RUNNING = "running", "Being drawn up"
        DONE = "done", "Drawn up"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Could not be drawn up"
        PROPOSED = "proposed", "Suggested instead of the one in force"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(help_text="The instant for which it holds.")
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="People whose places have been looked for.")
    total = models.PositiveIntegerField(default=0)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When it was last looked whether a better one can be made.")
    weights = models.JSONField(default=dict)
    weights_version = models.PositiveIntegerField(default=0)
    engine_version = models.CharField(max_length=20, blank=True)
    allocation_version = models.CharField(max_length=20, blank=True)
    policy = models.JSONField(default=dict, help_text="What a point of each thing costs.")
    draw = models.CharField(max_length=64, blank=True, help_text="Lots are drawn with it: who is first among equals.")
    problem = models.BinaryField(null=True, help_text="People, pools, places and the score of each option, as packed arrays.")
    objective = models.BigIntegerField(null=True)
    bound = models.BigIntegerField(null=True, help_text="No plan can cost less.")
    figures = models.JSONField(default=dict, help_text="Counts, other ways of choosing, and where one more place would do most. No person.")

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["organization", "-at"], name="plan_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status__in=["waiting", "running"]),
                name="one_plan_at_a_time",
                violation_error_message="A plan is being drawn up already. Wait for that, or stop it.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["done", "proposed"]) | Q(objective__gte=F("bound")),
                name="plan_is_proved",
                violation_error_message="A plan is kept only with its proof.",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status="proposed"),
                name="one_proposal_at_a_time",
                violation_error_message="A better plan is suggested already. Load the page again.",
            ),
        ]

    def __str__(self) -> str:
        return f"Plan of {self.at:%d %b %Y %H:%M}"

    @property
    def is_running(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def gap(self) -> float:
        """By how many per cent of the bound it may be from the best; 0: it is the best."""
        if self.objective is None or self.bound is None or self.objective == self.bound:
            return 0.0
        return 100 * (self.objective - self.bound) / max(1, abs(self.bound))


class PlanLineQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """People of one's own organisation, for those who refer. A manager has the figures of the plan, never a person."""
        if getattr(user, "is_authenticated", False) and user.organization_id and user.is_referrer:
            return self.filter(own(user, of="episode__"), plan__organization_id=user.organization_id)
        return self.none()


class PlanLine(models.Model):
    """One person in a plan. Never updated: what is decided of it is another row."""

    class State(models.TextChoices):
        SUGGESTED = "suggested", "Suggested"
        CHOSEN = "chosen", "Chosen by the team"
        OFFERED = "offered", "Asked already"
        LEFT_OUT = "left-out", "No place"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField(help_text="Of the person in the problem; those who are asked already come after.")
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="plan_lines")
    profile = models.ForeignKey(NeedProfile, on_delete=models.CASCADE, related_name="+")
    part = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="Of somebody who needs several services: which kind of service."
    )
    state = models.CharField(max_length=10, choices=State.choices)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, null=True, related_name="+")
    score = models.IntegerField(null=True, help_text="Points of the ranking.")
    distance_m = models.PositiveIntegerField(null=True)
    nth = models.PositiveIntegerField(default=0, help_text="Which of the person's options it is; 1: the best.")
    options = models.PositiveIntegerField(default=0)
    gain = models.BigIntegerField(default=0, help_text="Points by which it is better than going on waiting.")
    why = models.JSONField(default=list, help_text="Sentences that name nobody.")
    left_why = models.CharField(max_length=20, blank=True)
    helps_pool = models.ForeignKey(
        ServiceCapacity,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Where one more place would help this person best.",
    )
    first_come = models.ForeignKey(
        ServiceCapacity, on_delete=models.CASCADE, null=True, related_name="+", help_text="What first come, first served would have given."
    )
    was_pool = models.ForeignKey(
        ServiceCapacity, on_delete=models.CASCADE, null=True, related_name="+", help_text="The place in the plan before, if it is another."
    )
    change = models.JSONField(default=dict, help_text="Against the plan before: what it gains, and the stays for which it makes room.")

    together = models.JSONField(default=list, db_default=[], help_text="The stays of those whom this person is to stay together with.")

    objects = PlanLineQuerySet.as_manager()

    class Meta:
        ordering = ["plan", "number"]
        triggers = [pgtrigger.Protect(name="lines_stay", operation=pgtrigger.Update)]
        constraints = [
            models.UniqueConstraint(fields=["plan", "episode", "part"], name="once_in_a_plan"),
            models.CheckConstraint(
                condition=Q(state="left-out", pool__isnull=True) | (~Q(state="left-out") & Q(pool__isnull=False)),
                name="a_line_has_a_place",
                violation_error_message="A line has a place, unless the person is left out.",
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.pk}"


class PlanDecisionQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the line."""
        return self.filter(line__in=PlanLine.objects.visible_to(user))


class PlanDecision(models.Model):
    """What somebody decided of a line. A place that was refused for somebody is not suggested for the same stay again."""

    class Kind(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        OVERRIDDEN = "overridden", "Another place was chosen"
        GONE = "gone", "The place had gone"

    class Reason(models.TextChoices):
        PERSON = "person", "The person or their family chose otherwise"
        CLINICAL = "clinical", "It would not meet their needs safely"
        FAR = "far", "Too far for the family"
        BEFORE = "before", "It was tried before"
        OTHER = "other", "Another reason"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.OneToOneField(PlanLine, on_delete=models.CASCADE, related_name="decision")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, related_name="+", help_text="The place that was decided about.")
    reason = models.CharField(max_length=20, blank=True, choices=Reason.choices)
    reason_text = models.CharField(max_length=300, blank=True)
    price = models.BigIntegerField(null=True, help_text="Points by which the plan became dearer through a choice.")
    hold = models.ForeignKey(EpisodeHold, on_delete=models.CASCADE, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    objects = PlanDecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="rejected") | ~Q(reason=""),
                name="a_rejection_says_why",
                violation_error_message="Say why the place is not right, so that it is not suggested again.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
