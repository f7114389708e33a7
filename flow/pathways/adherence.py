"""Where a referral departs from the steps and deadlines of its pathway."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalogue.models import Area
from core.working_time import add_working
from flow.hubs.steps import HubAction
from flow.models import HubStep, PathwayVersion, Referral, Transition
from flow.pathways.configuration import Expected, read
from flow.workflow import Status

#: Hours of a working day.
DAY = timedelta(hours=8)
#: Which status, once any task has reached it, is a milestone.
_REACHED = {
    "asked": {Status.REQUESTED},
    "answered": {Status.ACCEPTED, Status.REJECTED},
    "accepted": {Status.ACCEPTED},
    "started": {Status.IN_PROGRESS},
    "finished": {Status.COMPLETED},
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One expected step, when it was due and when it came."""

    words: str
    due_at: datetime
    done_at: datetime | None
    is_late: bool

    @property
    def state(self) -> str:
        if self.done_at is not None:
            return "Late" if self.is_late else "In time"
        return "Overdue" if self.is_late else "Not yet"


@dataclass(frozen=True, slots=True)
class Adherence:
    """How a referral keeps to its pathway. `departures` are sentences."""

    steps: list[Kept]
    departures: list[str]


def due(step: Expected, at: datetime) -> datetime:
    """By when a step is expected of what was sent at `at`."""
    return at + timedelta(hours=step.within) if step.unit == "hours" else add_working(at, step.within * DAY)


def expected(version: PathwayVersion | None, milestone: str) -> Expected | None:
    """The deadline that a version sets for a milestone, if it does."""
    return next((step for step in read(version).steps if step.milestone == milestone), None) if version is not None else None


def adherence(referral: Referral, at: datetime) -> Adherence | None:
    """None for a referral on no pathway. Reads the rows of steps, which never change, so that it says the same ever after."""
    version = referral.pathway_version
    if version is None:
        return None
    rows = list(Transition.objects.filter(task__referral=referral).order_by("at", "pk").values_list("to_status", "at"))
    at_hub = list(HubStep.objects.filter(entry__referral=referral).order_by("at").values_list("action", "at"))
    triaged = next((done for action, done in at_hub if action == HubAction.TRIAGE), None)
    kept: list[Kept] = []
    for step in read(version).steps:
        if step.milestone == "triaged" and not at_hub:  # it was sent straight to services
            continue
        done = triaged if step.milestone == "triaged" else _first(rows, _REACHED[step.milestone])
        by = due(step, referral.created_at)
        kept.append(Kept(step.words, by, done, (done or at) > by))
    late = [f"{step.words}: {'came late' if step.done_at else 'overdue'}." for step in kept if step.is_late]
    return Adherence(kept, late + _outside(referral, version))


def helper_name(referral: Referral) -> str:
    """What somebody who helps on the pathway is called where the person lives; empty when no pathway says so."""
    version = referral.pathway_version
    if version is None or not any(name["role"] == "link-worker" for name in version.role_names):
        return ""
    point = referral.patient.point
    districts = Area.objects.filter(kind=Area.Kind.DISTRICT, outline__contains=point) if point else Area.objects.none()
    return version.role_name("link-worker", area=districts.values_list("code", flat=True).first() or "")


def _first(rows: Iterable[tuple[str, datetime]], statuses: set[Status]) -> datetime | None:
    return next((at for status, at in rows if status in statuses), None)


def _outside(referral: Referral, version: PathwayVersion) -> list[str]:
    """Services that were asked and do not belong to the pathway."""
    named = set(version.services.values_list("pk", flat=True))
    care_types = set(version.care_types)
    found = []
    for task in referral.tasks.select_related("pool__service", "pool__care_type").order_by("pk"):
        kind = task.pool.care_type.code if task.pool.care_type else ""
        if (named and task.pool.service_id not in named) or (care_types and kind not in care_types):
            found.append(f"{task.pool.service.name} was asked, which is not among the services of this pathway.")
    return found
