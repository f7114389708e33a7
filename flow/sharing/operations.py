"""Agreeing to share, opening a record under an agreement, and closing it again. Each takes effect with the transaction that writes it."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from catalogue.models import Organization, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import drafted, publish, publish_all
from flow import consents
from flow.hubs.closing import give_back, hold
from flow.models import Grant, Pathway, Patient, SharingAgreement, Team
from flow.models.sharing import Purpose
from flow.sharing.teams import give_to_team, save_team

__all__ = ["agree", "end", "give_to_team", "revoke", "save_team", "share"]


@transaction.atomic
def agree(
    *,
    organization_id: UUID | None,
    with_organization_id: UUID,
    pathway_id: UUID | None,
    purpose: str,
    legal_basis: str,
    reference: str,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    at: datetime,
) -> SharingAgreement:
    """Record an agreement that was signed. A manager does so for their own organisation, an administrator for any and for a pathway.

    Without `organization_id` it is for the records of whoever refers on the pathway. Raises NotAllowed and Invalid (with `field`).
    """
    own = by.is_manager and organization_id is not None and organization_id == by.organization_id
    if not (own or by.is_administrator):
        raise NotAllowed("An agreement is recorded by a manager of the organisation whose records are shared, or by an administrator.")
    if not Organization.objects.filter(pk=with_organization_id).exists():
        raise Invalid("Choose the other organisation.", field="with_organization")
    if pathway_id is not None and not Pathway.objects.visible_to(by).filter(pk=pathway_id).exists():
        raise Invalid("Choose one of the pathways.", field="pathway")
    if ends_at <= at:
        raise Invalid("The last day has passed already.", field="ends_on")
    agreement = SharingAgreement(
        organization_id=organization_id,
        with_organization_id=with_organization_id,
        pathway_id=pathway_id,
        purpose=purpose,
        legal_basis=legal_basis,
        reference=reference.strip(),
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=at,
        created_by=by,
    )
    try:
        agreement.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(messages[0], field=field) from error
    agreement.save(force_insert=True)
    return agreement


@transaction.atomic
def end(*, agreement_id: UUID, by: User, at: datetime) -> SharingAgreement:
    """End an agreement before its time: what was opened under it is closed at once. Raises NotFound, NotAllowed and Conflict."""
    agreement = SharingAgreement.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk=agreement_id).first()
    if agreement is None:
        raise NotFound("There is no such agreement.")
    party = by.is_manager and by.organization_id in (agreement.organization_id, agreement.with_organization_id)
    if not (party or by.is_administrator):
        raise NotAllowed("An agreement is ended by a manager of one of the two organisations, or by an administrator.")
    if agreement.ended_at is not None:
        raise Conflict("This agreement has ended already.", code="ended")
    agreement.ended_at = at
    agreement.save(update_fields=["ended_at"])
    under = Grant.objects.filter(agreement=agreement, referral__isnull=False).order_by().values_list("referral", flat=True)
    _tell_ended(agreement, by, at)
    give_back(at=at, words="The agreement with the hub has ended, so this came back to you.", referrals=under)
    parties = {party for party in (agreement.organization_id, agreement.with_organization_id) if party}
    publish("sharing.changed", topics=[f"org:{party}" for party in parties], audience=parties)
    return agreement


@transaction.atomic
def share(
    *, patient_id: UUID, agreement_id: UUID, ends_at: datetime, by: User, at: datetime, team_id: UUID | None = None, consent: bool = False
) -> Grant:
    """Let the other organisation of an agreement, or one team of it, work on a person's whole record until a day.

    Raises NotAllowed, NotFound, Invalid (`no-consent`, or with `field`) and Conflict (`shared-already`, `consent-withdrawn`,
    `sharing-refused`).
    """
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers can share a record.")
    people = Patient.objects.visible_to(by).filter(organization=by.organization)
    patient = people.select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    if not consent:
        raise Invalid("Ask the person whether they agree, and record that they do. Then share.", code="no-consent", field="consent")
    agreement = SharingAgreement.objects.in_force(at).filter(pk=agreement_id, organization=by.organization).first()
    if agreement is None or agreement.purpose == Purpose.TRIAGE:
        raise Invalid("Choose an agreement of your organisation that is in force.", field="agreement")
    consents.require_not_refused(patient, kinds={agreement.with_organization.kind})
    if not at < ends_at <= agreement.ends_at:
        raise Invalid("Choose a last day from today to the end of the agreement.", field="ends_on")
    if team_id is not None and not Team.objects.filter(pk=team_id, organization=agreement.with_organization).exists():
        raise Invalid("Choose a team of that organisation.", field="team")
    same = Grant.objects.in_force(at).filter(patient=patient, to_organization=agreement.with_organization, to_team=team_id)
    if same.exists():
        raise Conflict("This record is shared with them already.", code="shared-already")
    grant = Grant.objects.create(
        organization=by.organization,
        to_organization=agreement.with_organization,
        to_team_id=team_id,
        patient=patient,
        purpose=agreement.purpose,
        agreement=agreement,
        starts_at=at,
        ends_at=ends_at,
        created_at=at,
        created_by=by,
    )
    _tell(grant)
    return grant


@transaction.atomic
def revoke(*, grant_id: UUID, by: User, at: datetime) -> Grant:
    """Close what was opened, at once. For those whose record it is: who refers there, or a manager. Raises NotFound and Conflict."""
    mine = Grant.objects.visible_to(by).filter(organization=by.organization_id)
    hold(referral for referral in mine.filter(pk=grant_id).values_list("referral", flat=True) if referral)
    grant = mine.select_for_update(of=("self",)).filter(pk=grant_id).first()
    if grant is None or not (by.is_referrer or by.is_manager):
        raise NotFound("There is no such grant.")
    if grant.revoked_at is not None:
        raise Conflict("This is revoked already.", code="revoked")
    grant.revoked_at, grant.revoked_by = at, by
    grant.save(update_fields=["revoked_at", "revoked_by"])
    if grant.referral_id:
        give_back(at=at, words="What was open to the hub was revoked, so this came back to you.", referrals=[grant.referral_id])
    _tell(grant)
    _tell_holders(grant, by)
    return grant


def _tell_ended(agreement: SharingAgreement, by: User, at: datetime) -> None:
    """All to whom records were open under an agreement are told once that it has ended, however many records these were."""
    open_ = Grant.objects.filter(agreement=agreement, patient__isnull=False, revoked_at=None, ends_at__gt=at)
    holders: dict[UUID, set[UUID | None]] = defaultdict(set)
    for organization_id, team_id in open_.order_by().values_list("to_organization", "to_team").distinct():
        holders[organization_id].add(team_id)
    members: dict[UUID, set[str]] = defaultdict(set)
    for team_id, user_id in Team.members.through.objects.filter(team__in=set().union(*holders.values()) - {None}).values_list(
        "team_id", "user_id"
    ):
        members[team_id].add(str(user_id))
    events = []
    for organization_id, teams in holders.items():
        data: dict[str, object] = {"agreement": str(agreement.pk), "by": str(by.pk)}
        if None not in teams:
            data["to"] = sorted(set().union(*(members[team_id] for team_id in teams if team_id)))
        events.append(drafted("grant.closed", topics=[f"org:{organization_id}"], audience=[organization_id], data=data))
    publish_all(events)


def _tell_holders(grant: Grant, by: User) -> None:
    """Each of those to whom it was open is told that it is closed: the members of the team, or all who refer or provide there."""
    data: dict[str, object] = {"grant": str(grant.pk), "by": str(by.pk)}
    if grant.to_team is not None:
        data["to"] = [str(pk) for pk in grant.to_team.members.values_list("pk", flat=True)]
    publish("grant.closed", topics=[f"org:{grant.to_organization_id}"], audience=[grant.to_organization_id], data=data)


def _tell(grant: Grant) -> None:
    parties = {grant.organization_id, grant.to_organization_id}
    publish("sharing.changed", topics=[f"org:{party}" for party in parties], audience=parties)
