"""What a rule is about: the occasions on which its trigger came true. The dry run and the clock ask the same question."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, Exists, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest

from core.clock import LONDON
from flow.models import ReferralTask, RuleVersion, Transition
from flow.moves import nobody_left, with_refusals
from flow.workflow import Action, Status

Trigger = RuleVersion.Trigger
#: How far back rules look, on trial and in earnest.
LOOKS_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time at which the trigger of a rule came true, `since` when. `words` say it without naming the person."""

    key: str
    referral_id: UUID
    task_id: UUID | None
    since: datetime
    words: str


def find(version: RuleVersion, *, after: datetime, until: datetime, referral_id: UUID | None = None) -> list[Occasion]:
    """The occasions whose time came in this span, oldest first: the trigger came true, and so long ago as the rule says.

    An occasion that was over before its time came is none.
    """
    wait = timedelta(minutes=version.after_minutes)
    tasks = _conditions(version, ReferralTask.objects.all())
    if referral_id is not None:
        tasks = tasks.filter(referral=referral_id)
    found = [each for each in _FINDERS[version.trigger](tasks, wait, until) if after < each.since + wait <= until]
    return sorted(found, key=lambda each: (each.since, each.key))


def moment(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%H:%M on %-d %B}"


def _conditions(version: RuleVersion, tasks: QuerySet[ReferralTask]) -> QuerySet[ReferralTask]:
    """Only what the rule is for."""
    if version.rule.organization_id is not None:
        tasks = tasks.filter(referral__organization=version.rule.organization_id)
    fields = {
        "urgency": "referral__urgency__in",
        "care_type": "pool__care_type__code__in",
        "organization": "provider__in",
    }
    for name, lookup in fields.items():
        if version.conditions.get(name):
            tasks = tasks.filter(**{lookup: version.conditions[name]})
    if chosen := version.conditions.get("pathway"):
        tasks = tasks.filter(Q(referral__episode__discharge_pathway__in=chosen) | Q(referral__pathway_version__pathway__code__in=chosen))
    if areas := version.conditions.get("area"):
        # "PR" is every district of Preston, "PR1" that one alone.
        within = Q()
        for area in areas:
            within |= Q(referral__profile__outcode=area) if area[-1].isdigit() else Q(referral__profile__outcode__regex=rf"^{area}[0-9]")
        tasks = tasks.filter(within)
    return tasks.select_related("pool__service", "referral")


def _of_tasks(tasks: QuerySet[ReferralTask], kind: str, since: str, words: Callable[[ReferralTask, datetime], str]) -> Iterator[Occasion]:
    for task in tasks.filter(**{f"{since}__isnull": False}):
        came = getattr(task, since)
        yield Occasion(f"{kind} {task.pk} {came.isoformat()}", task.referral_id, task.pk, came, words(task, came))


def _sent(tasks: QuerySet[ReferralTask], wait: timedelta, until: datetime) -> Iterator[Occasion]:
    waited = _still_waiting(tasks.filter(requested_at__lte=until), "requested_at", wait)
    return _of_tasks(waited, "sent", "requested_at", lambda task, at: f"{task.pool.service.name} was asked at {moment(at)}")


def _overdue(tasks: QuerySet[ReferralTask], wait: timedelta, until: datetime) -> Iterator[Occasion]:
    waited = _still_waiting(tasks.filter(respond_by__lte=until), "respond_by", wait)
    return _of_tasks(waited, "late", "respond_by", lambda task, at: f"{task.pool.service.name} had not answered by {moment(at)}")


def _not_started(tasks: QuerySet[ReferralTask], wait: timedelta, until: datetime) -> Iterator[Occasion]:
    late = tasks.filter(start_by__lte=until).filter(Q(status=Status.ACCEPTED) | Q(changed_at__gt=F("start_by") + Value(wait)))
    return _of_tasks(late, "begin", "start_by", lambda task, at: f"{task.pool.service.name} had not begun by {moment(at)}")


def _declined(tasks: QuerySet[ReferralTask], wait: timedelta, until: datetime) -> Iterator[Occasion]:
    said = Transition.objects.filter(task__in=tasks.order_by(), action=Action.DECLINE, at__lte=until).select_related("task__pool__service")
    for row in said:
        words = f"{row.task.pool.service.name} said no at {moment(row.at)}"
        yield Occasion(f"no {row.pk}", row.task.referral_id, row.task_id, row.at, words)


def _no_capacity(tasks: QuerySet[ReferralTask], wait: timedelta, until: datetime) -> Iterator[Occasion]:
    """Asked, and full by its own figures now. A place that is held for this person is not one that is missing."""
    full = tasks.filter(status=Status.REQUESTED, pool__available__lte=F("pool__held"), pool__status="capacity")
    full = full.exclude(reservation__state="held").annotate(full_since=Greatest("requested_at", "pool__reported_at"))
    return _of_tasks(full, "full", "full_since", lambda task, at: f"{task.pool.service.name} has had no place since {moment(at)}")


def _nobody_left(tasks: QuerySet[ReferralTask], wait: timedelta, until: datetime) -> Iterator[Occasion]:
    """Of referrals that are still so: what was mended since is not in a dry run."""
    ended = [Status.REJECTED, Status.FAILED, Status.CANCELLED]
    asked_now = ReferralTask.objects.filter(referral=OuterRef("referral"), status=Status.REQUESTED)
    sent = tasks.filter(~Exists(asked_now), status__in=ended, referral__closed_at=None, referral__episode__ended_at=None)
    lately = sent.order_by().values("referral").annotate(last=Max("changed_at"))
    for row in lately.filter(last__lte=until, last__gt=until - wait - LOOKS_BACK):
        asked = with_refusals(row["referral"])
        if nobody_left(asked[0].referral, asked) and not asked[0].referral.queue.filter(state="waiting").exists():
            since = max(task.changed_at for task in asked)
            yield Occasion(
                f"left {row['referral']} {since.isoformat()}", row["referral"], None, since, f"nobody was left at {moment(since)}"
            )


def _still_waiting(tasks: QuerySet[ReferralTask], since: str, wait: timedelta) -> QuerySet[ReferralTask]:
    """Those that still waited for an answer when the time of the rule came."""
    moved = tasks.annotate(moved_at=Coalesce("answered_at", "changed_at", output_field=DateTimeField()))
    return moved.filter(Q(status=Status.REQUESTED) | Q(moved_at__gt=F(since) + Value(wait)))


_FINDERS: dict[str, Callable[[QuerySet[ReferralTask], timedelta, datetime], Iterator[Occasion]]] = {
    Trigger.SENT: _sent,
    Trigger.OVERDUE: _overdue,
    Trigger.DECLINED: _declined,
    Trigger.NO_CAPACITY: _no_capacity,
    Trigger.NOBODY_LEFT: _nobody_left,
    Trigger.NOT_STARTED: _not_started,
}
