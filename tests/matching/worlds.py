"""Random services and needs. Small ranges, so that ties, edges and refusals all come up."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.gis.geos import MultiPolygon
from django.db import connection

from capacity.models import CapacityStatus, ServiceCapacity
from catalogue.criteria import condition_chains
from catalogue.marks import WISHES
from catalogue.models import (
    Area,
    Eligibility,
    EligibilityCriterion,
    Location,
    Organization,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    Service,
    ServiceArea,
    Taxonomy,
    TaxonomyTerm,
)
from catalogue.vocabulary import OWN_BITS, TAXONOMIES, WORD
from matching.engine import likelihood
from matching.engine.problem import Need, Weights
from matching.engine.words import Words
from matching.models import PoolChance
from matching.queries import refresh_facts
from tests.factories import AreaFactory, OrganizationFactory, near

#: Names of the shipped bits.
WORDS = Words(
    {slug: {term.bit: term.name for term in terms} for slug, (_, _, terms) in TAXONOMIES.items()}
    | {"mark": dict(enumerate(name for _, name in WISHES))}
)
AT = datetime(2026, 11, 2, 12, 30, 15, 250_000, tzinfo=UTC)
KINDS = ("home-general-residential", "home-dementia-residential", "befriending")
#: Dementia, what it falls under and what falls under it, and another.
CONDITIONS = ("nice|NG97", "snomed|52448006", "snomed|26929004", "snomed|429998004", "snomed|13645005")
PLACES = ("practice|P81001", "practice|P81002", "pcn|U11111", "pcn|U22222", "icb|QE1")
LISTS = ("funding", "language", "referral-source")
#: On foot, by car, by public transport: `Need.paces`.
PACES = ((0, 1170), (300, 144), (900, 338))
AREA_RULES = ["required", "required", "excluded", "preferred"]
LIST_RULES = ["accepts", "accepts", "accepts", "excluded", "excluded", "preferred", "required"]
RULES = ["accepts"] * 12 + ["required", "excluded", "excluded", "preferred", "preferred"]


def build(chance: random.Random, count: int) -> list[Area]:
    """Make `count` services with a pool or two each, around Preston; return the areas. In few statements, and the facts at the end."""
    terms = {(t.taxonomy.slug, t.code): t for t in [*TaxonomyTerm.objects.select_related("taxonomy"), *own_terms()]}
    needs = [term for (slug, _), term in terms.items() if slug == "need" and (term.bit < 8 or term.bit >= WORD)]
    lists = [term for (slug, _), term in terms.items() if slug in LISTS and (term.bit < 4 or term.bit == OWN_BITS[slug][0])]
    conditions = [term for (slug, code), term in terms.items() if slug == "condition" and code in CONDITIONS]
    organization = OrganizationFactory()
    areas = [AreaFactory(outline=square(chance)) for _ in range(3)]
    rows: list[Any] = []
    for number in range(count):
        service = a_service(chance, organization, terms, number)
        rows.append(service)
        if chance.random() < 0.6:
            low = chance.choice([None, 18, 65, 80])
            high = chance.choice([None, 64, 84, 110])
            if low and high and low > high:
                low = None
            rows.append(Eligibility(service=service, minimum_age=low, maximum_age=high, sex=chance.choice(["", "any", "female", "male"])))
        criteria = [(term, chance.choice(RULES)) for term in chance.sample(needs, chance.randint(0, 4))]
        criteria += [(term, chance.choice(LIST_RULES)) for term in chance.sample(lists, chance.randint(0, 4))]
        criteria += [(term, chance.choice(RULES[10:])) for term in chance.sample(conditions, chance.choice([0, 0, 0, 0, 1, 2]))]
        rows += [EligibilityCriterion(service=service, term=t, rule=r) for t, r in criteria]
        if chance.random() < 0.2:
            for code in chance.sample(PLACES, chance.randint(1, 2)):
                kind, _, ods = code.partition("|")
                rule = chance.choice(["required", "required", "excluded", "preferred"])
                rows.append(RegistrationCriterion(service=service, kind=kind, code=ods, name=code, rule=rule))
        if chance.random() < 0.2:
            rows.append(QualityMark(**a_mark(chance, service)))
        if chance.random() < 0.5:
            rows.append(Schedule(service=service, **some_hours(chance)))
        if chance.random() < 0.3:
            rows.append(ServiceArea(service=service, area=chance.choice(areas), rule=chance.choice(AREA_RULES)))
        if chance.random() < 0.2:
            rows.append(ServiceArea(service=service, extent=square(chance), rule=chance.choice(AREA_RULES)))
        for name in ("a", "b")[: chance.randint(1, 2)]:
            rows += a_pool(chance, service, terms, name)
            if chance.random() < 0.5:
                rows.append(PoolChance(pool=rows[-1], **a_leaning(chance)))
        if chance.random() < 0.2:
            rows += a_series(chance, service, terms)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lune.defer_facts = 'on'")
        for model in dict.fromkeys(type(row) for row in [*(row for row in rows if isinstance(row, Service | Location)), *rows]):
            model.objects.bulk_create(row for row in rows if type(row) is model)
        cursor.execute("SET LOCAL lune.defer_facts = 'off'")
    refresh_facts()
    return areas


def own_terms() -> list[TaxonomyTerm]:
    """Words that a curator added: three needs, and one of each list."""
    wanted = [("need", bit) for bit in OWN_BITS["need"][:3]] + [(slug, OWN_BITS[slug][0]) for slug in LISTS]
    taxonomies = {taxonomy.slug: taxonomy for taxonomy in Taxonomy.objects.all()}
    terms = [TaxonomyTerm(taxonomy=taxonomies[slug], code=f"own-{bit}", name=f"Own {slug} {bit}", bit=bit) for slug, bit in wanted]
    return TaxonomyTerm.objects.bulk_create(terms)


def a_mark(chance: random.Random, service: Service) -> dict[str, Any]:
    return {
        "service": service,
        "scheme": chance.choice(["ncvo", "qismet", "app-review", "other"]),
        "score": chance.choice([None, 64, 65]),
        "out_of": 100,
        "expires_on": chance.choice([None, AT.date() - timedelta(days=1), AT.date(), AT.date() + timedelta(days=9)]),
    }


def some_hours(chance: random.Random) -> dict[str, Any]:
    """Hours that the year of this test does not end: what is over by the clock of the database is another test's."""
    opens, closes = chance.choice([(None, None), (time(9), time(12)), (time(9), time(17, 30)), (time(14), None), (time(19), time(0))])
    return {"byday": chance.choice(["MO", "MO,WE,SU", "2TU", ""]), "dtstart": date(2026, 1, 3), "opens_at": opens, "closes_at": closes}


