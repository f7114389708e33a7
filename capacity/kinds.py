"""What a service of each kind counts: beds, hours, rounds, visits, caseloads, or places at a session."""

from dataclasses import dataclass

from capacity.models import BedType, Per
from catalogue.models import TaxonomyTerm


@dataclass(frozen=True, slots=True)
class Kind:
    """How places of one kind are usually counted: the units to choose from, the likeliest first, and for which stretch of time."""

    units: tuple[str, ...]
    per: Per = Per.ONCE
    name: str = "Places"
    has_bed_types: bool = False


_HOME_BEDS = Kind(("bed",), name="Beds", has_bed_types=True)
_BEDS = Kind(("bed", "place"), name="Beds")
_VISITS = Kind(("visit", "place", "hour"), Per.WEEK, name="Visits")
_HOURS = Kind(("hour", "round", "visit", "place"), Per.WEEK, name="Hours of care")
_CLINIC = Kind(("place", "appointment"), Per.SESSION, name="Places at the clinic")
_GROUP = Kind(("place",), Per.SESSION, name="Places in the group")
_CASELOAD = Kind(("caseload place", "place"), name="Caseload")
_PLACES = Kind(("place", "appointment"))

_BY_GROUP = {
    "Care homes": _HOME_BEDS,
    "Hospital and step-down": _BEDS,
    "Care at home": _HOURS,
    "Community health": _CLINIC,
    "Mental health": _PLACES,
    "Community and voluntary": _GROUP,
}
_BY_CODE = {
    "assisted-living": Kind(("flat", "place"), name="Flats"),
    "hospital-at-home": Kind(("virtual-ward place", "place"), name="Virtual-ward places"),
    "live-in-care": Kind(("place",)),
    "reablement": Kind(("place", "hour", "visit"), name="Reablement places"),
    "meals-at-home": Kind(("meal", "round"), Per.DAY, name="Meals"),
    "equipment": _PLACES,
    "community-nursing": _VISITS,
    "hospice-at-home": _VISITS,
    "crisis-outreach": Kind(("crisis place", "visit", "place"), name="Crisis places"),
    "case-management": _CASELOAD,
    "social-prescribing": _CASELOAD,
    "peer-support": _GROUP,
    "recovery": _CASELOAD,
}


def kind_of(care_type: TaxonomyTerm | None) -> Kind:
    """How a service of this kind counts; plain places when nobody has said what kind it is."""
    if care_type is None:
        return _PLACES
    return _BY_CODE.get(care_type.code) or _BY_GROUP.get(care_type.group, _PLACES)


def units_of(care_type: TaxonomyTerm | None) -> tuple[str, ...]:
    """The units that places of a kind may be counted in."""
    return tuple(dict.fromkeys((*kind_of(care_type).units, "place")))


def bed_type_of(code: str) -> str:
    """The bed type that a care type stands for, or nothing: `home-dementia-nursing` is dementia nursing."""
    found = code.removeprefix("home-")
    return found if found != code and found in BedType.values else ""
