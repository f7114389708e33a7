"""What a kind of service is, and what services of like kinds usually say about whom they take."""

from dataclasses import dataclass, field
from typing import Any

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


COMFORT: Says = {
    "en-suite": (0.6, 0.05), "garden": (0.6, 0.05), "pets": (0.2, 0.2), "smoking": (0.25, 0.3), "couple": (0.3, 0.05),
    "faith": (0.25, 0), "music": (0.3, 0), "gardening": (0.25, 0), "hearing-loss": (0.3, 0), "sight-loss": (0.3, 0.02),
}  # fmt: skip
PERSONAL: Says = {
    "continence": (0.8, 0), "medication": (0.85, 0), "two-carers": (0.6, 0.12), "pressure-care": (0.5, 0.05), "stroke": (0.4, 0.02),
    "parkinsons": (0.4, 0.02), "insulin": (0.3, 0.15), "catheter": (0.5, 0.05), "end-of-life": (0.4, 0.05), "oxygen": (0.25, 0.1),
    "bariatric": (0.2, 0.25), "infection": (0.25, 0.1),
}  # fmt: skip
ACCESS: Says = {"wheelchair": (0.7, 0.08), "ground-floor": (0.6, 0.06)}
LIMITS: Says = {"under-section": (0, 0.5), "substance-use": (0.05, 0.3), "behaviour": (0.1, 0.3)}
RESIDENTIAL: Says = {
    **COMFORT,
    **PERSONAL,
    **ACCESS,
    **LIMITS,
    "nursing-24h": (0, 0.65),
    "peg-feeding": (0, 0.6),
    "dementia": (0.3, 0.1),
}
NURSING: Says = {
    **COMFORT, **PERSONAL, **ACCESS, **LIMITS, "nursing-24h": (0.97, 0), "peg-feeding": (0.55, 0.08), "catheter": (0.85, 0),
    "oxygen": (0.55, 0.03), "insulin": (0.85, 0), "pressure-care": (0.85, 0), "bariatric": (0.4, 0.15), "end-of-life": (0.75, 0),
    "dementia": (0.4, 0.08),
}  # fmt: skip
DEMENTIA: Says = {"dementia": (0.97, 0), "walking-with-purpose": (0.65, 0.05), "behaviour": (0.4, 0.12)}
DOORSTEP: Says = {
    **PERSONAL, "home-visit": (0.97, 0), "lives-alone": (0.5, 0), "dementia": (0.65, 0.04), "peg-feeding": (0.2, 0.3),
    "hearing-loss": (0.2, 0), "sight-loss": (0.2, 0), "weekends": (0.6, 0.05), "evenings": (0.6, 0.05), "behaviour": (0.15, 0.15),
}  # fmt: skip
CLINIC: Says = {**ACCESS, "home-visit": (0.45, 0.2), "long-term-condition": (0.5, 0), "stroke": (0.4, 0), "parkinsons": (0.35, 0)}
SOCIAL: Says = {
    **ACCESS, "company": (0.6, 0), "lives-alone": (0.5, 0), "anxiety-depression": (0.5, 0.02), "home-visit": (0.2, 0.2),
    "transport-provided": (0.2, 0.2), "evenings": (0.2, 0.1), "weekends": (0.2, 0.1), "hearing-loss": (0.2, 0), "dementia": (0.3, 0.1),
}  # fmt: skip
ADVICE: Says = {
    "low-income": (0.7, 0),
    "home-visit": (0.3, 0.15),
    "carer": (0.3, 0),
    "anxiety-depression": (0.25, 0),
    "evenings": (0.25, 0.1),
}
MIND: Says = {
    "anxiety-depression": (0.85, 0), "mental-illness": (0.4, 0.15), "substance-use": (0.3, 0.25), "autism": (0.3, 0.05),
    "under-section": (0, 0.3), "evenings": (0.35, 0.1), "bereaved": (0.3, 0),
}  # fmt: skip

CARE_FUNDING = ("council", "self", "chc", "direct-payment")
HEALTH_SOURCES = ("hospital", "primary-care", "community-health", "social-care", "ambulance")
HOME_SOURCES = ("hospital", "social-care", "community-health", "primary-care", "carer", "self")
ALWAYS = ("MO,TU,WE,TH,FR,SA,SU", 0, 0)
OLDER = ((55, None), (60, None), (65, None), (65, None))
ADULT = ((18, None), (18, 64), (18, 65))


def plain(count: int, code: str, sector: str, *names: str, **more: Any) -> Kind:
    """A kind of service with one kind of place."""
    return Kind(count=count, sector=sector, names=names, care_types=(code,), **more)
