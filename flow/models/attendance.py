"""Who is expected at which session, who came, and how many came without being expected."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from capacity.models import ServiceCapacity
from catalogue.models import Service, User
from core.scoping import VisibleQuerySet

from .referral import ReferralTask
from .reply_contact import ReplyContact


class BookingQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the request that it is about: the sender reads it, the provider once it knows the person."""
        seen = self.filter(task__in=ReferralTask.objects.visible_to(user))
        if getattr(user, "is_provider", False):
            return seen.filter(task__in=ReferralTask.objects.taken_on_by(user.organization_id))
        return seen

    def standing(self) -> Self:
        return self.filter(cancelled_at=None)


class Booking(models.Model):
    """Somebody is expected: at one session of a group, or at an appointment with a named worker."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, related_name="bookings")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(
        ServiceCapacity, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings", help_text="Whose places it takes one of."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    worker = models.CharField(max_length=80, blank=True, help_text="With whom, where it is an appointment with one person.")
    took_place = models.BooleanField(default=False, help_text="A counted place of the session went to them; cancelling gives it back.")
    booked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    booked_at = models.DateTimeField()
    cancelled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["service", "starts_at"], name="booked_sessions")]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "starts_at"],
                condition=Q(cancelled_at=None),
                name="expected_once",
                violation_error_message="This person is expected then already.",
            ),
            models.UniqueConstraint(
                fields=["service", "worker", "starts_at"],
                condition=Q(cancelled_at=None, session=None) & ~Q(worker=""),
                name="a_worker_meets_one_at_a_time",
                violation_error_message="That worker has another appointment then.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="an_appointment_ends_later",
                violation_error_message="It must end later than it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"Booking {self.pk}"


class AttendanceQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """With the booking."""
        return self.filter(booking__in=Booking.objects.visible_to(user))


class Attendance(models.Model):
    """What was said of one person at one session. Never changed: a correction is another row, and the last one counts."""

    class Mark(models.TextChoices):
        PRESENT = "present", "Came"
        ABSENT = "absent", "Did not come"

    class Reason(models.TextChoices):
        ILL = "ill", "Ill or in hospital"
        TRANSPORT = "transport", "No transport"
        NOT_KNOWN = "not-known", "Did not know about it"
        UNWELL = "unwell", "Did not feel up to it"
        CANCELLED = "cancelled", "Cancelled by us"
        OTHER = "other", "Another or no reason"

    id = models.BigAutoField(primary_key=True)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="marks")
    mark = models.CharField(max_length=10, choices=Mark.choices)
    reason = models.CharField(max_length=10, choices=Reason.choices, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(ReplyContact, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    objects = AttendanceQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mark="present", reason="") | (Q(mark="absent") & ~Q(reason="")),
                name="an_absence_has_a_reason",
                violation_error_message="Say why the person did not come.",
            )
        ]
        triggers = [pgtrigger.Protect(name="marks_stay", operation=pgtrigger.UpdateOf("booking_id", "mark", "reason", "at"))]

    def __str__(self) -> str:
        return f"{self.mark} {self.booking_id}"


class WalkInsQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those who run the service."""
        if getattr(user, "is_authenticated", False) and user.is_provider and user.organization_id:
            return self.filter(service__organization_id=user.organization_id)
        return self.none()


class WalkIns(models.Model):
    """How many came to a session whom nobody had expected: a number and no names. The last one that was said counts."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="walk_ins")
    starts_at = models.DateTimeField()
    number = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    objects = WalkInsQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "walk-ins"
        indexes = [models.Index(fields=["service", "starts_at"], name="walk_ins_of_a_session")]
        triggers = [pgtrigger.Protect(name="counts_stay", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.number} at {self.starts_at}"
