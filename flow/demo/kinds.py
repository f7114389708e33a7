"""What each kind of service of the region is like: how many there are, what they are called, whom they take."""

from dataclasses import dataclass, field

#: need → (how likely a service says that it can meet it, how likely that it says it cannot). The rest is not known.
Says = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of service. `care_types` are its pools' kinds, the first always there and the others perhaps."""

    count: int
    sector: str
    names: tuple[str, ...]
    care_types: tuple[str, ...]
    unit: str = "place"
    pool: str = "Places"
    places: tuple[int, int] = (6, 30)
    price: tuple[int, int] | None = (0, 0)
    ages: tuple[tuple[int | None, int | None], ...] = ((18, None),)
    says: Says = field(default_factory=dict)
    required: str = ""
    preferred: str = ""
    funding: tuple[str, ...] = ("free",)
    sources: tuple[str, ...] = ("primary-care", "link-worker", "social-care", "voluntary", "self", "carer")
    rated: bool = False
    hours: tuple[str, int, int] = ("MO,TU,WE,TH,FR", 9, 17)
    catchment_km: tuple[int, int] | None = (8, 25)
    by_district: float = 0.35
    waiting_list: float = 0.1

    @property
    def code(self) -> str:
        return self.care_types[0]


_COMFORT: Says = {
    "en-suite": (0.6, 0.05), "garden": (0.6, 0.05), "pets": (0.2, 0.2), "smoking": (0.25, 0.3), "couple": (0.3, 0.05),
    "faith": (0.25, 0), "music": (0.3, 0), "gardening": (0.25, 0), "hearing-loss": (0.3, 0), "sight-loss": (0.3, 0.02),
}  # fmt: skip
_PERSONAL: Says = {
    "continence": (0.8, 0), "medication": (0.85, 0), "two-carers": (0.6, 0.12), "pressure-care": (0.5, 0.05), "stroke": (0.4, 0.02),
    "parkinsons": (0.4, 0.02), "insulin": (0.3, 0.15), "catheter": (0.5, 0.05), "end-of-life": (0.4, 0.05), "oxygen": (0.25, 0.1),
    "bariatric": (0.2, 0.25), "infection": (0.25, 0.1),
}  # fmt: skip
_ACCESS: Says = {"wheelchair": (0.7, 0.08), "ground-floor": (0.6, 0.06)}
_LIMITS: Says = {"under-section": (0, 0.5), "substance-use": (0.05, 0.3), "behaviour": (0.1, 0.3)}
_RESIDENTIAL: Says = {
    **_COMFORT,
    **_PERSONAL,
    **_ACCESS,
    **_LIMITS,
    "nursing-24h": (0, 0.65),
    "peg-feeding": (0, 0.6),
    "dementia": (0.3, 0.1),
}
_NURSING: Says = {
    **_COMFORT, **_PERSONAL, **_ACCESS, **_LIMITS, "nursing-24h": (0.97, 0), "peg-feeding": (0.55, 0.08), "catheter": (0.85, 0),
    "oxygen": (0.55, 0.03), "insulin": (0.85, 0), "pressure-care": (0.85, 0), "bariatric": (0.4, 0.15), "end-of-life": (0.75, 0),
    "dementia": (0.4, 0.08),
}  # fmt: skip
_DEMENTIA: Says = {"dementia": (0.97, 0), "walking-with-purpose": (0.65, 0.05), "behaviour": (0.4, 0.12)}
_DOORSTEP: Says = {
    **_PERSONAL, "home-visit": (0.97, 0), "lives-alone": (0.5, 0), "dementia": (0.65, 0.04), "peg-feeding": (0.2, 0.3),
    "hearing-loss": (0.2, 0), "sight-loss": (0.2, 0), "weekends": (0.6, 0.05), "evenings": (0.6, 0.05), "behaviour": (0.15, 0.15),
}  # fmt: skip
_CLINIC: Says = {**_ACCESS, "home-visit": (0.45, 0.2), "long-term-condition": (0.5, 0), "stroke": (0.4, 0), "parkinsons": (0.35, 0)}
_SOCIAL: Says = {
    **_ACCESS, "company": (0.6, 0), "lives-alone": (0.5, 0), "anxiety-depression": (0.5, 0.02), "home-visit": (0.2, 0.2),
    "transport-provided": (0.2, 0.2), "evenings": (0.2, 0.1), "weekends": (0.2, 0.1), "hearing-loss": (0.2, 0), "dementia": (0.3, 0.1),
}  # fmt: skip
_ADVICE: Says = {
    "low-income": (0.7, 0),
    "home-visit": (0.3, 0.15),
    "carer": (0.3, 0),
    "anxiety-depression": (0.25, 0),
    "evenings": (0.25, 0.1),
}
_MIND: Says = {
    "anxiety-depression": (0.85, 0), "mental-illness": (0.4, 0.15), "substance-use": (0.3, 0.25), "autism": (0.3, 0.05),
    "under-section": (0, 0.3), "evenings": (0.35, 0.1), "bereaved": (0.3, 0),
}  # fmt: skip

