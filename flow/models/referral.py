"""The ask, each provider asked, and every step that was taken."""

import uuid
from typing import TYPE_CHECKING, Self

import pgtrigger
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from capacity.models import Reservation, ServiceCapacity
from catalogue.models import Organization, User
from core.row_security import GuardedChar, GuardedJSON, GuardedText
from core.scoping import VisibleQuerySet
from flow.workflow import Action, Side, Status
from matching.models import MatchRun, NeedProfile

from .episode import Episode
from .pathway import PathwayVersion
from .patient import Patient
from .sharing import grants_of, is_among, is_caring, of_granted_people
from .team import Team, own


def referrals_granted(user: User, column: str) -> Q:
    """The condition that the referral in `column` was granted: itself, or the whole person's record."""
    one = grants_of(user).filter(referral__isnull=False).values("referral")
    return Q(is_among(column, one)) | Q(is_among(column, of_granted_people(Referral.objects.all(), user)))


if TYPE_CHECKING:
    from flow.behalf import Actor
    from flow.models.queue import QueuedAsk


class ReferralQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The sender's own, but what a team keeps to itself; and what was granted. Providers see their `ReferralTask`, never this."""
        if not is_caring(user):
            return self.none()
        seen = referrals_granted(user, "id")
        return self.filter(seen | own(user) if user.is_referrer else seen)


class Referral(models.Model):
    """What is asked for one person (FHIR ServiceRequest). It may have many tasks, one for each provider asked."""

    #: What was made with it, of a referral that `operations.send` has just returned.
    sent: "list[ReferralTask]"
    listed: "list[QueuedAsk]"

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
    first_profile = models.ForeignKey(
        NeedProfile, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="With which it was sent, if edited since."
    )
    match_run = models.ForeignKey(MatchRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="referrals")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sent_referrals")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.PROFESSIONAL, db_default=Source.PROFESSIONAL)
    urgency = models.CharField(max_length=10, choices=Urgency.choices, default=Urgency.ROUTINE)
    reason = GuardedText(blank=True, help_text="Shown to a provider only after it has accepted.")
    consent = models.BooleanField(default=False, help_text="The person, or somebody who may, agreed to the referral.")
    package = models.UUIDField(null=True, blank=True, help_text="The same for what was sent together because all of it is wanted.")
    package_wanted = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of what was sent together, how many parts are enough. Empty: all."
    )
    wanted = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="How many of the services asked are to say yes.")
    in_order = models.BooleanField(default=False, db_default=False, help_text="One after the other; see `QueuedAsk`.")
    keep_asked = models.BooleanField(
        default=False, db_default=False, help_text="In order: who misses the deadline stays asked while the next is asked too."
    )
    answer_within = models.PositiveIntegerField(null=True, blank=True, help_text="Minutes to answer, where the sender set them.")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="The sender needs nothing more of it.")
    closed_because = GuardedChar(max_length=300, blank=True, default="", db_default="", beside="closed_at")
    edits = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often its sender has changed it; see `ReferralChange`."
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals")
    pathway_version = models.ForeignKey(PathwayVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals")
    pathway_answers = GuardedJSON(
        default=dict, blank=True, db_default={}, beside="pathway_version_id", help_text="Key of a question of the version to its answer."
    )

    objects = ReferralQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["package"], name="sent_together", condition=Q(package__isnull=False))]
        constraints = [
            models.CheckConstraint(
                condition=Q(wanted__gte=1) & (Q(package_wanted__isnull=True) | Q(package_wanted__gte=1, package__isnull=False)),
                name="at_least_one_is_wanted",
                violation_error_message="At least one service must be wanted.",
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="as_it_was_sent", fields=["wanted", "package", "package_wanted", "in_order", "keep_asked"])]

    def __str__(self) -> str:
        return f"Referral {self.pk}"

    @property
    def wait_is_over(self) -> bool:
        """Whether of what was sent together for the same stay something has begun, and nothing that has not is asked for or promised.

        Where more services are wanted than have said yes, somebody is still to be found, unless the sender has closed it.
        """
        begun = ReferralTask.objects.filter(referral=OuterRef("pk"), status__in=[Status.IN_PROGRESS, Status.COMPLETED])
        asked = ReferralTask.objects.filter(referral=OuterRef("pk"), status__in=[Status.REQUESTED, Status.ACCEPTED])
        same = Q(pk=self.pk) if self.package is None else Q(package=self.package, episode=self.episode_id)
        yes = Count("tasks", filter=Q(tasks__status__in=Status.taken_on()))
        found = Referral.objects.filter(same).order_by().annotate(has=Exists(begun), more=Exists(asked), yes=yes)
        parts = list(found.annotate(lacks=Q(yes__lt=F("wanted"), closed_at=None)).values_list("has", "more", "lacks"))
        return any(has for has, *_ in parts) and not any(more or (has and lacks) for has, more, lacks in parts)


class ReferralTaskQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Sent by one's organisation, of a referral that was granted, or addressed to one's organisation (once sent)."""
        if not is_caring(user):
            return self.none()
        seen = referrals_granted(user, "referral_id")
        if user.is_referrer:
            return self.filter(seen | own(user, of="referral__"))
        return self.filter(seen | Q(provider_id=user.organization_id) & ~Q(status=Status.DRAFT))

    def taken_on_by(self, organization_id: uuid.UUID) -> Self:
        """Tasks by which that provider knows the person: accepted, and not withdrawn or an error since."""
        return self.filter(provider_id=organization_id, status__in=Status.known_to_provider())

    def open(self) -> Self:
        return self.filter(status__in=Status.open())


#: The database counts the yeses itself, with the referral's row locked: two that come at once are counted one after the other. The parts of
#: a package of which some are enough are counted with the person's row locked, as `flow.steps.lock` does before.
NO_MORE_THAN_WANTED = pgtrigger.Trigger(
    name="no_more_than_wanted",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
    condition=pgtrigger.Q(new__status__in=["accepted", "in-progress", "on-hold", "completed"]),
    declare=[("sent", "flow_referral%ROWTYPE"), ("taken", "TEXT[] := ARRAY['accepted', 'in-progress', 'on-hold', 'completed']")],
    func="""
        SELECT * INTO sent FROM flow_referral WHERE id = NEW.referral_id;
        IF sent.package_wanted IS NOT NULL THEN
            PERFORM 1 FROM flow_patient WHERE id = sent.patient_id FOR NO KEY UPDATE;
        END IF;
        PERFORM 1 FROM flow_referral WHERE id = NEW.referral_id FOR NO KEY UPDATE;
        IF (SELECT count(*) FROM flow_referraltask t WHERE t.referral_id = NEW.referral_id AND t.id <> NEW.id AND t.status = ANY(taken))
            >= sent.wanted
        OR sent.package_wanted IS NOT NULL AND (
            SELECT count(*) FROM flow_referral r
            WHERE r.package = sent.package AND r.id <> sent.id AND r.package_wanted IS NOT NULL
            AND EXISTS (SELECT 1 FROM flow_referraltask t WHERE t.referral_id = r.id AND t.status = ANY(taken))
        ) >= sent.package_wanted THEN
            RAISE EXCEPTION 'As many services as are wanted have already said yes for this person.'
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'no_more_than_wanted';
        END IF;
        RETURN NEW;
    """,
)


class ReferralTask(models.Model):
    """One provider asked to fulfil a referral (FHIR Task). `status` changes only through `flow.operations`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="tasks")
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.PROTECT, related_name="referral_tasks")
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="received_tasks")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    status_reason = models.CharField(max_length=40, blank=True, help_text="A code of workflow.Reason.")
    status_reason_text = GuardedChar(max_length=300, blank=True)
    reservation = models.OneToOneField(Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="referral_task")
    start_by = models.DateTimeField(null=True, blank=True, help_text="Until when support is expected to begin, once accepted.")
    late = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How far it was told that the deadline has passed; see `flow.lateness`."
    )
    checked = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Rules and figures of the place as it was asked: codes, no words."
    )
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
            models.CheckConstraint(
                condition=~Q(status__in=["rejected", "failed"]) | ~Q(status_reason_text=""),
                name="a_refusal_says_why",
                violation_error_message="Say why, so that the team can do better next time.",
            ),
        ]
        triggers = [NO_MORE_THAN_WANTED]
        indexes = [
            models.Index(fields=["provider", "status", "requested_at"], name="task_inbox"),
            models.Index(fields=["respond_by"], name="task_answer_due", condition=Q(status="requested")),
            models.Index(fields=["start_by"], name="task_start_due", condition=Q(status="accepted")),
        ]

    def __str__(self) -> str:
        return f"Task {self.pk} ({self.status})"

    def side_of(self, user: "Actor") -> Side | None:
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
    reason_text = GuardedChar(max_length=300, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    contact = models.ForeignKey(
        "flow.ReplyContact", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Who said it without an account."
    )
    said_by = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Who said it, where that is nobody who signs in as the provider."
    )
    rule = models.ForeignKey(
        "flow.RuleVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="The process rule that took it."
    )

    class Meta:
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]
        constraints = [
            models.CheckConstraint(
                condition=Q(rule__isnull=True) | Q(action__in=[Action.SEND.value, Action.WITHDRAW.value], by__isnull=True),
                name="no_rule_answers_for_a_person",
                violation_error_message="A rule may ask or withdraw. Only a person says yes or no.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
