"""A plan in force is looked at again after changes; what would be better is suggested as a whole, and a person takes it over or not."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from capacity.models import Reservation, ServiceCapacity
from catalogue.models import Organization, User
from core import acting
from core.errors import Conflict, NotFound
from flow.models import Plan, PlanDecision, PlanLine, Transition
from flow.people import tell_colleagues
from flow.planning.drawing import work_out
from flow.planning.gathering import waiting_for
from flow.planning.queries import current_plan

State = PlanLine.State


def due(at: datetime) -> list[UUID]:
    """Organisations whose plan in force is to be looked at: drawn up not long ago, not looked at just now, and something has changed."""
    every, kept = timedelta(seconds=settings.PLAN_LOOK_SECONDS), timedelta(hours=settings.PLAN_LOOK_HOURS)
    if not every:
        return []
    plans = Plan.objects.current().filter(at__gte=at - kept, created_by__is_active=True).defer("problem")
    # A plan is drawn up with the rights of whoever asked for it: of somebody who has moved it would be about other people.
    plans = plans.filter(created_by__organization=F("organization"))
    # A manager's plan of a region is a calculation: nobody acts on it.
    plans = plans.exclude(organization__kind=Organization.Kind.ICB, created_by__role=User.Role.MANAGER)
    plans = plans.annotate(seen_at=Greatest("at", "looked_at")).filter(seen_at__lte=at - every).select_related("created_by")
    return [plan.organization_id for plan in plans if _changed(plan, plan.seen_at, at)]


def _changed(plan: Plan, since: datetime, at: datetime) -> bool:
    """Whether anything happened since that a plan depends on: a figure of these kinds of care, a hold, an answer, an arrival."""
    kinds = {kind for kinds in plan.lines.values_list("profile__care_types", flat=True) for kind in kinds}
    held = Reservation.objects.filter(Q(created_at__gt=since) | Q(ended_at__gt=since), pool__care_type__code__in=kinds)
    arrived = waiting_for(plan.created_by, at).filter(profile__isnull=False).exclude(plan_lines__plan=plan) if plan.created_by else None
    return (
        ServiceCapacity.objects.filter(reported_at__gt=since, care_type__code__in=kinds).exists()
        or held.exists()
        or Transition.objects.filter(at__gt=since, task__referral__organization=plan.organization_id).exists()
        or plan.lines.filter(episode__ended_at__gt=since).exists()
        or bool(arrived is not None and arrived.exists())
    )


def look_again(*, organization_id: UUID, at: datetime) -> str:
    """Work out what the best plan would be now, and suggest it where a line would change. Returns what came of it.

    Nothing is decided by it: the plan in force stays until somebody takes the other over. Nobody waits for it either: what was decided
    meanwhile makes it void.
    """
    plan = Plan.objects.current().filter(organization=organization_id).order_by("-at").select_related("created_by").first()
    if plan is None or plan.created_by is None or not plan.created_by.is_active or plan.created_by.organization_id != organization_id:
        return "no plan"
    better = Plan(organization_id=organization_id, created_by=plan.created_by, at=at, replaces=plan, status=Plan.Status.PROPOSED)
    lines = work_out(better, plan.created_by, tell=lambda done: None)
    better.status = Plan.Status.PROPOSED
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
        now = Plan.objects.current().filter(organization=organization_id).order_by("-at").first()
        overtaken = now is None or now.pk != plan.pk or PlanDecision.objects.filter(line__plan=plan, at__gte=at).exists()
        before = Plan.objects.filter(organization=organization_id, status=Plan.Status.PROPOSED)
        if overtaken:
            return "overtaken"
        Plan.objects.filter(pk=plan.pk).update(looked_at=at)
        said = _says(before)
        if not any(line.change for line in lines):
            before.delete()
            what = "as good as can be"
        elif said == {(line.episode_id, line.part, line.pool_id) for line in lines}:
            return "suggested already"
        else:
            before.delete()
            better.save()
            PlanLine.objects.bulk_create(lines)
            what = "suggested"
        if said or what == "suggested":
            tell_colleagues(organization_id)
        return what


def _says(plans) -> set[tuple[UUID, str, UUID | None]]:
    return set(PlanLine.objects.filter(plan__in=plans).values_list("episode", "part", "pool"))


@acting.across("whether anything was decided of a plan, not of whom")
@transaction.atomic
def take_over(*, plan_id: UUID, by: User, at: datetime) -> Plan:
    """Put a suggested plan in the place of the one in force. Nothing is held or sent by it. Raises NotFound and Conflict."""
    # Locked before the plan is read: a worker may be putting another suggestion in its place.
    if by.organization_id is not None:
        Organization.objects.select_for_update(no_key=True).get(pk=by.organization_id)
    plan = Plan.objects.visible_to(by).filter(pk=plan_id, status=Plan.Status.PROPOSED).first()
    if plan is None:
        raise NotFound("That plan is not suggested any more. Look at the plan in force; nothing has been changed.")
    now = current_plan(by)
    busy = Plan.objects.filter(organization=plan.organization_id, status__in=[Plan.Status.WAITING, Plan.Status.RUNNING])
    decided = PlanDecision.objects.filter(line__plan=plan.replaces_id, at__gte=plan.at)
    if now is None or now.pk != plan.replaces_id or busy.exists() or decided.exists():
        raise Conflict("The plan in force has changed since. Look at that, and draw it up again if need be.", code="replaced")
    plan.status, plan.finished_at = Plan.Status.DONE, at
    plan.save(update_fields=["status", "finished_at"])
    tell_colleagues(plan.organization_id)
    return plan
