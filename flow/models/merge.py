"""Two records that turned out to be one person, and pairs that somebody said are two."""

import uuid
from typing import Self

from django.db import models
from django.db.models import F, Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient
from .team import Team


class OwnQuerySet(VisibleQuerySet):
    #: The two fields that name people.
    people = ("kept", "gone")

    def visible_to(self, user) -> Self:
        """The organisation's own, for those who refer; but of whom a team keeps to itself."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id or not user.is_referrer:
            return self.none()
        hidden = Patient.with_merged.filter(team__in=Team.objects.hidden_from(user).order_by().values("pk")).order_by().values("pk")
        first, second = self.people
        return self.filter(organization_id=user.organization_id).exclude(Q(**{f"{first}__in": hidden}) | Q(**{f"{second}__in": hidden}))


class PatientMerge(models.Model):
    """`gone` was joined into `kept`: what was moved and what both said before, so that it can be undone (decision 0018)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    kept = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    gone = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    taken = models.JSONField(default=dict, help_text="Field of `kept` to the value taken from `gone`.")
    before = models.JSONField(default=dict, help_text="Field of `kept` to the value that it had.")
    moved = models.JSONField(default=dict, help_text="Model and field to the keys of the rows that were handed on.")
    set_aside = models.JSONField(default=list, help_text="Rows that would have said that somebody is tied to themselves, or twice.")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = OwnQuerySet.as_manager()

    class Meta:
        ordering = ["-merged_at"]
        constraints = [
            models.UniqueConstraint(fields=["gone"], condition=Q(undone_at__isnull=True), name="merged_away_once"),
        ]

    def __str__(self) -> str:
        return f"Merge {self.pk}"


class PairQuerySet(OwnQuerySet):
    people = ("one", "other")


class NotOnePerson(models.Model):
    """Two records of which somebody said that they are two people. They are not suggested again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    one = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+", help_text="The one with the smaller id.")
    other = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    said_at = models.DateTimeField()
    said_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = PairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="said_once_that_they_are_two"),
            models.CheckConstraint(
                condition=Q(one__lt=F("other")),
                name="two_people_are_two_records",
                violation_error_message="Choose two different records.",
            ),
        ]

    def __str__(self) -> str:
        return f"Not one person {self.pk}"
