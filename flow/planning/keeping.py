"""How long plans are kept: whole for some months, then only what somebody decided of a line and the figures without any person."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from flow.models import Plan, PlanDecision, PlanLine

#: What an export has of each line that somebody decided about. No name: stays and places have ids.
COLUMNS = (
    "plan", "organization", "drawn_up", "objective", "bound", "stay", "kind_of_service", "suggested", "decision", "place", "reason",
    "reason_text", "price", "decided_by", "decided_at",
)  # fmt: skip


def old(at: datetime) -> Any:
    """Plans that are not in force and older than `PLAN_KEEP_DAYS`, of which more is kept than decisions; the oldest first."""
    before = at - timedelta(days=settings.PLAN_KEEP_DAYS)
    Status = Plan.Status
    newer = Plan.objects.filter(replaces=OuterRef("pk"), status=Status.DONE)
    ended = Q(Exists(newer), status=Status.DONE) | Q(status__in=[Status.STOPPED, Status.FAILED, Status.PROPOSED])
    return Plan.objects.filter(ended, at__lt=before).order_by("at", "pk")


def forget(*, at: datetime) -> int:
    """Delete from old plans what they were made from and every line of which nothing was decided; and plans in which nothing was.

    A decision stays with its line: who decided what of whom, and when; and a place that was refused is still not suggested for the same
    stay. Returns how many plans were emptied or deleted.
    """
    done = 0
    for plan in old(at).defer("problem"):
        with transaction.atomic():
            undecided = PlanLine.objects.filter(plan=plan, decision=None)
            gone, _ = undecided.delete()
            if not PlanLine.objects.filter(plan=plan).exists():
                # The one after it takes its place in the chain, so that the one before does not come into force again. Which that is now
                # stands in the row alone: the one before may have gone a moment ago.
                Plan.objects.filter(replaces=plan).update(replaces=Plan.objects.filter(pk=plan.pk).values("replaces"))
                plan.delete()
                done += 1
            else:
                emptied = Plan.objects.filter(pk=plan.pk, problem__isnull=False).update(problem=None)
                done += bool(gone or emptied)
    return done


def decisions(*, before: datetime) -> Iterator[tuple[object, ...]]:
    """What was decided of plans drawn up before an instant, a row for each decision: for a file, before the rest is deleted."""
    found = PlanDecision.objects.filter(line__plan__at__lt=before).select_related("line__plan").order_by("line__plan__at", "at", "pk")
    for one in found.iterator():
        line, plan = one.line, one.line.plan
        yield (
            plan.pk, plan.organization_id, plan.at.isoformat(), plan.objective, plan.bound, line.episode_id, line.part, line.pool_id or "",
            one.kind, one.pool_id, one.reason, one.reason_text, "" if one.price is None else one.price, one.by_id or "", one.at.isoformat(),
        )  # fmt: skip
