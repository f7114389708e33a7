"""A stay or a spell of care during which somebody waits."""

import uuid
from typing import Self

import pghistory
from django.db import models
from django.db.models import Q
from django.utils import timezone

from capacity.models import Infection
from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet
from matching.models import NeedProfile

from .patient import Patient, counted_versions
from .sharing import grants_of, is_among, is_caring, of_granted_people
from .team import Team, own


class EpisodeQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The organisation's own, but what a team keeps to itself; and those of a granted person or a granted referral."""
        if not is_caring(user):
            return self.none()
        one = grants_of(user).filter(referral__episode__isnull=False).values("referral__episode")
        seen = Q(is_among("id", one)) | Q(is_among("id", of_granted_people(Episode.objects.all(), user)))
        return self.filter(seen | own(user) if user.is_referrer else seen)

    def of_ones_own(self, user) -> Self:
        """Those of one's own organisation alone: what lists of who waits and plans are made of."""
        return self.visible_to(user).filter(organization_id=user.organization_id) if user.is_referrer else self.none()

    def waiting(self) -> Self:
        """Ready to move on and not yet gone."""
        return self.filter(ready_at__isnull=False, ended_at__isnull=True)


@pghistory.track(exclude=["profile"])
class Episode(models.Model):
    """A hospital stay, or a wait in the community, of one person. Each change counts `version` and leaves a row of history."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", "Hospital stay"
        COMMUNITY = "community", "In the community"

    class Pathway(models.TextChoices):
        """Discharge-to-assess pathways; C for people who wait at home."""

        P0 = "P0", "P0: home, no new support"
        P1 = "P1", "P1: home with support"
        P2 = "P2", "P2: community bed"
        P3 = "P3", "P3: care home"
        COMMUNITY = "C", "Community"

    class DelayReason(models.TextChoices):
        NONE = "", "No delay recorded"
        AWAITING_BED = "awaiting-bed", "Waiting for a bed"
        AWAITING_PACKAGE = "awaiting-package", "Waiting for home care"
        ASSESSMENT = "assessment", "Waiting for an assessment"
        FUNDING = "funding", "Waiting for funding"
        FAMILY_CHOICE = "family-choice", "Family is choosing"
        EQUIPMENT = "equipment", "Waiting for equipment"
        HOUSING = "housing", "Housing"

    class Reside(models.TextChoices):
        """The criteria to reside of hospital discharge: whether somebody still has to be in an acute bed."""

        NOT_SAID = "", "Not recorded"
        MEETS = "meets", "Meets the criteria to reside"
        NONE = "none", "No criteria to reside"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="episodes")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="episodes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    ward = models.CharField(max_length=60, blank=True)
    discharge_pathway = models.CharField(max_length=2, choices=Pathway.choices)
    started_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(null=True, blank=True, help_text="No criteria to reside since; or waiting since.")
    criteria_to_reside = models.CharField(max_length=10, choices=Reside.choices, blank=True, default="", db_default="")
    reside_reviewed_on = models.DateField(null=True, blank=True, help_text="When the criteria to reside were last looked at.")
    expected_on = models.DateField(null=True, blank=True, help_text="When they are expected to leave.")
    delay_reason = models.CharField(max_length=20, choices=DelayReason.choices, blank=True, default="")
    infection = models.CharField(
        max_length=20, choices=Infection.choices, blank=True, default="", db_default="",
        help_text="For which the person is kept apart: decides who may share a room. Seen by the person's own team alone.",
    )  # fmt: skip
    ended_at = models.DateTimeField(null=True, blank=True)
    profile = models.ForeignKey(
        NeedProfile,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="What was last looked for, so that nobody types it twice.",
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="episodes")
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        ordering = ["ready_at"]
        triggers = [counted_versions("profile")]
        indexes = [
            models.Index(
                fields=["organization", "ready_at"],
                condition=models.Q(ended_at__isnull=True, ready_at__isnull=False),
                name="episode_waiting",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="episode_ends_after_it_starts",
                violation_error_message="A stay cannot end before it began.",
            ),
            models.CheckConstraint(
                condition=models.Q(criteria_to_reside__in=["", "none"]) | models.Q(ready_at__isnull=True),
                name="ready_has_no_criteria_to_reside",
                violation_error_message="Somebody who meets the criteria to reside is not ready to leave. Change one of the two.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
