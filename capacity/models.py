"""Places: how many there are, how many are free, who said so and when."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from catalogue.models import Location, Organization, Service, TaxonomyTerm, User
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
    LINK = "link", "by signed link"
    IMPORT = "import", "by file"
    REFERRAL = "referral", "by an answer to a referral"
    SIMULATOR = "simulator", "by the demonstration"
    SYSTEM = "system", "by the clock"


class FreshnessPolicy(models.Model):
    """For one care type: how long a figure is fresh, and when it is no longer believed. Set by the operator."""

    care_type = models.OneToOneField(TaxonomyTerm, on_delete=models.CASCADE, primary_key=True, related_name="freshness")
    fresh_for = models.DurationField()
    expires_after = models.DurationField()

    class Meta:
        verbose_name_plural = "freshness policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_after__gt=F("fresh_for")),
                name="expires_after_fresh",
                violation_error_message="A figure must stop being believed later than it stops being fresh.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.care_type}: {self.fresh_for} / {self.expires_after}"


class ServiceCapacityQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Places of the services that this user may see. The public sees those that their provider shows to it."""
        seen = self.filter(service__in=Service.objects.visible_to(user))
        professional = getattr(user, "is_authenticated", False) and user.is_professional
        return seen if professional else seen.filter(shown_to_public=True)

    def run_by(self, user) -> Self:
        """Places whose figures this user may change: a provider's own."""
        if getattr(user, "is_authenticated", False) and user.is_provider:
            return self.filter(service__organization_id=user.organization_id)
        return self.none()


class ServiceCapacity(models.Model):
    """One pool of like places: a bed type of a home, a caseload, a weekly session.

    `available` is what the provider last said is vacant and accepting, less what has been taken on since; `held` of
    those are kept for somebody. Free = available - held. `available` is null when nobody has ever said.
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
    status = models.CharField(max_length=40, choices=CapacityStatus.choices, default=CapacityStatus.CAPACITY)
    note = models.CharField(max_length=200, blank=True, help_text="Conditions, shown to referrers; never about a person.")
    is_open = models.BooleanField(default=True, help_text="False: closed or not in use; never offered.")
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
            models.UniqueConstraint(fields=["service", "location", "name"], nulls_distinct=False, name="pool_once"),
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
                condition=Q(available__isnull=True) | Q(reported_at__isnull=False),
                name="a_figure_has_a_time",
                violation_error_message="A figure needs the time when it was seen.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.service}"

    @property
    def free(self) -> int | None:
        """Places that can still be given to somebody; None when not known."""
        return None if self.available is None else self.available - self.held


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
        LATE = "late", "Told late: kept, not shown"

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    available = models.PositiveIntegerField(null=True)
    held = models.PositiveIntegerField(default=0)
    maximum = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=40, choices=CapacityStatus.choices)
    note = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField()
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    via = models.CharField(max_length=20, choices=Via.choices)

    class Meta:
        ordering = ["pool", "version"]
        constraints = [models.UniqueConstraint(fields=["pool", "version"], name="one_report_per_version")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version}"


class ReservationQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Holds of one's own organisation, and holds on one's own places."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        return self.filter(Q(organization_id=user.organization_id) | Q(pool__service__organization_id=user.organization_id))

    def due(self, at) -> Self:
        return self.filter(state=Reservation.State.HELD, expires_at__lte=at)


class Reservation(models.Model):
    """One place kept for one request until `expires_at`."""

    class State(models.TextChoices):
        HELD = "held", "Held"
        FILLED = "filled", "Taken"
        RELEASED = "released", "Given back"
        EXPIRED = "expired", "Ran out"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.PROTECT, related_name="reservations")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="Who holds it.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], condition=Q(state="held"), name="reservation_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="held", ended_at__isnull=True) | (~Q(state="held") & Q(ended_at__isnull=False)),
                name="reservation_ends_once",
                violation_error_message="A hold has an end exactly when it is no longer held.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} until {self.expires_at:%d %b %H:%M}"
