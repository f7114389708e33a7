"""What somebody writes down about a person. Corrected by a new version, and withdrawn in sight of all: nothing is overwritten."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient
from .referral import Referral, ReferralTask


class NoteQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own organisation's, and those shared on a referral that one sent or took on; of people whom one may know at all."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        shared = Q(audience=Note.Audience.REFERRAL) & (
            Q(referral__in=Referral.objects.visible_to(user))
            | Q(referral__in=ReferralTask.objects.taken_on_by(user.organization_id).values("referral") if user.is_provider else [])
        )
        return self.filter(Q(organization_id=user.organization_id) | shared, patient__in=Patient.objects.visible_to(user))


class Note(models.Model):
    """One entry about a person. What it says stands in its versions."""

    class Audience(models.TextChoices):
        OWN = "own", "Our organisation only"
        REFERRAL = "referral", "Also the other side of the referral, once the service has said yes"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="notes")
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, blank=True, related_name="notes")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Of whoever wrote it.")
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
                condition=Q(audience="own") | Q(referral__isnull=False),
                name="a_shared_note_is_on_a_referral",
                violation_error_message="Choose the referral on which the note is shared.",
            )
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
