"""The history of a pool."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalogue.models import User

from .pool import CapacityStatus, ServiceCapacity, Via


class CapacityReport(models.Model):
    """One change of one pool. Append-only: the database refuses to change a row.

    The row of a pool's highest version, `late` ones aside, holds the pool's present figures.
    """

    class Kind(models.TextChoices):
        REPORT = "report", "Told by the provider"
        HOLD = "hold", "Place held"
        RELEASE = "release", "Hold given back"
        EXPIRE = "expire", "Hold ran out"
        FILL = "fill", "Place taken"
        REOPEN = "reopen", "Place given back"
        WITHDRAW = "withdraw", "Hold taken back by the provider"
        LATE = "late", "Told late: kept, not shown"

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    available = models.PositiveIntegerField(null=True)
    held = models.PositiveIntegerField(default=0)
    maximum = models.PositiveIntegerField(null=True)
    occupied = models.PositiveIntegerField(null=True)
    reserved = models.PositiveIntegerField(null=True)
    waiting = models.PositiveIntegerField(null=True)
    expected_wait_days = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=40, choices=CapacityStatus.choices)
    is_open = models.BooleanField(default=True, db_default=True)
    closed_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    closed_until = models.DateField(null=True)
    note = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField()
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    via = models.CharField(max_length=20, choices=Via.choices)
    key = models.CharField(max_length=64, blank=True, default="", db_default="", help_text="Of an update that may arrive twice.")

    class Meta:
        ordering = ["pool", "version"]
        constraints = [
            models.UniqueConstraint(fields=["pool", "version"], name="one_report_per_version"),
            models.UniqueConstraint(fields=["pool", "key"], condition=~Q(key=""), name="one_report_per_key"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version}"
