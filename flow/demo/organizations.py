"""Organisations of the region and the teams who sign in for them."""

import random

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password

from catalogue.models import Organization, Practice, User
from flow.demo import logins
from flow.demo.names import Words
from flow.demo.world import SOURCE, Town, World

Kind = Organization.Kind

#: Name, outcode and how many wait there.
HOSPITALS = (
    (logins.HOSPITAL, "LA1", 62),
    ("Ribble Bank General Hospital", "PR2", 52),
    ("Calder Edge General Hospital", "BB11", 46),
    ("Fylde Sands Hospital", "FY3", 40),
    ("Furness Shore Hospital", "LA14", 30),
)
PRACTICES = 60
#: How many organisations of each sector there are, and how their names are made.
SECTORS: dict[str, tuple[int, Organization.Kind, tuple[str, ...]]] = {
    "home": (150, Kind.PROVIDER, ("{word} Care", "{word} Homes", "{word} Care Group", "{word} Residential Care")),
    "homecare": (120, Kind.PROVIDER, ("{word} Homecare", "{word} Care at Home", "{word} Support at Home")),
    "charity": (170, Kind.CHARITY, ("{word} Community Trust", "{word} Together", "{word} Community Action", "Friends of {word}")),
    "hospice": (7, Kind.CHARITY, ("{word} Hospice",)),
    "nhs": (4, Kind.NHS_COMMUNITY, ("{word} Community Health",)),
    "mental-health": (3, Kind.NHS_COMMUNITY, ("{word} Mind and Recovery Partnership",)),
    "council": (1, Kind.COUNCIL, ("Red Rose and Fells Council (demonstration)",)),
    "primary": (9, Kind.OTHER, ("{word} Primary Care Network",)),
}
NETWORKS = ("Lune", "Bay", "Furness", "Fells", "Fylde", "Wyre", "Ribble", "Calder", "Pendle", "Darwen", "Douglas", "Hodder")


class Organizations:
    """The organisations by sector, each with the town where it is at home."""

    def __init__(self, world: World, words: Words) -> None:
        self.world = world
        self.words = words
        self.rng = world.chance("organizations")
        self.by_sector: dict[str, list[tuple[Town, Organization]]] = {}
        self.towns: dict[str, Town] = {}

    def build(self) -> None:
        self._special()
        for sector, (count, kind, patterns) in SECTORS.items():
            made = []
            for _ in range(count):
                town = self.world.some_town(self.rng)
                name = self.rng.choice(patterns).format(word=self.words.next())
                made.append((town, self._team(self._make(name, kind), User.Role.PROVIDER)))
            self.by_sector[sector] = made
        self._practices()
        self._people()

    @property
    def networks(self) -> list[tuple[str, str]]:
        """Codes and names of the networks of practices."""
        return [(f"DEMO{number:02d}", f"{name} network") for number, name in enumerate(NETWORKS)]

    def pick(self, rng: random.Random, sector: str, town: Town) -> Organization:
        """An organisation of the sector, from the same district if there is one."""
        here = [o for t, o in self.by_sector[sector] if t.lad == town.lad]
        return rng.choice(here) if here and rng.random() < 0.85 else rng.choice(self.by_sector[sector])[1]

    def confidential(self, name: str) -> Organization:
        """An organisation whose very name is kept from the public."""
        return self._team(self._make(name, Kind.CHARITY, is_confidential=True), User.Role.PROVIDER)

    def _special(self) -> None:
        make, special = self._make, self.world.special
        special["board"] = make(logins.BOARD, Kind.ICB)
        for name, code, _ in HOSPITALS:
            special[name] = self._team(make(name, Kind.HOSPITAL), User.Role.REFERRER)
            self.towns[name] = self.world.town[code]
        special["network"] = make(logins.NETWORK, Kind.OTHER)
        for key, name, kind in (
            ("home", logins.HOME, Kind.PROVIDER),
            ("homecare", logins.HOMECARE, Kind.PROVIDER),
            ("charity", logins.CHARITY, Kind.CHARITY),
        ):
            special[key] = self._team(make(name, kind), User.Role.PROVIDER)
        self._team(special["network"], User.Role.REFERRER)

    def _practices(self) -> None:
        for number in range(PRACTICES):
            town = self.world.town["LA1"] if number == 0 else self.world.some_town(self.rng)
            pattern = self.rng.choice(("{word} Surgery", "{word} Medical Centre", "{word} Health Centre", "The {word} Practice"))
            name = logins.PRACTICE if number == 0 else pattern.format(word=self.words.next())
            practice = self._team(self._make(name, Kind.PRACTICE, ods_code=f"DEMOP{number:02d}"), User.Role.REFERRER)
            self.world.special[f"practice-{number}"] = practice
            self.towns[name] = town
            code, network = self.networks[number % len(NETWORKS)]
            self.world.add(Practice(organization=practice, pcn_code=code, pcn_name=network))

    def _make(self, name: str, kind: str, **fields) -> Organization:
        slug = "".join(c for c in name.lower().replace(" ", "-") if c.isalnum() or c == "-")
        return self.world.add(
            Organization(
                id=self.world.id("organization"),
                name=name,
                kind=kind,
                description=f"{Kind(kind).label} of the demonstration region. Invented.",
                email=f"office@{slug}.example.org",
                website=f"https://{slug}.example.org/",
                source=SOURCE,
                source_id=slug,
                **fields,
            )
        )

    def _team(self, organization: Organization, role: str) -> Organization:
        """Give the organisation a team account, which history names and the simulator acts as. Nobody can sign in to it."""
        number = len(self.world.users) + 1
        self.world.users[organization.pk] = self.world.add(
            User(
                id=self.world.id("user"),
                email=f"team-{number}@{logins.DOMAIN}",
                first_name="Team",
                last_name=organization.name[:150],
                role=role,
                organization=organization,
                password=f"{UNUSABLE_PASSWORD_PREFIX}{number}",
            )
        )
        return organization

    def _people(self) -> None:
        password = make_password(logins.PASSWORD)  # one slow hash serves all: the password is public
        roles = dict(
            zip(
                (login.email for login in logins.LOGINS),
                ["referrer"] * 3 + ["provider"] * 3 + ["manager"] * 2 + ["curator", "administrator"],
                strict=True,
            )
        )
        by_name = {o.name: o for o in self.world.rows[Organization]}
        for login in logins.LOGINS:
            given, family = login.name.split(" ")
            admin = roles[login.email] == User.Role.ADMINISTRATOR
            self.world.add(
                User(
                    id=self.world.id("user"),
                    email=login.email,
                    first_name=given,
                    last_name=family,
                    role=roles[login.email],
                    job_title=login.role,
                    organization=by_name.get(login.organization),
                    password=password,
                    keeps_keys=roles[login.email] == User.Role.PROVIDER,
                    is_staff=admin,
                    is_superuser=admin,
                )
            )
