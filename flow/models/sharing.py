"""Who may see another organisation's records, of whom, for what, and until when."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, Func, Q, QuerySet

from catalogue.models import Organization, User
from core import clock
from core.scoping import VisibleQuerySet

from .team import Team


class Purpose(models.TextChoices):
    """What a record is shared for. Written to the read audit with each look."""

    TRIAGE = "triage", "A hub triages and routes referrals"
    SHARED_CARE = "shared-care", "Working on the same record"
    SAFEGUARDING = "safeguarding", "Safeguarding"


class LegalBasis(models.TextChoices):
    """The ground in law that the parties name."""

    DIRECT_CARE = "direct-care", "Direct care: UK GDPR 6(1)(e) and 9(2)(h)"
    CONSENT = "consent", "The person's explicit consent: UK GDPR 6(1)(a) and 9(2)(a)"
    SAFEGUARDING = "safeguarding", "Safeguarding: Data Protection Act 2018, schedule 1, paragraph 18"


class SharingAgreementQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Either party's, and those that hold for whoever refers on a pathway. It names nobody."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self.all()
        if not user.organization_id:
            return self.none()
        return self.filter(Q(organization_id=user.organization_id) | Q(organization=None) | Q(with_organization_id=user.organization_id))

    def in_force(self, at: datetime) -> Self:
        """Begun, not run out and not ended."""
        return self.filter(starts_at__lte=at, ends_at__gt=at, ended_at__isnull=True)


class SharingAgreement(models.Model):
    """What two organisations signed, or all who refer on a pathway."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="agreements_given",
        help_text="Whose records; empty: of whoever refers on the pathway.",
    )
    with_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="agreements_had")
    pathway = models.ForeignKey("flow.Pathway", on_delete=models.PROTECT, null=True, blank=True, related_name="agreements")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    legal_basis = models.CharField(max_length=20, choices=LegalBasis.choices)
    reference = models.CharField(max_length=200, help_text="Where the signed document is kept.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Ended before its time.")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = SharingAgreementQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(organization__isnull=False) | Q(pathway__isnull=False),
                name="an_agreement_says_whose_records",
                violation_error_message="Say whose records are shared, or on which pathway.",
            ),
            models.CheckConstraint(
                condition=~Q(organization=F("with_organization")),
                name="an_agreement_has_two_parties",
                violation_error_message="An agreement is with another organisation.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="an_agreement_ends_after_it_starts",
                violation_error_message="The last day is before the first.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class GrantQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """What one's own organisation granted, and what was granted to it. Of what a team keeps to itself: its members alone."""
        if not getattr(user, "is_authenticated", False) or not user.organization_id:
            return self.none()
        from .patient import Patient
        from .referral import Referral

        hidden = Team.objects.hidden_from(user).values("pk")
        people = Patient.objects.filter(team__in=hidden).order_by().values("pk")
        given = self.filter(organization_id=user.organization_id)
        given = given.exclude(referral__in=Referral.objects.filter(team__in=hidden).order_by().values("pk"))
        given = given.exclude(patient__in=people).exclude(referral__in=Referral.objects.filter(patient__in=people).order_by().values("pk"))
        had = Q(to_organization_id=user.organization_id) & (Q(to_team=None) | Q(to_team__in=_teams_of(user)))
        return self.filter(Q(pk__in=given.order_by().values("pk")) | had)

    def in_force(self, at: datetime) -> Self:
        """Begun, neither run out nor revoked, under an agreement that is in force itself. Read anew each time: nothing is kept."""
        agreements = SharingAgreement.objects.in_force(at).order_by().values("pk")
        within = Q(agreement=None) | Q(agreement__in=agreements)
        return self.filter(within, starts_at__lte=at, ends_at__gt=at, revoked_at__isnull=True)

    def held_by(self, user: User, at: datetime) -> Self:
        """Those by which `user` may look now: made to the organisation, or to a team of it that `user` is in."""
        mine = Q(to_team=None) | Q(to_team__in=_teams_of(user))
        return self.in_force(at).filter(mine, to_organization_id=user.organization_id).order_by()


def _teams_of(user: User) -> QuerySet[Any, Any]:
    return Team.members.through.objects.filter(user_id=user.pk).values("team_id")


class Grant(models.Model):
    """One person's record, or one referral, opened to an organisation or to one of its teams."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="grants_given", help_text="Whose record it is.")
    to_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="grants_had")
    to_team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="grants_had", help_text="Empty: all who refer or provide there."
    )
    patient = models.ForeignKey("flow.Patient", on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    referral = models.ForeignKey("flow.Referral", on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    agreement = models.ForeignKey(
        SharingAgreement, on_delete=models.PROTECT, null=True, blank=True, related_name="grants", help_text="Empty within one organisation."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["to_organization", "ends_at"], name="grant_had", condition=Q(revoked_at__isnull=True)),
            models.Index(fields=["organization", "-created_at"], name="grant_given"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(patient__isnull=False, referral__isnull=True) | Q(patient__isnull=True, referral__isnull=False),
                name="a_grant_is_of_one_record",
                violation_error_message="Share either a person's record or one referral.",
            ),
            models.CheckConstraint(
                condition=Q(agreement__isnull=False) | Q(organization=F("to_organization")),
                name="a_grant_has_an_agreement",
                violation_error_message="Another organisation sees a record only under a sharing agreement.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="a_grant_ends_after_it_starts",
                violation_error_message="The last day is before the first.",
            ),
        ]

    def __str__(self) -> str:
        return f"Grant {self.pk}"


class IsAnyOf(Func):
    """`column = ANY (ARRAY(SELECT …))`. Beside another condition an index serves both; `IN (SELECT …)` would read the whole table."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()


def is_among(column: str, ids: QuerySet[Any, Any]) -> IsAnyOf:
    """The condition that `column` is among `ids`, a query of one column."""
    return IsAnyOf(F(column), ArraySubquery(ids))


def is_caring(user: Any) -> bool:
    """Whether somebody's work may need a person's record: who refers or provides, in an organisation."""
    return bool(getattr(user, "is_authenticated", False) and user.organization_id and (user.is_referrer or user.is_provider))


def grants_of(user: User) -> GrantQuerySet:
    """Those that open something to `user` at this moment."""
    return Grant.objects.held_by(user, clock.now())


def of_granted_people(rows: QuerySet[Any], user: User) -> QuerySet[Any, Any]:
    """The ids of those of `rows` that a grant of the whole person opens: its owner's, but what a team keeps to itself."""
    private = Team.objects.filter(keeps_to_itself=True).order_by().values("pk")
    shared = rows.filter(patient__grants__in=grants_of(user).values("pk"), organization_id=F("patient__grants__organization_id"))
    return shared.exclude(team__in=private).order_by().values("pk")
