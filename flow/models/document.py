"""A file about a person: letter, scan, assessment. What is in it was checked; who may have it is decided each time that it is asked for."""

import os
import uuid
from typing import Self

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .known import on_known_referral
from .patient import Patient
from .referral import Referral
from .sharing import is_caring


class DocumentStorage(FileSystemStorage):
    """A folder of its own: no web server is pointed at it, and no address leads into it."""

    @property
    def base_location(self) -> str:
        return settings.DOCUMENTS_ROOT

    @property
    def location(self) -> str:
        return os.path.abspath(self.base_location)


def storage() -> DocumentStorage:
    """Readable by the site alone."""
    return DocumentStorage(file_permissions_mode=0o600, directory_permissions_mode=0o700)


class DocumentQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own organisation's, and what is shared on a referral that one sent or took on, once it may be opened at all."""
        if not is_caring(user):
            return self.none()
        known = on_known_referral(user)
        mine = Q(organization_id=user.organization_id) & (Q(referral__isnull=True) | known)
        shared = known & Q(shared_at__isnull=False, withdrawn_at__isnull=True, state__in=Document.State.readable())
        return self.filter(mine | shared, patient__in=Patient.objects.visible_to(user).order_by().values("pk"))

    def readable(self) -> Self:
        """What may be opened at this moment."""
        return self.filter(state__in=Document.State.readable(), withdrawn_at__isnull=True)


class Document(models.Model):
    """One file. Its name on the disk is random; what somebody called it on their computer is not kept."""

    class State(models.TextChoices):
        HELD = "held", "Waiting to be scanned"
        CLEAN = "clean", "Scanned"
        UNSCANNED = "unscanned", "Not scanned for viruses: this site has no scanner"
        QUARANTINED = "quarantined", "Locked away: the scanner found something harmful"

        @classmethod
        def readable(cls) -> list[str]:
            """States in which it may be opened. Where a scanner has been set up since, it is waited for."""
            return [cls.CLEAN] if settings.SCANNER else [cls.CLEAN, cls.UNSCANNED]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="documents")
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, blank=True, related_name="documents")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Of whoever added it.")
    title = models.CharField(max_length=120)
    file = models.FileField(storage=storage, max_length=100, blank=True, help_text="Empty: erased, after it was withdrawn or locked away.")
    content_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices)
    finding = models.CharField(max_length=120, blank=True, help_text="What the scanner called what it found.")
    scanned_at = models.DateTimeField(null=True, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True, help_text="Since when the other side of the referral may open it.")
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    withdrawn_reason = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-added_at"]
        indexes = [
            models.Index(fields=["patient", "-added_at"], name="documents_of_a_person"),
            models.Index(fields=["added_at"], condition=Q(state__in=["held", "unscanned"]), name="documents_to_scan"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(shared_at__isnull=True) | Q(referral__isnull=False),
                name="a_shared_document_is_on_a_referral",
                violation_error_message="Choose the referral on which the document is shared.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""),
                name="a_document_is_withdrawn_for_a_reason",
                violation_error_message="Say why the document is withdrawn.",
            ),
        ]

    def __str__(self) -> str:
        # Never its title: this string reaches logs and errors.
        return f"Document {self.pk}"

    @property
    def is_readable(self) -> bool:
        """Whether it may be opened now, by those who may see it."""
        return self.state in self.State.readable() and self.withdrawn_at is None and bool(self.file)
