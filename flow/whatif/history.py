"""The region's own history as laws: how many come from where, how long stays, answers and searches take, how often a yes comes."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, Min, Q

from core.clock import LONDON
from flow.models import Episode, Referral, ReferralTask
from flow.simulation.fitting import Fitted, fit, rates, uneven, week
from flow.simulation.laws import Law
from flow.simulation.world import Floats
from flow.workflow import Action, Status

#: Arrivals are counted over so many days; how long things took, over so many.
ARRIVALS, LENGTHS = 28, 91
DAY = timedelta(days=1)
#: What is assumed while there is nothing to learn from: a stay, an answer, a search, going without.
USUAL = {
    "stay": Law("lognormal", 21.0, 0.8), "answer": Law("lognormal", 0.25, 0.8), "search": Law("exponential", 1.0),
    "patience": Law("exponential", 60.0),
}  # fmt: skip
#: One kind leans on all kinds like so many answers, one service on its kind like so many.
YES_KIND, YES_SERVICE = 10, 5
#: Whoever a service said yes to waits no more.
_TAKEN = (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED, Status.FAILED)


@dataclass(slots=True)
class Lengths:
    """How long things of one group took, and of those that go on, how long so far."""

    days: list[float] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    def add(self, begun: datetime, ended: datetime | None, at: datetime) -> None:
        self.days.append(max(0.0, ((ended or at) - begun) / DAY))
        self.ended.append(ended is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """People a day by (source, pathway), what was counted, and when in the week they come."""

    rate: dict[tuple[UUID, str], float]
    count: dict[tuple[UUID, str], int]
    days: float
    week: Floats
    uneven: float | None
    """Against chance: 1 is what chance would do."""


def fitted(lengths: dict[str, Lengths], what: str) -> tuple[dict[str, Fitted], Fitted]:
    """The law of each group, leaning on that of all together, which is the second answer."""
    every = Lengths([d for each in lengths.values() for d in each.days], [e for each in lengths.values() for e in each.ended])
    whole = fit(every.days, every.ended, None, usual=USUAL[what])
    return {group: fit(each.days, each.ended, whole, usual=USUAL[what]) for group, each in lengths.items()}, whole


def arrivals(at: datetime) -> Arrivals:
    """Who became ready on the last days, everywhere in the region."""
    first = Episode.objects.filter(ready_at__lte=at, ready_at__gt=at - ARRIVALS * DAY).aggregate(first=Min("ready_at"))["first"]
    days = max(1.0, (at - first) / DAY) if first else 1.0
    came = Episode.objects.filter(ready_at__lte=at, ready_at__gt=at - ARRIVALS * DAY).order_by()
    count: Counter[tuple[UUID, str]] = Counter()
    hours, daily = [], Counter[int]()
    for organization, pathway, ready in came.values_list("organization", "discharge_pathway", "ready_at"):
        assert ready is not None  # filtered by it
        count[organization, pathway] += 1
        local = ready.astimezone(LONDON)
        hours.append(local.weekday() * 24 + local.hour)
        daily[int((at - ready) / DAY)] += 1
    keys = list(count)
    by_pathway: Counter[str] = Counter()
    by_source: Counter[UUID] = Counter()
    for (source, pathway), number in count.items():
        by_pathway[pathway] += number
        by_source[source] += number
    total = max(1, count.total())
    # A source's share of all, times the pathway's: what its stream would be if all sources were alike.
    shares = [by_source[source] / total * by_pathway[pathway] / total for source, pathway in keys]
    found = rates([count[key] for key in keys], days, shares)
    even = uneven([daily[day] for day in range(int(days))])
    return Arrivals(dict(zip(keys, found, strict=True)), dict(count), days, week(hours, days / 7), even)


def stays(at: datetime) -> dict[str, Lengths]:
    """From moving in until the support ended, by kind of place; of those who are there, so far."""
    found: dict[str, Lengths] = defaultdict(Lengths)
    tasks = ReferralTask.objects.filter(transitions__action=Action.START, transitions__at__gt=at - LENGTHS * DAY)
    over = Q(transitions__action__in=[Action.COMPLETE, Action.FAIL])
    begun = tasks.annotate(begun=Max("transitions__at")).values_list("pk", "begun", "pool__care_type__code", "status")
    ends = dict(ReferralTask.objects.filter(over).annotate(over=Max("transitions__at", filter=over)).values_list("pk", "over"))
    for task, start, kind, status in begun:
        if start is not None and (status in Status.open() or task in ends):
            found[kind].add(start, ends.get(task), at)
    return found


def asks(at: datetime) -> tuple[dict[str, Lengths], dict[str, Counter[bool]], dict[UUID, Counter[bool]]]:
    """From asking until the first answer, by kind of place; and yes and no, by kind and by pool."""
    lengths: dict[str, Lengths] = defaultdict(Lengths)
    by_kind: dict[str, Counter[bool]] = defaultdict(Counter)
    by_pool: dict[UUID, Counter[bool]] = defaultdict(Counter)
    tasks = ReferralTask.objects.filter(requested_at__gt=at - LENGTHS * DAY, requested_at__lte=at).exclude(status=Status.ENTERED_IN_ERROR)
    for kind, pool, asked, answered, status in tasks.values_list("pool__care_type__code", "pool", "requested_at", "answered_at", "status"):
        if asked is None or (answered is None and status != Status.REQUESTED):
            continue  # taken back before anybody answered
        lengths[kind].add(asked, answered, at)
        if answered is not None:
            yes = status != Status.REJECTED
            by_kind[kind][yes] += 1
            by_pool[pool][yes] += 1
    return lengths, by_kind, by_pool


class Chances:
    """How likely a yes is: of all, of a kind of place, of one place, each leaning on the one before."""

    def __init__(self, by_kind: dict[str, Counter[bool]], by_pool: dict[UUID, Counter[bool]]) -> None:
        self.by_kind, self.by_pool = by_kind, by_pool
        yes, all_ = sum(each[True] for each in by_kind.values()), sum(each.total() for each in by_kind.values())
        self.answers, self.whole = all_, (yes + 1) / (all_ + 2)

    def of(self, pool: UUID, kind: str) -> float:
        told, here = self.by_kind.get(kind, Counter()), self.by_pool.get(pool, Counter())
        usual = (told[True] + YES_KIND * self.whole) / (told.total() + YES_KIND)
        return (here[True] + YES_SERVICE * usual) / (here.total() + YES_SERVICE)


def searches(at: datetime) -> tuple[dict[str, Lengths], dict[str, Lengths]]:
    """By pathway: from being ready until somebody was asked, and from being ready until somebody left without a place."""
    search: dict[str, Lengths] = defaultdict(Lengths)
    patience: dict[str, Lengths] = defaultdict(Lengths)
    recent = Episode.objects.filter(ready_at__lte=at).filter(Q(ready_at__gt=at - LENGTHS * DAY) | Q(ended_at=None))
    asked = dict(Referral.objects.filter(episode__isnull=False).values_list("episode").annotate(first=Min("created_at")).order_by())
    taken = dict(
        ReferralTask.objects.filter(status__in=_TAKEN, referral__episode__isnull=False)
        .values_list("referral__episode")
        .annotate(first=Min("answered_at"))
        .order_by()
    )
    for pk, pathway, ready, ended in recent.values_list("pk", "discharge_pathway", "ready_at", "ended_at"):
        assert ready is not None  # filtered by it
        if pk in asked:
            search[pathway].add(ready, max(ready, asked[pk]), at)
        elif ended is None:
            search[pathway].add(ready, None, at)
        if pk in taken:
            patience[pathway].add(ready, None, taken[pk] or ended or at)
        else:
            patience[pathway].add(ready, ended, at)
    return search, patience


def told(what: str, group: str, law: Fitted) -> dict[str, Any]:
    """A line of the page: what was fitted, to how much, and how well."""
    return {"what": what, "group": group, **law.to_json()}
