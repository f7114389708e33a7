"""What somebody writes down about a person. Corrected by a new version, and withdrawn in sight of all: nothing is overwritten."""

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


class NoteQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own organisation's, or one's team's, and those shared on a referral that one sent or took on."""
        if not is_caring(user):
            return self.none()
        known = on_known_referral(user)
        mine = Q(organization_id=user.organization_id) & (Q(referral__isnull=True) | known)
        mine &= ~Q(audience=Note.Audience.TEAM) | Q(team__in=user.teams.order_by().values("pk"))
        shared = Q(audience=Note.Audience.REFERRAL) & known
        return self.filter(mine | shared, patient__in=Patient.objects.visible_to(user).order_by().values("pk"))


class Note(models.Model):
    """One entry about a person. What it says stands in its versions."""

    class Audience(models.TextChoices):
        TEAM = "team", "One of our teams only"
        OWN = "own", "Our organisation only"
        REFERRAL = "referral", "Also the other side of the referral, once the service has said yes"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="notes")
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, blank=True, related_name="notes")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Of whoever wrote it.")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Whose alone it is.")
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.OWN)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1, help_text="The newest of its versions.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["patient", "-created_at"], name="notes_of_a_person")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(audience="referral") | Q(referral__isnull=False),
                name="a_shared_note_is_on_a_referral",
                violation_error_message="Choose the referral on which the note is shared.",
            ),
            models.CheckConstraint(
                condition=Q(audience="team", team__isnull=False) | (~Q(audience="team") & Q(team__isnull=True)),
                name="a_note_of_a_team_names_it",
                violation_error_message="Choose the team that may read the note.",
            ),
        ]

    def __str__(self) -> str:
        # Never its words: this string reaches logs and errors.
        return f"Note {self.pk}"


class NoteVersionQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the note."""
        return self.filter(note__in=Note.objects.visible_to(user))


class NoteVersion(models.Model):
    """What a note said from then on, or that it was withdrawn. Never changed, never deleted."""

    id = models.BigAutoField(primary_key=True)
    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    words = models.TextField(max_length=4000, help_text="Of a withdrawal: what the note said last.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was corrected or withdrawn.")
    withdraws = models.BooleanField(default=False)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    objects = NoteVersionQuerySet.as_manager()

    class Meta:
        ordering = ["note", "number"]
        triggers = [
            pgtrigger.Protect(
                name="versions_stay",
                operation=pgtrigger.UpdateOf("note_id", "number", "words", "reason", "withdraws", "at") | pgtrigger.Delete,
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["note", "number"],
                name="one_note_version_of_a_number",
                violation_error_message="Somebody corrected this note at the same time. Look at it again, then correct it.",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="a_note_says_something", violation_error_message="Write the note."),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason=""),
                name="a_correction_says_why",
                violation_error_message="Say why the note is corrected or withdrawn.",
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of note {self.note_id}"