_CARE_FUNDING = ("council", "self", "chc", "direct-payment")
_HEALTH_SOURCES = ("hospital", "primary-care", "community-health", "social-care", "ambulance")
_HOME_SOURCES = ("hospital", "social-care", "community-health", "primary-care", "carer", "self")
_ALWAYS = ("MO,TU,WE,TH,FR,SA,SU", 0, 0)
_OLDER = ((55, None), (60, None), (65, None), (65, None))
_ADULT = ((18, None), (18, 64), (18, 65))


def _home(
    count: int, *care_types: str, says: Says, price: tuple[int, int], ages: tuple[tuple[int | None, int | None], ...] = _OLDER, **more
) -> Kind:
    defaults = {
        "sector": "home",
        "names": ("{word} House", "{word} Lodge", "{word} Court", "The {word}", "{word} Grange", "{word} View", "{word} Hall"),
        "unit": "bed",
        "places": (6, 34),
        "funding": _CARE_FUNDING,
        "sources": _HOME_SOURCES,
        "rated": True,
        "hours": _ALWAYS,
        "catchment_km": None,
        "by_district": 0.0,
        "waiting_list": 0.08,
    }
    return Kind(count=count, care_types=care_types, says=says, price=price, ages=ages, **(defaults | more))


def _plain(count: int, code: str, sector: str, *names: str, **more) -> Kind:
    return Kind(count=count, sector=sector, names=names, care_types=(code,), **more)


