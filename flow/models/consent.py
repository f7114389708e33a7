"""What a person agreed to, refused or took back: a history to which lines are only added."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient


class ConsentQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of people whose record one keeps."""
        return self.filter(patient__in=Patient.objects.kept_by(user).order_by().values("pk"))

    def current(self) -> Self:
        """For each person, purpose and kind of organisation what holds: the last decision, and of one day what was recorded last."""
        return self.order_by("patient_id", "purpose", "kind", "-decided_on", "-recorded_at", "-id").distinct(
            "patient_id", "purpose", "kind"
        )


class Consent(models.Model):
    """One decision about one purpose. `flow.consents` records it and says what holds now."""

    class Purpose(models.TextChoices):
        CARE = "direct-care", "Referrals for their care"
        SHARING = "sharing", "Sharing with a kind of organisation"
        TEXT = "text", "Text messages to them"
        EMAIL = "email", "E-mails to them"
        FIGURES = "figures", "Use for research and figures that could name them"

    class Decision(models.TextChoices):
        GIVEN = "given", "Agreed"
        REFUSED = "refused", "Said no"
        WITHDRAWN = "withdrawn", "Took it back"

    class Source(models.TextChoices):
        """How it is known."""

        SAID = "said", "They said so"
        WRITTEN = "written", "In writing"
        BEST_INTERESTS = "best-interests", "Decided in their best interests"
        LEGAL_BASIS = "legal-basis", "Another legal basis"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=15, choices=Purpose.choices)
    kind = models.CharField(
        max_length=20, choices=Organization.Kind.choices, blank=True, default="", help_text="With whom it is shared, for that purpose."
    )
    decision = models.CharField(max_length=10, choices=Decision.choices)
    source = models.CharField(max_length=15, choices=Source.choices)
    decided_by = models.CharField(max_length=200, blank=True, help_text="Who decided in the person's best interests, and as what.")
    basis = models.CharField(max_length=300, blank=True, help_text="The legal basis, or a note.")
    decided_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_on", "-recorded_at"]
        # A merge of two records of one person hands the lines on; nothing else of them ever changes.
        triggers = [pgtrigger.ReadOnly(name="append_only", exclude=["patient"])]
        indexes = [models.Index(fields=["patient", "purpose", "kind"], name="consent_of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="sharing") & ~Q(kind="") | ~Q(purpose="sharing") & Q(kind=""),
                name="sharing_names_a_kind",
                violation_error_message="Choose with which kind of organisation it is shared.",
            ),
            models.CheckConstraint(
                condition=~Q(source="best-interests") | ~Q(decided_by=""),
                name="best_interests_says_who",
                violation_error_message="Say who decided in their best interests, and as what: daughter and attorney, or ward manager.",
            ),
            models.CheckConstraint(
                condition=~Q(source="legal-basis") | ~Q(basis=""),
                name="a_legal_basis_is_named",
                violation_error_message="Name the legal basis.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.decision}"
