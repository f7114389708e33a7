"""The services: where they are, whom they take, what they cost, when they are open, and their pools of places."""

import random
from datetime import time
from decimal import Decimal
from uuid import UUID

from capacity.models import ServiceCapacity
from catalogue.models import (
    Address,
    Contact,
    CostOption,
    Eligibility,
    EligibilityCriterion,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
)
from catalogue.vocabulary import NAMES
from flow.demo.kinds import KINDS, Kind
from flow.demo.names import Words, phone
from flow.demo.organizations import Organizations
from flow.demo.world import SOURCE, Town, World

Rule = EligibilityCriterion.Rule
#: Kinds of which the large charity runs the first, and those of which it also runs the second: 25 in all.
CHARITY_TWICE = {
    "befriending", "physical-activity", "arts-and-nature", "lunch-club", "poverty-crisis", "debt-advice", "peer-support", "transport",
}  # fmt: skip
REFUGES = 4
STREETS = ("Beck Lane", "Church Brow", "Fold Street", "Garth Road", "Market Street", "Mill Lane", "Moor Lane", "Station Road", "Wharf Road")
LANGUAGES = (("ur", 0.18), ("pa", 0.1), ("gu", 0.14), ("pl", 0.16), ("ro", 0.08), ("bn", 0.05), ("ar", 0.05), ("bfi", 0.07))


