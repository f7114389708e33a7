"""The ask, each provider asked, and every step that was taken."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from capacity.models import Reservation, ServiceCapacity
from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet
from flow.workflow import Action, Side, Status
from matching.models import MatchRun, NeedProfile

from .episode import Episode
from .patient import Patient


class ReferralQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The sender's own. Providers see their `ReferralTask`, never the referral itself."""
        if getattr(user, "is_authenticated", False) and user.is_referrer and user.organization_id:
            return self.filter(organization_id=user.organization_id)
        return self.none()


class Referral(models.Model):
    """What is asked for one person (FHIR ServiceRequest). It may have many tasks, one for each provider asked."""

    class Urgency(models.TextChoices):
        ROUTINE = "routine", "Routine"
        URGENT = "urgent", "Urgent"

    class Source(models.TextChoices):
        """Who asked."""

        PROFESSIONAL = "professional", "A professional"
        SELF = "self", "The person themselves, or who cares for them"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="referrals")
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals")
    profile = models.ForeignKey(NeedProfile, on_delete=models.PROTECT, related_name="referrals")
    match_run = models.ForeignKey(MatchRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="referrals")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sent_referrals")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.PROFESSIONAL, db_default=Source.PROFESSIONAL)
    urgency = models.CharField(max_length=10, choices=Urgency.choices, default=Urgency.ROUTINE)
    reason = models.TextField(blank=True, help_text="Shown to a provider only after it has accepted.")
    consent = models.BooleanField(default=False, help_text="The person, or somebody who may, agreed to the referral.")
    package = models.UUIDField(null=True, blank=True, help_text="The same for what was sent together because all of it is wanted.")

    objects = ReferralQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["package"], name="sent_together", condition=Q(package__isnull=False))]

    def __str__(self) -> str:
        return f"Referral {self.pk}"

    @property
    def wait_is_over(self) -> bool:
        """Whether of what was sent together for the same stay something has begun, and nothing that has not is asked for or promised."""
        begun = ReferralTask.objects.filter(referral=OuterRef("pk"), status__in=[Status.IN_PROGRESS, Status.COMPLETED])
        asked = ReferralTask.objects.filter(referral=OuterRef("pk"), status__in=[Status.REQUESTED, Status.ACCEPTED])
        same = Q(pk=self.pk) if self.package is None else Q(package=self.package, episode=self.episode_id)
        parts = list(Referral.objects.filter(same).order_by().values_list(Exists(begun), Exists(asked)))
        return any(has for has, _ in parts) and all(has or not more for has, more in parts)


class ReferralTaskQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Sent by one's organisation, or addressed to it (once sent)."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        if user.is_referrer:
            return self.filter(referral__organization_id=user.organization_id)
        if user.is_provider:
            return self.filter(provider_id=user.organization_id).exclude(status=Status.DRAFT)
        return self.none()

    def taken_on_by(self, organization_id: uuid.UUID) -> Self:
        """Tasks by which that provider knows the person: accepted, and not withdrawn or an error since."""
        return self.filter(provider_id=organization_id, status__in=Status.known_to_provider())

    def open(self) -> Self:
        return self.filter(status__in=Status.open())


class ReferralTask(models.Model):
    """One provider asked to fulfil a referral (FHIR Task). `status` changes only through `flow.operations`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="tasks")
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.PROTECT, related_name="referral_tasks")
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="received_tasks")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    status_reason = models.CharField(max_length=40, blank=True, help_text="A code of workflow.Reason.")
    status_reason_text = models.CharField(max_length=300, blank=True)
    reservation = models.OneToOneField(Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="referral_task")
    took_place = models.BooleanField(default=False, help_text="A counted place went to this person; withdrawing gives it back.")
    requested_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="First answer: accepted or declined.")
    respond_by = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1)

    objects = ReferralTaskQuerySet.as_manager()

    class Meta:
        ordering = ["referral", "requested_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "pool"],
                condition=~Q(status="entered-in-error"),
                name="ask_each_place_once",
                violation_error_message="This service has already been asked for this person.",
            ),
            models.UniqueConstraint(
                fields=["referral"],
                condition=Q(status__in=["accepted", "in-progress", "on-hold", "completed"]),
                name="one_acceptance",
                violation_error_message="Another service has already said yes for this person.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["rejected", "failed"]) | ~Q(status_reason_text=""),
                name="a_refusal_says_why",
                violation_error_message="Say why, so that the team can do better next time.",
            ),
        ]
        indexes = [models.Index(fields=["provider", "status", "requested_at"], name="task_inbox")]

    def __str__(self) -> str:
        return f"Task {self.pk} ({self.status})"

    def side_of(self, user: User) -> Side | None:
        """Which side of this task `user` stands on; None when neither."""
        if user.organization_id is None:
            return None
        if user.organization_id == self.provider_id and user.is_provider:
            return Side.PROVIDER
        if user.organization_id == self.referral.organization_id and user.is_referrer:
            return Side.REFERRER
        return None


class Transition(models.Model):
    """One step of one task. Never updated; screens read it."""

    id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(ReferralTask, on_delete=models.CASCADE, related_name="transitions")
    action = models.CharField(max_length=20, choices=Action.choices)
    from_status = models.CharField(max_length=20, choices=Status.choices, blank=True)
    to_status = models.CharField(max_length=20, choices=Status.choices)
    reason = models.CharField(max_length=40, blank=True)
    reason_text = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
