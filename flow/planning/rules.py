"""What a plan must respect beyond one person's own rules: who stays together, rooms that people share, and newcomers a day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from capacity.models import AdmissionLimit, Infection, Reservation, ServiceCapacity, SharedRoom
from core import clock
from flow.models import Episode, Patient, ReferralTask, Relationship, Transition
from flow.workflow import Status

if TYPE_CHECKING:
    from flow.planning.gathering import Offer, Person

#: Of a service that has said yes and still has the person.
_THERE = (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD)
_SEXES = frozenset({"female", "male"})
WITH_OTHER = "Kept to where a place was found for the person they stay together with."
UNSEARCHED = "Nobody has looked for a place yet for the person they stay together with, so that this line is for one alone."
PACKAGE_ALONE = "Needs several services at once, so that staying together with somebody is left to you."


@dataclass(slots=True)
class Rules:
    """`rooms` has who is in each shared room, "" when it is empty; `ward_limits` and `service_limits` what each may still take today."""

    sites: dict[UUID, UUID] = field(default_factory=dict)
    """Pool → where it is: its location, or of a service that comes to people the service itself."""
    services: dict[UUID, UUID] = field(default_factory=dict)
    owners: dict[UUID, UUID] = field(default_factory=dict)
    """Pool → the organisation that runs it."""
    share: int = 0
    """How many per cent of all who could be placed one organisation may have at most; 0: as many as there are."""
    rooms: dict[UUID, str] = field(default_factory=dict)
    ward_limits: dict[UUID, int] = field(default_factory=dict)
    service_limits: dict[UUID, int] = field(default_factory=dict)

    def lets_in(self, pool: UUID, cohort: str) -> bool:
        """Whether who is in a shared room already, and the limits of newcomers, leave a person of a cohort a place there."""
        if self.rooms.get(pool, "") not in ("", cohort):
            return False
        service = self.services.get(pool)
        return self.ward_limits.get(pool, 1) > 0 and (service is None or self.service_limits.get(service, 1) > 0)

    def take(self, pool: UUID, cohort: str) -> None:
        """Somebody has a place there before the plan is made."""
        if pool in self.ward_limits:
            self.ward_limits[pool] = max(0, self.ward_limits[pool] - 1)
        service = self.services.get(pool)
        if service in self.service_limits:
            self.service_limits[service] = max(0, self.service_limits[service] - 1)
        if self.rooms.get(pool) == "":
            self.rooms[pool] = cohort


def cohort(sex: str, infection: str, alone: object) -> str:
    """Who may share a room: those with the same word. Whoever has a room alone has a word of their own."""
    if sex not in _SEXES or infection == Infection.OTHER:
        return f"alone {alone}"
    return f"{sex} {infection}"


def gather(pools: Collection[UUID], offers: Iterable["Offer"], *, at: datetime) -> Rules:
    """What those who run these pools say. Those whom we asked for, and whoever else is expected there, are counted."""
    rules, wanted, offers = Rules(share=settings.PLAN_LARGEST_SHARE), list(pools), list(offers)
    kept = ServiceCapacity.objects.filter(pk__in=wanted).values_list("pk", "service", "location", "service__organization")
    for pool, service, location, owner in kept:
        rules.sites[pool], rules.services[pool], rules.owners[pool] = location or service, service, owner
    for room in SharedRoom.objects.filter(pool__in=wanted):
        rules.rooms[room.pool_id] = cohort(room.sex, room.infection, room.pool_id) if room.sex else ""
    held = _held([*rules.rooms], at)
    for offer in offers:
        for pool in offer.pools:
            if rules.rooms.get(pool) == "":
                rules.rooms[pool] = offer.cohort
            held[pool] -= 1
    for pool, others in held.items():
        if others > 0 and rules.rooms.get(pool) == "":
            # Of whom another team keeps a place for nobody may know more: until the provider says who came, the room is theirs.
            rules.rooms[pool] = f"others {pool}"
    _limits(rules, offers, at)
    return rules


def _limits(rules: Rules, offers: list["Offer"], at: datetime) -> None:
    found = list(AdmissionLimit.objects.filter(service__in=set(rules.services.values())))
    if not found:
        return
    whole = {limit.service_id for limit in found if limit.pool_id is None}
    pools = dict(
        ServiceCapacity.objects.filter(Q(service__in=whole) | Q(pk__in=[limit.pool_id for limit in found if limit.pool_id])).values_list(
            "pk", "service"
        )
    )
    taken = _held([*pools], at)
    today = Transition.objects.filter(to_status=Status.ACCEPTED, at__date=clock.local_date(at), task__pool__in=[*pools])
    taken.update(
        pool for pool, _ in today.exclude(task__status__in=[Status.CANCELLED, Status.REJECTED]).values_list("task__pool", "task").distinct()
    )
    asked = ReferralTask.objects.open().filter(referral__patient__episodes__in=[offer.episode for offer in offers], pool__in=[*pools])
    unheld = asked.exclude(reservation__state=Reservation.State.HELD).values_list("pool", "referral__patient").distinct()
    taken.update(pool for pool, _ in unheld)
    of_service: Counter[UUID] = Counter()
    for pool, number in taken.items():
        of_service[pools[pool]] += number
    for limit in found:
        if limit.pool_id is None:
            rules.service_limits[limit.service_id] = max(0, limit.a_day - of_service[limit.service_id])
        else:
            rules.ward_limits[limit.pool_id] = max(0, limit.a_day - taken[limit.pool_id])


def _held(pools: list[UUID], at: datetime) -> Counter[UUID]:
    held = Reservation.objects.filter(pool__in=pools, state=Reservation.State.HELD, expires_at__gt=at)
    return Counter(held.values_list("pool", flat=True))


@dataclass(frozen=True, slots=True)
class Families:
    """Who stays together: of each patient a number, the same for all of one family, and where some of them are already."""

    of: dict[UUID, int]
    sites: dict[int, set[UUID]]
    unsearched: frozenset[int]


def families(patients: Collection[UUID], offers: Iterable["Offer"]) -> Families:
    """The families of people in a plan. Somebody who is kept together with two is kept together with both."""
    parent: dict[UUID, UUID] = {}

    def root(one: UUID) -> UUID:
        while parent.setdefault(one, one) != one:
            one = parent[one]
        return one

    pairs = Relationship.objects.filter(Q(patient__in=patients) | Q(other__in=patients)).order_by("pk")
    for one, other in pairs.values_list("patient", "other"):
        parent[root(one)] = root(other)
    numbers: dict[UUID, int] = {}
    of = {patient: numbers.setdefault(root(patient), len(numbers)) for patient in sorted(parent, key=str)}
    sites: dict[int, set[UUID]] = defaultdict(set)
    if not of:
        return Families({}, {}, frozenset())
    asked = {pool for offer in offers if offer.patient in of for pool in offer.pools}
    where = dict(ServiceCapacity.objects.filter(pk__in=asked).values_list("pk", "location"))
    services = dict(ServiceCapacity.objects.filter(pk__in=asked).values_list("pk", "service"))
    for offer in offers:
        if offer.patient in of:
            sites[of[offer.patient]] |= {where[pool] or services[pool] for pool in offer.pools if pool in where}
    there = ReferralTask.objects.filter(status__in=_THERE, referral__patient__in=[*of])
    for patient, location, service in there.values_list("referral__patient", "pool__location", "pool__service"):
        sites[of[patient]].add(location or service)
    waiting = Episode.objects.waiting().filter(patient__in=[*of], profile=None).values_list("patient", flat=True)
    return Families(of, dict(sites), frozenset(of[patient] for patient in waiting))


def sex_of(profile_sex: str, patient_sex: str) -> str:
    """What was looked for counts; of somebody of whom that does not tell, what is recorded."""
    return profile_sex if profile_sex in _SEXES else str(patient_sex or Patient.Sex.UNKNOWN)


def apart(people: Iterable["Person"]) -> dict[int, list["Person"]]:
    """Rows that are placed all or none, by the number of their family: nobody twice, and no package among them."""
    found: dict[int, list[Person]] = defaultdict(list)
    seen: set[UUID] = set()
    for person in people:
        if person.family is not None and not person.part and person.patient not in seen:
            seen.add(person.patient)
            found[person.family].append(person)
    return {family: some for family, some in found.items() if len(some) > 1}
