"""Whatever chance decides, from one seed: each process has a stream of its own, so that two policies, or two worlds, meet the same people.

Somebody is the same person in every run with the same seed: comes at the same time, needs the same, is taken or refused by the same
services. So does a place: who has it for the n-th time stays as long, and its provider answers as fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flow.simulation.changes import Change, Demand, demand
from flow.simulation.world import HOURS, Floats, World

_ARRIVALS, _MORE, _PERSON, _PLACE, _WAITING, _MOVED = range(6)


@dataclass(slots=True, eq=False)
class Person:
    """Somebody who comes. Times are in days; `ready` is negative for those who wait at the beginning."""

    number: int
    need: int
    stream: int
    """-1 for those who have to leave a place that closes."""
    pathway: int
    ready: float
    looks: float
    """When somebody begins to look for a place."""
    leaves: float
    """When the person goes without one."""
    takes: Floats
    """Of each option of the need: a chance from 0 to 1, below which the answer is yes."""
    moved: bool = False


class Draws:
    """All chance of one seed in one world. What was drawn once is the same when it is asked for again."""

    def __init__(self, world: World, seed: int, days: float) -> None:
        self.world, self.seed, self.days = world, seed, days
        self._turns: dict[tuple[int, int], tuple[np.random.Generator, list[tuple[float, float]]]] = {}

    def stream(self, process: int, *key: int) -> np.random.Generator:
        """The chance of one process: always the same for the same seed."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, process, *key]))

    def turn(self, pool: int, place: int, nth: int) -> tuple[float, float]:
        """Chances of how long the answer takes and how long the stay, when a place is given for the n-th time."""
        rng, drawn = self._turns.setdefault((pool, place), (self.stream(_PLACE, pool, place), []))
        while len(drawn) <= nth:
            answer, stay = rng.random(2).tolist()
            drawn.append((answer, stay))
        return drawn[nth]

    def people(self, changes: Sequence[Change] = ()) -> list[Person]:
        """All who wait at the beginning and all who come, in order. Those who come in any case are the same whatever the changes are."""
        world = self.world
        waiting = [self._waiting(i) for i in range(len(world.waiting_need))]
        coming = []
        for stream, rate in enumerate(world.rate.tolist()):
            if rate <= 0:
                continue
            for more, times in enumerate(self._times(stream, rate, changes)):
                coming += [self._person(stream, more, nth, at) for nth, at in times]
        coming.sort(key=lambda person: (person.ready, person.stream))
        people = waiting + coming
        for number, person in enumerate(people):
            person.number = number
        return people

    def moved(self, pool: int, resident: int, need: int, day: float, number: int) -> Person:
        """Somebody who lives in a place that closes, and needs another at once."""
        rng = self.stream(_MOVED, pool, resident)
        options = self._options(need)
        return Person(number, need, -1, int(self.world.pathway[need]), day, day, np.inf, rng.random(options), moved=True)

    def some_need(self, pool: int, resident: int, needs: Sequence[int]) -> int:
        """Which of these needs a resident has of whom nothing is known."""
        return int(needs[int(self.stream(_MOVED, pool, resident, 1).integers(len(needs)))])

    def _times(self, stream: int, rate: float, changes: Sequence[Change]) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """Numbered times at which people come: as usual, and those who come only because of a change."""
        world, busiest = self.world, float(self.world.week.max())
        asked = [change for change in changes if isinstance(change, Demand)]
        source, pathway = int(world.stream_source[stream]), int(world.stream_pathway[stream])
        most = 1.0
        for change in asked:
            most *= max(1.0, change.factor)
        usual: list[tuple[int, float]] = []
        more: list[tuple[int, float]] = []
        for process, pace, found in ((_ARRIVALS, 1.0, usual), (_MORE, most - 1, more)):
            if pace <= 0:
                continue
            rng = self.stream(process, stream)
            count = int(rng.poisson(rate * pace * busiest * self.days))
            times, chances = np.sort(rng.random(count)) * self.days, rng.random((count, 2))
            hours = (world.first_hour + times * 24).astype(np.int64) % HOURS
            kept = chances[:, 0] * busiest < world.week[hours]
            for nth in np.flatnonzero(kept).tolist():
                at = float(times[nth])
                factor = demand(asked, day=at, pathway=pathway, source=source)
                wanted = min(1.0, factor) if process == _ARRIVALS else max(0.0, factor - 1) / pace
                if chances[nth, 1] < wanted:
                    found.append((nth, at))
        return usual, more

    def _person(self, stream: int, more: int, nth: int, at: float) -> Person:
        world, rng = self.world, self.stream(_PERSON, stream, more, nth)
        begin, end = int(world.stream_start[stream]), int(world.stream_start[stream + 1])
        which, search, patience = rng.random(3).tolist()
        need = int(world.stream_need[begin + int(which * (end - begin))])
        pathway = int(world.stream_pathway[stream])
        looks = at + world.search[pathway].at(search)
        return Person(0, need, stream, pathway, at, looks, at + world.patience[pathway].at(patience), rng.random(self._options(need)))

    def _waiting(self, number: int) -> Person:
        world, rng = self.world, self.stream(_WAITING, number)
        need, waited = int(world.waiting_need[number]), float(world.waiting_days[number])
        stream = int(world.waiting_stream[number])
        pathway = int(world.pathway[need])
        patience, search = rng.random(2).tolist()
        leaves = world.patience[pathway].after(waited, patience)
        looks = 0.0 if world.waiting_asked[number] else world.search[pathway].after(waited, search)
        return Person(number, need, stream, pathway, -waited, looks, leaves, rng.random(self._options(need)))

    def _options(self, need: int) -> int:
        return int(self.world.start[need + 1] - self.world.start[need])
