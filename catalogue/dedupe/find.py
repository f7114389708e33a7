"""One search for doubles, from all services to the pairs that a person should look at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from catalogue.models import DuplicateCandidate, DuplicateSearch, ImportRun
from core.clock import now

from . import blocking, facts
from .blocking import Advance
from .compare import SUGGEST, SURE, Comparison, Shared, compare
from .facts import Facts, Key

#: Names that a service can have in its closer double: with these, nobody else is thought to be one only because they share a door.
_CLOSE_NAMES = frozenset({"same", "spelt", "close"})

#: More ids than this are not sent with a question: all rows are read instead.
MOST_IN_A_LIST = 20_000
#: So many services are held in memory at once, about a kilobyte each; those of one organisation and street stand in many pairs.
MOST_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """A pair above the threshold, and who publishes each of the two."""

    one: UUID
    other: UUID
    comparison: Comparison
    sources: tuple[str, str]


@dataclass
class Tell:
    """Who is told how far the search has come: the stages, in order, with how much each has to do."""

    begin: Callable[[str, int], object] = field(default=lambda what, total: None)
    advance: Advance = field(default=lambda done: None)


def find_duplicates(*, at: datetime, since: datetime | None = None, tell: Tell | None = None) -> DuplicateSearch:
    """Compare services changed since then (without `since`: all) with their like, and write down who may be whose double.

    Pairs that somebody has decided are left as they are; open ones get their new score, and go when they are no longer alike. Safe to run
    again, and beside another: the last one to end is right.
    """
    tell = tell or Tell()
    search = DuplicateSearch.objects.create(started_at=at, since=since)
    try:
        tell.begin("Reading services", facts.to_compare().count())
        search.services = blocking.gather(since, advance=tell.advance)
        search.pairs, search.passed_over = blocking.pairs()
        tell.begin("Comparing pairs", search.pairs)
        found = _compared(tell.advance)
        found = without_neighbours(found, _settled(found))
        search.found = _write(found, blocking.changed(), at)
    finally:
        blocking.clear()
    search.finished_at = now()
    search.save()
    return search


def of_import(run_id: UUID, *, at: datetime) -> DuplicateSearch:
    """Look for doubles of what one import wrote."""
    began = ImportRun.objects.values_list("started_at", flat=True).get(pk=run_id)
    return find_duplicates(at=at, since=began)


def last_start() -> datetime | None:
    """Since when a search must look: the start of the last that ended. None: there was none."""
    return DuplicateSearch.objects.exclude(finished_at=None).values_list("started_at", flat=True).first()


def _compared(advance: Advance) -> list[Found]:
    found = []
    known: dict[UUID, Facts] = {}
    for batch in blocking.each_pair():
        wanted = {pk for pair in batch for pk in pair}
        if len(known) > MOST_KNOWN:
            known = {pk: known[pk] for pk in wanted & known.keys()}
        known |= facts.load(wanted - known.keys())
        sizes = blocking.sizes(known[pk] for pk in wanted if pk in known)
        for one, other in batch:
            if one in known and other in known:
                result = compare(known[one], known[other], _counted(sizes))
                if result.score >= SUGGEST:
                    found.append(Found(one, other, result, (known[one].source, known[other].source)))
        advance(len(batch))
    return found


def _counted(sizes: dict[Key, int]) -> Shared:
    return lambda key: sizes.get(key, 1)


#: A service, and a publisher in whose list it has a double by name.
Settled = set[tuple[UUID, str]]


def without_neighbours(found: Iterable[Found], settled: Settled) -> list[Found]:
    """Leave out pairs of other names where one of the two has its own double, by name, in the other's source.

    A charity's five services in two feeds share telephone, web site and door: each has one double in the other feed, not five.
    `settled` are those known from earlier searches and decisions.
    """
    found = list(found)
    close = [pair for pair in found if pair.comparison.level("name") in _CLOSE_NAMES]
    settled = settled | {end for pair in close if pair.comparison.score >= SURE for end in _ends(pair.one, pair.other, *pair.sources)}
    return [
        pair
        for pair in found
        if pair.comparison.level("name") in _CLOSE_NAMES or not settled & set(_ends(pair.one, pair.other, *pair.sources))
    ]


def _ends(one: UUID, other: UUID, source: str, other_source: str) -> tuple[tuple[UUID, str], tuple[UUID, str]]:
    return (one, other_source), (other, source)


def _settled(found: Iterable[Found]) -> Settled:
    """What is known of these services: pairs that were merged, or whose names are alike and nobody has said otherwise."""
    ids = {pk for pair in found for pk in (pair.one, pair.other)}
    known = DuplicateCandidate.objects.exclude(decision=DuplicateCandidate.Decision.DIFFERENT).filter(score__gte=SURE)
    rows = known.filter(Q(one__in=ids) | Q(other__in=ids)).values_list(
        "one", "other", "one__source", "other__source", "decision", "reasons"
    )
    return {
        end
        for one, other, source, other_source, decision, reasons in rows
        if decision == DuplicateCandidate.Decision.SAME
        or any(reason["field"] == "name" and reason["level"] in _CLOSE_NAMES for reason in reasons)
        for end in _ends(one, other, source, other_source)
    }


@transaction.atomic
def _write(found: list[Found], looked_at: set[UUID], at: datetime) -> int:
    """Write the pairs of the services that were looked at; returns how many of them stand."""
    pairs = {(pair.one, pair.other): pair for pair in found}
    about = DuplicateCandidate.objects.all()
    if len(looked_at) < MOST_IN_A_LIST:
        about = about.filter(Q(one__in=looked_at) | Q(other__in=looked_at))
    known = {(row.one_id, row.other_id): row for row in about.select_for_update()}
    gone = [
        row.pk
        for key, row in known.items()
        if key not in pairs and row.decision == DuplicateCandidate.Decision.OPEN and looked_at & set(key)
    ]
    DuplicateCandidate.objects.filter(pk__in=gone).delete()
    DuplicateCandidate.objects.bulk_create(
        [
            DuplicateCandidate(
                one_id=one,
                other_id=other,
                score=pair.comparison.score,
                reasons=[reason.as_json() for reason in pair.comparison.reasons],
                found_at=at,
            )
            for (one, other), pair in pairs.items()
            if (one, other) not in known
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    again = [row for key, row in known.items() if key in pairs and row.decision == DuplicateCandidate.Decision.OPEN]
    for row in again:
        comparison = pairs[row.one_id, row.other_id].comparison
        row.score, row.reasons = comparison.score, [reason.as_json() for reason in comparison.reasons]
    DuplicateCandidate.objects.bulk_update(again, ["score", "reasons"], batch_size=500)
    return len(pairs)
