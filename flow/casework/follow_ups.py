"""What is to be done for a person by a day: made, given to somebody, postponed, done. Reached through `flow.casework.operations`."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction

from catalogue.models import User
from core.clock import local_date
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import drafted, publish, publish_all
from flow.casework.outcomes import set_score
from flow.casework.words import checked
from flow.models import FollowUp, FollowUpStep, Patient, Referral, ReferralTask, Team
from flow.people import hold_record

_Action = FollowUpStep.Action
#: Nobody plans a call further ahead.
FURTHEST = timedelta(days=2 * 365)
#: So many that have come due are told in one transaction.
AT_ONCE = 500
NO_SUCH = "There is no such follow-up."
AFTER_YES = "Ask how it goes: the service said yes."


@transaction.atomic
def follow_up(
    *,
    patient_id: UUID,
    words: str,
    due_on: date,
    at: datetime,
    by: User | None,
    referral_id: UUID | None = None,
    team_id: UUID | None = None,
    user_id: UUID | None = None,
    organization_id: UUID | None = None,
    kind: str = FollowUp.Kind.PERSON,
) -> FollowUp:
    """Note what is to be done for a person, and by which day.

    `by` None is Lune: then the organisation is told in `organization_id`, or is that of `user_id` or `team_id`, of the referral's sender,
    or of the person. Raises NotAllowed, NotFound (a record that this organisation may not know) and Invalid (with `field`).
    """
    if by is not None and (by.organization_id is None or not (by.is_referrer or by.is_provider)):
        raise NotAllowed("Follow-ups are made by those who refer people or support them.")
    words = checked(words, "Say what is to be done.", longest=300, field="words")
    _check_day(due_on, at)
    referral = Referral.objects.filter(pk=referral_id, patient=patient_id).first() if referral_id else None
    if referral_id and referral is None:
        raise NotFound("There is no such referral for this person.")
    person = User.objects.filter(pk=user_id).first() if user_id else None
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    owner = organization_id or (person.organization_id if person else None) or (team.organization_id if team else None)
    owner = owner or (referral.organization_id if referral else None)
    owner = by.organization_id if by else owner or Patient.objects.values_list("organization_id", flat=True).filter(pk=patient_id).first()
    if owner is None or not _knows(owner, patient_id, by):
        raise NotFound("That person is not in your organisation’s records.")
    if referral is not None and not _knows_referral(owner, referral):
        raise NotFound("There is no such referral for this person.")
    _check_assignee(person if user_id else None, user_id, owner)
    _check_team(team, team_id, owner)
    made = FollowUp(
        patient_id=patient_id,
        referral=referral,
        organization_id=owner,
        assigned_to=person,
        team=team,
        kind=kind,
        words=words,
        due_on=due_on,
        created_by=by,
        created_at=at,
    )
    made.save(force_insert=True)
    _note(made, _Action.MADE, by=by, at=at)
    return made


def call_after_yes(*, task: ReferralTask, at: datetime) -> FollowUp | None:
    """When a service has said yes: the sender is to ask the person how it goes. None where the site wants none, or there is one."""
    referral = task.referral
    if not settings.FOLLOW_UP_DAYS or referral.source == Referral.Source.SELF:
        return None
    if FollowUp.objects.filter(referral=referral, kind=FollowUp.Kind.ACCEPTED).exists():
        return None
    sender = referral.created_by
    still_there = sender is not None and sender.is_active and sender.organization_id == referral.organization_id
    made = FollowUp.objects.create(
        patient_id=referral.patient_id,
        referral=referral,
        organization_id=referral.organization_id,
        assigned_to=sender if still_there else None,
        kind=FollowUp.Kind.ACCEPTED,
        words=AFTER_YES,
        due_on=local_date(at) + timedelta(days=settings.FOLLOW_UP_DAYS),
        created_at=at,
    )
    _note(made, _Action.MADE, by=None, at=at)
    return made


@transaction.atomic
def assign(
    *, follow_up_id: UUID, user_id: UUID | None, by: User, at: datetime, team_id: UUID | None = None, expected_version: int | None = None
) -> FollowUp:
    """Give it to a colleague, to a team, or to whoever is free. Raises NotFound, Invalid and Conflict (`stale-version`, `ended`)."""
    found = _lock(follow_up_id, by, expected_version)
    person = User.objects.filter(pk=user_id).first() if user_id else None
    _check_assignee(person, user_id, found.organization_id)
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    _check_team(team, team_id, found.organization_id)
    if (found.assigned_to_id, found.team_id) == (user_id, team_id):
        return found
    found.assigned_to, found.team = person, team
    _save(found, _Action.ASSIGNED, by=by, at=at)
    return found


@transaction.atomic
def postpone(*, follow_up_id: UUID, due_on: date, reason: str, by: User, at: datetime, expected_version: int | None = None) -> FollowUp:
    """Put it off to a later day, and say why. Raises NotFound, Invalid and Conflict (`stale-version`, `ended`)."""
    found = _lock(follow_up_id, by, expected_version)
    reason = checked(reason, "Say why it is postponed.", longest=300, field="reason")
    _check_day(due_on, at)
    if due_on <= found.due_on:
        raise Invalid("Choose a later day than the one it has.", field="due_on")
    found.due_on, found.told_at = due_on, None
    _save(found, _Action.POSTPONED, by=by, at=at, words=reason)
    return found


@transaction.atomic
def finish(
    *,
    follow_up_id: UUID,
    outcome: str,
    by: User,
    at: datetime,
    score: Decimal | None = None,
    scored_on: date | None = None,
    expected_version: int | None = None,
) -> FollowUp:
    """Say that it is done and what came of it: of an outcome tool the score and the day on which they answered, or why there is none.

    Raises NotFound, Invalid and Conflict (`stale-version`, `ended`).
    """
    found = _lock(follow_up_id, by, expected_version)
    told = set_score(found, score, scored_on, at)
    outcome = ". ".join(filter(None, [told, outcome.strip()]))
    wanted = "Enter the score, or say in a few words why there is none." if found.tool else "Say in a few words what came of it."
    return _end(found, FollowUp.State.DONE, _Action.DONE, outcome, wanted, by, at)


@transaction.atomic
def cancel(*, follow_up_id: UUID, reason: str, by: User, at: datetime, expected_version: int | None = None) -> FollowUp:
    """Say that it is not needed any more, and why. Raises NotFound, Invalid and Conflict (`stale-version`, `ended`)."""
    found = _lock(follow_up_id, by, expected_version)
    return _end(found, FollowUp.State.CANCELLED, _Action.CANCELLED, reason, "Say why it is not needed any more.", by, at)


@transaction.atomic
def tell_due(*, at: datetime) -> int:
    """Publish, once for each, that its day has come. Returns how many."""
    due = FollowUp.objects.open().filter(told_at__isnull=True, due_on__lte=local_date(at)).select_for_update(skip_locked=True)
    found = list(due.order_by("due_on", "pk")[:AT_ONCE])
    publish_all(
        [drafted("followup.due", topics=[f"org:{one.organization_id}"], audience=[one.organization_id], data=_data(one)) for one in found]
    )
    FollowUp.objects.filter(pk__in=[one.pk for one in found]).update(told_at=at)
    return len(found)


# --- what they share


def _end(found: FollowUp, state: str, action: str, words: str, wanted: str, by: User, at: datetime) -> FollowUp:
    found.outcome = checked(words, wanted, longest=500, field="words")
    found.state, found.ended_at, found.ended_by = state, at, by
    _save(found, action, by=by, at=at, words=found.outcome)
    return found


def _lock(follow_up_id: UUID, by: User, expected_version: int | None) -> FollowUp:
    found = FollowUp.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=follow_up_id).first()
    if found is None:
        raise NotFound(NO_SUCH)
    if expected_version is not None and expected_version != found.version:
        raise Conflict("Somebody has changed this follow-up since you looked. Look again.", code="stale-version", version=found.version)
    if found.state != FollowUp.State.OPEN:
        raise Conflict("This follow-up has ended. Make a new one if something is still to be done.", code="ended")
    return found


def _save(found: FollowUp, action: str, *, by: User, at: datetime, words: str = "") -> None:
    found.version += 1
    found.save()
    _note(found, action, by=by, at=at, words=words)


def _note(found: FollowUp, action: str, *, by: User | None, at: datetime, words: str = "") -> None:
    """Write the step, and tell whoever has it now, unless that is who did it."""
    FollowUpStep.objects.create(
        follow_up=found, action=action, words=words, due_on=found.due_on, assigned_to=found.assigned_to, by=by, at=at
    )
    to_tell = action in (_Action.MADE, _Action.ASSIGNED) and found.assigned_to_id and (by is None or by.pk != found.assigned_to_id)
    topics, audience = [f"org:{found.organization_id}"], [found.organization_id]
    publish("followup.assigned" if to_tell else "followup.changed", topics=topics, audience=audience, data=_data(found))


def _data(found: FollowUp) -> dict[str, object]:
    data: dict[str, object] = {"follow_up": str(found.pk), "version": found.version}
    if found.assigned_to_id:
        data["to"] = [str(found.assigned_to_id)]
    elif found.team_id:
        data["team"] = str(found.team_id)
    return data


def _knows(organization_id: UUID, patient_id: UUID, by: User | None) -> bool:
    """Whether an organisation may know a person: as `by` may see them, or, for Lune, as their own or as taken on."""
    if by is not None:
        return hold_record(patient_id, Patient.objects.visible_to(by))
    own = Patient.objects.filter(pk=patient_id, organization_id=organization_id)
    return own.exists() or ReferralTask.objects.taken_on_by(organization_id).filter(referral__patient_id=patient_id).exists()


def _knows_referral(organization_id: UUID, referral: Referral) -> bool:
    sent = referral.organization_id == organization_id
    return sent or ReferralTask.objects.taken_on_by(organization_id).filter(referral=referral).exists()


def _check_assignee(person: User | None, user_id: UUID | None, organization_id: UUID) -> None:
    works_here = person is not None and person.is_active and person.organization_id == organization_id
    if user_id is not None and not (works_here and person is not None and (person.is_referrer or person.is_provider)):
        raise Invalid("Choose a colleague of your own organisation, or nobody.", field="user_id")


def _check_team(team: Team | None, team_id: UUID | None, organization_id: UUID) -> None:
    if team_id is not None and (team is None or team.organization_id != organization_id):
        raise Invalid("Choose a team of your own organisation, or none.", field="team_id")


def _check_day(due_on: date, at: datetime) -> None:
    today = local_date(at)
    if due_on < today:
        raise Invalid("Choose today or a later day.", field="due_on")
    if due_on > today + FURTHEST:
        raise Invalid("Choose a day within the next two years.", field="due_on")
