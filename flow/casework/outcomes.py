"""Scores of a pathway’s outcome tools: something to do on their days after a yes. A tool is a name; Lune asks none of its questions."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from catalogue.models import User
from core.clock import local_date
from core.errors import Invalid
from core.events import publish
from flow.behalf import Actor, account_of
from flow.models import FollowUp, FollowUpStep, Referral, ReferralTask
from flow.pathways.configuration import read
from flow.workflow import Status

#: What the column holds.
LARGEST = Decimal(100_000)
#: A score is typed within two years of the answer, or the year was mistyped.
OLDEST = timedelta(days=2 * 365)
YES_GONE = "No service that said yes goes on with this."


def plan_scores(*, task: ReferralTask, at: datetime) -> list[FollowUp]:
    """When a service has said yes on a pathway: the sender's side is to ask for each score on its days.

    They are counted from the first yes of those that stand: a further one adds none.
    """
    referral = task.referral
    if referral.pathway_version is None or referral.source == Referral.Source.SELF:
        return []
    due = [(tool.name, day) for tool in read(referral.pathway_version).outcome_tools for day in tool.days]
    counted_already = referral.tasks.filter(status__in=Status.taken_on()).exclude(pk=task.pk).exists()
    if not due or counted_already or _to_do(referral).exists():
        return []
    sender = referral.created_by
    still_there = sender is not None and sender.is_active and sender.organization_id == referral.organization_id
    made = FollowUp.objects.bulk_create(
        FollowUp(
            patient_id=referral.patient_id,
            referral=referral,
            organization_id=referral.organization_id,
            assigned_to=sender if still_there else None,
            kind=FollowUp.Kind.OUTCOME,
            words=f"Ask for {name} and enter the score",
            tool=name,
            due_on=local_date(at) + timedelta(days=day),
            created_at=at,
        )
        for name, day in due
    )
    FollowUpStep.objects.bulk_create(
        FollowUpStep(follow_up=one, action=FollowUpStep.Action.MADE, due_on=one.due_on, assigned_to=one.assigned_to, at=at) for one in made
    )
    whose = referral.organization_id
    publish("followup.changed", topics=[f"org:{whose}"], audience=[whose], data={"referral": str(referral.pk)})
    return made


def cancel_scores(*, task: ReferralTask, by: Actor | None, at: datetime) -> None:
    """When a yes was taken back or has failed and no other stands: the scores that were counted from it are not asked for any more."""
    referral = task.referral
    if referral.pathway_version_id is None or referral.tasks.filter(status__in=Status.taken_on()).exists():
        return
    ended = list(_to_do(referral).select_for_update(of=("self",)).order_by("pk"))
    for one in ended:
        one.state, one.outcome, one.ended_at, one.ended_by = FollowUp.State.CANCELLED, YES_GONE, at, account_of(by)
        one.version += 1
    FollowUp.objects.bulk_update(ended, ["state", "outcome", "ended_at", "ended_by", "version"])
    FollowUpStep.objects.bulk_create(
        FollowUpStep(
            follow_up=one,
            action=FollowUpStep.Action.CANCELLED,
            words=YES_GONE,
            due_on=one.due_on,
            assigned_to=one.assigned_to,
            by=account_of(by),
            at=at,
        )
        for one in ended
    )
    if ended:
        whose = referral.organization_id
        publish("followup.changed", topics=[f"org:{whose}"], audience=[whose], data={"referral": str(referral.pk)})


def _to_do(referral: Referral) -> QuerySet[FollowUp]:
    return FollowUp.objects.open().filter(referral=referral, kind=FollowUp.Kind.OUTCOME)


def set_score(found: FollowUp, score: Decimal | None, scored_on: date | None, at: datetime) -> str:
    """Note the score on what is being finished, and say it in words; empty without one. Raises Invalid (with `field`)."""
    if score is None:
        return ""
    if not found.tool:
        raise Invalid("A score belongs to a tool of a pathway. This follow-up names none.", field="score")
    if not score.is_finite() or abs(score) >= LARGEST or score != score.quantize(Decimal("0.001")):
        raise Invalid("Enter the score as a number with at most three digits after the point.", field="score")
    today = local_date(at)
    if scored_on is None or not today - OLDEST <= scored_on <= today:
        raise Invalid("Give the day on which they answered: today or a day in the last two years.", field="scored_on")
    found.score, found.scored_on = score, scored_on
    return f"{found.tool}: {written(score)}, answered on {scored_on:%-d %B %Y}"


def scores(user: User, patient_id: UUID) -> list[FollowUp]:
    """The scores of one person that `user` may read, tool by tool, the oldest first."""
    found = FollowUp.objects.visible_to(user).filter(patient=patient_id, score__isnull=False)
    return list(found.order_by("tool", "scored_on", "pk"))


def written(score: Decimal) -> str:
    """Without zeros that nobody typed."""
    return f"{score.normalize():f}"
