"""A plan with everything that is needed to change it: the state, what can be asked of it, and the steps that changes are made of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from matching.allocation import certificate, paths
from matching.allocation import net as nets
from matching.allocation.changes import Change
from matching.allocation.problem import DEAREST, NONE, Ints, Policy, Problem, Refused, with_regret
from matching.allocation.solve import Plan, Unproved, proved

#: Of a person: waits; has an offer; is not there any more.
WAITS, OFFERED, GONE = 0, 1, 2


class Planned:
    """The state of a live plan. Its verbs are those of `Live`."""

    def __init__(self, problem: Problem, plan: Plan, *, policy: Policy | None = None, certify: bool = True) -> None:
        self._certify = certify
        self._policy = policy or Policy()
        self._problem = problem
        self._net = nets.roomy(nets.net_of(problem), problem.people, 1)
        self._people, self._options = problem.people, len(problem.pool)
        self._points = problem.points
        self._is = np.full(self._people, WAITS, np.int8)
        self._banned = np.zeros(self._options, bool)
        self._net.price[:] = self._net.was[:] = plan.price
        paths.seat_all(self._net, plan.at)
        paths.link(self._net, 0, self._options)
        self._was: dict[int, int] = {}

    # --- what is

    @property
    def pool(self) -> Ints:
        """The pool of each person, offers included; -1: none, or gone."""
        at = self._net.at[: self._people]
        return np.where(at >= 0, self._net.pool[np.maximum(at, 0)], NONE).astype(np.int64)

    def free(self, pool: int) -> int:
        """Free places of a pool as the plan has them, those that are offered included."""
        return int(self._net.places[pool])

    @property
    def option(self) -> Ints:
        """The option of each person; -1: none."""
        return self._net.at[: self._people].copy()

    def asked(self, options: Ints) -> Ints:
        """What options cost at the prices of now, for whoever's they are; far too much for those that may not be used."""
        return np.where(self._banned[options], paths.FAR >> 2, self._net.cost[options] + self._net.price[self._net.pool[options]])

    def banned(self, options: Ints) -> np.ndarray:
        """Which options may not be used."""
        return self._banned[options]

    def paid(self, people: Ints) -> int:
        """What these people pay at the prices of now, together."""
        return int(self._net.pays[people].sum())

    def otherwise(self, options: Ints) -> Ints:
        """For people who have these options now: what the next best would cost at the prices of now."""
        best = []
        for option in options.tolist():
            person = int(self._net.owner[option])
            asked = self.asked(np.arange(*self._row(person)))
            asked[option - self._net.begin[person]] = paths.FAR >> 2
            best.append(min(int(self._net.left[person]), int(asked.min())))
        return np.array(best, np.int64)

    @property
    def waiting(self) -> Ints:
        """The numbers of those whom the plan is for: neither gone nor with an offer."""
        return np.flatnonzero(self._is[: self._people] == WAITS)

    @property
    def cost(self) -> int:
        """What the plan costs for those who wait, with what moving those costs who were told of another place."""
        net, people = self._net, self.waiting
        at = net.at[people]
        own = np.where(at >= 0, net.cost[np.maximum(at, 0)], net.left[people])
        return int((own + np.where((at >= 0) & (at == net.keep[people]), 0, net.extra[people])).sum())

    def problem(self) -> tuple[Problem, Ints]:
        """The problem as it stands, and the option of each of `waiting` in it: offers and their places left out, moving people priced."""
        net, people = self._net, self.waiting
        size = net.end[people] - net.begin[people]
        option = np.repeat(net.begin[people] - np.concatenate(([0], np.cumsum(size)[:-1])), size) + np.arange(size.sum())
        row = np.repeat(np.arange(len(people)), size)
        usable = net.owner[option] >= 0
        option, row = option[usable], row[usable]
        cost = net.cost[option] + np.where(net.keep[people[row]] == option, 0, net.extra[people[row]])
        order = np.lexsort((cost, row))
        option, row, cost = option[order], row[order], cost[order]
        places = net.places.copy()
        for person in np.flatnonzero(self._is[: self._people] == OFFERED).tolist():
            node = int(net.pool[net.at[person]])
            while node != NONE:
                places[node] -= 1
                node = int(net.parent[node])
        at = np.full(len(people), NONE, np.int64)
        mine = np.flatnonzero(option == net.at[people[row]])
        at[row[mine]] = mine
        start = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(people)))))
        left, lot = net.left[people] + net.extra[people], np.arange(len(people))
        return Problem(
            start, net.pool[option], self._points[option], cost, left, lot, places, net.parent, self._problem.pools, self._problem.pool_lot
        ), at

    def verify(self) -> Plan:
        """The whole certificate, by the check that knows no solver. Raises `Unproved` if the plan is not the best."""
        problem, at = self.problem()
        return proved(problem, at, self._net.price)

    # --- how

    def _change(self, steps: Callable[[], None], *, arrived: int = NONE) -> Change:
        self._was = {}
        steps()
        net, moves = self._net, []
        for person, was in self._was.items():
            now = int(net.at[person])
            if now != was or person == arrived:
                pools = [NONE if option < 0 else int(net.pool[option]) for option in (was, now)]
                before, after = (int(net.left[person] if option < 0 else net.cost[option]) for option in (was, now))
                moves.append((person, pools[0], pools[1], 0 if self._is[person] == GONE else before - after))
        return Change.of(moves)

    def _run(self, search: Any, *of: int) -> bool:
        net = self._net
        moved, changed = search(net, *of)
        if moved < 0:
            return False
        if self._certify and not certificate.certified(net, changed, moved):
            raise Unproved("A change left the plan without a certificate.")
        for person, option in zip(net.moved[:moved].tolist(), net.moved_from[:moved].tolist(), strict=True):
            self._was.setdefault(person, option)
        return True

    def _let_in(self, person: int) -> None:
        begin, end = self._row(person)
        self._net.owner[begin:end] = np.where(self._banned[begin:end], NONE, person)
        self._run(paths.forward, person, NONE)

    def _again(self, person: int) -> None:
        self._was.setdefault(person, int(self._net.at[person]))
        self._vacate(person)
        self._let_in(person)

    def _vacate(self, person: int) -> None:
        """Take somebody out; the place goes to whom it helps most."""
        net, option = self._net, int(self._net.at[person])
        if option >= 0 and self._is[person] == WAITS:
            paths.depart(net, person)
        net.at[person] = NONE
        self._silence(person)
        if option >= 0:
            self._run(paths.backward, int(net.pool[option]))

    def _silence(self, person: int) -> None:
        """Nobody asks this person to move or to come."""
        self._net.owner[slice(*self._row(person))] = NONE

    def _ban(self, person: int, pool: int) -> None:
        net, (begin, end) = self._net, self._row(person)
        options = begin + np.flatnonzero(net.pool[begin:end] == pool)
        self._banned[options] = True
        net.owner[options] = NONE
        if net.keep[person] in options:
            net.pays[person] -= net.extra[person]
            net.keep[person], net.extra[person] = NONE, 0

    def _row(self, person: int) -> tuple[int, int]:
        return int(self._net.begin[person]), int(self._net.end[person])

    def _must_be(self, person: int, *states: int) -> None:
        if not 0 <= person < self._people or self._is[person] not in states:
            raise Refused(f"Person {person} {'has no offer' if OFFERED in states and WAITS not in states else 'does not wait'}.")

    def _append(self, where: Ints, points: Ints, left: int) -> int:
        order = np.lexsort((self._problem.pool_lot[where], points))
        where, points = where[order], points[order]
        person, first = self._people, self._options
        last = first + len(where)
        self._net = net = nets.roomy(self._net, person + 1, last)
        if len(self._points) < len(net.pool):
            self._points = np.resize(self._points, len(net.pool))
            self._banned = np.resize(self._banned, len(net.pool))
        if len(self._is) < len(net.left):
            self._is = np.resize(self._is, len(net.left))
        self._points[first:last], self._banned[first:last], self._is[person] = points, False, WAITS
        net.pool[first:last] = where
        net.cost[first:last] = with_regret(np.array([0, len(where)]), points, self._policy)
        net.begin[person], net.end[person], net.left[person] = first, last, left
        net.keep[person], net.extra[person], net.at[person] = NONE, 0, NONE
        net.owner[first:last] = person
        paths.link(net, first, last)
        self._people, self._options = person + 1, last
        return person

    def _capacity(self, node: int, places: int) -> None:
        net = self._net
        if not 0 <= places < DEAREST:
            raise Refused("A number of places is negative or far too large.")
        promised = sum(node in self._chain(int(net.pool[net.at[p]])) for p in np.flatnonzero(self._is[: self._people] == OFFERED))
        if places < promised:
            raise Refused(f"{promised} of these places are offered: those offers must be answered or taken back first.")
        while net.places[node] < places and net.price[node] > self._asked_above(node):
            self._one_more(node)
        net.places[node] = max(places, net.load[node])
        while net.places[node] > places:
            self._one_fewer(node)

    def _one_more(self, node: int) -> None:
        """As if a stranger took the new place, with all limits above, and then went away."""
        net, counted = self._net, []
        for above in self._chain(node)[1:]:
            if net.load[above] < net.places[above]:
                net.load[above] += 1
                counted.append(above)
            elif self._run(paths.forward, NONE, above):
                break
            else:
                # All below is promised: nobody can use the new place, and nobody who could move pays these prices.
                net.load[counted] -= 1
                self._raise_all_below(above, int(net.price[node]))
                net.places[node] += 1
                return
        net.places[node] += 1
        net.load[node] += 1
        self._run(paths.backward, node)

    def _one_fewer(self, node: int) -> None:
        net = self._net
        net.places[node] -= 1
        net.load[node] -= 1
        self._run(paths.forward, NONE, node)
        # Whoever found room is counted there. The limits above still count somebody whom this node does not have any more.
        if net.parent[node] >= 0:
            self._run(paths.backward, int(net.parent[node]))

    def _asked_above(self, node: int) -> int:
        parent = int(self._net.parent[node])
        return int(self._net.price[parent]) if parent >= 0 else 0

    def _chain(self, node: int) -> list[int]:
        """The node and the limits above it."""
        chain = []
        while node != NONE:
            chain.append(node)
            node = int(self._net.parent[node])
        return chain

    def _raise_all_below(self, node: int, price: int) -> None:
        net, todo = self._net, [node]
        while todo:
            node = todo.pop()
            net.price[node] = max(net.price[node], price)
            below = int(net.child[node])
            while below >= 0:
                todo.append(below)
                below = int(net.sibling[below])
