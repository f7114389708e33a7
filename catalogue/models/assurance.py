"""Keeping records true: links that ask whether one still is, mistakes that people report, marks of quality."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet


class AssuranceRoundQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators and administrators see what was sent to the owners of records."""
        if getattr(user, "is_authenticated", False) and (user.is_curator or user.is_administrator):
            return self.all()
        return self.none()


class AssuranceRound(models.Model):
    """Owners were asked, by the clock or by a curator, whether their records still hold: how far the letters have gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    services = models.PositiveIntegerField(default=0, help_text="Records that letters ask about.")
    unreachable = models.PositiveIntegerField(default=0, help_text="Records without an address to write to.")
    letters = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0, help_text="Letters that went out.")
    failed = models.PositiveIntegerField(default=0, help_text="Letters that could not be delivered.")

    objects = AssuranceRoundQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.asked_at}: {self.letters}"

    @property
    def waiting(self) -> int:
        """Letters that are still to go out."""
        return max(0, self.letters - self.sent - self.failed)


class AssuranceLink(models.Model):
    """A link by which the owner of one service says, without an account, that its record is right, wrong or closed.

    It is a capability: for one service, once, by POST, until it expires or is revoked. Only its hash is kept.
    """

    class Answer(models.TextChoices):
        NONE = "", "Not answered"
        CORRECT = "correct", "Still correct"
        CHANGE = "change", "Something has changed"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="assurance_links")
    token_hash = models.CharField(max_length=64, unique=True)
    sent_to = models.EmailField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=Answer.choices, default=Answer.NONE, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True, help_text="When it was known that nobody gets mail at that address.")
    round = models.ForeignKey(AssuranceRound, on_delete=models.SET_NULL, null=True, blank=True, related_name="links")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.service}, {self.sent_to}"

    def is_open(self, at: datetime) -> bool:
        """Whether it can still be answered."""
        return not self.answer and self.revoked_at is None and self.bounced_at is None and at < self.expires_at


class MistakeReportQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators see all; a provider those about its own services."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_curator or user.is_administrator:
            return self.all()
        return self.filter(service__organization=user.organization_id) if user.is_provider else self.none()


class MistakeReport(models.Model):
    """Somebody says that a public record is wrong."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        MENDED = "mended", "Mended"
        DISMISSED = "dismissed", "Nothing to mend"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="mistake_reports")
    what = models.CharField(max_length=40, blank=True, help_text="Which part: phone, times, address …")
    words = models.TextField(max_length=2000, blank=True)
    reply_to = models.EmailField(blank=True)
    reported_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    handled_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = MistakeReportQuerySet.as_manager()

    class Meta:
        ordering = ["-reported_at"]

    def __str__(self) -> str:
        return f"{self.service}: {self.what or self.words[:40]}"


class QualityMarkQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Marks are public, except those of what is confidential."""
        if getattr(user, "is_authenticated", False) and user.is_professional:
            return self.all()
        open_service = models.Q(service__is_confidential=False, service__organization__is_confidential=False)
        return self.filter(open_service | models.Q(organization__is_confidential=False))


class QualityMark(models.Model):
    """A mark, certificate, rating or review that somebody independent gave, with its dates. Shown, preferred, never a bar."""

    class Scheme(models.TextChoices):
        NCVO = "ncvo", "NCVO Trusted Charity"
        QISMET = "qismet", "QISMET certificate"
        CQC = "cqc", "CQC rating"
        APP_REVIEW = "app-review", "Review of an app"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, null=True, blank=True, related_name="quality_marks")
    organization = models.ForeignKey(
        "catalogue.Organization", on_delete=models.CASCADE, null=True, blank=True, related_name="quality_marks"
    )
    scheme = models.CharField(max_length=20, choices=Scheme.choices)
    name = models.CharField(max_length=200, help_text="The mark as its giver calls it, with its level.")
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    out_of = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    awarded_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    url = models.URLField(max_length=500, blank=True)

    objects = QualityMarkQuerySet.as_manager()

    class Meta:
        ordering = ["scheme", "-awarded_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(service__isnull=False, organization__isnull=True)
                | models.Q(service__isnull=True, organization__isnull=False),
                name="mark_of_one",
                violation_error_message="A mark belongs either to a service or to an organisation.",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_on__isnull=True)
                | models.Q(awarded_on__isnull=True)
                | models.Q(expires_on__gte=models.F("awarded_on")),
                name="mark_ends_after_it_begins",
                violation_error_message="A mark cannot expire before it was given.",
            ),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__gte=0, out_of__gt=0, score__lte=models.F("out_of")),
                name="score_within_its_scale",
                violation_error_message="A score lies between 0 and the best there is.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
