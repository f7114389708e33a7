"""Care homes, home care and live-in care."""

from typing import Any

from flow.demo.kinds.base import (
    ACCESS,
    ADULT,
    ALWAYS,
    CARE_FUNDING,
    COMFORT,
    DEMENTIA,
    DOORSTEP,
    HOME_SOURCES,
    NURSING,
    OLDER,
    RESIDENTIAL,
    Kind,
    Says,
    plain,
)


def home(
    count: int, *care_types: str, says: Says, price: tuple[int, int], ages: tuple[tuple[int | None, int | None], ...] = OLDER, **more: Any
) -> Kind:
    """A kind of care home: `care_types` are its kinds of bed."""
    defaults: dict[str, Any] = {
        "sector": "home",
        "names": ("{word} House", "{word} Lodge", "{word} Court", "The {word}", "{word} Grange", "{word} View", "{word} Hall"),
        "unit": "bed",
        "places": (6, 34),
        "funding": CARE_FUNDING,
        "sources": HOME_SOURCES,
        "rated": True,
        "hours": ALWAYS,
        "catchment_km": None,
        "by_district": 0.0,
        "waiting_list": 0.08,
    }
    return Kind(count=count, care_types=care_types, says=says, price=price, ages=ages, **(defaults | more))


HOMES: tuple[Kind, ...] = (
    home(128, "home-general-residential", "home-dementia-residential", "home-transitional", says=RESIDENTIAL, price=(640, 1_050)),
    home(
        92,
        "home-general-nursing",
        "home-dementia-nursing",
        "home-general-residential",
        "home-transitional",
        says=NURSING,
        price=(880, 1_450),
    ),
    home(36, "home-dementia-residential", "home-dementia-nursing", says={**RESIDENTIAL, **DEMENTIA}, price=(720, 1_180)),
    home(28, "home-dementia-nursing", "home-general-nursing", "home-transitional", says={**NURSING, **DEMENTIA}, price=(960, 1_600)),
    home(
        30,
        "home-learning-disability-residential",
        "home-learning-disability-nursing",
        required="learning-disability",
        ages=ADULT,
        says={**COMFORT, **ACCESS, "autism": (0.8, 0.02), "behaviour": (0.6, 0.05), "medication": (0.9, 0)},
        price=(1_200, 2_900),
        places=(3, 10),
    ),
    home(
        18,
        "home-mental-health-residential",
        "home-mental-health-nursing",
        ages=ADULT,
        price=(900, 2_100),
        places=(4, 16),
        says={**COMFORT, "mental-illness": (0.97, 0), "substance-use": (0.4, 0.2), "under-section": (0.3, 0.2), "medication": (0.9, 0)},
    ),
    home(
        10,
        "home-young-physically-disabled",
        ages=((18, 64), (18, 65), (16, 64)),
        price=(1_300, 2_600),
        places=(4, 18),
        says={**NURSING, "physical-disability": (0.97, 0), "wheelchair": (0.97, 0)},
    ),
    home(
        38,
        "assisted-living",
        says={**COMFORT, **ACCESS, "lives-alone": (0.6, 0), "dementia": (0.2, 0.2), "nursing-24h": (0, 0.6)},
        price=(210, 480),
        unit="flat",
        places=(8, 48),
        names=("{word} Court", "{word} Gardens", "{word} Mews"),
        waiting_list=0.3,
    ),
    plain(
        186,
        "home-care",
        "homecare",
        "{org} – {place}",
        "{org} {place} branch",
        pool="Packages of care",
        unit="package",
        places=(10, 60),
        price=(280, 620),
        says=DOORSTEP,
        funding=CARE_FUNDING,
        sources=HOME_SOURCES,
        rated=True,
        ages=((18, None), (18, None), (65, None)),
        hours=("MO,TU,WE,TH,FR,SA,SU", 7, 22),
        catchment_km=(6, 20),
        by_district=0.3,
        waiting_list=0.12,
    ),
    plain(
        16,
        "live-in-care",
        "homecare",
        "{org} live-in care",
        pool="Live-in carers",
        unit="carer",
        places=(2, 10),
        price=(1_250, 1_800),
        says={**DOORSTEP, "pets": (0.7, 0.05), "couple": (0.7, 0)},
        funding=("self", "chc", "direct-payment"),
        rated=True,
        hours=ALWAYS,
        sources=HOME_SOURCES,
        catchment_km=(30, 60),
        by_district=0,
    ),
)
