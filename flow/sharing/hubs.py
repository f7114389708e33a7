"""What is opened to a hub's team with a referral, and closed when it leaves the hub."""

from datetime import datetime, timedelta

from django.db.models import Q

from core.errors import Conflict
from flow.models import Grant, Hub, PathwayVersion, Referral, SharingAgreement
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
    """Open one referral to the team of a hub. Called in the transaction that puts it into the queue."""
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


def close_for(referral: Referral, *, by, at: datetime) -> None:
    """Close a referral to whichever hub it was open."""
    Grant.objects.filter(referral=referral, purpose=Purpose.TRIAGE, revoked_at__isnull=True).update(revoked_at=at, revoked_by=by)
