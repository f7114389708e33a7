"""What has been said of each pool: plans made first, then replayed in order, so that history and present agree."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from capacity.models import CapacityReport, CapacityStatus, Reservation, ServiceCapacity, Via
from catalogue.vocabulary import CARE_TYPES, FRESHNESS_HOURS
from flow.demo.kinds import Kind
from flow.demo.services import Services
from flow.demo.world import World

_GROUP = {term.code: term.group for term in CARE_TYPES}
#: How many days of reports the busier pools have, one or so a day; and how far back they told at all, so that a forecast has what it needs.
HISTORY_DAYS, OLDER_DAYS = 14, 60
#: Before the last fortnight they told as seldom as a figure may be told and still be believed, but no more seldom than this.
SELDOM = timedelta(days=5)
#: Kinds besides homes to which people come to stay.
WARDS = ("community-bed", "hospice-inpatient")
#: What a service adds to its figure, by whether people come to stay.
BED_NOTES = (
    "Female bed only at present", "Ground floor room", "Room ready from Monday", "Shared bathroom", "Assessment within one working day",
    "Own room, looking on the garden", "Families may visit first", "Please ring before you send", "No admissions at weekends",
    "Male bed only at present",
)  # fmt: skip
NOTES = (
    "First visit within three days", "Mornings only", "Evenings full until next week", "Please ring before you send",
    "Assessment within one working day", "From Monday", "Not at weekends", "Two of us are new this month", "Daytime only at present",
    "Quieter in the afternoons",
)  # fmt: skip
_K = CapacityReport.Kind


@dataclass(order=True)
class Said:
    """One thing that happened to a pool. `available` counts only for a report; `unheld` marks a place taken without a hold."""

    at: datetime
    kind: str
    available: int = 0
    unheld: bool = False


class Places:
    """Plans what each pool is told; `settle` replays it into rows once referrals have added their holds."""

    def __init__(self, world: World, services: Services) -> None:
        self.world = world
        self.services = services
        self.rng = world.chance("places")
        self.older = world.chance("older places")
        self.said: dict[UUID, list[Said]] = defaultdict(list)

    def plan(self) -> None:
        """Decide each pool's status, note and reports: most fresh, some ageing or old, some never told."""
        own = {self.world.special[key].pk for key in ("home", "homecare", "charity")}
        for kind, _, service, pool in self.services.pools:
            mine = service.organization_id in own
            fresh_for, expires_after = (timedelta(hours=h) for h in FRESHNESS_HOURS[_GROUP[pool.care_type.code]])
            age = self._age(mine, fresh_for, expires_after)
            if age is None:
                continue
            self._status(kind, pool, mine)
            last = self.world.now - age
            self._tell(pool, kind, last)
            if self.rng.random() < (1 if mine else 0.4):
                self._history(pool, kind, last)
                self._older(pool, expires_after)

    def _age(self, mine: bool, fresh_for: timedelta, expires_after: timedelta) -> timedelta | None:
        habit = self.rng.random()
        part = self.rng.random()
        if mine or habit < 0.62:
            return fresh_for * (0.02 + 0.9 * part**2)
        if habit < 0.8:
            return fresh_for + (expires_after - fresh_for) * part
        if habit < 0.9:
            return expires_after * (1 + part)
        return None

    def _status(self, kind: Kind, pool: ServiceCapacity, mine: bool) -> None:
        chance = self.rng.random()
        if chance < kind.waiting_list and not mine:
            pool.status = CapacityStatus.WAITLIST
        elif chance < kind.waiting_list + 0.06 and not mine:
            pool.status = CapacityStatus.NO_CAPACITY
        elif kind.sector == "home" and chance > 0.8:
            pool.status = CapacityStatus.ADDITIONAL_ASSESSMENT
        if self.rng.random() < 0.18:
            pool.note = self.rng.choice(BED_NOTES if kind.sector == "home" or kind.code in WARDS else NOTES)
        if self.rng.random() < 0.012 and not mine:
            pool.is_open = False

    def _free_now(self, pool: ServiceCapacity, kind: Kind) -> int:
        assert pool.maximum is not None
        if pool.status in (CapacityStatus.NO_CAPACITY, CapacityStatus.WAITLIST):
            return 0
        full = 0.3 if kind.sector in ("home", "homecare") else 0.12
        if self.rng.random() < full:
            return 0
        share = 0.14 if kind.sector == "home" else 0.3
        return min(pool.maximum, 1 + int(self.rng.expovariate(1 / max(1.0, pool.maximum * share))))

    def _tell(self, pool: ServiceCapacity, kind: Kind, at: datetime) -> None:
        self.said[pool.pk].append(Said(at, _K.REPORT, self._free_now(pool, kind)))

    def _history(self, pool: ServiceCapacity, kind: Kind, last: datetime) -> None:
        """A report or so a day before the last one, each near its neighbour."""
        at, free = last, self.said[pool.pk][-1].available
        while (at := at - timedelta(hours=self.rng.uniform(12, 34))) > self.world.ago(days=HISTORY_DAYS):
            free = max(0, min(pool.maximum or 0, free + self.rng.choice((-2, -1, -1, 0, 0, 1, 1, 2))))
            self.said[pool.pk].append(Said(at, _K.REPORT, free))

    def _older(self, pool: ServiceCapacity, expires_after: timedelta) -> None:
        """The weeks before that: each pool has a level of its own, to which it is drawn."""
        rng, most = self.older, pool.maximum or 0
        usual = rng.expovariate(1 / max(0.6, most * 0.08))
        at, free = min(self.said[pool.pk]).at, min(self.said[pool.pk]).available
        while (at := at - min(expires_after, SELDOM) * rng.uniform(0.7, 0.98)) > self.world.ago(days=OLDER_DAYS):
            drawn = rng.choice((0, 1)) if free < usual else rng.choice((0, -1, -1))
            free = max(0, min(most, free + drawn + rng.choice((-1, 0, 0, 1))))
            self.said[pool.pk].append(Said(at, _K.REPORT, free))

    def told(self, pool: ServiceCapacity) -> bool:
        return bool(self.said[pool.pk])

    def reserve(self, pool: ServiceCapacity, reservation: Reservation) -> Reservation:
        """Add a hold and how it ended to what happened to its pool."""
        self.said[pool.pk].append(Said(reservation.created_at, _K.HOLD))
        end = {"filled": _K.FILL, "released": _K.RELEASE, "expired": _K.EXPIRE}.get(reservation.state)
        if end:
            assert reservation.ended_at is not None
            self.said[pool.pk].append(Said(reservation.ended_at, end))
        return self.world.add(reservation)

    def take(self, pool: ServiceCapacity, at: datetime) -> bool:
        """A place taken without a hold. False when the pool has nothing to count down, as in `capacity.operations.fill`."""
        if not self.told(pool) or pool.status == CapacityStatus.WAITLIST:
            return False
        self.said[pool.pk].append(Said(at, _K.FILL, unheld=True))
        return True

    def reopen(self, pool: ServiceCapacity, at: datetime) -> None:
        """A taken place was given back."""
        self.said[pool.pk].append(Said(at, _K.REOPEN))

    def settle(self) -> None:
        """Replay every pool: the last state becomes the pool's row, each step a row of history."""
        for _, _, _, pool in self.services.pools:
            self._replay(pool, self.world.chance(f"replay/{pool.pk}"))

    def _replay(self, pool: ServiceCapacity, rng: random.Random) -> None:
        version = 0
        before: datetime | None = None
        for said in sorted(self.said[pool.pk]):
            if said.kind == _K.REPORT:
                version = self._report(pool, version, said.at, max(said.available, pool.held), rng)
                before = said.at
                continue
            if (said.kind == _K.HOLD or said.unheld) and (pool.free or 0) < 1:
                # Somebody must have said that there was a place before it went.
                at = max(said.at - timedelta(minutes=20), before or said.at - timedelta(hours=1))
                version = self._report(pool, version, at, pool.held + 1, rng)
            version += 1
            self._count(pool, said)
            self._record(pool, version, said.kind, said.at, Via.SYSTEM if said.kind == _K.EXPIRE else Via.REFERRAL)
            before = said.at
        pool.version = max(1, version)

    @staticmethod
    def _count(pool: ServiceCapacity, said: Said) -> None:
        """Change the two figures as `capacity.operations` does."""
        assert pool.available is not None
        if said.kind == _K.HOLD:
            pool.held += 1
        elif not said.unheld and said.kind != _K.REOPEN:
            pool.held -= 1
        if said.kind == _K.FILL:
            pool.available -= 1
        elif said.kind == _K.REOPEN:
            pool.available += 1
            pool.maximum = max(pool.maximum or 0, pool.available)

    def _report(self, pool: ServiceCapacity, version: int, at: datetime, available: int, rng: random.Random) -> int:
        pool.maximum = max(pool.maximum or 0, available)
        pool.available = available
        pool.reported_at = at
        pool.reported_by = self.world.users[pool.service.organization_id]
        pool.reported_via = rng.choices((Via.WEB, Via.API, Via.LINK, Via.IMPORT), (70, 10, 15, 5))[0]
        self._record(pool, version + 1, _K.REPORT, at, pool.reported_via)
        return version + 1

    def _record(self, pool: ServiceCapacity, version: int, kind: str, at: datetime, via: str) -> None:
        self.world.add(
            CapacityReport(
                pool=pool,
                kind=kind,
                available=pool.available,
                held=pool.held,
                maximum=pool.maximum,
                status=pool.status,
                note=pool.note,
                version=version,
                observed_at=at,
                received_at=at,
                by=None if kind == _K.EXPIRE else self.world.users[pool.service.organization_id],
                via=via,
            )
        )