class Services:
    """Invents every service. `pools` lists (kind, town, service, pool) for what follows."""

    def __init__(self, world: World, organizations: Organizations, words: Words) -> None:
        self.world = world
        self.organizations = organizations
        self.words = words
        self.rng = world.chance("services")
        self.pools: list[tuple[Kind, Town, Service, ServiceCapacity]] = []
        self.rules: dict[UUID, dict[str, str]] = {}
        self.ages: dict[UUID, tuple[int | None, int | None]] = {}
        #: Service → the district to whose residents it is limited.
        self.lads: dict[UUID, str] = {}

    def build(self) -> None:
        for kind in KINDS:
            for number in range(kind.count):
                own = self._special(kind, number)
                local = own in ("home", "homecare") or (own == "charity" and self.rng.random() < 0.6)
                town = self.world.town["LA1"] if local else self.world.some_town(self.rng)
                organization = self.world.special[own] if own else self.organizations.pick(self.rng, kind.sector, town)
                self._service(kind, town, organization, own=bool(own))
        housing = next(k for k in KINDS if k.code == "housing-advice")
        for _ in range(REFUGES):
            organization = self.organizations.confidential(f"{self.words.next()} Sanctuary")
            self._service(housing, self.world.some_town(self.rng), organization, confidential=True)

    @staticmethod
    def _special(kind: Kind, number: int) -> str:
        """Which log-in's organisation runs this one: the first nursing home, the first home care agency, 25 of the charities."""
        if kind.code == "home-general-nursing" and number == 0:
            return "home"
        if kind.code == "home-care" and number == 0:
            return "homecare"
        if kind.sector == "charity" and (number == 0 or (number == 1 and kind.code in CHARITY_TWICE)):
            return "charity"
        return ""

    def _service(self, kind: Kind, town: Town, organization: Organization, *, own: bool = False, confidential: bool = False) -> None:
        """One service. A log-in's `own` has every kind of place and refuses nobody, so that its inbox is busy."""
        world, rng = self.world, self.rng
        pattern = "{word} Refuge" if confidential else rng.choice(kind.names)
        name = pattern.format(word=self.words.next() if "{word}" in pattern else "", place=town.name, org=organization.name)
        low, high = kind.price or (0, 0)
        price = None if rng.random() < 0.15 else Decimal(rng.randint(low, high))
        online = kind.code == "digital-service"
        service = world.add(
            Service(
                id=world.id("service"),
                organization=organization,
                name=name,
                description=self._description(kind, town, organization),
                url=organization.website,
                email=organization.email,
                care_type=world.terms["care-type", kind.code],
                catchment_m=None if kind.catchment_km is None else rng.randint(*kind.catchment_km) * 1_000,
                price_week=price,
                cqc_rating=rng.choices((1, 2, 3, 4), (3, 15, 74, 8))[0] if kind.rated and rng.random() < 0.92 else None,
                is_confidential=confidential,
                assured_date=self._assured(),
                source=SOURCE,
                source_id=f"service-{world.counts['service']}",
            )
        )
        if service.cqc_rating:
            service.cqc_rated_on = world.ago(days=rng.randint(40, 1_400)).date()
        location = self._location(service, town, online=online, confidential=confidential)
        self._desk(service, kind, price)
        self._eligibility(service, kind, refuses=not own, women_only=confidential)
        if not (confidential or own) and rng.random() < kind.by_district:
            area = world.areas[town.lad]
            self.lads[service.pk] = town.lad
            world.add(ServiceArea(id=world.id("service-area"), service=service, area=area, name=area.name))
        for code in kind.care_types:
            if code == kind.code or own or rng.random() < 0.55:
                self._pool(kind, code, town, service, location)

    def _description(self, kind: Kind, town: Town, organization: Organization) -> str:
        what = NAMES["care-type"][kind.code]
        if kind.sector == "home":
            return f"{what} in {town.name}, run by {organization.name}. Ask about a visit; families are welcome at any time."
        return f"{what} for people in and around {town.name}, run by {organization.name}."

    def _assured(self):
        """Most records were checked within the year; some are overdue, some never were."""
        chance = self.rng.random()
        if chance < 0.08:
            return None
        return self.world.ago(days=self.rng.randint(2, 170) if chance < 0.8 else self.rng.randint(190, 900)).date()

    def _location(self, service: Service, town: Town, *, online: bool, confidential: bool) -> Location:
        world, rng = self.world, self.rng
        location = world.add(
            Location(
                id=world.id("location"),
                location_type=Location.Type.VIRTUAL if online else Location.Type.PHYSICAL,
                name=service.name,
                point=None if online else world.point_in(rng, town),
                is_confidential=confidential,
                source=SOURCE,
            )
        )
        world.add(ServiceAtLocation(id=world.id("service-at-location"), service=service, location=location))
        if not online:
            world.add(
                Address(
                    id=world.id("address"),
                    location=location,
                    address_1=f"{rng.randint(1, 190)} {rng.choice(STREETS)}",
                    city=town.name,
                    state_province="Cumbria" if town.lad in ("E06000063", "E06000064") else "Lancashire",
                    postal_code=world.postcode_in(rng, town),
                )
            )
        return location

    def _desk(self, service: Service, kind: Kind, price: Decimal | None) -> None:
        """Telephone, desk, price and opening times."""
        world, rng = self.world, self.rng
        world.add(Phone(id=world.id("phone"), service=service, number=phone(rng), description="Enquiries"))
        if rng.random() < 0.3:
            world.add(Contact(id=world.id("contact"), service=service, title="Referrals desk", email=service.email, is_public=True))
        if price:
            world.add(CostOption(id=world.id("cost"), service=service, option="Usual price", amount=price, amount_description="a week"))
        days, opens, closes = kind.hours
        world.add(
            Schedule(
                id=world.id("schedule"),
                service=service,
                byday=days,
                opens_at=time(opens) if closes else None,
                closes_at=time(closes) if closes else None,
                description="" if closes else "Day and night",
            )
        )

    def _eligibility(self, service: Service, kind: Kind, *, refuses: bool, women_only: bool) -> None:
        world, rng = self.world, self.rng
        minimum, maximum = rng.choice(kind.ages) if rng.random() < 0.9 else (None, None)
        self.ages[service.pk] = (minimum, maximum)
        sex = Eligibility.Sex.FEMALE if women_only else (Eligibility.Sex.ANY if rng.random() < 0.5 else "")
        world.add(Eligibility(service=service, minimum_age=minimum, maximum_age=maximum, sex=sex))
        rules = self.rules[service.pk] = {}
        for need, (accepts, excludes) in kind.says.items():
            chance = rng.random()
            if chance < accepts:
                rules[need] = Rule.ACCEPTS
            elif refuses and chance > 1 - excludes:
                rules[need] = Rule.EXCLUDED
        if kind.required:
            rules[kind.required] = Rule.REQUIRED
        if kind.preferred and rng.random() < 0.5:
            rules[kind.preferred] = Rule.PREFERRED
        for need, rule in rules.items():
            self._criterion(service, "need", need, rule)
        if rng.random() < 0.85:
            for code in self._some(rng, kind.funding):
                self._criterion(service, "funding", code, Rule.ACCEPTS)
        if rng.random() < 0.7:
            for code in ("en", *(code for code, chance in LANGUAGES if rng.random() < chance)):
                self._criterion(service, "language", code, Rule.ACCEPTS)
        if rng.random() < 0.75:
            for code in kind.sources:
                self._criterion(service, "referral-source", code, Rule.ACCEPTS)

    @staticmethod
    def _some(rng: random.Random, codes: tuple[str, ...]) -> list[str]:
        """The first, and each of the others more often than not."""
        return [codes[0], *(code for code in codes[1:] if rng.random() < 0.75)]

    def _criterion(self, service: Service, slug: str, code: str, rule: str) -> None:
        world = self.world
        world.add(EligibilityCriterion(id=world.id("criterion"), service=service, term=world.terms[slug, code], rule=rule))

    def _pool(self, kind: Kind, code: str, town: Town, service: Service, location: Location) -> None:
        name = kind.pool
        if kind.sector == "home":
            name = NAMES["care-type"][code].removeprefix("Care home: ").capitalize() + f" {kind.unit}s"
        pool = ServiceCapacity(
            id=self.world.id("pool"),
            service=service,
            location=location,
            care_type=self.world.terms["care-type", code],
            name=name,
            unit=kind.unit,
            maximum=self.rng.randint(*kind.places),
        )
        self.pools.append((kind, town, service, self.world.add(pool)))
