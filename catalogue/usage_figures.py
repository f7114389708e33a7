"""How much the public directory is used, as people may read it: sums of a period, small numbers left out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from catalogue.assurance_queue import in_area
from catalogue.models import Service, UsageCount
from catalogue.usage import SMALL

Kind = UsageCount.Kind
#: What is counted of one service, in the order in which it is shown.
OF_A_SERVICE = (Kind.OPENED, Kind.PHONE, Kind.EMAIL, Kind.WEB, Kind.REFERRAL)
#: What is known of everybody, and what is known of an area: nobody knows where a visitor is, only where it searches.
EVERYWHERE = (Kind.VISITOR, Kind.VISIT, Kind.SEARCH, Kind.NO_ANSWER, Kind.OPENED)
OF_AN_AREA = (Kind.SEARCH, Kind.NO_ANSWER, Kind.OPENED)
LONGEST_LIST = 50


@dataclass(frozen=True, slots=True)
class Step:
    """A day or a week, from its first day on. A count that is too small to tell is None; nothing at all is 0."""

    first: date
    counts: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class OfService:
    service: Service
    counts: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class Usage:
    """The figures of a period. Words and services that fewer than `SMALL` asked for are only counted together."""

    kinds: tuple[Kind, ...]
    totals: dict[str, int | None]
    steps: list[Step]
    words: list[tuple[str, int]]
    rare_words: int
    """How many more words were searched for, each by too few to be told."""
    unanswered: list[tuple[str, int]]
    rare_unanswered: int
    services: list[OfService]
    rare_services: int = field(default=0)


def told(number: int, *, small: int = SMALL) -> int | None:
    """A count as it may be told: None when it is so small that it could point at a person."""
    return number if number == 0 or number >= small else None


def usage(user: Any, *, first: date, last: date, area: str = "", weekly: bool = False) -> Usage:
    """What `user` may see of the use from `first` to `last`, both counted; `area`: of one district alone, by its code."""
    rows = UsageCount.objects.visible_to(user).filter(day__range=(first, last))
    if area:
        there = Service.objects.public().filter(in_area(area)).values("pk")
        rows = rows.filter(Q(area=area, service=None) | Q(service__in=there))
    kinds = OF_AN_AREA if area else EVERYWHERE
    # Of everybody together no small number points at anybody; of one area it may.
    least = SMALL if area else 0
    sums: dict[date, dict[str, int]] = {start: dict.fromkeys(kinds, 0) for start in starts(first, last, weekly=weekly)}
    totals = dict.fromkeys(kinds, 0)
    for day, kind, number in rows.filter(kind__in=kinds).order_by().values_list("day", "kind").annotate(all=Sum("count")):
        sums[start_of(day, first, weekly=weekly)][kind] += number
        totals[Kind(kind)] += number
    steps = [Step(start, {kind: told(number, small=least) for kind, number in counts.items()}) for start, counts in sums.items()]
    words, rare_words = _words(rows, Kind.SEARCH)
    unanswered, rare_unanswered = _words(rows, Kind.NO_ANSWER)
    services, rare_services = _services(rows)
    return Usage(
        kinds=kinds,
        totals={kind: told(number, small=least) for kind, number in totals.items()},
        steps=steps,
        words=words,
        rare_words=rare_words,
        unanswered=unanswered,
        rare_unanswered=rare_unanswered,
        services=services,
        rare_services=rare_services,
    )


def of_service(user: Any, service_id: UUID, *, first: date, last: date) -> dict[str, int | None]:
    """What was done with one service, by kind; all of it 0 for whoever may not know."""
    rows = UsageCount.objects.visible_to(user).filter(service=service_id, day__range=(first, last))
    sums = dict(rows.order_by().values_list("kind").annotate(all=Sum("count")))
    return {kind: told(sums.get(kind, 0)) for kind in OF_A_SERVICE}


def starts(first: date, last: date, *, weekly: bool) -> Iterable[date]:
    """The days of a period; or its weeks from Monday on, of which the first begins with the period."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=7 - day.weekday() if weekly else 1)


def start_of(day: date, first: date, *, weekly: bool) -> date:
    return max(first, day - timedelta(days=day.weekday())) if weekly else day


def _words(rows: QuerySet[UsageCount], kind: Kind) -> tuple[list[tuple[str, int]], int]:
    found = rows.filter(kind=kind).exclude(what="").order_by().values_list("what").annotate(all=Sum("count")).order_by("-all", "what")
    often = list(found.filter(all__gte=SMALL)[:LONGEST_LIST])
    return often, found.filter(all__lt=SMALL).count()


def _services(rows: QuerySet[UsageCount]) -> tuple[list[OfService], int]:
    sums: dict[UUID, dict[str, int]] = defaultdict(dict)
    found = rows.filter(kind__in=OF_A_SERVICE, service__in=Service.objects.public().values("pk"))
    for pk, kind, number in found.order_by().values_list("service", "kind").annotate(all=Sum("count")):
        sums[pk][kind] = number
    often = [pk for pk, counts in sums.items() if counts.get(Kind.OPENED, 0) >= SMALL]
    most = sorted(often, key=lambda pk: (-sums[pk][Kind.OPENED], pk))[:LONGEST_LIST]
    services = Service.objects.select_related("organization").in_bulk(most)
    lines = [OfService(services[pk], {kind: told(sums[pk].get(kind, 0)) for kind in OF_A_SERVICE}) for pk in most]
    return lines, len(sums) - len(often)
