"""People who wait, or who waited: invented names, synthetic numbers, and what they need."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.gis.geos import Point

from catalogue.models import Organization
from core.geo import METRES_PER_MILE
from flow.demo.names import FAMILY, GIVEN, nhs_number, phone
from flow.demo.organizations import HOSPITALS, PRACTICES, Organizations
from flow.demo.processes import PATHWAYS
from flow.demo.world import Town, World
from flow.models import Episode, Patient
from matching.models import NeedProfile

Pathway = Episode.Pathway
Delay = Episode.DelayReason

#: Waiting in the community: at the log-in's practice, at the link workers' network, and at the other practices.
WAITING_GP, WAITING_NETWORK, WAITING_ELSEWHERE = 12, 22, 36
#: So many days back the number of people waiting is level.
HISTORY = 30
#: Of those who left in the last days, so many of a hospital's had been referred; of the community's everybody.
REFERRED_DAYS, REFERRED_SHARE = 13, 0.4
#: The referral source that an organisation of each kind counts as.
SOURCES: dict[str, str] = {Organization.Kind.HOSPITAL: "hospital", Organization.Kind.PRACTICE: "primary-care"}
WARDS = (
    "Acute Medical Unit", "Frailty Ward", "Ward 2", "Ward 4", "Ward 7", "Ward 12", "Stroke Unit", "Orthopaedic Ward", "Respiratory Ward",
    "Emergency Department",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """A usual combination of needs: what is looked for, what always and what sometimes comes with it."""

    care_types: tuple[str, ...]
    always: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    delays: tuple[str, ...] = (Delay.NONE,)
    funding: tuple[tuple[str, ...], ...] = ((),)
    miles: int = 15
    budget: tuple[int, int] | None = None
    ages: tuple[int, int] = (66, 98)


_PACKAGE = (Delay.AWAITING_PACKAGE, Delay.AWAITING_PACKAGE, Delay.ASSESSMENT, Delay.EQUIPMENT, Delay.NONE)
_BED = (Delay.AWAITING_BED, Delay.AWAITING_BED, Delay.ASSESSMENT, Delay.FAMILY_CHOICE, Delay.FUNDING, Delay.NONE)
_PAYS = (("council",), ("council",), ("self",), ("chc",), ())
_CARE = ("medication", "continence", "hearing-loss", "sight-loss", "pressure-care", "insulin", "parkinsons", "stroke")
WISHES: dict[str, tuple[Wish, ...]] = {
    Pathway.P0: (
        Wish(("meals-at-home", "befriending"), ("lives-alone",), ("hearing-loss", "sight-loss"), delays=(Delay.NONE, Delay.HOUSING)),
        Wish(("equipment",), ("home-visit",), ("wheelchair",), delays=(Delay.EQUIPMENT,)),
    ),
    Pathway.P1: (
        Wish(("home-care", "reablement"), ("home-visit", "medication"), (*_CARE, "two-carers", "dementia"), delays=_PACKAGE, funding=_PAYS),
        Wish(("home-care",), ("home-visit", "two-carers"), _CARE, must=("two-carers",), delays=_PACKAGE, funding=_PAYS),
        Wish(("reablement",), ("home-visit",), ("lives-alone", "medication"), delays=_PACKAGE, funding=(("nhs", "free"), ())),
        Wish(("hospital-at-home",), ("home-visit",), ("oxygen", "medication"), delays=_PACKAGE, funding=(("nhs",),), miles=25),
    ),
    Pathway.P2: (
        Wish(("community-bed", "home-transitional"), ("medication",), (*_CARE, "dementia"), delays=_BED, funding=(("nhs",), ()), miles=20),
        Wish(("community-bed",), ("stroke",), _CARE, delays=_BED, funding=(("nhs",),), miles=25),
    ),
    Pathway.P3: (
        Wish(
            ("home-general-residential", "home-dementia-residential"), ("continence",), (*_CARE, "dementia"),
            prefers=("en-suite", "garden"), delays=_BED, funding=_PAYS, budget=(750, 1_200),
        ),
        Wish(
            ("home-general-nursing",), ("nursing-24h",), (*_CARE, "catheter", "peg-feeding", "oxygen"), must=("nursing-24h",),
            prefers=("en-suite",), delays=_BED, funding=_PAYS, budget=(950, 1_600),
        ),
        Wish(
            ("home-dementia-nursing", "home-dementia-residential"), ("dementia",), (*_CARE, "walking-with-purpose", "behaviour"),
            must=("dementia",), prefers=("garden", "music"), delays=_BED, funding=_PAYS, budget=(950, 1_700),
        ),
        Wish(("hospice-inpatient",), ("end-of-life",), ("oxygen",), delays=_BED, funding=(("nhs", "chc"),), miles=30),
    ),
    Pathway.COMMUNITY: (
        Wish(("community-nursing",), ("home-visit",), ("catheter", "pressure-care", "insulin"), funding=(("nhs", "free"),)),
        Wish(("physiotherapy", "physical-activity"), ("long-term-condition",), ("transport-provided",), ages=(35, 88)),
        Wish(("befriending", "lunch-club"), ("lives-alone",), ("hearing-loss", "transport-provided"), prefers=("company", "music")),
        Wish(("debt-advice", "welfare-benefits"), ("low-income",), ("anxiety-depression", "carer"), ages=(19, 70)),
        Wish(("talking-therapies", "peer-support"), ("anxiety-depression",), ("bereaved",), prefers=("evenings",), ages=(18, 70)),
        Wish(("carer-support",), ("carer",), ("anxiety-depression",), ages=(30, 80)),
        Wish(("housing-advice",), ("low-income",), ("carer",), delays=(Delay.HOUSING,), ages=(18, 65)),
        Wish(("arts-and-nature", "physical-activity"), (), ("anxiety-depression",), prefers=("gardening", "crafts"), ages=(25, 85)),
    ),
}  # fmt: skip
#: What the link workers, rather than a practice, look for.
_SOCIAL = WISHES[Pathway.COMMUNITY][1:]


@dataclass(slots=True)
class Person:
    """A patient with their stay, the profile of their need and the town where they live."""

    patient: Patient
    episode: Episode
    profile: NeedProfile
    town: Town

    @property
    def waiting(self) -> bool:
        return self.episode.ended_at is None


class People:
    """Invents those who wait and those who waited."""

    def __init__(self, world: World, organizations: Organizations) -> None:
        self.world = world
        self.organizations = organizations
        self.rng = world.chance("people")
        self.people: list[Person] = []
        self._serial = 0

    def build(self) -> None:
        special = self.world.special
        for name, _, count in HOSPITALS:
            for _ in range(count):
                self._hospital(special[name])
        for organization, count in ((special["practice-0"], WAITING_GP), (special["network"], WAITING_NETWORK)):
            for _ in range(count):
                self._community(organization)
        for _ in range(WAITING_ELSEWHERE):
            self._community(special[f"practice-{self.rng.randint(1, PRACTICES - 1)}"])
        for person in list(self.people):
            self._before(person)

    def _before(self, person: Person) -> None:
        """Those who waited where this person waits now: each left at about the time when the next one came."""
        episode = person.episode
        while episode.ready_at and (came := (self.world.now - episode.ready_at) / timedelta(days=1)) < HISTORY:
            ended = max(0.1, came + self.rng.gauss(0, 1.2))
            make = self._hospital if episode.kind == Episode.Kind.HOSPITAL else self._community
            episode = make(episode.organization, ended_days=ended)

    def _hospital(self, organization: Organization, ended_days: float | None = None) -> Episode:
        rng = self.rng
        pathway = rng.choices([p for p, _ in PATHWAYS], [w for _, w in PATHWAYS])[0]
        wish = rng.choice(WISHES[pathway])
        home = self.organizations.towns[organization.name]
        town = self.world.some_town(rng, home.lad) if rng.random() < 0.65 else self.world.some_town(rng)
        waited = min(rng.expovariate(1 / 6), 40) + 0.1
        return self._person(organization, Episode.Kind.HOSPITAL, pathway, wish, town, waited, ended_days, rng.choice(WARDS))

    def _community(self, organization: Organization, ended_days: float | None = None) -> Episode:
        rng = self.rng
        is_network = organization is self.world.special["network"]
        wish = rng.choice(_SOCIAL if is_network else WISHES[Pathway.COMMUNITY])
        near = self.world.town["LA1"] if is_network else self.organizations.towns[organization.name]
        waited = rng.uniform(0.5, 30)
        town = self.world.some_town(rng, near.lad)
        return self._person(organization, Episode.Kind.COMMUNITY, Pathway.COMMUNITY, wish, town, waited, ended_days, "")

    def _person(
        self,
        organization: Organization,
        kind: str,
        pathway: str,
        wish: Wish,
        town: Town,
        waited: float,
        ended_days: float | None,
        ward: str,
    ) -> Episode:
        world, rng = self.world, self.rng
        sex = rng.choices(("female", "male"), (58, 42))[0]
        age = min(104, round(rng.triangular(*wish.ages)))
        birth = world.now.date() - timedelta(days=age * 365 + age // 4 + rng.randint(1, 360))
        point = world.point_in(rng, town)
        postcode = world.postcode_in(rng, town)
        ready = world.ago(days=waited + (ended_days or 0))
        by = world.users[organization.pk]
        started = ready - timedelta(days=rng.uniform(1, 16))
        patient = world.add(
            Patient(
                id=world.id("patient"),
                organization=organization,
                nhs_number=self._nhs_number(),
                given_name=rng.choice(GIVEN[sex]),
                family_name=rng.choice(FAMILY),
                birth_date=birth,
                sex=sex,
                postcode=postcode,
                point=point,
                phone=phone(rng) if rng.random() < 0.8 else "",
                created_at=started,
                created_by=by,
            )
        )
        episode = world.add(
            Episode(
                id=world.id("episode"),
                patient=patient,
                organization=organization,
                kind=kind,
                ward=ward,
                discharge_pathway=pathway,
                started_at=started,
                ready_at=ready,
                expected_on=(ready + timedelta(days=rng.randint(-1, 4))).date(),
                delay_reason=rng.choice(wish.delays),
                ended_at=None if ended_days is None else world.ago(days=ended_days),
            )
        )
        if ended_days is None or self._was_referred(kind, ended_days):
            age = patient.age_on(world.now.date())
            profile = profile_for(rng, wish, organization=organization, outcode=town.code, point=point, age=age, sex=sex, at=world.now)
            profile.id, profile.created_by = world.id("profile"), by
            profile.created_at = ready + (world.now - ready) * rng.random() * 0.5
            episode.profile = world.add(profile)
            self.people.append(Person(patient, episode, profile, town))
        return episode

    def _was_referred(self, kind: str, ended_days: float) -> bool:
        """Whether somebody who left was referred; the others went home without, or longer ago than is told in full."""
        if ended_days > REFERRED_DAYS:
            return False
        return kind == Episode.Kind.COMMUNITY or self.rng.random() < REFERRED_SHARE

    def _nhs_number(self) -> str:
        """The next synthetic number; serials whose check digit would be ten are passed over."""
        while True:
            self._serial += 37
            if (number := nhs_number(self._serial)) is not None:
                return number


def profile_for(
    rng: random.Random, wish: Wish, *, organization: Organization, outcode: str, point: Point, age: int, sex: str, at: datetime
) -> NeedProfile:
    """An unsaved profile of somebody with this wish."""
    return NeedProfile(
        organization=organization,
        age=age,
        sex=sex,
        outcode=outcode,
        point=point,
        care_types=list(wish.care_types),
        needs=[n for n in (*wish.always, *(p for p in wish.perhaps if rng.random() < 0.25)) if n not in wish.must],
        must_haves=list(wish.must) if rng.random() < 0.7 else [],
        preferences=[p for p in wish.prefers if rng.random() < 0.6],
        languages=["ur"] if rng.random() < 0.04 else [],
        funding=list(rng.choice(wish.funding)),
        referral_source=SOURCES.get(organization.kind, "link-worker"),
        budget_week=Decimal(rng.randint(*wish.budget)) if wish.budget and rng.random() < 0.4 else None,
        max_distance_m=round(wish.miles * METRES_PER_MILE),
        needed_by=(at + timedelta(days=rng.randint(0, 5))).date() if rng.random() < 0.6 else None,
    )
