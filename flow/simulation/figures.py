"""What came of a simulated time, in numbers that no person can be read from."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from flow.simulation.draws import Person
from flow.simulation.engine import Course, Outcome
from flow.simulation.world import World
from matching.allocation.problem import Policy as Points

#: Days of waiting: label, from (inclusive), to (exclusive).
BANDS: tuple[tuple[str, float, float], ...] = (
    ("0–1", 0, 2), ("2–6", 2, 7), ("7–13", 7, 14), ("14–20", 14, 21), ("21+", 21, np.inf),
)  # fmt: skip
#: Whoever still waits at the end after so many days counts as unmet need, like those who left without a place.
LONG = 14
#: What is counted: code, words, unit, and whether more of it is worse.
MEASURES: tuple[tuple[str, str, str, bool], ...] = (
    ("bed_days", "Days in hospital while ready to leave", "bed-days", True),
    ("placed", "People who found a place", "people", False),
    ("wait_mean", "Days waited, on average", "days", True),
    ("wait_p90", "Days that nine of ten waited at most", "days", True),
    ("worst", "The longest wait", "days", True),
    ("km", "Kilometres from home, of all who found a place", "km", True),
    ("km_mean", "Kilometres from home, on average", "km", True),
    ("unmet", "People without a place: left without one, or waiting for more than 14 days", "people", True),
    ("waiting", "People waiting at the end", "people", True),
)


def figures(world: World, outcome: Outcome, *, source: int | None = None) -> dict[str, Any]:
    """Of all (or of one source), by pathway, how many wait at the end of each day, and how long waits were. As JSON."""
    own = [course for course in outcome.courses if not course.person.moved and course.person.ready < outcome.days]
    if source is not None:
        own = [course for course in own if world.stream_source[course.person.stream] == source]
    moved = [course for course in outcome.courses if course.person.moved]
    by = {name: _sums(world, [c for c in own if c.person.pathway == n], outcome.days) for n, name in enumerate(world.pathways)}
    return {
        "all": _sums(world, own, outcome.days),
        "pathways": {name: sums for name, sums in by.items() if sums["came"]},
        "daily": _daily(own, int(outcome.days)),
        "bands": _bands(own, outcome.days),
        "moved": {"came": len(moved), "placed": sum(course.placed < outcome.days for course in moved)},
    }


def gain(world: World, outcome: Outcome, points: Points | None = None) -> float:
    """Points against nobody ever being placed: the place and each day not waited, as the plan counts them."""
    points = points or Points()
    found = 0.0
    for course in outcome.courses:
        if course.placed < outcome.days:
            ended = min(course.person.leaves, outcome.days)
            score = int(world.score[int(world.start[course.person.need]) + course.option])
            found += points.left - (points.span - score) + points.day * (ended - course.placed)
    return found


def waits(courses: Iterable[Course], days: float) -> np.ndarray:
    """Days that each waited, until a place, until they left, or until now."""
    return np.array([min(c.placed, c.left, days) - c.person.ready for c in courses])


def waits_at_most(people: Iterable[Person], days: float) -> np.ndarray:
    """Days after the beginning that each would wait if nobody were ever placed."""
    return np.array([max(0.0, min(person.leaves, days) - max(0.0, person.ready)) for person in people])


def _sums(world: World, courses: Sequence[Course], days: float) -> dict[str, float]:
    waited = waits(courses, days)
    inside = waited - np.array([max(0.0, -course.person.ready) for course in courses]) if len(courses) else waited
    beds = np.array([world.in_hospital[course.person.pathway] for course in courses], bool)
    placed = np.array([course.placed < days for course in courses], bool)
    left = np.array([course.left < days for course in courses], bool)
    still = ~placed & ~left
    km = [int(world.metres[int(world.start[c.person.need]) + c.option]) / 1_000 for c in courses if c.placed < days]
    return {
        "came": len(courses),
        "placed": int(placed.sum()),
        "left": int(left.sum()),
        "waiting": int(still.sum()),
        "unmet": int(left.sum() + (still & (waited > LONG)).sum()),
        "bed_days": round(float(inside[beds].sum()) if len(courses) else 0.0, 2),
        "wait_mean": round(float(waited.mean()) if len(courses) else 0.0, 3),
        "wait_p90": round(float(np.quantile(waited, 0.9)) if len(courses) else 0.0, 3),
        "worst": round(float(waited.max()) if len(courses) else 0.0, 2),
        "km": round(sum(km), 1),
        "km_mean": round(sum(km) / len(km), 3) if km else 0.0,
        "asked": int(sum(course.asked for course in courses)),
    }


def _daily(courses: Sequence[Course], days: int) -> list[int]:
    ready = np.sort([course.person.ready for course in courses])
    gone = np.sort([min(course.placed, course.left) for course in courses])
    ends = np.arange(1, days + 1)
    return (np.searchsorted(ready, ends, side="right") - np.searchsorted(gone, ends, side="right")).astype(int).tolist()


def _bands(courses: Sequence[Course], days: float) -> list[int]:
    waited = waits(courses, days)
    return [int(((waited >= low) & (waited < high)).sum()) for _, low, high in BANDS]
