"""The rounds of `test_races_of_places.py`: who takes part, what they do, and what must be true after each round."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from django.db import connection

import capacity.operations as places
from capacity.models import CapacityReport, Reservation, ServiceCapacity
from core import clock
from core.errors import LuneError
from flow import operations
from flow.models import ReferralTask
from flow.workflow import Reason, Status
from tests.factories import EpisodeFactory, NeedProfileFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of

MOST_CLIENTS, FEWEST_CLIENTS = 64, 16
#: Rounds after which everything is made anew, so that the last round is no slower than the first.
A_WORLD_LASTS = 200
#: Nobody waits so long for anything, unless in a circle.
STUCK = 120
#: What a client may be told instead of yes. Anything else (a deadlock, a broken constraint) fails the run.
REFUSALS = {
    "no-place", "below-held", "already-held", "already-asked", "too-many-holds", "hold-ended", "extended-already", "moved-on", "ended",
}  # fmt: skip

Act = Callable[[], object]
Kind, State = CapacityReport.Kind, Reservation.State
#: What each kind of row may do: (change of available, change of held).
MOVES = {
    Kind.HOLD: {(0, 1)},
    Kind.RELEASE: {(0, -1)},
    Kind.EXPIRE: {(0, -1)},
    Kind.WITHDRAW: {(0, -1)},
    Kind.FILL: {(-1, -1), (-1, 0)},
    Kind.REOPEN: {(1, 0)},
}
#: Which rows end a hold, and how it stands then.
ENDS = {Kind.RELEASE: State.RELEASED, Kind.EXPIRE: State.EXPIRED, Kind.WITHDRAW: State.WITHDRAWN}


class World:
    """Four pools, and eight teams with people who wait."""

    def __init__(self) -> None:
        self.pools = PoolFactory.create_batch(4, maximum=None)
        self.providers = {pool.pk: provider_of(pool) for pool in self.pools}
        self.teams = UserFactory.create_batch(8)
        self.profiles = {team.pk: NeedProfileFactory(organization=team.organization) for team in self.teams}
        self.people = [(team, EpisodeFactory(patient__organization=team.organization)) for team in self.teams for _ in range(8)]

    # --- before

    def begin(self, rng: random.Random) -> None:
        """Choose a pool, empty it, say what is free, and let some hold and ask already."""
        self.pool: ServiceCapacity = rng.choice(self.pools)
        self.provider = self.providers[self.pool.pk]
        rng.shuffle(self.people)
        free = rng.randint(1, 3)
        self._tell(free)
        held = [self._hold(*self.people[number]) for number in range(rng.randint(0, free))]
        for reservation in held:
            if rng.random() < 0.3:  # its time is up, and nobody has noticed yet
                Reservation.objects.filter(pk=reservation).update(expires_at=clock.now())
        self.held = held
        asking = rng.sample(self.people, rng.randint(1, 2))
        self.tasks = [task for team, episode in asking if (task := self._asked(team, episode)) is not None]
        self.rest = [person for person in self.people[4:] if person not in asking]
        self.pool.refresh_from_db()
        self.start = self.pool.version
        self.before, self.taken_before = self._states(), self._taken()
        self.extended_before = self._extended()

    def _asked(self, team, episode) -> ReferralTask | None:
        try:
            return self._send(team, episode)
        except LuneError:
            return None

    # --- what clients do

    def act(self, rng: random.Random) -> tuple[str, Act]:
        """One client's wish: its name, and what it does."""
        name = rng.choices(list(WISHES), weights=list(WISHES.values()))[0]
        team, episode = rng.choice(self.rest)
        held, task = rng.choice(self.held or [None]), rng.choice(self.tasks or [None])
        figure, pool = rng.randint(0, 3), self.pool
        if (held is None and name in ("extend", "let go")) or (task is None and name in ("accept", "decline", "withdraw")):
            name = "hold"
        at = clock.now()
        acts: dict[str, Act] = {
            "hold": lambda: self._hold(team, episode),
            "hold for nobody": lambda: places.hold(pool_id=pool.pk, organization=team.organization, by=team, at=at),
            "send": lambda: self._send(team, episode, hold=True),
            "accept": lambda: operations.accept(task_id=task.pk, by=self.provider, at=clock.now()),
            "decline": lambda: operations.decline(task_id=task.pk, by=self.provider, at=at, reason=Reason.CAPACITY),
            "withdraw": lambda: operations.withdraw(task_id=task.pk, by=self._sender(task), at=at, reason_text="Not now"),
            "extend": lambda: places.extend(reservation_id=held, by=self._holder(held), at=at),
            "let go": lambda: operations.let_go(hold_id=held, by=self._holder(held), at=at),
            "expire": self._expire,
            "tell": lambda: self._tell(figure),
            "take back": lambda: self._tell(figure, because="Two rooms are closed"),
        }
        return name, acts[name]

    def _hold(self, team, episode):
        return operations.hold_place(episode_id=episode.pk, pool_id=self.pool.pk, by=team, at=clock.now()).reservation_id

    def _send(self, team, episode, *, hold: bool = False) -> ReferralTask:
        return operations.send(
            patient_id=episode.patient_id, profile_id=self.profiles[team.pk].pk, episode_id=episode.pk, pool_ids=[self.pool.pk],
            hold_pool_ids=[self.pool.pk] if hold else [], consent=True, by=team, at=clock.now(),
        ).tasks.get()  # fmt: skip

    def _tell(self, figure: int, because: str | None = None) -> None:
        places.report(pool_id=self.pool.pk, available=figure, by=self.provider, at=clock.now(), withdraw_because=because, status="capacity")

    def _expire(self) -> None:
        """As `expire_due` does, of this pool alone: another lane counts its own."""
        at = clock.now()
        for due in list(Reservation.objects.due(at).filter(pool=self.pool)):
            places.release(reservation_id=due.pk, by=None, at=at, expired=True)

    def _sender(self, task: ReferralTask):
        return next(team for team in self.teams if team.organization_id == task.referral.organization_id)

    def _holder(self, reservation):
        holder = Reservation.objects.values_list("organization", flat=True).get(pk=reservation)
        return next(team for team in self.teams if team.organization_id == holder)

    # --- after

    def check(self, told: list[tuple[str, str]]) -> None:
        """Figures, history, reservations and what clients were told agree."""
        pool = ServiceCapacity.objects.get(pk=self.pool.pk)
        rows = list(pool.reports.filter(version__gte=self.start).order_by("version"))
        assert [row.version for row in rows] == list(range(self.start, pool.version + 1)), "a change left no row of history, or two"
        shown = [row for row in rows if row.kind != Kind.LATE]
        assert all(0 <= row.held <= row.available for row in shown), "oversold"
        for before, after in pairwise(shown):
            move = (after.available - before.available, after.held - before.held)
            assert move[1] == 0 if after.kind == Kind.REPORT else move in MOVES[after.kind], f"{after.kind} moved {move}"
        assert (shown[-1].available, shown[-1].held) == (pool.available, pool.held), "the figure is not the sum of its history"
        self._check_reservations(pool, Counter(row.kind for row in rows[1:]), told)

    def _check_reservations(self, pool: ServiceCapacity, kinds: Counter[str], told: list[tuple[str, str]]) -> None:
        states = self._states()
        assert pool.held == states[State.HELD], "what is held is not what is reserved"
        changed = Counter({state: states[state] - self.before[state] for state in State})
        assert sum(changed.values()) == kinds[Kind.HOLD], "a hold was lost, or made twice"
        for kind, state in ENDS.items():
            assert changed[state] == kinds[kind], f"{kind}: {kinds[kind]} rows, {changed[state]} reservations"
        assert kinds[Kind.FILL] - kinds[Kind.REOPEN] == self._taken() - self.taken_before, "a place was taken by nobody, or by two"
        yes = Counter(name for name, answer in told if answer == "yes")
        assert yes["accept"] == kinds[Kind.FILL], "an acceptance was lost, or counted twice"
        assert yes["tell"] + yes["take back"] == kinds[Kind.REPORT] + kinds[Kind.LATE], "an update was lost, or counted twice"
        assert yes["hold"] + yes["hold for nobody"] <= kinds[Kind.HOLD] <= yes["hold"] + yes["hold for nobody"] + yes["send"]
        assert yes["extend"] == self._extended() - self.extended_before, "an extension was lost, or given twice"

    def end(self) -> None:
        """Take back what is still asked and held, so that the same people may ask and hold again, here and elsewhere."""
        self._tell(0, because="The round is over")
        for task in ReferralTask.objects.filter(pool=self.pool, status__in=Status.open()):
            operations.withdraw(task_id=task.pk, by=None, at=clock.now(), reason_text="The round is over")

    def _states(self) -> Counter[str]:
        return Counter(Reservation.objects.filter(pool=self.pool).values_list("state", flat=True))

    def _taken(self) -> int:
        return ReferralTask.objects.filter(pool=self.pool, took_place=True).count()

    def _extended(self) -> int:
        return Reservation.objects.filter(pool=self.pool, extended_at__isnull=False).count()


