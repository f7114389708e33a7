"""Events and audit. No domain words here."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.utils import timezone


class Xid8Field(models.Field):
    """PostgreSQL's 64-bit transaction id. Comparing it with `pg_snapshot_xmin` tells what can no longer be overtaken."""

    def db_type(self, connection) -> str:
        return "xid8"

    def from_db_value(self, value, expression, connection) -> int:
        return int(value)


class PgCurrentXactId(models.Func):
    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = Xid8Field()


class Event(models.Model):
    """Something happened. One row, written in the transaction of the change, read in (xid, id) order by the relay."""

    id = models.BigAutoField(primary_key=True)
    xid = Xid8Field(db_default=PgCurrentXactId(), editable=False)
    type = models.CharField(max_length=64)
    topics = ArrayField(models.CharField(max_length=80))
    audience = ArrayField(models.UUIDField(), null=True, help_text="Organisations that may learn of it; null: anyone.")
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="event_cursor"),
            GinIndex(fields=["topics"], name="event_topics"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.type} #{self.pk}"

    @property
    def cursor(self) -> str:
        """Where this event stands: `"<xid>.<id>"`. A client that has it can ask for what came after."""
        return f"{self.xid}.{self.pk}"


class AuditEntry(models.Model):
    """One look at one person's record."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    user_id = models.UUIDField()
    organization_id = models.UUIDField(null=True)
    role = models.CharField(max_length=20)
    action = models.CharField(max_length=20)
    record_type = models.CharField(max_length=40)
    record_id = models.UUIDField(db_index=True)
    purpose = models.CharField(max_length=40)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [BrinIndex(fields=["at"], name="audit_by_day")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.action} {self.record_type} {self.record_id}"


class AuditSeal(models.Model):
    """What the audit's entries were when a batch of them was sealed. Each seal takes in the one before (`core.sealing`)."""

    number = models.PositiveBigIntegerField(primary_key=True, help_text="1, 2, 3 …: one that is missing shows.")
    at = models.DateTimeField()
    upto_id = models.BigIntegerField(help_text="Of the last entry that it seals.")
    entries = models.PositiveIntegerField(help_text="How many it seals.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of these entries, in hexadecimal.")
    signature = models.CharField(max_length=64, help_text="HMAC-SHA-256, by the site's key, of the seal before and of all this.")

    class Meta:
        ordering = ["number"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Seal {self.number}"


class IdempotencyKey(models.Model):
    """A POST that was answered, so that the same request sent again gets the same answer and does nothing twice."""

    key = models.CharField(max_length=120)
    user_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key
