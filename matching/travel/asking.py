"""Asking a route planner for the best lines of a ranking, once and for all of them together, and saying what is known.

What it says changes the words alone: the order is that of the ranking, which reckons from the straight line (docs/decisions/0014). Homes
and places are rounded before they are asked about, so that no exact home goes to the planner, and so that neighbours share an answer.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache

from matching.engine import journey
from matching.engine.problem import Need, PoolFacts, distance
from matching.engine.words import count, miles
from matching.travel.router import Away, Place, Router, Way, router

logger = logging.getLogger(__name__)

#: Of how many of the best lines the way is asked.
BEST = 40
#: Places are rounded to so many metres.
GRID = 100
#: After so many questions in a row without an answer nobody is made to wait for another, for so many seconds.
FAILURES, PAUSE = 3, 60.0
#: How an answer is known.
BY_ROAD, RECKONED, NO_JOURNEY, UNKNOWN = "road", "straight-line", "no-journey", ""


@dataclass(frozen=True, slots=True)
class Travel:
    """The way to one service: how long, how far by road, by what, and how that is known."""

    minutes: int | None
    metres: int | None
    mode: str
    how: str
    words: str


class Breaker:
    """Remembers in this process that the planner is away."""

    def __init__(self) -> None:
        self.failures, self.since = 0, 0.0

    def is_open(self) -> bool:
        return self.failures >= FAILURES and time.monotonic() - self.since < PAUSE

    def note(self, *, answered: bool) -> None:
        self.failures, self.since = (0, 0.0) if answered else (self.failures + 1, time.monotonic())


breaker = Breaker()


def ask(need: Need, pools: Sequence[PoolFacts]) -> dict[str, Any]:
    """What the planner says of the best of these, to be stored with the run; empty where there is no planner or nothing to ask."""
    try:
        planner = router()
    except ValueError as error:  # a wrong setting must not cost a search; `manage.py check_router` says it too
        logger.error("travel: %s", error)
        return {}
    if planner is None or not need.paces:
        return {}
    home, wanted = _rounded(need.x, need.y), defaultdict[int, dict[str, Place]](dict)
    for facts in pools[:BEST]:
        way = _way(need, facts)
        if way in planner.ways and facts.x is not None and facts.y is not None:
            wanted[way][facts.pool_id] = _rounded(facts.x, facts.y)
    said: dict[str, list[int | None]] = {}
    try:
        for way, places in wanted.items():
            ways = _ways(planner, way, home, sorted(set(places.values())))
            said |= {pool: [way, *(ways[place] or (None, None))] for pool, place in places.items()}
    except Away as reason:
        logger.warning("travel: the route planner %s %s", planner.name, reason)
        return {"router": planner.name, "away": str(reason), "asked": sorted(pool for places in wanted.values() for pool in places)}
    return {"router": planner.name, "ways": said} if wanted else {}


def _way(need: Need, facts: PoolFacts) -> int | None:
    """The way of travelling to ask about; None where there is no journey, or none but by public transport, of which no planner knows."""
    away = distance(need, facts)
    if away is None or journey.no_journey(need, facts):
        return None
    if need.mode != journey.PUBLIC:
        return journey.CAR
    return journey.ON_FOOT if journey.by(need, away, journey.PUBLIC) == journey.ON_FOOT else None


def _rounded(x: int, y: int) -> Place:
    return Place(round(x / GRID) * GRID, round(y / GRID) * GRID)


def _ways(planner: Router, way: int, home: Place, places: Sequence[Place]) -> dict[Place, Way | None]:
    """From the cache, and what is not there in one question. Raises `Away`."""
    keys = {f"way:{planner.name}:{way}:{home.x}:{home.y}:{place.x}:{place.y}": place for place in places}
    known: dict[Place, Way | None] = {keys[key]: Way(*found) if found else None for key, found in cache.get_many(keys).items()}
    missing = [place for place in places if place not in known]
    if not missing:
        return known
    if breaker.is_open():
        raise Away("did not answer when it was last asked")
    try:
        found = planner.times(way, home, missing)
    except Away:
        breaker.note(answered=False)
        raise
    breaker.note(answered=True)
    new = dict(zip(missing, found, strict=True))
    kept = {key: list(new[place] or ()) for key, place in keys.items() if place in new}
    cache.set_many(kept, settings.ROUTER_KEEP_DAYS * 86_400)
    return known | new


def travel(need: Need, facts: PoolFacts, said: Mapping[str, Any]) -> Travel:
    """What is known of the way to one service, by what the planner said (`ask`) and else by the straight line."""
    if journey.no_journey(need, facts):
        return Travel(None, None, "", NO_JOURNEY, "No journey for the person")
    away = distance(need, facts)
    if away is None or not need.paces:
        return Travel(None, None, "", UNKNOWN, "")
    by_road = said.get("ways", {}).get(facts.pool_id)
    if by_road is not None and by_road[1] is not None:
        return _by_road(need, away, *by_road)
    mode = journey.used(need)
    words = f"{_first_up(journey.words(need, facts))}, {_why(facts, said, by_road)}"
    return Travel(journey.minutes(need, away), None, journey.NAMES[journey.by(need, away, mode)], RECKONED, words)


def _by_road(need: Need, away: int, way: int, seconds: int, metres: int | None) -> Travel:
    minutes = -(-(seconds + need.paces[way][0]) // 60)
    words = f"{_first_up(journey.about(minutes, way))}, " + ("by road" if metres is None else f"{miles(metres)} by road")
    if need.max_minutes is not None and minutes > need.max_minutes:
        words += f"; that is longer than the {count(need.max_minutes, 'minute')} you gave"
    if need.mode == journey.NOT_SAID:
        words += f"; {journey.told(need, away, journey.PUBLIC)}, reckoned from the distance. Whether the person drives is not known"
    return Travel(minutes, metres, journey.NAMES[way], BY_ROAD, words)


def _why(facts: PoolFacts, said: Mapping[str, Any], by_road: Sequence[Any] | None) -> str:
    """Why it is reckoned from the straight line."""
    if by_road is not None:
        return "reckoned from the distance because the route planner knows no way there"
    if facts.pool_id in said.get("asked", ()):
        return f"reckoned from the distance because the route planner {said['away']}"
    return "reckoned from the distance"


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]
