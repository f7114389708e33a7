"""What a manager sees: numbers, never a person. Reached through `flow.queries`."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Min, Q
from django.db.models.functions import TruncDate

from capacity.models import Reservation
from capacity.queries import RagCount, rag_counts
from catalogue.models import Organization, User
from core import acting
from core.clock import LONDON
from core.errors import NotAllowed
from flow.models import Episode, Referral, ReferralTask
from flow.workflow import REFERRER_WORDS, Status

#: Days of waiting: label, from (inclusive), to (exclusive; None: no end).
DAY_BANDS: tuple[tuple[str, int, int | None], ...] = (
    ("0–1", 0, 2),
    ("2–6", 2, 7),
    ("7–13", 7, 14),
    ("14–20", 14, 21),
    ("21+", 21, None),
)
TREND_DAYS = 28
#: Answers, and tasks that have ended, are counted for so long.
RECENT = timedelta(days=7)


class Percentile(Aggregate):
    """A continuous percentile, `share` from 0 to 1: PostgreSQL's `percentile_cont`."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Any, *, share: float, **extra: Any) -> None:
        super().__init__(expression, share=float(share), **extra)


@dataclass(frozen=True, slots=True)
class WaitRow:
    """How many people wait for one pathway or one reason, by `DAY_BANDS`."""

    code: str
    label: str
    bands: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.bands)


@dataclass(frozen=True, slots=True)
class StatusCount:
    status: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """How many people were waiting at the end of a day; for today, now."""

    on: date
    waiting: int


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """From sending a referral to the first yes or no from anybody asked, over the last seven days. None: no answers."""

    answered: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True)
class HoldFigures:
    """Holds that ended in the last seven days, by how, and those that are held now."""

    now: int
    filled: int
    released: int
    expired: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures of one scope at one instant. `scope` is "region", or the organisation's id."""

    at: datetime
    scope: str
    scope_name: str
    by_pathway: tuple[WaitRow, ...]
    by_delay: tuple[WaitRow, ...]
    capacity: tuple[RagCount, ...]
    referrals: tuple[StatusCount, ...]
    overdue: int
    first_answer: FirstAnswer
    holds: HoldFigures
    trend: tuple[TrendPoint, ...]

    @property
    def waiting(self) -> int:
        return sum(row.total for row in self.by_pathway)


@acting.across("figures of many people name none")
def dashboard(user: User, at: datetime) -> Dashboard:
    """The figures that `user` may see: a manager of an ICB those of the region, anybody else those of their own organisation.

    Capacity is of all services that the user may see in either case: it is no secret of any organisation. Raises NotAllowed for somebody
    without an organisation.
    """
    if user.organization is None:
        raise NotAllowed("The figures are for people who work in an organisation. Ask a manager for them.")
    own = None if user.is_manager and user.organization.kind == Organization.Kind.ICB else user.organization.pk
    episodes = Episode.objects.all() if own is None else Episode.objects.filter(organization_id=own)
    groups = _waiting_groups(episodes, at)
    by_pathway, by_delay = _rows(groups, 0, Episode.Pathway.choices), _rows(groups, 1, Episode.DelayReason.choices)
    statuses, overdue = _statuses(own, at)
    return Dashboard(
        at=at,
        scope="region" if own is None else str(own),
        scope_name="The region" if own is None else user.organization.name,
        by_pathway=by_pathway,
        by_delay=by_delay,
        capacity=tuple(rag_counts(user, at)),
        referrals=statuses,
        overdue=overdue,
        first_answer=_first_answer(own, at),
        holds=_holds(own, at),
        trend=_trend(episodes, at, now=sum(row.total for row in by_pathway)),
    )


def _waiting_groups(episodes: Any, at: datetime) -> dict[tuple[str, str], tuple[int, ...]]:
    """(pathway, delay reason) → people in each band of days."""
    counts = {}
    for number, (_, start, end) in enumerate(DAY_BANDS):
        span = Q(ready_at__lte=at - timedelta(days=start))
        if end is not None:
            span &= Q(ready_at__gt=at - timedelta(days=end))
        counts[f"band_{number}"] = Count("pk", filter=span)
    rows = episodes.waiting().order_by().values("discharge_pathway", "delay_reason").annotate(**counts)
    return {(row["discharge_pathway"], row["delay_reason"]): tuple(row[name] for name in counts) for row in rows}


