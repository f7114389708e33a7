"""What those who run a service change in its entry: drafts and proposals, pictures and papers, days that are otherwise."""

import uuid
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.scoping import VisibleQuerySet

from .service import Service


class ProposedChangeQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators see what waits for them; a provider its own organisation's proposals."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_curator or user.is_administrator:
            return self.all()
        return self.filter(organization=user.organization_id) if user.is_provider else self.none()


class ProposedChange(models.Model):
    """A change to a service, or a new service, that has been written down and not yet made."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        WAITING = "waiting", "Waiting for approval"
        MADE = "made", "Made"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Origin(models.TextChoices):
        FORM = "form", "Form"
        SPREADSHEET = "spreadsheet", "Spreadsheet"
        LINK = "link", "Link without an account"
        IMPORT = "import", "Import"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "catalogue.Organization",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="proposed_changes",
        help_text="Whose entry it is; empty: a group that the directory does not know yet.",
    )
    service = models.ForeignKey(
        "catalogue.Service", on_delete=models.CASCADE, null=True, blank=True, related_name="proposed_changes", help_text="Empty: a new one."
    )
    batch = models.UUIDField(null=True, blank=True, help_text="Rows of one spreadsheet share it.")
    row = models.CharField(max_length=40, blank=True)
    run = models.ForeignKey(
        "catalogue.ImportRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="The import that made it."
    )
    origin = models.CharField(max_length=12, choices=Origin.choices, default=Origin.FORM)
    content = models.JSONField(default=dict, help_text="The new values by field, as the form has them.")
    base = models.JSONField(default=dict, help_text="What those fields held when the new values were written.")
    faults = models.JSONField(default=dict, help_text="What is wrong with them, by field; empty when they can be used.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    proposed_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was refused.")
    undoes = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="undone_by")

    objects = ProposedChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-proposed_at"]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.service or self.content.get('name', '')}"


class SheetQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those that the user's own office sent; of somebody without an office, their own."""
        if not getattr(user, "is_authenticated", False) or not (user.is_provider or user.is_curator or user.is_administrator):
            return self.none()
        return self.filter(sent_by=user) if user.organization_id is None else self.filter(organization=user.organization_id)


class Sheet(models.Model):
    """A spreadsheet that is sent or made, and how far the work on it is. Its rows are the `ProposedChange`s whose batch is its id."""

    class Status(models.TextChoices):
        READY = "ready", "To be looked at"
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped by somebody"
        DONE = "done", "Done"
        FAILED = "failed", "Ended by a fault"

    class Work(models.TextChoices):
        WRITE = "write", "Make for download"
        READ = "read", "Look at"
        APPLY = "apply", "Apply"
        UNDO = "undo", "Undo"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "catalogue.Organization", on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="The sender's office."
    )
    sent_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, related_name="+")
    sent_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    work = models.CharField(max_length=10, choices=Work.choices, default=Work.APPLY)
    asked_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, related_name="+")
    chosen = ArrayField(models.UUIDField(), null=True, blank=True, help_text="Rows that are still to be dealt with.")
    total = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0, help_text="Rows left alone, each with what is wrong with it.")
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    moved_at = models.DateTimeField(null=True, blank=True, help_text="When rows were last dealt with.")
    finished_at = models.DateTimeField(null=True, blank=True)
    file = models.BinaryField(null=True, blank=True, help_text="What a worker is to read, or what it made.")
    problem = models.CharField(max_length=300, blank=True, help_text="Why the file could not be read.")

    objects = SheetQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at"]

    def __str__(self) -> str:
        return f"{self.get_work_display()}: {self.get_status_display()}"

    @property
    def dealt_with(self) -> int:
        """How many rows of those that were asked for are done."""
        return self.made + self.waiting + self.left

    @property
    def is_unread(self) -> bool:
        """Whether some of its rows were not looked at yet, so that nothing can be applied."""
        return self.work == self.Work.READ and self.status != self.Status.READY


class AttachmentQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those of a service that one may see, once they are shown; those who keep the entry see what waits, too."""
        shown = models.Q(is_shown=True, service__in=Service.objects.visible_to(user))
        if getattr(user, "is_authenticated", False) and (user.is_provider or user.is_curator or user.is_administrator):
            return self.filter(shown | models.Q(service__in=Service.objects.owned_by(user)))
        return self.filter(shown)


class Attachment(models.Model):
    """A picture or paper that belongs to a service. What was sent is checked and, for pictures, written anew before it is kept."""

    class Kind(models.TextChoices):
        PHOTO = "photo", "Photo"
        DOCUMENT = "document", "Document"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="attachments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=200, help_text="What it shows, for those who cannot see it; or the paper's name.")
    file = models.FileField(upload_to="attachments/%Y/%m/")
    content_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField(help_text="In bytes.")
    is_shown = models.BooleanField(default=True, help_text="False while it waits for a curator's approval.")
    added_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField()

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "added_at"]

    def __str__(self) -> str:
        return self.title


class ScheduleException(models.Model):
    """Days on which a service does not keep its usual times: closed, or open at other times."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="schedule_exceptions")
    starts_on = models.DateField()
    ends_on = models.DateField()
    opens_at = models.TimeField(null=True, blank=True, help_text="Empty: closed.")
    closes_at = models.TimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="exception_ends_after_it_begins",
                violation_error_message="The last day cannot be before the first.",
            ),
            models.CheckConstraint(
                condition=models.Q(opens_at__isnull=True, closes_at__isnull=True)
                | models.Q(opens_at__isnull=False, closes_at__isnull=False),
                name="exception_closed_or_with_times",
                violation_error_message="Give both times, or none when it is closed.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} to {self.ends_on}"


class SchoolHoliday(models.Model):
    """Days without school in one council's area, which term-time schedules leave out."""

    id = models.AutoField(primary_key=True)
    lad = models.CharField(max_length=9, blank=True, help_text="GSS code of the council; empty: everywhere.")
    name = models.CharField(max_length=80)
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="holiday_ends_after_it_begins",
                violation_error_message="The last day cannot be before the first.",
            ),
            models.UniqueConstraint(fields=["lad", "starts_on", "name"], name="holiday_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.starts_on}"
