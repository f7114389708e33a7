"""A plan that stays the best while things change: each change moves only those whom it must."""

import numpy as np
from numpy.typing import ArrayLike

from matching.allocation import net as nets
from matching.allocation import paths
from matching.allocation.changes import Change
from matching.allocation.planned import GONE, OFFERED, WAITS, Planned
from matching.allocation.problem import DEAREST, NONE, Ints, Refused

#: Leaving somebody out who must have a place costs this: never done if it can be helped.
NEVER = 1 << 36


class Live(Planned):
    """A plan that is kept the best; every change is certified before it is returned, unless `certify` is false.

    Pools and people have the numbers of the problem; people who arrive later have the next ones, and numbers are not used again.
    Whoever was told of a place is moved only for more than `stay` points. Whoever has an offer is not moved at all.

    After `Unproved`, which would be an error of ours, the object must not be used any more: make a new one from `solve`.
    """

    def places(self, pool: int, places: int) -> Change:
        """A pool has another number of free places, those that are offered included."""
        if not 0 <= pool < self._problem.pools:
            raise Refused(f"There is no pool {pool}.")
        return self._change(lambda: self._capacity(pool, places))

    def limit(self, group: int, limit: int) -> Change:
        """A group has another limit. Groups are numbered through, those of the narrower limits first."""
        if not 0 <= group < len(self._net.places) - self._problem.pools:
            raise Refused(f"There is no limit {group}.")
        return self._change(lambda: self._capacity(self._problem.pools + group, limit))

    def arrive(self, *, pool: ArrayLike, score: ArrayLike, left: int) -> tuple[int, Change]:
        """Somebody new waits, with these options; returns the person's number too. Somebody whose needs changed leaves and arrives."""
        where, points = np.asarray(pool, np.int64), self._policy.span - np.asarray(score, np.int64)
        if len(where) != len(points) or (len(where) and not 0 <= where.min() <= where.max() < self._problem.pools):
            raise Refused("Options need a pool that there is, and as many scores as pools.")
        if not 0 <= left < DEAREST or (len(points) and not 0 <= points.min() <= points.max() <= self._policy.span):
            raise Refused(f"Scores must be from 0 to {self._policy.span}, and the cost of being left out not negative.")
        person = self._append(where, points, left)
        return person, self._change(lambda: self._let_in(person), arrived=person)

    def leave(self, person: int) -> Change:
        """Somebody does not wait any more. An offer that is out is taken back."""
        self._must_be(person, WAITS, OFFERED)

        def steps() -> None:
            self._was[person] = int(self._net.at[person])
            self._vacate(person)
            self._is[person] = GONE
            self._silence(person)

        return self._change(steps)

    def tell(self, person: int) -> None:
        """The person was told of the place in the plan: moving them costs `stay` points from now on."""
        self._must_be(person, WAITS)
        net, option = self._net, self._net.at[person]
        if option >= 0:
            # Everything else becomes dearer, so that the plan is still the best.
            net.keep[person], net.extra[person] = option, self._policy.stay
            net.pays[person] = net.cost[option] + net.price[net.pool[option]]

    def offer(self, person: int) -> None:
        """The place in the plan was offered: it is the person's until there is an answer, whatever else changes."""
        self._must_be(person, WAITS)
        option = int(self._net.at[person])
        if option < 0:
            raise Refused(f"Person {person} has no place in the plan that could be offered.")
        paths.depart(self._net, person)  # the pool stays loaded, and nobody can move who is in no list
        self._net.at[person] = option
        self._is[person] = OFFERED
        self._silence(person)

    def accept(self, person: int) -> None:
        """The offer was accepted. Person and place are gone, also from the limits above; nobody else moves."""
        self._must_be(person, OFFERED)
        node = int(self._net.pool[self._net.at[person]])
        while node != NONE:
            self._net.places[node] -= 1
            self._net.load[node] -= 1
            node = int(self._net.parent[node])
        self._is[person] = GONE
        self._net.at[person] = NONE

    def decline(self, person: int) -> Change:
        """The offer was declined, by either side: the place is free for others, and the person waits for another pool."""
        self._must_be(person, OFFERED)
        pool = self._net.pool[self._net.at[person]]

        def steps() -> None:
            self._was[person] = int(self._net.at[person])
            self._vacate(person)
            self._is[person] = WAITS
            self._ban(person, pool)
            self._let_in(person)

        return self._change(steps)

    def forbid(self, person: int, pool: int) -> Change:
        """A pool does not fit a person after all."""
        self._must_be(person, WAITS)

        def steps() -> None:
            held = self._net.at[person] >= 0 and self._net.pool[self._net.at[person]] == pool
            if held:
                self._was[person] = int(self._net.at[person])
                self._vacate(person)
            self._ban(person, pool)
            if held:
                self._let_in(person)

        return self._change(steps)

    def insist(self, person: int, left: int) -> Change:
        """Leaving the person out costs another amount: days have passed, or the need has become more urgent."""
        self._must_be(person, WAITS)
        if not 0 <= left < DEAREST:
            raise Refused("The cost of being left out is negative or far too large.")

        def steps() -> None:
            placed = self._net.at[person] >= 0
            dearer = left >= self._net.left[person]
            if placed and not dearer:
                self._was[person] = int(self._net.at[person])
                self._vacate(person)
            self._net.left[person] = left
            if not (placed and dearer):
                self._was.setdefault(person, NONE)
                self._let_in(person)

        return self._change(steps)

    def confine(self, person: int, allowed: ArrayLike, *, left: int) -> Change:
        """Only some of a person's options may be used (one truth value for each), and leaving the person out costs `left`."""
        self._must_be(person, WAITS)
        net, (begin, end) = self._net, self._row(person)
        banned = ~np.asarray(allowed, bool)
        at = int(net.at[person])

        def steps() -> None:
            wider = bool((self._banned[begin:end] & ~banned).any())
            stays = not wider and at >= 0 and not banned[at - begin] and left >= net.left[person]
            if not stays:
                self._was[person] = at
                self._vacate(person)
            self._banned[begin:end] = banned
            net.left[person] = left
            if stays:
                net.owner[begin:end] = np.where(banned, NONE, person)
            else:
                self._let_in(person)

        return self._change(steps)

    def close(self, options: Ints) -> Change:
        """Several options, of anybody, may not be used any more."""
        owner = self._net.owner[options]
        held = owner[(owner >= 0) & (self._net.at[owner] == options)].tolist()

        def steps() -> None:
            # First of all, or somebody would move into one of them when another goes.
            self._banned[options] = True
            self._net.owner[options] = NONE
            for person in held:
                at = int(self._net.at[person])
                if at >= 0 and self._banned[at]:
                    self._again(person)

        return self._change(steps)

    def open(self, options: Ints) -> Change:
        """Options that were closed may be used again by those who wait."""
        owner = np.searchsorted(self._net.end[: self._people], options, side="right")

        def steps() -> None:
            for option, person in zip(options.tolist(), owner.tolist(), strict=True):
                self._banned[option] = False
                if self._is[person] != WAITS:
                    continue
                if self.asked(np.array([option]))[0] + self._net.extra[person] < self._net.pays[person]:
                    self._again(person)
                else:
                    self._net.owner[option] = person

        return self._change(steps)

    def override(self, person: int, pool: int) -> tuple[int, Change]:
        """What it would cost, in points, if a person were put into a pool by hand, and who would move. Changes nothing."""
        self._must_be(person, WAITS)
        net, banned, (begin, end) = self._net, self._banned, self._row(person)
        there = (net.pool[begin:end] == pool) & ~banned[begin:end]
        if not there.any():
            raise Refused(f"Pool {pool} does not fit person {person}.")
        option, before = int(net.at[person]), self.cost
        own = int(net.left[person] if option < 0 else net.cost[option])
        self._net = net._replace(**{name: getattr(net, name).copy() for name in nets.CHANGING})
        self._banned = banned.copy()
        try:
            change, cost = self.confine(person, there, left=NEVER), self.cost
            now = int(self._net.at[person])
        finally:
            self._net, self._banned = net, banned
        if now < 0:
            raise Refused(f"No place in pool {pool} can be made free.")
        moves = [
            (line.person, line.was, line.now, line.gain if line.person != person else own - int(net.cost[now])) for line in change.lines
        ]
        return cost - before, Change.of(moves)