def a_leaning(chance: random.Random) -> dict[str, int]:
    answers = chance.choice([0, 4, 5, 9_999])
    return {"leaning": chance.choice([-6_000, -700, 0, 350, 6_000]), "answers": answers, "said_yes": chance.randint(0, answers)}


def a_service(chance: random.Random, organization: Organization, terms: dict, number: int) -> Service:
    return Service(
        organization=organization,
        name=f"Service {number}",
        care_type=terms["care-type", chance.choice(KINDS)],
        status=chance.choice(["active"] * 8 + ["inactive"]),
        catchment_m=chance.choice([None, None, 3_000, 9_000]),
        price_week=chance.choice([None, 0, 700, 950, "1200.50"]),
        cqc_rating=chance.choice([None, 1, 2, 3, 4]),
        assured_date=chance.choice([None, *(AT.date() - timedelta(days=d) for d in (-3, 0, 92, 93, 200, 729, 731))]),
    )


def a_pool(chance: random.Random, service: Service, terms: dict, name: str) -> list[Any]:
    location = None
    if chance.random() < 0.9:
        location = Location(
            location_type=chance.choice(["physical"] * 6 + ["virtual"]),
            point=near(chance.uniform(-12_000, 12_000), chance.uniform(-12_000, 12_000)) if chance.random() < 0.9 else None,
        )
    ages = (-400, -300, -299.5, 0, 0, 5_000, 5_000, 86_399.9, 86_400, 200_000, 259_200)
    told = chance.choice([None, *(AT - timedelta(seconds=age) for age in ages)])
    maximum = chance.choice([None, 1, 10, 30])
    available = None if told is None else chance.choice([None, 0, 1, 1, min(3, maximum or 3)])
    pool = ServiceCapacity(
        service=service,
        location=location,
        care_type=terms["care-type", chance.choice(KINDS)],
        name=name,
        maximum=maximum,
        available=available,
        held=chance.randint(0, available) if available else 0,
        status=chance.choice(["capacity", "capacity", *CapacityStatus.values]),
        is_open=chance.random() < 0.95,
        reported_at=told,
        for_sex=chance.choice(["", "", "", "female", "male"]),
        expected_wait_days=chance.choice([None, None, 0, 13, 45, 400]),
    )
    return [location, pool] if location else [pool]


