"""Two records of one service: suspected, decided, merged, and parted again."""

import uuid

from django.db import models


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

    class Meta:
        ordering = ["-score", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="pair_once"),
            models.CheckConstraint(condition=models.Q(one__lt=models.F("other")), name="pair_in_order"),
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
