"""Invented services of which it is known which are doubles: to measure how well a search for doubles does.

Many of them look alike without being doubles, as in a real directory: branches of one national charity, homes of one chain, a charity's
25 services behind one telephone, groups in one community centre, clinics of one name in many towns, one service at two sites. The
doubles are made by the changes that happen between lists: abbreviation, typing error, a move, a new name, fewer or other details.
Seeded: a seed always gives the same services.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.db import connection

from catalogue.models import Address, Eligibility, Location, Organization, Phone, Service, ServiceAtLocation, TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE
from core.geo import bng_point
from tests.bench.doubles_words import (
    CLINICS,
    HOUSES,
    KINDS,
    NATIONALS,
    NEW_NAMES,
    OFFERS,
    PUBLISHERS,
    SAINTS,
    SENTENCES,
    SHORT,
    STREETS,
    SURNAMES,
    TOWNS,
    TREES,
)


@dataclass(frozen=True)
class Org:
    """An organisation as one publisher has it."""

    name: str
    company: str = ""
    charity: str = ""
    key: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Entry:
    """One record. Two with the same `truth` are one service."""

    truth: int
    org: Org
    name: str
    description: str
    source: str
    town: int
    street: str
    postcode: str
    x: float
    y: float
    phone: str = ""
    email: str = ""
    url: str = ""
    uprn: str = ""
    kind: str = ""
    ages: tuple[int | None, int | None] = (None, None)


class Invented:
    """`count` services, `doubles` of them doubles of others, from one seed."""

    def __init__(self, seed: int, *, count: int = 2_000, doubles: int = 300) -> None:
        self.chance = random.Random(seed)
        self.entries: list[Entry] = []
        self._numbers = iter(range(1, 10_000_000))
        self._once: set[str] = set()
        makers: tuple[tuple[Callable[[], list[Entry]], int], ...] = (
            (self.branch, 12),
            (self.chain, 6),
            (self.many, 3),
            (self.groups_of_a_centre, 8),
            (self.clinics, 4),
            (self.two_sites, 9),
            (self.alone, 30),
        )
        while len(self.entries) < count - doubles:
            make = self.chance.choices([maker for maker, _ in makers], [often for _, often in makers])[0]
            self.entries += make()
        del self.entries[count - doubles :]
        self.changes: list[str] = []
        for original in self.chance.sample(self.entries, doubles):
            self.entries.append(self.double(original))
        self.chance.shuffle(self.entries)

    # --- services

    def place(self, town: int | None = None) -> dict[str, object]:
        """An address of its own."""
        town = self.chance.randrange(len(TOWNS)) if town is None else town
        _, outcode, x, y, _ = TOWNS[town]
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        return {
            "town": town,
            "street": f"{self.chance.randint(1, 180)} {self.chance.choice(STREETS)} {self.chance.choice(['Street', 'Road', 'Lane'])}",
            "postcode": f"{outcode} {self.chance.randint(1, 9)}{self.chance.choice(letters)}{self.chance.choice(letters)}",
            "x": round(x + self.chance.gauss(0, 1_500)),
            "y": round(y + self.chance.gauss(0, 1_500)),
            "uprn": str(self.chance.randint(10**9, 10**11)) if self.chance.random() < 0.4 else "",
        }

    def phone(self, town: int) -> str:
        return f"{TOWNS[town][4]} {self.chance.randint(200_000, 899_999)}"

    def org(self, name: str, *, company: bool = False) -> Org:
        number = f"{self.chance.randint(1_000_000, 9_999_999)}"
        known = self.chance.random() < 0.7
        return Org(name, company=number if company and known else "", charity=number if known and not company else "", key=self._uuid())

    def text(self, first: str) -> str:
        return " ".join([first, *self.chance.sample(SENTENCES, self.chance.randint(1, 3))])

    def entry(self, org: Org, name: str, description: str, **values: object) -> Entry:
        kind = self.chance.choice(KINDS) if self.chance.random() < 0.6 else ""
        given: dict[str, object] = {"source": PUBLISHERS[0], "kind": kind} | values
        return Entry(truth=next(self._numbers), org=org, name=name, description=description, **given)  # type: ignore[arg-type]

    def publisher(self) -> str:
        return self.chance.choices(PUBLISHERS, (5, 3, 2))[0]

    def branch(self) -> list[Entry]:
        """A national charity's branch in each of some towns: alike in all but the town."""
        name, domain, (kind, text) = self.chance.choice(NATIONALS)
        national = self.chance.random() < 0.5
        whole = self.org(name)
        found = []
        for town in self.chance.sample(range(len(TOWNS)), self.chance.randint(2, 6)):
            called = f"{name} {TOWNS[town][0]}"
            if called in self._once:  # a town has one
                continue
            self._once.add(called)
            slug = TOWNS[town][0].lower()
            found.append(
                self.entry(
                    whole if national else self.org(called),
                    called,
                    text,
                    source=self.publisher(),
                    kind=kind,
                    phone=self.phone(town),
                    email=f"{slug}@{domain}.example" if national else f"info@{domain}{slug}.example",
                    url=f"https://www.{domain}.example/{slug}" if national else f"https://{domain}{slug}.example",
                    **self.place(town),
                )
            )
        return found

    def chain(self) -> list[Entry]:
        """Care homes of one company: one web site, one head office's e-mail, names of the same cloth."""
        tree = self.chance.choice(TREES)
        company = self.org(f"{tree}wood Healthcare Limited", company=True)
        domain = f"{tree.lower()}wood{self.chance.randint(1, 99)}.example"
        source, found = self.publisher(), []
        for house in self.chance.sample(HOUSES, self.chance.randint(2, 7)):
            where = self.place()
            name = f"{self.chance.choice(TREES)} {house}" if self.chance.random() < 0.7 else f"{tree} {house}"
            text = self.text(f"{name} is a care home for older people, with nurses by day and night.")
            page = f"https://www.{domain}/{name.lower().replace(' ', '-')}"
            found.append(
                self.entry(
                    company,
                    name,
                    text,
                    source=source,
                    kind="home",
                    phone=self.phone(int(str(where["town"]))),
                    email=f"enquiries@{domain}",
                    url=page,
                    ages=(65, None),
                    **where,
                )
            )
        return found

    def many(self) -> list[Entry]:
        """One charity or council department with up to 25 services behind one telephone, one box and one door."""
        where = self.place()
        town = int(str(where["town"]))
        council = self.chance.random() < 0.3
        name = (
            f"{TOWNS[town][0]} Council"
            if council
            else f"{self.chance.choice(SURNAMES)} {self.chance.choice(['Trust', 'Foundation', 'Community Association'])}"
        )
        body = self.org(name)
        domain = f"{name.lower().replace(' ', '')}{self.chance.randint(1, 99)}.example"
        phone, source, found = self.phone(town), self.publisher(), []
        for offer in self.chance.sample(OFFERS, self.chance.randint(5, 25)):
            text = self.text(f"{offer} for people who live in or near {TOWNS[town][0]}.")
            found.append(
                self.entry(
                    body,
                    offer if self.chance.random() < 0.7 else f"{name} {offer}",
                    text,
                    source=source if self.chance.random() < 0.9 else self.publisher(),
                    phone=phone,
                    email=f"info@{domain}",
                    url=f"https://{domain}" if self.chance.random() < 0.6 else f"https://{domain}/{offer.lower().replace(' ', '-')}",
                    kind=offer.lower(),
                    **where,
                )
            )
        return found

    def groups_of_a_centre(self) -> list[Entry]:
        """Groups that meet in one building, each its own body; some share the building's telephone."""
        where = self.place()
        town = int(str(where["town"]))
        hall = f"{self.chance.choice(SAINTS)} {self.chance.choice(['Community Centre', 'Church Hall', 'Centre'])}"
        desk, found = self.phone(town), []
        for offer in self.chance.sample(OFFERS, self.chance.randint(3, 9)):
            name = f"{offer}" if self.chance.random() < 0.4 else f"{hall.rsplit(' ', 1)[0]} {offer}"
            own = self.chance.random() < 0.7
            found.append(
                self.entry(
                    self.org(name),
                    name,
                    self.text(f"{offer} at {hall}."),
                    source=self.publisher(),
                    phone=self.phone(town) if own else desk,
                    email=f"{self.chance.choice(SURNAMES).lower()}{self.chance.randint(1, 999)}@gmail.com",
                    kind=offer.lower(),
                    **where,
                )
            )
        return found

    def clinics(self) -> list[Entry]:
        """A trust's clinics of the same names in many towns, through one booking line."""
        trust = self.org(f"{self.chance.choice(SURNAMES)} {self.chance.choice(['Valley', 'Coast', 'Moors', 'Vale'])} NHS Foundation Trust")
        if trust.name in self._once:
            return []
        self._once.add(trust.name)
        line, domain = self.phone(0), f"{trust.name.split()[0].lower()}trust{self.chance.randint(1, 99)}.example"
        found = []
        for clinic in self.chance.sample(CLINICS, self.chance.randint(1, 4)):
            for town in self.chance.sample(range(len(TOWNS)), self.chance.randint(2, 5)):
                found.append(
                    self.entry(
                        trust,
                        f"{clinic} {TOWNS[town][0]}" if self.chance.random() < 0.8 else f"{clinic} ({TOWNS[town][0]})",
                        self.text(f"{clinic} for patients of local practices."),
                        source=PUBLISHERS[2],
                        phone=line,
                        url=f"https://{domain}/{clinic.lower().replace(' ', '-')}",
                        kind=clinic.lower(),
                        **self.place(town),
                    )
                )
        return found

    def two_sites(self) -> list[Entry]:
        """One organisation's service at two sites: two services. Half of them bear the same name."""
        town = self.chance.randrange(len(TOWNS))
        name = f"{self.chance.choice(TREES)} {self.chance.choice(['Day Centre', 'Resource Centre', 'Nursery', 'Surgery', 'Clinic'])}"
        body = self.org(f"{name} {self.chance.choice(SURNAMES)}")
        domain = f"{name.lower().replace(' ', '')}{self.chance.randint(1, 99)}.example"
        text, same, source = self.text(f"{name} offers care by day."), self.chance.random() < 0.5, self.publisher()
        other = (town + self.chance.randint(0, 3)) % len(TOWNS)
        return [
            self.entry(
                body,
                name if same else f"{name} {where}",
                text,
                source=source if self.chance.random() < 0.7 else self.publisher(),
                phone=self.phone(at),
                email=f"info@{domain}",
                url=f"https://{domain}",
                kind="day",
                **self.place(at),
            )
            for at, where in ((town, "North"), (other, "South"))
        ]

    def alone(self) -> list[Entry]:
        """One body, one service."""
        where = self.place()
        town = int(str(where["town"]))
        offer = self.chance.choice(OFFERS)
        name = self.chance.choice(
            [
                f"{self.chance.choice(TREES)} {self.chance.choice(HOUSES)}",
                f"{TOWNS[town][0]} {offer}",
                f"{self.chance.choice(SAINTS)} {offer}",
                f"{self.chance.choice(SURNAMES)} {offer}",
                f"{TOWNS[town][0]} & District {offer}",
            ]
        )
        domain = f"{''.join(letter for letter in name.lower() if letter.isalnum())}{self.chance.randint(1, 99)}.example"
        site = self.chance.random() < 0.7
        return [
            self.entry(
                self.org(name if self.chance.random() < 0.6 else f"{name} CIC"),
                name,
                self.text(f"{offer} for all."),
                source=self.publisher(),
                phone=self.phone(town),
                url=f"https://www.{domain}" if site else "",
                email=f"hello@{domain}" if site else f"{name.split()[0].lower()}{self.chance.randint(1, 9999)}@gmail.com",
                kind=offer.lower(),
                ages=self.chance.choice([(None, None), (18, None), (50, None), (5, 18)]),
                **where,
            )
        ]

    # --- doubles

    def double(self, original: Entry) -> Entry:
        """The same service as another list has it, or the same list a second time."""
        change = self.chance.choices(
            ("abbreviation", "typing error", "moved", "renamed", "two sites", "as it is"), (26, 26, 16, 14, 8, 10)
        )[0]
        self.changes.append(change)
        twice = self.chance.random() < 0.12
        source = original.source if twice else self.chance.choice([name for name in PUBLISHERS if name != original.source])
        copy = replace(original, source=source, org=original.org if twice and self.chance.random() < 0.7 else self.same_org(original.org))
        copy = self.retold(copy)
        if change == "abbreviation":
            return replace(copy, name=self.abbreviated(copy.name))
        if change == "typing error":
            return replace(copy, name=self.mistyped(copy.name))
        if change == "moved":
            near = self.chance.random() < 0.5
            return replace(copy, **self.place(copy.town if near else (copy.town + 1) % len(TOWNS)), phone=original.phone)  # type: ignore[arg-type]
        if change == "renamed":
            new = self.chance.choice(NEW_NAMES)
            name = new if self.chance.random() < 0.6 else f"{new} {TOWNS[copy.town][0]}"
            return replace(copy, name=name, phone=original.phone)
        if change == "two sites":  # the other list puts the pin at the other gate of the same site
            return replace(copy, x=copy.x + self.chance.randint(100, 240), postcode=copy.postcode[:-1] + "Z", uprn="")
        return copy

    def same_org(self, org: Org) -> Org:
        name = org.name
        if self.chance.random() < 0.3:
            name = self.abbreviated(name)
        keep = self.chance.random() < 0.6
        return Org(name, company=org.company if keep else "", charity=org.charity if keep else "", key=self._uuid())

    def retold(self, entry: Entry) -> Entry:
        """Some details left out, others written in another way."""
        lost, chance = {}, self.chance.random
        for name, share in (("phone", 0.12), ("email", 0.35), ("url", 0.3), ("uprn", 0.5), ("kind", 0.4)):
            if chance() < share:
                lost[name] = ""
        entry = replace(entry, **lost)  # type: ignore[arg-type]
        if chance() < 0.5:
            entry = replace(entry, ages=(None, None))
        if entry.phone and chance() < 0.5:
            entry = replace(entry, phone="+44 (0)" + entry.phone[1:] if chance() < 0.5 else entry.phone.replace(" ", ""))
        if chance() < 0.5:
            entry = replace(entry, postcode=entry.postcode.replace(" ", "").lower())
        if chance() < 0.4:
            entry = replace(entry, x=entry.x + self.chance.gauss(0, 40), y=entry.y + self.chance.gauss(0, 40))
        way = chance()
        sentences = entry.description.split(". ")
        if way < 0.3:
            entry = replace(entry, description=sentences[0])
        elif way < 0.5:
            entry = replace(entry, description=self.text(f"{entry.name}: see our web site for what is on."))
        elif way < 0.6:
            entry = replace(entry, description="")
        return entry

    def abbreviated(self, name: str) -> str:
        fits = [(long, short) for long, short in SHORT.items() if long in name]
        for long, short in self.chance.sample(fits, min(len(fits), 2)):
            name = name.replace(long, short)
        return name if fits else self.chance.choice([f"The {name}", f"{name} Ltd", f"{name} Service", name.upper()])

    def mistyped(self, name: str) -> str:
        places = [index for index in range(1, len(name) - 2) if name[index].isalpha() and name[index + 1].isalpha()]
        for index in sorted(self.chance.sample(places, 1 if len(name) < 15 else self.chance.randint(1, 2)), reverse=True):
            name = self.chance.choice(
                [
                    name[:index] + name[index + 1 :],
                    name[:index] + name[index] + name[index:],
                    name[:index] + name[index + 1] + name[index] + name[index + 2 :],
                    name[:index] + self.chance.choice("aeiourstln") + name[index + 1 :],
                ]
            )
        return name

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)

    # --- into the catalogue

    def write(self) -> dict[uuid.UUID, int]:
        """Put all of it into the database; returns which service each record truly is."""
        kinds = list(TaxonomyTerm.objects.of(CARE_TYPE))
        terms = {kind: kinds[index % len(kinds)] for index, kind in enumerate(sorted({entry.kind for entry in self.entries} - {""}))}
        rows: dict[type, list] = {model: [] for model in (Organization, Location, Service, Address, Phone, Eligibility, ServiceAtLocation)}
        organizations: dict[uuid.UUID, Organization] = {}
        truth = {}
        for entry in self.entries:
            organization = organizations.setdefault(
                entry.org.key,
                Organization(id=entry.org.key, name=entry.org.name, company_number=entry.org.company, charity_number=entry.org.charity),
            )
            service = Service(
                id=self._uuid(),
                organization=organization,
                name=entry.name,
                description=entry.description,
                url=entry.url,
                email=entry.email,
                care_type=terms.get(entry.kind),
                source=entry.source,
                source_id=str(entry.truth),
            )
            location = Location(id=self._uuid(), point=bng_point(entry.x, entry.y), uprn=entry.uprn)
            rows[Service].append(service)
            rows[Location].append(location)
            rows[Address].append(Address(location=location, address_1=entry.street, city=TOWNS[entry.town][0], postal_code=entry.postcode))
            rows[ServiceAtLocation].append(ServiceAtLocation(service=service, location=location))
            if entry.phone:
                rows[Phone].append(Phone(service=service, number=entry.phone))
            if entry.ages != (None, None):
                rows[Eligibility].append(Eligibility(service=service, minimum_age=entry.ages[0], maximum_age=entry.ages[1]))
            truth[service.pk] = entry.truth
        rows[Organization] = list(organizations.values())
        for model, instances in rows.items():
            # Counted after the first few, so that triggers on a table that was empty do not plan for an empty one.
            for some in (instances[:50], instances[50:]):
                model.objects.bulk_create(some, batch_size=500)  # type: ignore[attr-defined]
                with connection.cursor() as cursor:
                    cursor.execute(f"ANALYZE {model._meta.db_table}")  # type: ignore[attr-defined]
        return truth
