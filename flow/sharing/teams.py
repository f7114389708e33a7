"""Teams of an organisation: who is in them, and which records are theirs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from catalogue.models import User
from core.errors import Invalid, NotAllowed, NotFound
from core.events import publish
from flow.models import Episode, Patient, Referral, Team


@transaction.atomic
def save_team(
    *,
    team_id: UUID | None,
    name: str,
    member_ids: Iterable[UUID],
    manager_id: UUID | None,
    contact_email: str,
    contact_phone: str,
    keeps_to_itself: bool,
    by: User,
    at: datetime,
) -> Team:
    """Make a team of one's own organisation, or change one. Whoever leaves a team that keeps its records to itself loses them at once.

    Raises NotAllowed (not a manager), NotFound and Invalid (with `field`).
    """
    if not by.is_manager or by.organization is None:
        raise NotAllowed("Teams are set up by a manager of the organisation.")
    if team_id is None:
        team = Team(organization=by.organization, created_at=at)
    else:
        known = Team.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=team_id).first()
        if known is None:
            raise NotFound("There is no such team.")
        team = known
    wanted = set(member_ids)
    colleagues = User.objects.filter(organization=by.organization, is_active=True)
    if colleagues.filter(pk__in=wanted).count() < len(wanted):
        raise Invalid("Choose members of your own organisation.", field="members")
    if manager_id is not None and not colleagues.filter(pk=manager_id).exists():
        raise Invalid("Choose somebody of your own organisation.", field="manager")
    team.name, team.manager_id, team.keeps_to_itself = name.strip(), manager_id, keeps_to_itself
    team.contact_email, team.contact_phone = contact_email.strip(), contact_phone.strip()
    try:
        team.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(messages[0], field="name" if field == "__all__" else field) from error
    team.save()
    team.members.set(colleagues.filter(pk__in=wanted))
    publish("people.changed", topics=[f"org:{team.organization_id}"], audience=[team.organization_id])
    return team


@transaction.atomic
def give_to_team(*, patient_id: UUID, team_id: UUID | None, by: User, at: datetime) -> Patient:
    """Let a person's record belong to a team, with its open stays, the referrals from them, and what was the old team’s; or to none.

    What a team keeps to itself only a member hands over or takes back. Raises NotFound and Invalid.
    """
    people = Patient.objects.visible_to(by).filter(organization=by.organization_id)
    patient = people.select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None or not by.is_referrer:
        raise NotFound("That person is not in your organisation’s records.")
    team = None
    if team_id is not None:
        team = Team.objects.filter(organization=by.organization_id).exclude(pk__in=Team.objects.hidden_from(by)).filter(pk=team_id).first()
        if team is None:
            raise Invalid("Choose one of your teams. One that keeps its records to itself takes people from its own members.", field="team")
    # Those without a stay, or from one that has ended, are the old team's by the person alone.
    theirs = Referral.objects.visible_to(by).filter(patient=patient, organization=by.organization_id, team=patient.team_id)
    sent = list(theirs.values_list("pk", flat=True))
    before, patient.team = patient.team, team
    patient.save(update_fields=["team"])
    stays = Episode.objects.visible_to(by).filter(patient=patient, organization=by.organization_id)
    # With those that have ended, if they were the old team's: whoever reads of the person now is to read of their past too.
    moved = list(stays.filter(Q(ended_at__isnull=True) | Q(team=before)).values_list("pk", flat=True))
    open_stays = list(stays.filter(ended_at__isnull=True).values_list("pk", flat=True))
    Referral.objects.filter(Q(episode__in=open_stays) | Q(pk__in=sent), organization=by.organization_id).update(team=team)
    Episode.objects.filter(pk__in=moved).update(team=team)
    publish("people.changed", topics=[f"org:{patient.organization_id}"], audience=[patient.organization_id])
    return patient