_TRANSITIONAL = "home-transitional"
KINDS: tuple[Kind, ...] = (
    _home(128, "home-general-residential", "home-dementia-residential", _TRANSITIONAL, says=_RESIDENTIAL, price=(640, 1_050)),
    _home(
        92, "home-general-nursing", "home-dementia-nursing", "home-general-residential", _TRANSITIONAL, says=_NURSING, price=(880, 1_450)
    ),
    _home(36, "home-dementia-residential", "home-dementia-nursing", says={**_RESIDENTIAL, **_DEMENTIA}, price=(720, 1_180)),
    _home(
        28, "home-dementia-nursing", "home-general-nursing", _TRANSITIONAL, says={**_NURSING, **_DEMENTIA}, price=(960, 1_600)
    ),
    _home(
        30, "home-learning-disability-residential", "home-learning-disability-nursing", required="learning-disability", ages=_ADULT,
        says={**_COMFORT, **_ACCESS, "autism": (0.8, 0.02), "behaviour": (0.6, 0.05), "medication": (0.9, 0)}, price=(1_200, 2_900),
        places=(3, 10),
    ),
    _home(
        18, "home-mental-health-residential", "home-mental-health-nursing", ages=_ADULT, price=(900, 2_100), places=(4, 16),
        says={**_COMFORT, "mental-illness": (0.97, 0), "substance-use": (0.4, 0.2), "under-section": (0.3, 0.2), "medication": (0.9, 0)},
    ),
    _home(
        10, "home-young-physically-disabled", ages=((18, 64), (18, 65), (16, 64)), price=(1_300, 2_600), places=(4, 18),
        says={**_NURSING, "physical-disability": (0.97, 0), "wheelchair": (0.97, 0)},
    ),
    _home(
        38, "assisted-living", says={**_COMFORT, **_ACCESS, "lives-alone": (0.6, 0), "dementia": (0.2, 0.2), "nursing-24h": (0, 0.6)},
        price=(210, 480), unit="flat", places=(8, 48), names=("{word} Court", "{word} Gardens", "{word} Mews"), waiting_list=0.3,
    ),
    _plain(
        8, "hospice-inpatient", "hospice", "{org} – inpatient unit", unit="bed", pool="Hospice beds", places=(6, 18), required="end-of-life",
        says={**_NURSING, "couple": (0.2, 0.1)}, funding=("nhs", "chc", "free"), sources=_HEALTH_SOURCES, rated=True, hours=_ALWAYS,
        catchment_km=(25, 45), by_district=0,
    ),
    _plain(
        14, "community-bed", "nhs", "{word} Ward, {place}", "{place} Intermediate Care Unit", unit="bed", pool="Step-down beds", places=(12, 28),
        says={**_NURSING, "dementia": (0.5, 0.15)}, funding=("nhs",), sources=_HEALTH_SOURCES, rated=True, hours=_ALWAYS,
        catchment_km=None, by_district=0.3,
    ),
    _plain(
        8, "hospital-at-home", "nhs", "Hospital at Home {place}", pool="Virtual ward places", places=(15, 45), says={**_DOORSTEP, "oxygen": (0.8, 0)},
        funding=("nhs",), sources=_HEALTH_SOURCES, hours=("MO,TU,WE,TH,FR,SA,SU", 8, 20), by_district=0.8,
    ),
    _plain(
        186, "home-care", "homecare", "{org} – {place}", "{org} {place} branch", pool="Packages of care", unit="package", places=(10, 60),
        price=(280, 620), says=_DOORSTEP, funding=_CARE_FUNDING, sources=_HOME_SOURCES, rated=True, ages=((18, None), (18, None), (65, None)),
        hours=("MO,TU,WE,TH,FR,SA,SU", 7, 22), catchment_km=(6, 20), by_district=0.3, waiting_list=0.12,
    ),
    _plain(
        18, "reablement", "council", "{place} Reablement Team", pool="Reablement places", places=(15, 50), says=_DOORSTEP, funding=("council", "nhs", "free"),
        sources=("hospital", "social-care", "community-health", "primary-care"), rated=True, hours=("MO,TU,WE,TH,FR,SA,SU", 7, 22), by_district=0.8,
    ),
    _plain(
        16, "live-in-care", "homecare", "{org} live-in care", pool="Live-in carers", unit="carer", places=(2, 10), price=(1_250, 1_800),
        says={**_DOORSTEP, "pets": (0.7, 0.05), "couple": (0.7, 0)}, funding=("self", "chc", "direct-payment"), rated=True, hours=_ALWAYS,
        sources=_HOME_SOURCES, catchment_km=(30, 60), by_district=0,
    ),
    _plain(
        22, "meals-at-home", "charity", "{place} Meals at Home", "{word} Kitchen", pool="Meal rounds", unit="round", places=(20, 80), price=(35, 62),
        says={"home-visit": (1, 0), "lives-alone": (0.7, 0), "faith": (0.5, 0)}, funding=("self", "council", "direct-payment"), by_district=0.6,
        hours=("MO,TU,WE,TH,FR,SA,SU", 10, 14), sources=("hospital", "primary-care", "link-worker", "social-care", "self", "carer", "voluntary"),
    ),
    _plain(
        14, "equipment", "council", "{place} Equipment Store", "{place} Telecare", pool="Orders this week", unit="order", places=(15, 60),
        says={**_ACCESS, "home-visit": (0.9, 0), "bariatric": (0.6, 0.1)}, funding=("council", "nhs", "free"),
        sources=(*_HEALTH_SOURCES, "self", "carer"), by_district=0.8,
    ),
    _plain(
        40, "community-nursing", "nhs", "{place} Community Nursing", "{place} Evening Nursing", pool="Caseload", places=(25, 90), funding=("nhs", "free"),
        says={**_DOORSTEP, **_CLINIC, "home-visit": (1, 0), "catheter": (0.95, 0), "pressure-care": (0.95, 0), "insulin": (0.9, 0)},
        sources=_HEALTH_SOURCES, hours=("MO,TU,WE,TH,FR,SA,SU", 8, 20), by_district=0.7,
    ),
    _plain(40, "physiotherapy", "nhs", "{place} Community Physiotherapy", "{word} Physiotherapy, {place}", pool="New appointments this week", unit="appointment",
           places=(4, 24), says=_CLINIC, funding=("nhs", "free"), sources=(*_HEALTH_SOURCES, "self"), ages=((16, None), (18, None)), waiting_list=0.4),
    _plain(24, "occupational-therapy", "nhs", "{place} Occupational Therapy", pool="New assessments this week", unit="assessment", places=(3, 14),
           says={**_CLINIC, "physical-disability": (0.7, 0)}, funding=("nhs", "council", "free"), sources=_HEALTH_SOURCES, waiting_list=0.4),
    _plain(14, "speech-therapy", "nhs", "{place} Speech and Language Therapy", pool="New assessments this week", unit="assessment", places=(2, 8),
           says={**_CLINIC, "stroke": (0.9, 0), "peg-feeding": (0.4, 0)}, funding=("nhs", "free"), sources=_HEALTH_SOURCES, waiting_list=0.4),
    _plain(26, "podiatry", "nhs", "{place} Podiatry", "{word} Foot Clinic", pool="Appointments this week", unit="appointment", places=(6, 30),
           says=_CLINIC, funding=("nhs", "free"), sources=(*_HEALTH_SOURCES, "self"), waiting_list=0.3),
    _plain(30, "outpatient", "nhs", "{place} Falls Clinic", "{place} Memory Clinic", "{place} Continence Clinic", "{place} Frailty Clinic",
           "{place} Leg Ulcer Clinic", pool="Slots this week", unit="slot", places=(6, 24), says=_CLINIC, funding=("nhs",),
           sources=("primary-care", "hospital", "community-health"), waiting_list=0.35),
    _plain(14, "hospice-at-home", "hospice", "{org} at Home, {place}", "{org} Bereavement Support", places=(8, 25), says={**_DOORSTEP, "end-of-life": (0.97, 0),
           "bereaved": (0.7, 0)}, funding=("nhs", "free"), sources=(*_HEALTH_SOURCES, "self", "carer"), ages=((18, None), (None, None)), by_district=0.5),
    _plain(16, "sensory-loss", "charity", "{word} Sight and Hearing, {place}", says={"sight-loss": (0.9, 0), "hearing-loss": (0.85, 0), "home-visit": (0.6, 0.1)},
           ages=((None, None), (18, None))),
    _plain(12, "crisis-outreach", "mental-health", "{place} Crisis Outreach", "{word} Safe Haven, {place}", places=(4, 14), says=_MIND, funding=("nhs", "free"),
           sources=(*_HEALTH_SOURCES, "self"), hours=_ALWAYS, by_district=0.7),
    _plain(26, "talking-therapies", "mental-health", "{place} Talking Therapies", "{word} Counselling, {place}", unit="session", pool="First sessions this week",
           places=(4, 24), says=_MIND, funding=("nhs", "free"), sources=("primary-care", "link-worker", "self", "community-health"),
           ages=((16, None), (18, None)), hours=("MO,TU,WE,TH,FR", 8, 20), waiting_list=0.45),
    _plain(18, "recovery", "mental-health", "{word} Recovery, {place}", says={**_MIND, "substance-use": (0.97, 0)}, sources=("primary-care", "hospital",
           "link-worker", "social-care", "voluntary", "self", "carer")),
    _plain(14, "case-management", "mental-health", "{place} Rehabilitation and Case Management", places=(8, 25), says=_MIND, funding=("nhs", "council"),
           sources=_HEALTH_SOURCES, waiting_list=0.3),
    _plain(40, "peer-support", "charity", "{word} Peer Support, {place}", "{place} Side by Side", says={**_MIND, **_SOCIAL}, hours=("TU,TH", 10, 16)),
    _plain(30, "social-prescribing", "primary", "{place} Link Workers", "{place} Community Connectors", pool="New people this week", places=(4, 18),
           says={**_ADVICE, **_SOCIAL}, funding=("nhs", "free"), sources=("primary-care", "hospital", "social-care", "community-health", "self"), by_district=0.7),
    _plain(60, "befriending", "charity", "{place} Good Company", "{word} Befriending", "{place} Telephone Friends", says=_SOCIAL, preferred="lives-alone",
           pool="Volunteers free", unit="volunteer", places=(3, 20), ages=((50, None), (55, None), (65, None), (18, None)), waiting_list=0.3),
    _plain(38, "debt-advice", "charity", "{word} Money Advice, {place}", "{place} Debt Desk", says=_ADVICE, pool="Appointments this week", unit="appointment", waiting_list=0.2),
    _plain(34, "welfare-benefits", "charity", "{place} Benefits Advice", "{word} Benefits Help", says=_ADVICE, pool="Appointments this week", unit="appointment",
           waiting_list=0.25),
    _plain(30, "housing-advice", "charity", "{place} Housing Help", "{word} Housing Advice", says=_ADVICE, pool="Appointments this week", unit="appointment"),
    _plain(58, "poverty-crisis", "charity", "{place} Community Pantry", "{word} Food and Fuel, {place}", says=_ADVICE, pool="Parcels today", unit="parcel",
           ages=((None, None), (16, None)), hours=("MO,WE,FR", 10, 14), catchment_km=(5, 12)),
    _plain(34, "transport", "charity", "{place} Volunteer Drivers", "{word} Community Transport", says={**_ACCESS, "transport-provided": (1, 0), "home-visit": (0.4, 0)},
           pool="Journeys this week", unit="journey", price=(0, 12), funding=("self", "free"), by_district=0.5),
    _plain(34, "carer-support", "charity", "{place} Carers' Circle", "{word} Carers Support", says={**_SOCIAL, "carer": (1, 0)}, required="carer",
           ages=((16, None), (18, None), (None, None))),
    _plain(78, "physical-activity", "charity", "{place} Walk and Talk", "{word} Strength and Balance, {place}", "{place} Gentle Badminton", "{place} Chair Exercise",
           says={**_SOCIAL, "sport": (0.95, 0), "long-term-condition": (0.5, 0.05)}, price=(0, 6), funding=("free", "self"), hours=("WE", 10, 12), catchment_km=(5, 15)),
    _plain(58, "arts-and-nature", "charity", "{place} Allotment Group", "{place} Community Choir", "{word} Craft Room", "{place} Painting Circle",
           says={**_SOCIAL, "crafts": (0.6, 0), "gardening": (0.5, 0), "music": (0.5, 0)}, price=(0, 5), funding=("free", "self"), hours=("TH", 13, 16),
           catchment_km=(5, 15)),
    _plain(58, "lunch-club", "charity", "{place} Lunch Club", "{word} Day Centre", says=_SOCIAL, ages=_OLDER, price=(5, 60), funding=("self", "council", "direct-payment"),
           hours=("TU,TH", 10, 15), catchment_km=(5, 15)),
    _plain(28, "employment", "charity", "{word} Skills, {place}", "{place} Back to Work Club", says=_ADVICE, ages=((16, None), (18, 66), (16, 66))),
    _plain(26, "youth-support", "charity", "{word} Youth Project, {place}", "{place} Young People's Drop-in", says={**_MIND, **_SOCIAL}, ages=((11, 18), (13, 25), (16, 25)),
           hours=("MO,WE", 15, 20)),
    _plain(12, "legal-advice", "charity", "{word} Law Clinic, {place}", says=_ADVICE, pool="Appointments this week", unit="appointment", waiting_list=0.3),
    _plain(12, "digital-service", "charity", "{word} Online", "{word} Wellbeing App", says={"anxiety-depression": (0.7, 0), "evenings": (1, 0), "weekends": (1, 0),
           "home-visit": (1, 0)}, ages=((16, None), (18, None)), hours=_ALWAYS, catchment_km=None, by_district=0, places=(100, 400)),
)  # fmt: skip
