"""What is opened to a hub's team with a referral, and closed when it leaves the hub."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from catalogue.models import User
from core.errors import Conflict
from flow import consents
from flow.consents import Purpose as Agreed
from flow.models import Episode, Grant, Hub, PathwayVersion, Patient, Referral, SharingAgreement
from flow.models.sharing import Purpose

#: For how long a hub may look at what it was sent, unless the agreement ends before.
HUB_KEEPS = timedelta(days=90)


def require_agreement(organization_id, hub: Hub, version: PathwayVersion | None, at: datetime) -> SharingAgreement | None:
    """The agreement under which that organisation may send to that hub; None within one organisation. Raises Conflict (`no-agreement`)."""
    if hub.organization_id == organization_id:
        return None
    whose = Q(organization=organization_id) & (Q(pathway=None) | Q(pathway=version.pathway_id if version else None))
    if version is not None:
        whose |= Q(organization=None, pathway=version.pathway_id)
    found = SharingAgreement.objects.in_force(at).filter(whose, with_organization=hub.organization_id, purpose=Purpose.TRIAGE)
    agreement = found.order_by("-ends_at").first()
    if agreement is None:
        raise Conflict(
            f"No agreement is in force by which {hub.organization.name} may read your organisation’s referrals. "
            "Ask your manager to record one; nothing has been sent.",
            code="no-agreement",
        )
    return agreement


def open_for(referral: Referral, hub: Hub, *, by, at: datetime) -> Grant:
    """Open one referral to the team of a hub. Called in the transaction that puts it into the queue.

    Raises Conflict (`consent-withdrawn`, `no-agreement`).
    """
    if consents.says_no(referral.patient, Agreed.CARE) or consents.says_no(referral.patient, Agreed.SHARING, hub.organization.kind):
        raise Conflict(
            f"What the person agrees to does not allow that {hub.name} reads this referral. Nothing has been sent.",
            code="consent-withdrawn",
        )
    agreement = require_agreement(referral.organization_id, hub, referral.pathway_version, at)
    ends_at = at + HUB_KEEPS
    return Grant.objects.create(
        organization_id=referral.organization_id,
        to_organization_id=hub.organization_id,
        to_team_id=hub.team_id,
        referral=referral,
        purpose=Purpose.TRIAGE,
        agreement=agreement,
        starts_at=at,
        ends_at=min(ends_at, agreement.ends_at) if agreement else ends_at,
        created_at=at,
        created_by=by,
    )


def team_of(patient: Patient, episode_id: UUID | None, organization_id: UUID) -> UUID | None:
    """Whose a new referral is: the team of the stay, or else of the person; what a team keeps to itself stays with it."""
    stay = (
        Episode.objects.filter(pk=episode_id, organization=organization_id).values_list("team", flat=True).first() if episode_id else None
    )
    return stay or (patient.team_id if patient.organization_id == organization_id else None)


def share_back(referral: Referral, *, by: User, at: datetime) -> None:
    """What somebody sends for a person whose record was shared with them is seen by those whose record it is, for as long."""
    owner = referral.patient.organization_id
    if owner == referral.organization_id:
        return
    grant = Grant.objects.held_by(by, at).filter(patient=referral.patient_id).order_by("-ends_at").first()
    if grant is not None:
        Grant.objects.create(
            organization_id=referral.organization_id,
            to_organization_id=owner,
            referral=referral,
            purpose=grant.purpose,
            agreement=grant.agreement,
            starts_at=at,
            ends_at=grant.ends_at,
            created_at=at,
            created_by=by,
        )


def close_for(referral: Referral, *, by, at: datetime) -> None:
    """Close a referral to whichever hub it was open."""
    Grant.objects.filter(referral=referral, purpose=Purpose.TRIAGE, revoked_at__isnull=True).update(revoked_at=at, revoked_by=by)
