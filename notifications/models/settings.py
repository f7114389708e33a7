"""Who wants to be told what, by which routes and when. No row: what the organisation chose, or else what suits the role."""

from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet


class Choices(models.Model):
    """`choices` says for each kind by which routes and when: {"referral-new": {"app": true, "email": "now", "sms": "off"}}."""

    choices = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True, blank=True, help_text="By the clock of England; the same as until: no quiet hours.")
    quiet_until = models.TimeField(null=True, blank=True)
    urgent_passes = models.BooleanField(default=False, help_text="What is urgent comes in quiet hours too.")
    daily_hour = models.PositiveSmallIntegerField(default=8)
    changed_at = models.DateTimeField(null=True, blank=True, help_text="Null: nothing was chosen yet, so what is above does not count.")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(daily_hour__lt=24),
                name="%(class)s_hour_of_the_day",
                violation_error_message="Choose an hour from 0 to 23.",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="%(class)s_quiet_from_and_until",
                violation_error_message="Say from when and until when it is quiet.",
            ),
        ]


class PersonQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """One's own alone."""
        return self.filter(user_id=user.pk) if getattr(user, "is_authenticated", False) else self.none()


class PersonChoices(Choices):
    """One person's choices and addresses, and whether messages still go there."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="notice_choices")
    whole_organization = models.BooleanField(default=False, help_text="Told of everybody's referrals, not only of those that they sent.")
    mobile = models.CharField(max_length=20, blank=True, help_text="E.164. Used once a code that went there was typed in.")
    mobile_confirmed_at = models.DateTimeField(null=True, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    codes_sent = models.PositiveSmallIntegerField(default=0, help_text="Since a number was last confirmed.")
    email_stopped_at = models.DateTimeField(null=True, blank=True)
    email_stopped_because = models.CharField(max_length=20, blank=True, help_text="asked or bounced")
    sms_stopped_at = models.DateTimeField(null=True, blank=True)
    sms_stopped_because = models.CharField(max_length=20, blank=True, help_text="asked or bounced")

    objects = PersonQuerySet.as_manager()

    class Meta(Choices.Meta):
        indexes = [models.Index(fields=["mobile"], name="notice_mobile", condition=~Q(mobile=""))]

    def __str__(self) -> str:
        return f"Choices of {self.user_id}"


class OfOrganizationQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The organisation's managers, who set them."""
        own = getattr(user, "organization_id", None)
        return self.filter(organization_id=own) if own and user.is_active and user.is_manager else self.none()


class OrganizationChoices(Choices):
    """What holds for everybody in an organisation who has chosen nothing."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="notice_choices")
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = OfOrganizationQuerySet.as_manager()

    class Meta(Choices.Meta):
        pass

    def __str__(self) -> str:
        return f"Choices of {self.organization_id}"
