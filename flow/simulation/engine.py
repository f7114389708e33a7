"""Lets the days pass: people come, a policy chooses for those who wait, services answer, people move in and, in time, out again."""

import heapq
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import simpy

from flow.simulation.changes import Add, Change, Close, answered_at
from flow.simulation.draws import Draws, Person
from flow.simulation.policies import View
from flow.simulation.world import World

#: A place that is chosen for nobody.
NOBODY = -1


class What(IntEnum):
    """What happens to a person or a place, as the log tells it."""

    COMES, ASKED, REFUSED, PLACED, LEFT, FREED, OPENED, CLOSED = range(8)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `person` and `place` are -1 where there is none."""

    at: float
    what: What
    person: int = NOBODY
    pool: int = NOBODY
    place: int = NOBODY


@dataclass(slots=True, eq=False)
class Course:
    """What became of somebody. Times are infinite for what has not happened."""

    person: Person
    placed: float = np.inf
    left: float = np.inf
    option: int = -1
    """The number of the option of the need, once placed."""
    asked: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One simulated time: everybody who was there, and the log of all that happened."""

    days: float
    courses: list[Course]
    log: list[Event] = field(repr=False)


#: Given those who wait and the places that are free, who is to be asked for whom: pairs of a number in the view and a pool.
Policy = Callable[[View], Sequence[tuple[int, int]]]


def simulate(
    world: World,
    draws: Draws,
    policy: Policy,
    *,
    changes: Sequence[Change] = (),
    every: float = 0.25,
    tell: Callable[[float], None] = lambda day: None,
) -> Outcome:
    """Let `draws.days` pass. The policy chooses each `every` days, or at each change when that is 0. `tell` hears at the end of each day.

    Each person is asked for at one service at a time; a service that has said no is not asked again for the same person.
    """
    run = _Run(world, draws, policy, tuple(changes), every, tell)
    run.env.run(until=draws.days)
    return Outcome(draws.days, run.courses, run.log)


