"""One service of each kind for somebody who wants them all: fewest journeys, few days, one provider where that helps. Pure: no database.

What is lost in points against the best of each list is weighed against what is saved, so that nobody is sent far worse for
the sake of one provider. The answer is exact: a test compares it with trying everything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import inf

#: What each more of them costs, in points of the ranking, of which a perfect service has about a thousand.
JOURNEY, PROVIDER, DAY = 120, 40, 30
#: More kinds than this are several packages.
MOST_PARTS = 5
#: Of each list so many of the best are looked at.
MOST_OPTIONS = 20
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Option:
    """One service that would do for one part. `place` is empty when nobody need go there. `days` are those on which it is open, Monday 0;
    none: not said, so that nothing can be put on the same day."""

    key: str
    score: int
    provider: str
    place: str = ""
    days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Trips:
    """How somebody gets to what was chosen: distinct journeys, and on which days. Both count a week with one visit to each."""

    journeys: int
    days: tuple[int | None, ...]
    """By part: the day to go; None where nobody goes, or where the days are not known."""
    distinct_days: int

    @property
    def cost(self) -> int:
        return self.journeys * JOURNEY + self.distinct_days * DAY


@dataclass(frozen=True, slots=True)
class Package:
    """One option for each part, in order."""

    options: tuple[Option, ...]
    trips: Trips
    providers: int
    lost: int
    """Points less than the best of each list."""

    @property
    def cost(self) -> int:
        return self.lost + self.trips.cost + self.providers * PROVIDER


def trips(options: Sequence[Option]) -> Trips:
    """The cheapest days to go for these options; the earliest days of the week of those that are equally good."""
    alone = sum(1 for option in options if option.place and not option.days)
    planned = [number for number, option in enumerate(options) if option.place and option.days]
    chosen = _days(tuple((options[number].place, options[number].days) for number in planned))
    going = dict(zip(planned, chosen, strict=True))
    journeys = len({(options[number].place, day) for number, day in going.items()})
    days = tuple(going.get(number) for number in range(len(options)))
    return Trips(journeys + alone, days, len(set(going.values())) + alone)


@lru_cache(maxsize=4096)
def _days(planned: tuple[tuple[str, frozenset[int]], ...]) -> tuple[int, ...]:
    """On which day to go to each of these places."""
    if not planned:
        return ()
    if together := frozenset.intersection(*(days for _, days in planned)):
        return (min(together),) * len(planned)  # nothing is fewer than one journey to each place, on one day
    return min(
        product(*(sorted(days) for _, days in planned)),
        key=lambda chosen: (
            len({(place, day) for (place, _), day in zip(planned, chosen, strict=True)}) * JOURNEY + len(set(chosen)) * DAY,
            chosen,
        ),
    )


def package_of(options: Sequence[Option], parts: Sequence[Sequence[Option]]) -> Package:
    """These options as a package, against the lists that they are from."""
    lost = sum(max(other.score for other in part) - option.score for option, part in zip(options, parts, strict=True))
    return Package(tuple(options), trips(options), len({option.provider for option in options}), lost)


def best_of_each(parts: Sequence[Sequence[Option]]) -> Package | None:
    """The first of each list, whatever that means for journeys. None when a list is empty."""
    return package_of([part[0] for part in parts], parts) if parts and all(parts) else None


def best_package(parts: Sequence[Sequence[Option]]) -> Package | None:
    """The cheapest package; of equals the one whose options stand first in their lists. None when a part has no option.

    Depth first: to add an option never makes a package cheaper, so what costs as much as the best so far is not followed.
    """
    if not parts or not all(parts) or len(parts) > MOST_PARTS:
        return None
    lists = [_worth_looking_at(part[:MOST_OPTIONS], _others(parts, number)) for number, part in enumerate(parts)]
    tops = [max(option.score for option in part) for part in parts]
    best: tuple[float, tuple[Option, ...]] = (inf, ())

    def go_on(chosen: tuple[Option, ...], lost: int) -> None:
        nonlocal best
        cost = lost + trips(chosen).cost + len({option.provider for option in chosen}) * PROVIDER
        if cost >= best[0]:
            return
        if len(chosen) == len(lists):
            best = (cost, chosen)
            return
        for option in lists[len(chosen)]:
            go_on((*chosen, option), lost + tops[len(chosen)] - option.score)

    go_on((), 0)
    return package_of(best[1], parts)


def _others(parts: Sequence[Sequence[Option]], number: int) -> set[str]:
    """Providers and places that can be shared with another part."""
    rest = [option for other, part in enumerate(parts) if other != number for option in part]
    return {option.provider for option in rest} | {option.place for option in rest if option.place}


def _worth_looking_at(part: Iterable[Option], shared: set[str]) -> list[Option]:
    """Without those that need not be looked at: of options that share nothing, the first with the same days is as good as any after it."""
    kept, seen = [], set()
    for option in sorted(part, key=lambda option: -option.score):
        if option.provider not in shared and option.place not in shared:
            kind = (bool(option.place), option.days)
            if kind in seen:
                continue
            seen.add(kind)
        kept.append(option)
    return kept


def sentences(package: Package, first: Package, names: Sequence[str]) -> list[str]:
    """Why this package, in words. `first` is the best of each list; `names` are the providers of the package's options."""
    said = []
    everything = "both" if len(package.options) == 2 else f"all {len(package.options)}"
    if package.providers == 1:
        said.append(f"{everything.capitalize()} with one provider: {names[0]}.")
    elif package.providers < first.providers:
        said.append(f"{package.providers} providers instead of {first.providers}.")
    days = {day for day in package.trips.days if day is not None}
    travelled = [option for option in package.options if option.place]
    if len(travelled) > 1 and len(days) == 1 and all(option.days for option in travelled):
        where = "at one place " if len({option.place for option in travelled}) == 1 else ""
        said.append(f"All journeys {where}on the same day: {WEEKDAYS[days.pop()]}.")
    elif travelled and not all(option.days for option in travelled):
        said.append("Not all have said on which days they are open: ask for the same day.")
    others = "" if len(travelled) == len(package.options) else "; the rest comes to the person, or needs none"
    if package.trips.journeys == 0:
        said.append("No journey at all: everything comes to the person, or needs none.")
    elif package.trips.journeys < first.trips.journeys:
        said.append(f"{_journeys(package.trips.journeys)} instead of {first.trips.journeys}{others}.")
    else:
        said.append(f"{_journeys(package.trips.journeys)}{others}.")
    if package.lost:
        points = "1 point" if package.lost == 1 else f"{package.lost} points"
        said.append(f"It gives up {points} against the best of each list for that.")
    else:
        said.append("Each is as good as the best of its list.")
    return said


def _journeys(number: int) -> str:
    return "One journey" if number == 1 else f"{number} journeys"
