"""Rules that move a referral on when nobody does: what they say, who switched them on, and each thing that they did."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .referral import Referral, ReferralTask


def _sets(user) -> Q | None:
    """Whose rules `user` sets: an administrator and an ICB's manager the region's, another manager their organisation's. None: nobody's."""
    if not getattr(user, "is_authenticated", False):
        return None
    if user.role == User.Role.ADMINISTRATOR:
        return Q(organization__isnull=True)
    if user.is_manager and user.organization_id:
        regional = user.organization.kind == Organization.Kind.ICB
        return Q(organization__isnull=True) if regional else Q(organization_id=user.organization_id)
    return None


class ProcessRuleQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those that `user` may set."""
        mine = _sets(user)
        return self.none() if mine is None else self.filter(mine)


class ProcessRule(models.Model):
    """One rule. What it says stands in its versions; `live` is the one that is switched on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Whose referrals. Empty: all."
    )
    name = models.CharField(max_length=100)
    live = models.ForeignKey("flow.RuleVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    live_since = models.DateTimeField(null=True, blank=True)

    objects = ProcessRuleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(live__isnull=True, live_since__isnull=True) | Q(live__isnull=False, live_since__isnull=False),
                name="a_live_rule_has_a_beginning",
                violation_error_message="A rule that is on began at some time.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """What a rule says. Never changed: whoever changes a rule writes the next version."""

    class Trigger(models.TextChoices):
        SENT = "sent", "A service has been asked"
        OVERDUE = "overdue", "A service has not answered in time"
        DECLINED = "declined", "A service has said no"
        NO_CAPACITY = "no-capacity", "A service that was asked has no place left"
        NOBODY_LEFT = "nobody-left", "Nobody is left to ask"
        NOT_STARTED = "not-started", "Support has not begun in time"

    class Action(models.TextChoices):
        """Nothing here answers for anybody: no rule says yes or no to a person."""

        REMIND = "remind", "Remind whose move it is"
        WITHDRAW = "withdraw", "Withdraw the request"
        OFFER_NEXT = "offer-next", "Ask the next service of the list"
        ROUTE = "route", "Send it to a hub"
        ESCALATE = "escalate", "Tell the team and its manager"
        FOLLOW_UP = "follow-up", "Make a follow-up task"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(ProcessRule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    after_minutes = models.PositiveIntegerField(default=0, help_text="How long after the trigger.")
    conditions = models.JSONField(default=dict, help_text="Codes that must fit, by what they are of. None: any.")
    action = models.CharField(max_length=20, choices=Action.choices)
    parameters = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, help_text="Why the rule says this.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["rule", "-number"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "number"],
                name="rule_version_once",
                violation_error_message="Somebody has just changed this rule. Look again.",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["remind", "withdraw", "offer-next", "route", "escalate", "follow-up"]),
                name="a_rule_never_answers",
                violation_error_message="A rule may ask, remind, withdraw, route or escalate. Only a person says yes or no.",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_rule_says_why", violation_error_message="Say why the rule is wanted."),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} version {self.number}"


class RuleSwitch(models.Model):
    """Somebody switched a rule on or off, and why."""

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(ProcessRule, on_delete=models.PROTECT, related_name="switches")
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty: switched off.")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "rule switches"
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="a_rule_switch_says_why", violation_error_message="Say why you switch the rule on or off."
            ),
        ]

    def __str__(self) -> str:
        return "on" if self.version_id else "off"


class RuleDeedQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """For who sent the referral, and for who sets the rule: neither words nor facts name a person."""
        return self.filter(Q(referral__in=Referral.objects.visible_to(user)) | Q(rule__in=ProcessRule.objects.visible_to(user)))


class RuleDeed(models.Model):
    """One thing that a rule did, or found not to be possible, and why. `key` is what it was done about: it is done once."""

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        REFUSED = "refused", "Not possible"

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(ProcessRule, on_delete=models.PROTECT, related_name="deeds")
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="+")
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="rule_deeds")
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, null=True, related_name="+")
    key = models.CharField(max_length=80)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    words = models.CharField(max_length=500)
    facts = models.JSONField(default=dict, help_text="What the rule saw: ids, codes and times.")
    at = models.DateTimeField()

    objects = RuleDeedQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]
        indexes = [models.Index(fields=["rule", "-at"], name="rule_deeds_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "key"], name="a_rule_acts_once", violation_error_message="The rule has done this already."
            )
        ]

    def __str__(self) -> str:
        return self.words
