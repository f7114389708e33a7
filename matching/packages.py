"""One service of each kind for somebody who wants them all: fewest journeys, few days, one provider where that helps. Pure: no database.

What is lost in points against the best of each list is weighed against what is saved, so that nobody is sent far worse for
the sake of one provider. The answer is exact: a test compares it with trying everything. Only where that would take more than
`MOST_STEPS` is it the best that was found by then, and its words say so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf
from typing import Self

#: What each more of them costs, in points of the ranking, of which a perfect service has about a thousand.
JOURNEY, PROVIDER, DAY = 120, 40, 30
#: More kinds than this are several packages.
MOST_PARTS = 5
#: Of each list so many of the best are looked at.
MOST_OPTIONS = 20
#: Steps of a search before it ends with the best so far: a fraction of a second.
MOST_STEPS = 8_000
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
    proved: bool = True
    """False where the search ended before everything was tried or ruled out."""

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
    best: tuple[float, tuple[int, ...]] = (inf, ())

    def go_on(chosen: tuple[int, ...]) -> None:
        nonlocal best
        visits = {(place, day) for (place, _), day in zip(planned, chosen, strict=False)}
        to_come = {place for place, _ in planned[len(chosen) :]} - {place for place, _ in visits}
        cost = (len(visits) + len(to_come)) * JOURNEY + len(set(chosen)) * DAY
        if cost >= best[0]:
            return
        if len(chosen) == len(planned):
            best = (cost, chosen)
            return
        for day in sorted(planned[len(chosen)][1]):
            go_on((*chosen, day))

    go_on(())
    return best[1]


def package_of(options: Sequence[Option], parts: Sequence[Sequence[Option]]) -> Package:
    """These options as a package, against the lists that they are from."""
    lost = sum(max(other.score for other in part) - option.score for option, part in zip(options, parts, strict=True))
    return Package(tuple(options), trips(options), len({option.provider for option in options}), lost)


def best_of_each(parts: Sequence[Sequence[Option]]) -> Package | None:
    """The first of each list, whatever that means for journeys. None when a list is empty."""
    return package_of([part[0] for part in parts], parts) if parts and all(parts) else None


def best_package(parts: Sequence[Sequence[Option]]) -> Package | None:
    """The cheapest package; of equals the one whose options stand first in their lists. None when a part has no option.

    Depth first: what will cost at least as much as the best so far, whatever is chosen of the lists to come, is not followed.
    """
    if not parts or not all(parts) or len(parts) > MOST_PARTS:
        return None
    lists = [_worth_looking_at(part[:MOST_OPTIONS], _others(parts, number)) for number, part in enumerate(parts)]
    tops = [max(option.score for option in part) for part in parts]
    to_come = [_ToCome.of(lists[number:], tops[number:]) for number in range(len(lists) + 1)]
    near = _nearly_best(lists, tops)
    # One more than what is known, so that of equals it is still the first that is found.
    best: tuple[int, tuple[Option, ...]] = (_cost(near, tops) + 1, near)
    steps = 0

    def go_on(chosen: tuple[Option, ...]) -> None:
        nonlocal best, steps
        if steps == MOST_STEPS:
            return
        steps += 1
        cost = _cost(chosen, tops)
        if cost + to_come[len(chosen)].at_least(chosen) >= best[0]:
            return
        if len(chosen) == len(lists):
            best = (cost, chosen)
            return
        for option in lists[len(chosen)]:
            go_on((*chosen, option))

    go_on(())
    return replace(package_of(best[1], parts), proved=steps < MOST_STEPS)


def _cost(chosen: Sequence[Option], tops: Sequence[int]) -> int:
    """What the first options of a package cost."""
    lost = sum(top - option.score for top, option in zip(tops, chosen, strict=False))
    return lost + trips(chosen).cost + len({option.provider for option in chosen}) * PROVIDER


def _nearly_best(lists: Sequence[Sequence[Option]], tops: Sequence[int]) -> tuple[Option, ...]:
    """A good package at little cost: from the best of each, and the best of each on each day, by changing one option at a time."""
    starts = {tuple(max(part, key=lambda option: (day in option.days, option.score)) for part in lists) for day in range(-1, 7)}
    found = []
    for chosen in sorted(starts, key=lambda start: _cost(start, tops)):
        while True:
            others = [(*chosen[:n], other, *chosen[n + 1 :]) for n, part in enumerate(lists) for other in part]
            better = min(others, key=lambda other: _cost(other, tops))
            if _cost(better, tops) >= _cost(chosen, tops):
                break
            chosen = better
        found.append(chosen)
    return min(found, key=lambda chosen: _cost(chosen, tops))


@dataclass(frozen=True, slots=True)
class _ToCome:
    """The lists that nothing is chosen of yet: each option with what it loses, and how many lists have its provider and its place."""

    lists: list[list[tuple[Option, int, int, int]]]

    @classmethod
    def of(cls, lists: Sequence[Sequence[Option]], tops: Sequence[int]) -> Self:
        providers = Counter(provider for part in lists for provider in {option.provider for option in part})
        places = Counter(place for part in lists for place in {option.place for option in part})
        return cls(
            [
                [(option, top - option.score, providers[option.provider], places[option.place]) for option in part]
                for part, top in zip(lists, tops, strict=True)
            ]
        )

    def at_least(self, chosen: Sequence[Option]) -> int:
        """What these lists will add at least. What several options might share is divided among the lists that could."""
        providers = {option.provider for option in chosen}
        days: set[int] = set()
        open_on: dict[str, set[int]] = {}
        for option in chosen:
            if option.place:
                days |= option.days
                open_on.setdefault(option.place, set()).update(option.days)
        day, never = DAY // max(1, len(self.lists)), set[int]()
        total = 0
        for part in self.lists:
            least = inf
            for option, lost, of_provider, of_place in part:
                if lost >= least:
                    break  # best first
                if option.provider not in providers:
                    lost += PROVIDER // of_provider
                if option.place and not option.days:
                    lost += JOURNEY + DAY
                elif option.place:
                    if option.days.isdisjoint(open_on.get(option.place, never)):
                        lost += JOURNEY // of_place
                    if option.days.isdisjoint(days):
                        lost += day
                least = min(least, lost)
            total += int(least)
        return total


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
    if not package.proved:
        said.append("There are too many ways to combine them to try all: this is the best that was found, and a better one may exist.")
    return said


def _journeys(number: int) -> str:
    return "One journey" if number == 1 else f"{number} journeys"
