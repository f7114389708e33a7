"""A search that stands for several: help with the first step beside it, and one part for each kind of service when all are wanted.

Each part is a need and a ranking of its own, so that it is explained, replayed, compared and sent like any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from capacity.models import ServiceCapacity
from catalogue.diary import times_of
from catalogue.models import Service
from catalogue.vocabulary import TRAVELLED_TO
from core.clock import LONDON
from matching import packages, support
from matching.engine import journey
from matching.engine.problem import Need, PoolFacts
from matching.models import MatchCandidate, MatchRun, NeedProfile

#: What `MatchRun.part` says of a part of a package; of a support it says its code.
PACKAGE = "package"
#: So many services are listed for a support; for a part of a package as many as a package looks at.
SUPPORT_LINES = 5
#: Days ahead that say on which weekdays a service is open.
AHEAD = timedelta(days=28)
#: What a copy for a part does not take over.
_OWN = {"id", "created_at"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a search that is still to be ranked."""

    profile: NeedProfile
    part: str
    because: tuple[str, ...] = ()
    limit: int = packages.MOST_OPTIONS


@dataclass(frozen=True, slots=True)
class Chosen:
    """A package of stored lines: the place of each part's choice in its list, and why, in words."""

    pools: tuple[UUID, ...]
    words: tuple[str, ...]


def person_of(profile: NeedProfile) -> support.Person:
    """What the rules of support read of a need."""
    return support.Person(
        activation_level=profile.activation_level,
        needs=frozenset([*profile.needs, *profile.must_haves]),
        drives=profile.drives,
        wanted=frozenset(profile.care_types),
    )


def of(profile: NeedProfile) -> list[Part]:
    """The parts of a search, none of them saved: those of the package first, then the supports."""
    found = []
    if is_package(profile):
        found = [Part(_copy(profile, care_types=[kind]), PACKAGE) for kind in profile.care_types]
    listed = set(profile.care_types)
    for suggestion in support.suggest(person_of(profile)):
        # What was asked for anyway is in the list itself, and each kind in one list.
        kinds = [kind for kind in suggestion.support.care_types if kind not in listed]
        if not kinds:
            continue
        listed.update(kinds)
        need = _copy(
            profile,
            care_types=kinds,
            # Help with a first step is not what the money, the date and the must-haves were given for.
            must_haves=[],
            needs=sorted({*profile.needs, *profile.must_haves}),
            preferences=sorted({*profile.preferences, *suggestion.support.prefers}),
            funding=[],
            budget_week=None,
            needed_by=None,
            carried_only=False,
        )
        found.append(Part(need, suggestion.support.code, suggestion.because, SUPPORT_LINES))
    return found


def place_of(run: MatchRun, profile: NeedProfile) -> int:
    """Where a stored part of a search stands among the others: kinds as they were asked for, then the supports."""
    if run.part == PACKAGE:
        return profile.care_types.index(run.profile.care_types[0])
    codes = [helps.code for helps in support.SUPPORTS]
    return len(profile.care_types) + (codes.index(run.part) if run.part in codes else len(codes))


def is_package(profile: NeedProfile) -> bool:
    """Whether one of each kind is wanted, of more kinds than one."""
    return profile.all_wanted and len(profile.care_types) > 1


def package(runs: Iterable[MatchRun], *, at: datetime) -> Chosen | None:
    """The best package of these rankings, one line of each; None when one of them found nobody."""
    runs = list(runs)
    lists = [list(run.candidates.order_by("rank")[: packages.MOST_OPTIONS]) for run in runs]
    if not runs or not all(lists):
        return None
    pools = {
        pool.pk: pool
        for pool in ServiceCapacity.objects.filter(pk__in=[line.pool_id for lines in lists for line in lines]).select_related(
            "service__organization"
        )
    }
    travelled = {
        line.pool_id
        for run, lines in zip(runs, lists, strict=True)
        for line in lines
        if _is_a_journey(Need.from_json(run.problem), PoolFacts.from_json(line.facts))
    }
    days = weekdays([pools[pool].service for pool in travelled], at=at)
    parts = [[_option(line, pools[line.pool_id], travelled, days) for line in lines] for lines in lists]
    best, first = packages.best_package(parts), packages.best_of_each(parts)
    if best is None or first is None:
        return None
    chosen = tuple(UUID(option.key) for option in best.options)
    names = [pools[pool].service.organization.name for pool in chosen]
    return Chosen(pools=chosen, words=tuple(packages.sentences(best, first, names)))


def kinds_of(pool_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The kind of care of each of these places."""
    return dict(ServiceCapacity.objects.filter(pk__in=list(pool_ids)).values_list("pk", "care_type__code"))


def weekdays(services: Iterable[Service], *, at: datetime) -> dict[UUID, frozenset[int]]:
    """On which days of the week services are open in the coming weeks, by their schedules. One that has not said is left out."""
    found: dict[UUID, set[int]] = {}
    for time in times_of(list({service.pk: service for service in services}.values()), at, at + AHEAD):
        found.setdefault(time.service_id, set()).add(time.starts_at.weekday())
    return {service: frozenset(days) for service, days in found.items()}


def _option(line: MatchCandidate, pool: ServiceCapacity, travelled: set[UUID], days: dict[UUID, frozenset[int]]) -> packages.Option:
    goes = pool.pk in travelled
    open_on = days.get(pool.service_id, frozenset())
    if pool.starts_at is not None:
        open_on = frozenset([pool.starts_at.astimezone(LONDON).weekday()])
    return packages.Option(
        key=str(pool.pk),
        score=line.score,
        provider=str(pool.service.organization_id),
        place=str(pool.location_id or pool.service_id) if goes else "",
        days=open_on if goes else frozenset(),
    )


def _is_a_journey(need: Need, facts: PoolFacts) -> bool:
    return bool(TRAVELLED_TO >> facts.care_type & 1) and not journey.no_journey(need, facts)


def _copy(profile: NeedProfile, **changes: Any) -> NeedProfile:
    """The same need with changes, which stands for no others."""
    kept = {field.attname: getattr(profile, field.attname) for field in NeedProfile._meta.concrete_fields if field.name not in _OWN}
    return NeedProfile(**(kept | {"all_wanted": False, "activation_level": None} | changes))