def a_series(chance: random.Random, service: Service, terms: dict) -> list[Any]:
    """Places a session, and some sessions: begun, beginning now, and to come; two of them at the same time."""
    made = a_pool(chance, service, terms, "group")
    series = made[-1]
    series.per, series.is_open = "session", True
    sessions = []
    for number, hours in enumerate((-2, 0, 1 / 7200, 24, 24, 200)):
        session = a_pool(chance, service, terms, f"group {number}")[-1]
        session.location, session.session_of, session.per = series.location, series, "session"
        session.starts_at, session.care_type = AT + timedelta(hours=hours), series.care_type
        sessions.append(session)
    return [*made, *sessions]


def square(chance: random.Random) -> MultiPolygon:
    centre = near(chance.uniform(-8_000, 8_000), chance.uniform(-8_000, 8_000))
    return MultiPolygon(centre.buffer(6_000, quadsegs=1), srid=27700)


def a_need(chance: random.Random, areas: list[int]) -> Need:
    home = near(chance.randint(-9_000, 9_000), chance.randint(-9_000, 9_000))

    def mask(bits: Iterable[int], share: float) -> int:
        return sum(1 << bit for bit in bits if chance.random() < share)

    needs = [*range(8), *OWN_BITS["need"][:3]]
    musts = mask(needs, 0.03)
    chains, under = condition_chains(code for code in CONDITIONS if chance.random() < 0.15)
    practice = chance.choice([(), (), PLACES[:1], (PLACES[0], PLACES[2]), (PLACES[1], PLACES[3], PLACES[4])])
    return Need(
        age=chance.choice([17, 18, 64, 65, 80, 84, 85, 110, 111]),
        sex=chance.randint(0, 3),
        x=round(home.x),
        y=round(home.y),
        care_types=chance.choice([1, 4, 5, 1 << 33, 1 << 33 | 5, 1 << 33 | 5]),
        needs=mask(needs, 0.12) & ~musts,
        must_haves=musts,
        preferences=mask(needs, 0.2),
        languages=mask([*range(4), OWN_BITS["language"][0]], 0.15),
        funding=mask([*range(4), OWN_BITS["funding"][0]], 0.15),
        source=chance.choice([0, 0, 1, 2, 4, 1 << OWN_BITS["referral-source"][0]]),
        budget_pence=chance.choice([None, None, 0, 95_000, 120_050]),
        max_distance_m=chance.choice([0, 5_000, 9_000, 24_140, 40_000]),
        areas=tuple(area for area in areas if chance.random() < 0.4),
        joins_lists=chance.random() < 0.5,
        conditions=chains,
        conditions_under=under,
        registered=practice,
        marks=chance.choice([0, 0, 1, 5, 8, 15]),
        travels=chance.choice([0, 0, 1 << 33, 1 << 33 | 5]),
        brings=chance.choice([3, 1 << 3, 1 << OWN_BITS["need"][0]]),
        days=chance.choice([None, None, 0, 13, 14, 60]),
        today=AT.date().toordinal(),
        checked_for_days=chance.choice([92, 92, 199, 200]),
        mode=chance.choice([0, 1, 2]),
        paces=chance.choice([PACES, PACES, ()]),
        max_minutes=chance.choice([None, None, None, None, None, 15, 45, 90]),
        comes=chance.choice([0, 0, 1 << 33]),
        visits=chance.choice([0, 1 << 4, 1 << OWN_BITS["need"][1]]),
        interests=mask(needs, 0.1),
        times=chance.choice([0, 0, 7, 1 << 20, 0b100_100_100]),
        chances=chance.choice([(), some_chances(chance)]),
    )


def some_chances(chance: random.Random) -> tuple[int, ...]:
    """What might have been learned of how likely a yes is."""
    learned = {
        "usual": chance.randint(-3000, 3000),
        "days": [chance.randint(-400, 400)] * 7,
        "said": [0, *(chance.randint(-2000, 500) for _ in range(3))],
        "fresh": chance.choice([0, 700, 5000]),
        "step": chance.choice([0, -90, -900]),
        "no_journey": chance.randint(-500, 500),
        "table": sorted(chance.randint(10, 990) for _ in range(likelihood.LINES)),
    }
    return likelihood.packed(learned, chance.randrange(7))


def some_weights(chance: random.Random) -> Weights:
    """Those that are shipped, or others that are as lawful."""
    if chance.random() < 0.5:
        return Weights()
    return replace(
        Weights(),
        marks=chance.randint(0, 90),
        journey=chance.randint(0, 90),
        distance=chance.randint(100, 999),
        availability=chance.randint(0, 500),
        priority=chance.choice([0, 30]),
        price=chance.randint(0, 40),
        travel=chance.randint(0, 300),
        interests=chance.randint(0, 90),
        times=chance.randint(0, 90),
        likelihood=chance.choice([0, 60, 300]),
    )
