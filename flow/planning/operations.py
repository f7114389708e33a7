"""What a team does with a plan: has it drawn up, takes a line, refuses one, chooses another place. Nothing is sent by itself."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app

import capacity.operations as places
from capacity.queries import pool_states
from catalogue.models import Organization, User
from core import acting
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from flow.models import Episode, Plan, PlanDecision, PlanLine
from flow.people import lock_whose, tell_colleagues
from flow.planning import pricing
from flow.planning.drawing import Stopped, draw
from flow.planning.gathering import waiting_for
from flow.planning.queries import current_plan, rivals

logger = logging.getLogger(__name__)

#: A plan for more people than this is drawn up by a worker.
AT_ONCE = 300
#: After so many people a worker says how far it is, and looks whether it was asked to stop.
STEP = 25
Kind, Reason, State = PlanDecision.Kind, PlanDecision.Reason, PlanLine.State
#: Refusals of a hold that mean that the place itself has gone, not that this team may not have it.
_GONE = frozenset({"no-place", "not-known", "no-such-pool"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided, and the plan that was drawn up because of it, if any."""

    decision: PlanDecision
    plan: Plan | None = None


@acting.across("a plan is for all who wait; who is in it decides the reader")
@transaction.atomic
def draw_up(*, by: User, at: datetime) -> Plan:
    """A new plan for everybody who waits and whom the plan of `by`'s organisation is for. It takes the place of the one before.

    Who was asked for already stays as they are, and others are moved only for more than `Policy.stay` points. Few people are done at once;
    for many a worker is asked. Raises NotAllowed, and Conflict (`being-drawn-up`).
    """
    if not (by.is_referrer or by.is_manager) or by.organization_id is None:
        raise NotAllowed("A plan is for teams that refer people, and for managers.")
    Organization.objects.select_for_update(no_key=True).get(pk=by.organization_id)
    if Plan.objects.filter(organization=by.organization_id, status__in=[Plan.Status.WAITING, Plan.Status.RUNNING]).exists():
        raise Conflict("A plan is being drawn up already. Wait for that, or stop it.", code="being-drawn-up")
    total = waiting_for(by, at).filter(profile__isnull=False).count()
    plan = Plan(organization_id=by.organization_id, created_by=by, at=at, replaces=current_plan(by), total=total)
    plan.save()
    if total > AT_ONCE:
        app.configure_task("flow.tasks.draw_up_plan", lock=f"plan {plan.organization_id}").defer(plan_id=str(plan.pk))
    else:
        draw(plan, by, tell=lambda done: None)
    tell_colleagues(by.organization_id)
    _tell_rivals(plan, at)
    return plan


@transaction.atomic
def stop(*, plan_id: UUID, by: User, at: datetime) -> Plan:
    """Ask the work on a plan to end. The plan before stays. Raises NotFound, and Conflict when it has ended."""
    plan = Plan.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=plan_id).first()
    if plan is None:
        raise NotFound("There is no such plan.")
    if not plan.is_running:
        raise Conflict("It has ended already. Load the page again.", code="plan-ended")
    plan.status, plan.stop_requested_at, plan.finished_at = Plan.Status.STOPPED, at, at
    plan.save(update_fields=["status", "stop_requested_at", "finished_at"])
    return plan


def carry_out(*, plan_id: UUID, at: Callable[[], datetime]) -> str:
    """Draw up a plan that was left to a worker. Returns how it ended.

    One whose worker died in the middle has kept nothing, and is drawn up from the beginning when its job is put back.
    """
    Status = Plan.Status
    plan = Plan.objects.filter(pk=plan_id, status__in=[Status.WAITING, Status.RUNNING]).select_related("replaces", "created_by").first()
    if plan is None:
        return "nothing to do"
    kept = Plan.objects.filter(pk=plan_id, status__in=[Status.WAITING, Status.RUNNING])

    def tell(done: int) -> None:
        if done % STEP == 0 and not kept.update(done=done):
            raise Stopped

    try:
        if plan.created_by is None or not plan.created_by.is_active or plan.created_by.organization_id != plan.organization_id:
            raise NotAllowed("Whoever asked for this plan does not sign in here any more.")
        plan.at = at()
        kept.update(status=Status.RUNNING, at=plan.at)
        draw(plan, plan.created_by, tell=tell)
    except Stopped:
        return str(Status.STOPPED)
    except Exception:
        kept.update(status=Status.FAILED, finished_at=at())
        logger.warning("plan %s: could not be drawn up", plan_id)
        raise
    with transaction.atomic():
        tell_colleagues(plan.organization_id)
        _tell_rivals(plan, at())
    return str(plan.status)


def _tell_rivals(plan: Plan, at: datetime) -> None:
    """Boards of other teams whose plans suggest the same places look again: the last of them is wanted twice."""
    pools = set(plan.lines.filter(state__in=[State.SUGGESTED, State.CHOSEN]).values_list("pool", flat=True))
    for organization in rivals(pools, plan.organization_id, at):
        tell_colleagues(organization)


