"""Follows a log line by line, without the engine: nobody is in two places, no place has two people, nobody is lost."""

from collections import Counter
from collections.abc import Sequence

from flow.simulation.changes import Add, Change, Close
from flow.simulation.engine import NOBODY, Outcome, What
from flow.simulation.world import World


def faults(world: World, outcome: Outcome, changes: Sequence[Change] = ()) -> list[str]:
    """What is wrong with it, in words; empty: nothing."""
    found: list[str] = []
    most = Counter({pool: int(size) for pool, size in enumerate(world.size)})
    adds = sorted((change for change in changes if isinstance(change, Add)), key=lambda change: change.day)
    closes = {pool: change.day for change in changes if isinstance(change, Close) for pool in change.pools}
    holder: dict[tuple[int, int], int] = {}
    there: set[tuple[int, int]] = set()
    state: dict[int, str] = {}
    taken = Counter(int(pool) for pool in world.taken_pool)
    used = Counter(taken)
    before = 0.0
    for event in outcome.log:
        where = (event.pool, event.place)
        if event.at < before:
            found.append(f"{event}: earlier than the line before.")
        before = event.at
        while adds and adds[0].day <= event.at:
            most[adds[0].pool] += adds[0].places
            adds.pop(0)
        now = state.get(event.person, "")
        match event.what:
            case What.OPENED:
                if where in there:
                    found.append(f"{event}: opened twice.")
                there.add(where)
                if event.place < taken[event.pool] and event.at == 0:
                    holder[where] = NOBODY
            case What.COMES:
                if now:
                    found.append(f"{event}: came twice.")
                state[event.person] = "waits"
            case What.ASKED:
                if now != "waits" or where in holder or where not in there:
                    found.append(f"{event}: asked for somebody who does not wait, or of a place that is not free.")
                if event.at >= closes.get(event.pool, outcome.days + 1):
                    found.append(f"{event}: asked of a pool that has closed.")
                state[event.person], holder[where] = "asked", event.person
                used[event.pool] += 1
            case What.REFUSED | What.PLACED:
                if holder.get(where) != event.person or now not in ("asked", "left"):
                    found.append(f"{event}: an answer to what was not asked.")
                if event.what is What.PLACED:
                    if now != "asked":
                        found.append(f"{event}: placed somebody who had gone.")
                    state[event.person] = "placed"
                else:
                    holder.pop(where, None)
                    used[event.pool] -= 1
                    state[event.person] = "left" if now == "left" else "waits"
            case What.LEFT:
                if now not in ("waits", "asked"):
                    found.append(f"{event}: left who was not waiting.")
                state[event.person] = "left"
            case What.FREED:
                if holder.pop(where, None) != event.person:
                    found.append(f"{event}: went out of a place where another was.")
                used[event.pool] -= 1
            case What.CLOSED:
                pass
        if event.pool >= 0 and used[event.pool] > most[event.pool]:
            found.append(f"{event}: more people than places.")
    return found + _courses(outcome, state)


def _courses(outcome: Outcome, state: dict[int, str]) -> list[str]:
    """Everybody who came was placed, left, or waits; and the log and the courses say the same of each."""
    found = []
    for number, course in enumerate(outcome.courses):
        said = "placed" if course.placed < outcome.days else "left" if course.left < outcome.days else "waits"
        told = state.get(number, "never came")
        if said != ("waits" if told == "asked" else told):
            found.append(f"Person {number}: {said} by the course, {told} by the log.")
        if min(course.placed, course.left) < course.person.ready:
            found.append(f"Person {number}: was placed or left before they were ready.")
    return found
