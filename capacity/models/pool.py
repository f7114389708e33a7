"""Places: how many there are, how many are free, who said so and when."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from catalogue.models import Location, Schedule, Service, TaxonomyTerm, User
from core.scoping import VisibleQuerySet


class CapacityStatus(models.TextChoices):
    """Is it accepting? Codes of HL7 SDOH Clinical Care's capacity value set."""

    CAPACITY = "capacity", "Accepting people"
    NO_CAPACITY = "no-capacity", "Not accepting"
    WAITLIST = "waitlist", "Waiting list"
    ADDITIONAL_ASSESSMENT = "additional-assessment-required", "Assessment first"


class Via(models.TextChoices):
    """The route by which a figure came."""

    WEB = "web", "on Lune"
    API = "api", "by computer link"
    FHIR = "fhir", "by FHIR"
    LINK = "link", "by signed link"
    SMS = "sms", "by text message"
    EMAIL = "email", "by e-mail"
    IMPORT = "import", "by file"
    REFERRAL = "referral", "by an answer to a referral"
    SIMULATOR = "simulator", "by the demonstration"
    SYSTEM = "system", "by the clock"


class BedType(models.TextChoices):
    """What kind of care-home bed: the words of the national Capacity Tracker's mandatory return."""

    GENERAL_RESIDENTIAL = "general-residential", "General residential"
    GENERAL_NURSING = "general-nursing", "General nursing"
    DEMENTIA_RESIDENTIAL = "dementia-residential", "Dementia residential"
    DEMENTIA_NURSING = "dementia-nursing", "Dementia nursing"
    LEARNING_DISABILITY_RESIDENTIAL = "learning-disability-residential", "Learning disability residential"
    LEARNING_DISABILITY_NURSING = "learning-disability-nursing", "Learning disability nursing"
    MENTAL_HEALTH_RESIDENTIAL = "mental-health-residential", "Mental health residential"
    MENTAL_HEALTH_NURSING = "mental-health-nursing", "Mental health nursing"
    TRANSITIONAL = "transitional", "Transitional"
    YOUNG_PHYSICALLY_DISABLED = "young-physically-disabled", "Young physically disabled"


class Per(models.TextChoices):
    """For which stretch of time the places are counted."""

    ONCE = "", "at any time"
    DAY = "day", "a day"
    WEEK = "week", "a week"
    SESSION = "session", "a session"


