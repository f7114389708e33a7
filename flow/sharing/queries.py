"""What an organisation shares, with whom, and who has looked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from catalogue.models import Organization, User
from core import acting
from core.models import AuditEntry
from flow.models import Grant, Patient, Referral, SharingAgreement, Team
from flow.models.sharing import Purpose

MOST_LOOKS = 200


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a record that was opened. `who` is a colleague of the other organisation, never the person."""

    at: datetime
    who: str
    what: str


def agreements(user: User) -> QuerySet[SharingAgreement]:
    """Those that concern the user's organisation, in force first."""
    return SharingAgreement.objects.visible_to(user).select_related("organization", "with_organization", "pathway").order_by("-ends_at")


#: What was shown, in words.
_KINDS = {"patient": "The person’s record", "referral": "A referral"}


def grants(user: User, at: datetime, *, given: bool = True, all_of_them: bool = False) -> QuerySet[Grant]:
    """What is open now, newest first; with `all_of_them` what was, too. Names nobody whom it is about."""
    found = Grant.objects.visible_to(user)
    found = found.filter(organization=user.organization_id) if given else found.filter(to_organization=user.organization_id)
    if not all_of_them:
        found = found.filter(pk__in=Grant.objects.in_force(at).order_by().values("pk"))
    return found.select_related("organization", "to_organization", "to_team", "agreement", "created_by", "revoked_by").order_by(
        "-created_at"
    )


@acting.across("a manager reads who looked, and never at whom")
def looks(grant: Grant) -> list[Look]:
    """Who of the other organisation was shown the record, from the read audit, newest first."""
    patient = grant.patient_id or grant.referral.patient_id  # type: ignore[union-attr]  # it is of one of the two
    about = (
        {patient, grant.referral_id}
        if grant.referral_id
        else {patient, *Referral.objects.filter(patient=patient).values_list("pk", flat=True)}
    )
    until = min(filter(None, [grant.revoked_at, grant.ends_at]))
    rows = AuditEntry.objects.filter(
        organization_id=grant.to_organization_id, record_id__in=about, at__gte=grant.starts_at, at__lte=until
    ).order_by("-at")[:MOST_LOOKS]
    found = list(rows)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in={row.user_id for row in found if row.user_id})}
    return [
        Look(row.at, names.get(row.user_id, "An account that is gone"), _KINDS.get(row.record_type, row.record_type.replace("-", " ")))
        for row in found
    ]


def shared_with(user: User, at: datetime) -> QuerySet[Patient]:
    """People of other organisations whose whole record the user may work on."""
    held = Grant.objects.held_by(user, at).filter(patient__isnull=False).values("patient")
    return Patient.objects.visible_to(user).filter(pk__in=held).select_related("organization").order_by("family_name", "given_name", "pk")


def agreements_to_share_under(user: User, at: datetime) -> QuerySet[SharingAgreement]:
    """Under which somebody who refers may open a person's whole record."""
    mine = SharingAgreement.objects.in_force(at).filter(organization=user.organization_id).exclude(purpose=Purpose.TRIAGE)
    return mine.select_related("with_organization").order_by("with_organization__name")


def teams_of(organization_ids: set[UUID]) -> QuerySet[Team]:
    """Teams that a record can be opened to."""
    return Team.objects.filter(Q(organization__in=organization_ids)).select_related("organization").order_by("organization__name", "name")


def organizations(user: User) -> QuerySet[Organization]:
    """With whom an agreement can be made: those that refer or provide."""
    return Organization.objects.filter(users__isnull=False).exclude(pk=user.organization_id or UUID(int=0)).distinct().order_by("name")


def colleagues(user: User) -> QuerySet[User]:
    """Who may be in a team of the user's organisation."""
    return User.objects.filter(organization=user.organization_id, is_active=True).order_by("last_name", "first_name", "pk")


def teams_for(user: User) -> QuerySet[Team]:
    """Teams to which somebody who refers can give a record: not those that keep theirs to themselves, unless one is in them."""
    mine = Team.objects.visible_to(user).filter(organization=user.organization_id)
    return mine.exclude(pk__in=Team.objects.hidden_from(user)).order_by("name")


def teams_with_sizes(user: User) -> QuerySet[Team]:
    """Teams that a manager sets up, each with how many people are in it."""
    return Team.objects.visible_to(user).select_related("organization", "manager").annotate(size=Count("members")).order_by("name")