def _rows(groups: dict[tuple[str, str], tuple[int, ...]], part: int, choices: Any) -> tuple[WaitRow, ...]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * len(DAY_BANDS))
    for key, bands in groups.items():
        sums[key[part]] = [a + b for a, b in zip(sums[key[part]], bands, strict=True)]
    return tuple(WaitRow(code, str(label), tuple(sums[code])) for code, label in choices)


def _statuses(own: UUID | None, at: datetime) -> tuple[tuple[StatusCount, ...], int]:
    """Requests that are open or ended of late, by status; and how many wait for an answer beyond their time."""
    tasks = ReferralTask.objects.filter(Q(status__in=Status.open()) | Q(changed_at__gte=at - RECENT))
    if own is not None:
        tasks = tasks.filter(Q(referral__organization_id=own) | Q(provider_id=own))
    late = Count("pk", filter=Q(status=Status.REQUESTED, respond_by__lt=at))
    found = {row["status"]: row for row in tasks.order_by().values("status").annotate(n=Count("pk"), late=late)}
    shown = [status for status in Status if status not in (Status.DRAFT, Status.ENTERED_IN_ERROR)]
    counts = tuple(StatusCount(str(s), REFERRER_WORDS[s], found[s]["n"] if s in found else 0) for s in shown)
    return counts, sum(row["late"] for row in found.values())


def _holds(own: UUID | None, at: datetime) -> HoldFigures:
    """What became of held places: those that ran out unused kept others waiting for nothing."""
    state = Reservation.State
    holds = Reservation.objects.filter(Q(state=state.HELD) | Q(ended_at__gte=at - RECENT)).order_by()
    if own is not None:
        holds = holds.filter(Q(organization_id=own) | Q(pool__service__organization_id=own))
    found = dict(holds.values_list("state").annotate(Count("pk")))
    ended = {kind: found.get(kind, 0) for kind in state}
    return HoldFigures(ended[state.HELD], ended[state.FILLED], ended[state.RELEASED], ended[state.EXPIRED], ended[state.WITHDRAWN])


def _first_answer(own: UUID | None, at: datetime) -> FirstAnswer:
    referrals, first = Referral.objects.order_by(), Min("tasks__answered_at")
    if own is not None:
        # A sender counts the first answer from anybody; a provider its own.
        first = Min("tasks__answered_at", filter=Q(organization_id=own) | Q(tasks__provider_id=own))
        referrals = referrals.filter(Q(organization_id=own) | Q(pk__in=ReferralTask.objects.filter(provider_id=own).values("referral_id")))
    answered = referrals.annotate(first=first).filter(first__gte=at - RECENT, first__lte=at)
    took = ExpressionWrapper(F("first") - F("created_at"), output_field=DurationField())
    figures = answered.annotate(took=took).aggregate(n=Count("pk"), median=Percentile("took", share=0.5), p90=Percentile("took", share=0.9))
    return FirstAnswer(figures["n"], figures["median"], figures["p90"])


def _trend(episodes: Any, at: datetime, *, now: int) -> tuple[TrendPoint, ...]:
    """Walk back from now: yesterday's evening = tonight less those who became ready today, and those who left today put back."""
    today = at.astimezone(LONDON).date()
    midnight = datetime.combine(today - timedelta(days=TREND_DAYS - 1), time(), LONDON)

    def per_day(field: str) -> dict[date, int]:
        changed = episodes.filter(ready_at__lte=at).filter(**{f"{field}__gte": midnight, f"{field}__lte": at})
        return dict(
            changed.order_by().annotate(on=TruncDate(field, tzinfo=LONDON)).values("on").annotate(n=Count("pk")).values_list("on", "n")
        )

    came, left = per_day("ready_at"), per_day("ended_at")
    points, waiting = [], now
    for back in range(TREND_DAYS):
        day = today - timedelta(days=back)
        points.append(TrendPoint(day, waiting))
        waiting += left.get(day, 0) - came.get(day, 0)
    return tuple(reversed(points))