class FreshnessPolicy(models.Model):
    """For one care type: how long a figure is fresh, when it is no longer believed, how long a place is held. Set by the operator."""

    care_type = models.OneToOneField(TaxonomyTerm, on_delete=models.CASCADE, primary_key=True, related_name="freshness")
    fresh_for = models.DurationField()
    expires_after = models.DurationField()
    hold_for = models.DurationField(default=timedelta(hours=4), help_text="How long a place is kept while a family decides.")
    hold_extension = models.DurationField(default=timedelta(hours=4), help_text="How much longer, once, when they ask; zero: not at all.")
    holds_per_person = models.PositiveSmallIntegerField(
        default=2, db_default=2, help_text="At how many places at most a team keeps one for the same person."
    )
    holds_per_team = models.PositiveSmallIntegerField(
        default=5, db_default=5, help_text="How many places of the same pool one team keeps at most, so that none are hoarded."
    )

    class Meta:
        verbose_name_plural = "freshness policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_after__gt=F("fresh_for")),
                name="expires_after_fresh",
                violation_error_message="A figure must stop being believed later than it stops being fresh.",
            ),
            models.CheckConstraint(
                condition=Q(hold_for__gt=timedelta(0), hold_extension__gte=timedelta(0)),
                name="hold_lasts",
                violation_error_message="A hold lasts for some time, and an extension does not shorten it.",
            ),
            models.CheckConstraint(
                condition=Q(holds_per_person__gte=1, holds_per_team__gte=1),
                name="some_holds_allowed",
                violation_error_message="Allow at least one hold for a person, and one for a team.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.care_type}: {self.fresh_for} / {self.expires_after}"


class ServiceCapacityQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Places of the services that this user may see. The public sees those that their provider shows to it."""
        seen = self.filter(service__in=Service.objects.visible_to(user))
        professional = getattr(user, "is_authenticated", False) and user.is_professional
        return seen if professional else seen.filter(shown_to_public=True)

    def offered(self, at: datetime) -> Self:
        """Without sessions that have begun, and without what only says how many places each session has."""
        return self.exclude(per=Per.SESSION, starts_at=None).exclude(starts_at__lte=at)

    def run_by(self, user) -> Self:
        """Places whose figures this user may change: a provider's own."""
        if getattr(user, "is_authenticated", False) and user.is_provider:
            return self.filter(service__organization_id=user.organization_id)
        return self.none()


class ServiceCapacity(models.Model):
    """One pool of like places: a bed type of a home, hours of a round, a caseload, one session of a clinic or group.

    `available` is what the provider last said is vacant and accepting, less what has been taken on since; `held` of
    those are kept through Lune for somebody. Free = available - held. `available` is null when nobody has ever said.
    `reserved` places are vacant and kept by the provider for somebody of its own: never free. Where all four are told,
    maximum >= occupied + reserved + available; the rest is vacant and not in use.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="capacities")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, null=True, blank=True, related_name="capacities")
    care_type = models.ForeignKey(TaxonomyTerm, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120, help_text='What people call it: "Dementia nursing beds".')
    unit = models.CharField(max_length=40, default="place", help_text="bed, place, visit, hour, session …")
    maximum = models.PositiveIntegerField(null=True, blank=True)
    available = models.PositiveIntegerField(null=True, blank=True)
    held = models.PositiveIntegerField(default=0)
    occupied = models.PositiveIntegerField(null=True, blank=True)
    reserved = models.PositiveIntegerField(null=True, blank=True, help_text="Vacant, and kept by the provider for somebody of its own.")
    waiting = models.PositiveIntegerField(null=True, blank=True, help_text="How many are on the waiting list.")
    expected_wait_days = models.PositiveIntegerField(null=True, blank=True, help_text="How long a newcomer would wait.")
    status = models.CharField(max_length=40, choices=CapacityStatus.choices, default=CapacityStatus.CAPACITY)
    bed_type = models.CharField(max_length=40, choices=BedType.choices, blank=True, default="", db_default="")
    for_sex = models.CharField(
        max_length=10, choices=[("", "Anybody"), ("female", "Women only"), ("male", "Men only")], blank=True, default="", db_default="",
        help_text="Where the law allows it: a single-sex room or ward.",
    )  # fmt: skip
    per = models.CharField(max_length=10, choices=Per.choices, blank=True, default="", db_default="")
    schedule = models.ForeignKey(Schedule, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    session_of = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sessions",
        help_text="The places a session that it was made from.",
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Of a session: these places are for that time alone.")
    ends_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="Conditions, shown to referrers; never about a person.")
    is_open = models.BooleanField(default=True, help_text="False: closed or not in use; never offered.")
    closed_reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Shown to referrers; never about a person."
    )
    closed_until = models.DateField(null=True, blank=True, help_text="When it is expected to open again; never opened by the clock alone.")
    shown_to_public = models.BooleanField(
        default=True, db_default=True, help_text="False: only professionals see how many places are free."
    )
    reported_at = models.DateTimeField(null=True, blank=True, help_text="When somebody last looked and said.")
    reported_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    reported_via = models.CharField(max_length=20, choices=Via.choices, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = ServiceCapacityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "service capacities"
        ordering = ["service", "name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "location", "name", "starts_at"], nulls_distinct=False, name="pool_once"),
            models.CheckConstraint(
                condition=Q(available__isnull=True, held=0) | Q(held__lte=F("available")),
                name="held_within_available",
                violation_error_message="More places are held than there are. Release a hold first.",
            ),
            models.CheckConstraint(
                condition=Q(available__isnull=True) | Q(maximum__isnull=True) | Q(available__lte=F("maximum")),
                name="available_within_maximum",
                violation_error_message="More places cannot be free than there are in all.",
            ),
            models.CheckConstraint(
                condition=Q(maximum__isnull=True)
                | Q(maximum__gte=Coalesce(F("occupied"), 0) + Coalesce(F("reserved"), 0) + Coalesce(F("available"), 0)),
                name="sum_within_maximum",
                violation_error_message="Taken, reserved and free places together are more than there are in all.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True, ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="session_ends_after_it_starts",
                violation_error_message="A session ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(closed_reason="", closed_until__isnull=True),
                name="only_the_closed_have_a_reason",
                violation_error_message="Open places need no reason for being closed.",
            ),
            models.CheckConstraint(
                condition=Q(available__isnull=True) | Q(reported_at__isnull=False),
                name="a_figure_has_a_time",
                violation_error_message="A figure needs the time when it was seen.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.service}"

    @property
    def makes_sessions(self) -> bool:
        """Says how many places each session has: not offered itself, but pools for the coming sessions are made from it."""
        return self.per == Per.SESSION and self.starts_at is None

    @property
    def free(self) -> int | None:
        """Places that can still be given to somebody; None when not known."""
        return None if self.available is None else self.available - self.held