class _Run:
    """The state of one simulated time."""

    def __init__(
        self, world: World, draws: Draws, policy: Policy, changes: tuple[Change, ...], every: float, tell: Callable[[float], None]
    ) -> None:
        self.world, self.draws, self.policy, self.changes, self.every, self.tell = world, draws, policy, changes, every, tell
        self.env = simpy.Environment()
        self.log: list[Event] = []
        self.free: list[list[int]] = [[] for _ in range(world.pools)]
        self.turns: dict[tuple[int, int], int] = {}
        self.lives: dict[tuple[int, int], int] = {}
        self.places = np.zeros(world.pools, np.int64)
        self.shut = np.zeros(world.pools, bool)
        self.courses = [Course(person) for person in draws.people(changes)]
        self.coming = len(self.courses)
        """So many wait at the beginning or come in time; who has to move out of a place is numbered after them, and comes at once."""
        self.waiting: dict[int, None] = {}
        self.open = [np.ones(len(course.person.takes), bool) for course in self.courses]
        self.changed = self.env.event()
        self._begin()

    def _begin(self) -> None:
        world, env = self.world, self.env
        held = np.bincount(world.taken_pool, minlength=world.pools) if len(world.taken_pool) else np.zeros(world.pools, np.int64)
        for pool, size in enumerate(world.size.tolist()):
            if size > int(held[pool]):
                self._open(pool, size, first=int(held[pool]))
            elif size:
                self.places[pool] = size
        met: dict[int, int] = {}
        for pool, since in zip(world.taken_pool.tolist(), world.since.tolist(), strict=True):
            place = met.get(pool, 0)
            met[pool] = place + 1
            self._note(What.OPENED, pool=pool, place=place)
            self.lives[pool, place] = NOBODY
            self.turns[pool, place] = 1
            part, stay = self.draws.turn(pool, place, 0)
            law = world.stay[int(world.kind[pool])]
            env.process(self._stay(pool, place, law.rest(stay, part) if since < 0 else law.after(since, stay)))
        for change in self.changes:
            if isinstance(change, Close | Add):
                env.process(self._change(change))
        env.process(self._arrivals())
        env.process(self._decisions())
        env.process(self._days())

    # --- places

    def _open(self, pool: int, size: int, first: int = -1) -> None:
        """Places of a pool that are free from now on."""
        begin = int(self.places[pool]) if first < 0 else first
        end = begin + size if first < 0 else size
        self.places[pool] = end
        for place in range(begin, end):
            self._note(What.OPENED, pool=pool, place=place)
            heapq.heappush(self.free[pool], place)
        self._wake()

    def _give_back(self, pool: int, place: int) -> None:
        if self.shut[pool]:
            return
        heapq.heappush(self.free[pool], place)
        self._wake()

    def _stay(self, pool: int, place: int, days: float) -> Generator[Any, Any, None]:
        """Somebody lives in a place until they go; a move because of closing comes before."""
        lives = self.lives[pool, place]
        turn = self.turns[pool, place]
        yield self.env.timeout(days)
        if self.lives.get((pool, place)) == lives and self.turns[pool, place] == turn:
            del self.lives[pool, place]
            self._note(What.FREED, lives, pool, place)
            self._give_back(pool, place)

    def _change(self, change: Close | Add) -> Generator[Any, Any, None]:
        if change.day > 0:
            yield self.env.timeout(change.day)
        if isinstance(change, Add):
            if not self.shut[change.pool]:
                self._open(change.pool, change.places)
            return
        for pool in change.pools:
            self.shut[pool] = True
            self.free[pool].clear()
            self._note(What.CLOSED, pool=pool)
            if change.moved:
                self._move_out(pool)

    def _move_out(self, pool: int) -> None:
        """All who live there need another place at once: those of this region, and the others."""
        world = self.world
        fitting = np.unique(np.searchsorted(world.start, np.flatnonzero(world.pool == pool), side="right") - 1).tolist()
        living = sorted(place for at, place in self.lives if at == pool)
        for place in living:
            self._note(What.FREED, self.lives.pop((pool, place)), pool, place)
        if not fitting:
            return
        for resident in range(len(living) + int(world.others[pool])):
            need = self.draws.some_need(pool, resident, fitting)
            person = self.draws.moved(pool, resident, need, self.env.now, len(self.courses))
            self.courses.append(Course(person))
            self.open.append(np.ones(len(person.takes), bool))
            self._comes(person.number)

    # --- people

    def _arrivals(self) -> Generator[Any, Any, None]:
        for number in range(self.coming):
            person = self.courses[number].person
            if person.ready > self.env.now:
                yield self.env.timeout(person.ready - self.env.now)
            self._comes(number)

    def _comes(self, number: int) -> None:
        person = self.courses[number].person
        self._note(What.COMES, number)
        for moment, then in ((person.looks, self._looks), (person.leaves, self._leaves)):
            if moment <= self.env.now:
                then(number)
            elif moment < self.draws.days:
                self.env.timeout(moment - self.env.now).callbacks.append(lambda event, then=then: then(number))  # type: ignore[misc]

    def _looks(self, number: int) -> None:
        """From now on a place is looked for."""
        if self.courses[number].left == np.inf:
            self.waiting[number] = None
            self._wake()

    def _leaves(self, number: int) -> None:
        """Goes home without; what was asked for is asked for no more."""
        course = self.courses[number]
        if course.placed == np.inf:
            course.left = self.env.now
            self.waiting.pop(number, None)
            self._note(What.LEFT, number)

    def _ask(self, number: int, pool: int) -> None:
        """Ask a service that has a free place; it is kept until the answer, or until the person goes."""
        course, world = self.courses[number], self.world
        place = heapq.heappop(self.free[pool])
        del self.waiting[number]
        course.asked += 1
        self._note(What.ASKED, number, pool, place)
        turn = self.turns.get((pool, place), 0)
        answer, stay = self.draws.turn(pool, place, turn)
        kind = int(world.kind[pool])
        at = answered_at(self.changes, asked=self.env.now, takes=world.answer[kind].at(answer))
        self.env.process(self._answered(number, pool, place, max(0.0, min(at, course.person.leaves) - self.env.now), stay))

    def _answered(self, number: int, pool: int, place: int, wait: float, stay: float) -> Generator[Any, Any, None]:
        if wait > 0:
            yield self.env.timeout(wait)
        course, world = self.courses[number], self.world
        if course.left < np.inf or course.person.leaves <= self.env.now:
            self._note(What.REFUSED, number, pool, place)
            self._give_back(pool, place)
            return
        need = course.person.need
        begin, end = int(world.start[need]), int(world.start[need + 1])
        option = int(np.flatnonzero(world.pool[begin:end] == pool)[0])
        if self.shut[pool] or course.person.takes[option] >= world.chance[begin + option]:
            self.open[number][option] = False
            self._note(What.REFUSED, number, pool, place)
            self.waiting[number] = None
            self._give_back(pool, place)
            self._wake()
            return
        course.placed, course.option = self.env.now, option
        self._note(What.PLACED, number, pool, place)
        self.turns[pool, place] = self.turns.get((pool, place), 0) + 1
        self.lives[pool, place] = number
        self.env.process(self._stay(pool, place, world.stay[int(world.kind[pool])].at(stay)))

    # --- choosing

    def _wake(self) -> None:
        if not self.every and not self.changed.triggered:
            self.changed.succeed()

    def _decisions(self) -> Generator[Any, Any, None]:
        while True:
            if self.every:
                self._decide()
                yield self.env.timeout(self.every)
            else:
                yield self.changed
                self.changed = self.env.event()
                self._decide()

    def _decide(self) -> None:
        free = np.array([len(places) for places in self.free], np.int64)
        if not self.waiting or not free.any():
            return
        numbers = list(self.waiting)
        view = View(
            self.world,
            self.env.now,
            [self.courses[number].person for number in numbers],
            [self.open[number] for number in numbers],
            free,
            ~self.shut & ((self.places > 0) | (free > 0)),
        )
        for index, pool in self.policy(view):
            self._ask(numbers[index], pool)

    def _days(self) -> Generator[Any, Any, None]:
        while True:
            yield self.env.timeout(1)
            self.tell(self.env.now)

    def _note(self, what: What, person: int = NOBODY, pool: int = NOBODY, place: int = NOBODY) -> None:
        self.log.append(Event(self.env.now, what, person, pool, place))
