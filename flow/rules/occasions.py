"""What a rule is about: the occasions on which its trigger came true. The dry run and the clock ask the same question."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest

from core.clock import LONDON
from flow.models import Referral, ReferralTask, RuleVersion, Transition
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


@dataclass(frozen=True, slots=True)
class Span:
    """Which occasions are looked for: those whose time, `wait` after the trigger, comes after `after` and by `until`.

    `now`: only those that are still so at `until`, for whoever acts. A dry run asks what was so when the time came.
    """

    after: datetime
    until: datetime
    wait: timedelta
    now: bool

    def of(self, since: str) -> Q:
        """The condition on the moment at which the trigger came true."""
        return Q(**{f"{since}__gt": self.after - self.wait, f"{since}__lte": self.until - self.wait})

    def holds(self, since: datetime) -> bool:
        return self.after < since + self.wait <= self.until


def find(version: RuleVersion, *, after: datetime, until: datetime, referral_id: UUID | None = None, now: bool = False) -> list[Occasion]:
    """The occasions whose time came in this span, oldest first: the trigger came true, and so long ago as the rule says.

    An occasion that was over before its time came is none; with `now`, nor is one that has been settled since.
    """
    span = Span(after, until, timedelta(minutes=version.after_minutes), now)
    tasks = on_whom(version, ReferralTask.objects.all())
    if referral_id is not None:
        tasks = tasks.filter(referral=referral_id)
    found = [each for each in _FINDERS[version.trigger](tasks, span) if span.holds(each.since)]
    return sorted(found, key=lambda each: (each.since, each.key))


def moment(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%H:%M on %-d %B}"


def on_whom(version: RuleVersion, tasks: QuerySet[ReferralTask]) -> QuerySet[ReferralTask]:
    """Of these requests those that the rule is for."""
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


def _of_tasks(
    tasks: QuerySet[ReferralTask], span: Span, kind: str, since: str, words: Callable[[ReferralTask, datetime], str]
) -> Iterator[Occasion]:
    for task in tasks.filter(span.of(since)):
        came = getattr(task, since)
        yield Occasion(f"{kind} {task.pk} {came.isoformat()}", task.referral_id, task.pk, came, words(task, came))


def _sent(tasks: QuerySet[ReferralTask], span: Span) -> Iterator[Occasion]:
    waited = _stayed(tasks, Status.REQUESTED, "requested_at", span)
    return _of_tasks(waited, span, "sent", "requested_at", lambda task, at: f"{task.pool.service.name} was asked at {moment(at)}")


def _overdue(tasks: QuerySet[ReferralTask], span: Span) -> Iterator[Occasion]:
    waited = _stayed(tasks, Status.REQUESTED, "respond_by", span)
    return _of_tasks(waited, span, "late", "respond_by", lambda task, at: f"{task.pool.service.name} had not answered by {moment(at)}")


def _not_started(tasks: QuerySet[ReferralTask], span: Span) -> Iterator[Occasion]:
    late = _stayed(tasks, Status.ACCEPTED, "start_by", span)
    return _of_tasks(late, span, "begin", "start_by", lambda task, at: f"{task.pool.service.name} had not begun by {moment(at)}")


def _declined(tasks: QuerySet[ReferralTask], span: Span) -> Iterator[Occasion]:
    """Only a no after which the referral waits for its sender: nobody else is asked, and fewer than are wanted have said yes."""
    said = Transition.objects.filter(span.of("at"), task__in=tasks.order_by(), action=Action.DECLINE)
    rows = list(said.select_related("task__pool__service", "task__referral__episode"))
    steps: dict[UUID, list[tuple[UUID, str, datetime]]] = defaultdict(list)
    taken = Transition.objects.filter(task__referral__in={row.task.referral_id for row in rows}).order_by("at", "id")
    for referral_id, task_id, status, taken_at in taken.values_list("task__referral", "task", "to_status", "at"):
        steps[referral_id].append((task_id, status, taken_at))
    for row in rows:
        referral = row.task.referral
        moments = {row.at + span.wait, span.until} if span.now else {row.at + span.wait}
        if all(_lacking(referral, steps[referral.pk], at) for at in moments):
            words = f"{row.task.pool.service.name} said no at {moment(row.at)}"
            yield Occasion(f"no {row.pk}", referral.pk, row.task_id, row.at, words)


def _lacking(referral: Referral, steps: list[tuple[UUID, str, datetime]], at: datetime) -> bool:
    """Whether somebody was still to be found for a referral at a moment, by what had been done until then."""
    ended = referral.episode.ended_at if referral.episode else None
    if any(over is not None and over <= at for over in (referral.closed_at, ended)):
        return False
    stood = {task: status for task, status, taken in steps if taken <= at}.values()
    return Status.REQUESTED not in stood and sum(status in Status.taken_on() for status in stood) < referral.wanted


def _no_capacity(tasks: QuerySet[ReferralTask], span: Span) -> Iterator[Occasion]:
    """Asked, and full by its own figures now. A place that is held for this person is not one that is missing."""
    full = tasks.filter(status=Status.REQUESTED, pool__available__lte=F("pool__held"), pool__status="capacity")
    full = full.exclude(reservation__state="held").annotate(full_since=Greatest("requested_at", "pool__reported_at"))
    return _of_tasks(full, span, "full", "full_since", lambda task, at: f"{task.pool.service.name} has had no place since {moment(at)}")


def _nobody_left(tasks: QuerySet[ReferralTask], span: Span) -> Iterator[Occasion]:
    """Of referrals that are still so: what was mended since is not in a dry run."""
    ended = [Status.REJECTED, Status.FAILED, Status.CANCELLED]
    asked_now = ReferralTask.objects.filter(referral=OuterRef("referral"), status=Status.REQUESTED)
    sent = tasks.filter(~Exists(asked_now), status__in=ended, referral__closed_at=None, referral__episode__ended_at=None)
    lately = sent.order_by().values("referral").annotate(last=Max("changed_at"))
    for row in lately.filter(last__lte=span.until - span.wait, last__gt=span.until - span.wait - LOOKS_BACK):
        asked = with_refusals(row["referral"])
        if nobody_left(asked[0].referral, asked) and not asked[0].referral.queue.filter(state="waiting").exists():
            since = max(task.changed_at for task in asked)
            yield Occasion(
                f"left {row['referral']} {since.isoformat()}", row["referral"], None, since, f"nobody was left at {moment(since)}"
            )


def _stayed(tasks: QuerySet[ReferralTask], status: Status, since: str, span: Span) -> QuerySet[ReferralTask]:
    """Those that were still in this state when the time of the rule came, by the step that ended it: there is no way back into it."""
    if span.now:
        return tasks.filter(status=status)
    until = ExpressionWrapper(OuterRef(since) + Value(span.wait), output_field=DateTimeField())
    later = Transition.objects.filter(task=OuterRef("pk"), from_status=status, at__gt=until)
    return tasks.filter(Q(status=status) | Exists(later))


_FINDERS: dict[str, Callable[[QuerySet[ReferralTask], Span], Iterator[Occasion]]] = {
    Trigger.SENT: _sent,
    Trigger.OVERDUE: _overdue,
    Trigger.DECLINED: _declined,
    Trigger.NO_CAPACITY: _no_capacity,
    Trigger.NOBODY_LEFT: _nobody_left,
    Trigger.NOT_STARTED: _not_started,
}
