"""What came in from outside, and what could not."""

import uuid
from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet

#: What the kinds of imports are called.
_WHAT = {
    "oruk": "Open Referral UK",
    "hsds-package": "HSDS data package",
    "spreadsheet": "Spreadsheet",
    "cqc": "CQC register",
    "ods": "NHS organisation data",
    "terms": "List of terms",
    "postcodes": "Postcodes",
    "boundaries": "Areas",
}


class ImportRunQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators and administrators look after what is imported."""
        if getattr(user, "is_authenticated", False) and (user.is_curator or user.is_administrator):
            return self.all()
        return self.none()


class ImportRun(models.Model):
    """One run of an import command over one source."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed: nothing was changed"
        STOPPED = "stopped", "Stopped by somebody: nothing was changed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30)
    source = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    incomplete = models.PositiveIntegerField(default=0, help_text="Values left out of records that were otherwise kept.")
    error = models.TextField(blank=True)
    notes = models.JSONField(default=list, help_text="What is not wrong but worth knowing, with how often: [[times, words], …].")
    feed = models.ForeignKey("catalogue.Source", on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    stage = models.CharField(max_length=60, blank=True, help_text="What it is doing now.")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"

    @property
    def what(self) -> str:
        """What was read, in words that a curator knows."""
        return _WHAT.get(self.kind, self.kind)


class ImportReject(models.Model):
    """One bad record in quarantine: where it is, what is wrong, what to do.

    Of many alike only the first are stored; `ImportRun.rejected` counts them all.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejects")
    row = models.CharField(max_length=200, help_text="Row number, or path in the document.")
    field = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500)
    advice = models.CharField(max_length=500)
    record = models.JSONField(default=dict)
    record_kept = models.BooleanField(default=False, help_text="Only this value was left out; the record came in without it.")

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"