@transaction.atomic
def accept(*, line_id: UUID, by: User, at: datetime) -> Outcome:
    """Hold the place of a line for its person, if it is still free at this instant; of several services at once all, or none.

    When it has gone, that is written to the line, and the plan is drawn up anew. Raises NotFound, Conflict (`decided`, `replaced`, and what
    `flow.operations.hold_place` refuses for reasons of the team's own).
    """
    from flow.operations import hold_place

    line = _open_line(line_id, by)
    if line.pool_id is None:
        raise Conflict("There is no place in this line. Choose one for the person.", code="no-place-in-line")
    parts = [line]
    if line.part:
        others = line.plan.lines.filter(episode=line.episode_id, pool__isnull=False, decision=None).exclude(pk=line.pk)
        parts += others.select_related("plan")
    held = {}
    trying = line
    try:
        with transaction.atomic():
            # In the order that `flow.operations` says: the person, then all the places at once, so that no two packages block each other.
            lock_whose(line.episode.patient_id, Episode.objects.filter(pk=line.episode_id))
            places.lock([cast(UUID, each.pool_id) for each in parts])
            for each in parts:
                trying = each
                held[each.pk] = hold_place(episode_id=each.episode_id, pool_id=cast(UUID, each.pool_id), by=by, at=at)
    except LuneError as error:
        if error.code not in _GONE:
            raise
        gone = _decide(trying, Kind.GONE, cast(UUID, trying.pool_id), by=by, at=at, reason_text=error.message[:300])
        return Outcome(gone, draw_up(by=by, at=at))
    decided = [_decide(each, Kind.ACCEPTED, cast(UUID, each.pool_id), by=by, at=at, hold=held[each.pk]) for each in parts]
    return Outcome(decided[0])


@transaction.atomic
def reject(*, line_id: UUID, by: User, at: datetime, reason: str, reason_text: str = "") -> Outcome:
    """Say that a place is not right for a person, and why; it is not suggested for this stay again. The plan is drawn up without it."""
    text = reason_text.strip()
    if reason not in Reason.values:
        raise Invalid("Choose why the place is not right, so that it is not suggested again.", field="reason")
    if reason == Reason.OTHER and not text:
        raise Invalid("Say in a few words what the other reason is.", field="reason_text")
    if len(text) > 300:
        raise Invalid("Shorten the reason to 300 letters or fewer.", field="reason_text")
    line = _open_line(line_id, by)
    if line.pool_id is None:
        raise Conflict("There is no place in this line that could be refused.", code="no-place-in-line")
    decision = _decide(line, Kind.REJECTED, line.pool_id, by=by, at=at, reason=reason, reason_text=text)
    return Outcome(decision, draw_up(by=by, at=at))


@transaction.atomic
def override(*, line_id: UUID, pool_id: UUID, by: User, at: datetime) -> Outcome:
    """Choose another place for a person than the plan did. What it costs the plan is kept; the others are planned around it.

    Raises NotFound, and Conflict (`no-place`, `not-an-option`, `decided`, `replaced`). The place is held only when the line is accepted.
    """
    line = _open_line(line_id, by)
    offers = pricing.offers(line, [pool_id])
    if not offers:
        raise Conflict("That place is not one that fits this person in this plan. Choose another.", code="not-an-option")
    state = pool_states([pool_id], at).get(pool_id)
    if state is None or not state.can_be_held:
        raise Conflict("No place is free there any more. Choose another; nothing has been changed.", code="no-place")
    decision = _decide(line, Kind.OVERRIDDEN, pool_id, by=by, at=at, price=offers[0].price)
    return Outcome(decision, draw_up(by=by, at=at))


def _open_line(line_id: UUID, by: User) -> PlanLine:
    """A line of the plan in force of which nothing was decided. Its plan is locked, so that two do not decide at once."""
    line = PlanLine.objects.visible_to(by).filter(pk=line_id).select_related("plan").first()
    if line is None:
        raise NotFound("There is no such line in your organisation’s plan.")
    Organization.objects.select_for_update(no_key=True).get(pk=line.plan.organization_id)
    plan = current_plan(by)
    if plan is None or plan.pk != line.plan_id:
        raise Conflict("This plan has been replaced by a newer one. Look at that; nothing has been changed.", code="replaced")
    if line.state == State.OFFERED:
        raise Conflict("A service was asked for this person already, so the plan leaves that as it is.", code="offered")
    decided = PlanDecision.objects.filter(line=line).first()
    if decided is not None:
        raise Conflict(f"This was decided already: {decided.get_kind_display().lower()}.", code="decided")
    return line


def _decide(line: PlanLine, kind: str, pool_id: UUID, *, by: User, at: datetime, **fields) -> PlanDecision:
    decision = PlanDecision.objects.create(line=line, kind=kind, pool_id=pool_id, by=by, at=at, **fields)
    tell_colleagues(line.plan.organization_id)
    return decision