#: How often clients wish for what.
WISHES = {
    "hold": 26, "hold for nobody": 10, "accept": 18, "send": 5, "extend": 8, "let go": 7, "expire": 5, "tell": 9, "take back": 6,
    "withdraw": 4, "decline": 2,
}  # fmt: skip


def how_many(rng: random.Random) -> int:
    """From the fewest to the most clients; small crowds oftener, for they cost less and find as much."""
    return round(FEWEST_CLIENTS * (MOST_CLIENTS / FEWEST_CLIENTS) ** (rng.random() ** 2))


class Lane:
    """One process's rounds, with threads that keep their connections."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.threads = ThreadPoolExecutor(MOST_CLIENTS)

    def world(self) -> World:
        return World()

    def run(self, rounds: int, seconds: float) -> Counter[str]:
        """All rounds, or as many as begin within `seconds`; how often each wish was granted or refused, and how many rounds there were."""
        outcomes: Counter[str] = Counter()
        until = time.monotonic() + seconds
        try:
            for number in range(rounds):
                if time.monotonic() > until:
                    break
                if number % A_WORLD_LASTS == 0:
                    world = self.world()
                rng = random.Random(f"{self.seed}-{number}")
                world.begin(rng)
                told = self._round([world.act(rng) for _ in range(how_many(rng))])
                world.check(told)
                world.end()
                outcomes.update(f"{name}: {answer}" for name, answer in told)
                outcomes.update(rounds=1, clients=len(told))
        finally:
            self.close()
        return outcomes

    def _round(self, acts: list[tuple[str, Act]]) -> list[tuple[str, str]]:
        gate = threading.Barrier(len(acts))

        def client(act: Act) -> str:
            connection.ensure_connection()
            gate.wait(timeout=STUCK)
            try:
                act()
            except LuneError as error:
                if error.code not in REFUSALS:
                    raise
                return error.code
            return "yes"

        waiting = [(name, self.threads.submit(client, act)) for name, act in acts]
        return [(name, future.result(timeout=STUCK)) for name, future in waiting]

    def close(self) -> None:
        """Close each thread's connection, then the threads."""
        gate = threading.Barrier(MOST_CLIENTS)

        def leave() -> None:
            gate.wait(timeout=STUCK)
            connection.close()

        for future in [self.threads.submit(leave) for _ in range(MOST_CLIENTS)]:
            future.result(timeout=STUCK)
        self.threads.shutdown()
