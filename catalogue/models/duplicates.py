"""Two records of one service: suspected, decided, merged, and parted again."""

import uuid
from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet


class ForKeepers(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Curators and administrators decide about doubles; the pairs may name confidential services."""
        if getattr(user, "is_authenticated", False) and (user.is_curator or user.is_administrator):
            return self.all()
        return self.none()


class DuplicateCandidate(models.Model):
    """Two services that may be one. `one` is the smaller id, so that a pair stands once."""

    class Decision(models.TextChoices):
        OPEN = "open", "Not looked at"
        SAME = "same", "The same service"
        DIFFERENT = "different", "Two services"

    id = models.BigAutoField(primary_key=True)
    one = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="+")
    score = models.FloatField(help_text="From 0 to 1; how sure the comparison is.")
    reasons = models.JSONField(default=list, help_text="What speaks for and against, each with its weight.")
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.OPEN)
    decided_by = models.ForeignKey("catalogue.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField()

    objects = ForKeepers.as_manager()

    class Meta:
        ordering = ["-score", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="pair_once"),
            models.CheckConstraint(
                condition=models.Q(one__lt=models.F("other")),
                name="pair_in_order",
                violation_error_message="A pair names two services, the smaller id first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.one} / {self.other}"


class Merge(models.Model):
    """`gone` was joined into `kept`. Both rows stay, so a crawl goes on writing what each source says, and undoing parts them again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kept = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="merges")
    gone = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, related_name="merged_by")
    chosen = models.JSONField(default=dict, help_text="Fields whose value was taken from the record that went.")
    before = models.JSONField(default=dict, help_text="What the kept record said in those fields.")
    merged_by = models.ForeignKey("catalogue.User", on_delete=models.PROTECT, related_name="+")
    merged_at = models.DateTimeField()
    undone_by = models.ForeignKey("catalogue.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = ForKeepers.as_manager()

    class Meta:
        ordering = ["-merged_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kept=models.F("gone")),
                name="merge_of_two",
                violation_error_message="A record cannot be merged with itself.",
            ),
            models.UniqueConstraint(
                fields=["gone"],
                condition=models.Q(undone_at__isnull=True),
                name="merged_once",
                violation_error_message="This record has already been merged into another.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gone} into {self.kept}"


class DuplicateSearch(models.Model):
    """One search for doubles: where it began is where the next one need look from."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True, help_text="Only services changed since then were compared; empty: all.")
    services = models.PositiveIntegerField(default=0, help_text="How many were compared with their like.")
    pairs = models.PositiveIntegerField(default=0, help_text="How many pairs were compared.")
    found = models.PositiveIntegerField(default=0, help_text="How many of them a person should look at.")
    passed_over = models.PositiveIntegerField(default=0, help_text="Groups too large to compare each with each.")

    objects = ForKeepers.as_manager()

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%d %b %H:%M}: {self.found} of {self.pairs}"
