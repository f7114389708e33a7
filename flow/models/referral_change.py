"""What a sender changed of a referral that was sent."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.row_security import GuardedChar, GuardedJSON, GuardedText
from core.scoping import VisibleQuerySet
from flow.workflow import Status

from .referral import Referral, ReferralTask
from .sharing import is_caring


class ReferralChangeQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The sender's side with the referral; a provider while it is asked, or has said yes. Words are guarded besides."""
        if not is_caring(user):
            return self.none()
        sent = Q(referral__in=Referral.objects.visible_to(user).order_by().values("pk"))
        if not user.is_provider:
            return self.filter(sent)
        asked = ReferralTask.objects.visible_to(user).filter(
            provider_id=user.organization_id, status__in=[Status.REQUESTED, *Status.known_to_provider()]
        )
        return self.filter(sent | Q(referral__in=asked.order_by().values("referral")))


class ReferralChange(models.Model):
    """One edit of what a referral says to its reader: from what, to what, and why. Never updated; both sides read it.

    What somebody typed is for the sender's side, but `why` also for a provider that has said yes: the words before an edit may have been
    about somebody else.
    """

    id = models.BigAutoField(primary_key=True)
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="changes")
    number = models.PositiveSmallIntegerField(help_text="The first edit of a referral is 1.")
    urgency_before = models.CharField(max_length=10, choices=Referral.Urgency.choices)
    urgency = models.CharField(max_length=10, choices=Referral.Urgency.choices)
    needed_by_before = models.DateField(null=True, blank=True)
    needed_by = models.DateField(null=True, blank=True)
    answer_within_before = models.PositiveIntegerField(null=True, blank=True)
    answer_within = models.PositiveIntegerField(null=True, blank=True)
    reason_before = GuardedText(blank=True)
    reason = GuardedText(blank=True)
    rewrites = models.BooleanField(default=False, db_default=False, help_text="The reason is another: told to whoever may read neither.")
    why = GuardedChar(max_length=300)
    deadlines = GuardedJSON(default=dict, blank=True, help_text="Each request that was open: its deadline before and after.")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = ReferralChangeQuerySet.as_manager()

    class Meta:
        ordering = ["referral", "number"]
        triggers = [pgtrigger.Protect(name="changes_stay", operation=pgtrigger.Update)]
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "number"],
                name="one_change_of_a_number",
                violation_error_message="Somebody changed this referral at the same time. Look at it again, then change it.",
            ),
            models.CheckConstraint(
                condition=~Q(why=""), name="a_change_says_why", violation_error_message="Say why the referral is changed."
            ),
        ]

    def __str__(self) -> str:
        # Never its words: this string reaches logs and errors.
        return f"Change {self.number} of referral {self.referral_id}"
