"""From what a patient record tells a decision-support hook to a ranking of services that carry the diagnosis (CDS Hooks 2.0, FHIR R4).

Of the record only age, sex, the first half of the postcode and known codes are read, and only these are kept. Whatever else was sent is
forgotten with the request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from catalogue import criteria
from catalogue.models import TaxonomyTerm, User
from catalogue.models.taxonomy import CONDITION
from catalogue.queries import find_place
from core import clock
from core.errors import Invalid, LuneError
from core.geo import METRES_PER_MILE, outcode
from matching import operations, profiles
from matching.engine.problem import Need
from matching.models import MatchRun, NeedProfile, PoolFact

SNOMED = "http://snomed.info/sct"
#: How far the services are looked for, in miles.
REACH_MILES = 15
#: FHIR's states of a problem that is over, and of one that turned out not to be.
_OVER, _NOT_SO = {"inactive", "remission", "resolved"}, {"refuted", "entered-in-error"}


class NotEnough(LuneError):
    """What was asked for in advance (prefetch) is missing or says too little."""

    code = "prefetch-needed"
    http_status = 412


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of somebody. `conditions` are codes of our list, as `snomed|44054006`."""

    age: int
    sex: str
    outcode: str
    conditions: tuple[str, ...]


def read(patient: Any, problems: Iterable[Any], *, today: date) -> Asked | None:
    """What a Patient and its Conditions say; None when the person has died, or none of the codes is in our list. Raises NotEnough."""
    if not isinstance(patient, Mapping) or patient.get("resourceType") != "Patient":
        raise NotEnough("Send the Patient as prefetch “patient”: this service does not fetch it.")
    if patient.get("deceasedBoolean") or patient.get("deceasedDateTime"):
        return None
    conditions = known_codes(problems)
    if not conditions:
        return None
    age, area = _age(patient.get("birthDate"), today), _area(patient.get("address"))
    if age is None:
        raise NotEnough("The Patient has no birthDate that can be read. It decides which services would take the person.")
    if area is None:
        raise NotEnough("The Patient has no address with a postcode. Its first half decides which services are near.")
    sex = patient.get("gender")
    return Asked(age, sex if sex in NeedProfile.Sex.values else NeedProfile.Sex.UNKNOWN, area, conditions)


def conditions_in(resource: Any) -> list[Mapping[str, Any]]:
    """The Conditions of a Bundle, or a Condition itself. Raises Invalid for anything else."""
    if isinstance(resource, Mapping) and resource.get("resourceType") == "Condition":
        return [resource]
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "Bundle":
        raise Invalid("Send the conditions as a FHIR Bundle of Conditions.", code="invalid-bundle")
    entries = resource.get("entry") or []
    found = [entry.get("resource") for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    return [one for one in found if isinstance(one, Mapping) and one.get("resourceType") == "Condition"]


def known_codes(problems: Iterable[Any]) -> tuple[str, ...]:
    """The SNOMED codes of these Conditions that are in our list, each once. What is over, or was not so, is left out."""
    said = []
    for problem in problems:
        if _codes(problem.get("clinicalStatus")) & _OVER or _codes(problem.get("verificationStatus")) & _NOT_SO:
            continue
        codings = _codings(problem.get("code"))
        said += [f"snomed|{coding['code']}" for coding in codings if coding.get("system") == SNOMED and coding["code"].isdecimal()]
    known = set(TaxonomyTerm.objects.filter(taxonomy__slug=CONDITION, retired_at=None, code__in=said).values_list("code", flat=True))
    return tuple(code for code in dict.fromkeys(said) if code in known)


@transaction.atomic
def services_for(asked: Asked, *, by: User, at: datetime) -> MatchRun | None:
    """Rank what carries one of the diagnoses near the person, of whatever kind of care; None when nothing near does.

    The ledger of unmet need is left alone: a record asks whenever it is opened, though nobody looks for anything.

    Raises Invalid when the postcode is not known, and NotAllowed.
    """
    kinds = _kinds_near(asked)
    if not kinds:
        return None
    need = {"age": asked.age, "sex": asked.sex, "postcode": asked.outcode, "max_miles": REACH_MILES}
    profile = profiles.profile_from(need | {"care_types": kinds, "conditions": list(asked.conditions), "carried_only": True}, by=by)
    return operations.match(profile, by=by, at=at, in_ledger=False)


def _kinds_near(asked: Asked) -> list[str]:
    """The kinds of care of the services near that carry one of the diagnoses."""
    home = find_place(asked.outcode).point
    chains, _ = criteria.condition_chains(asked.conditions)
    carried = PoolFact.objects.filter(conditions_ok__overlap=[code for chain in chains for code in chain], is_open=True)
    near = carried.filter(point__dwithin=(home, REACH_MILES * METRES_PER_MILE)) | carried.filter(online=True)
    bits = set(near.values_list("care_type", flat=True))
    return list(TaxonomyTerm.objects.filter(taxonomy__slug="care-type", bit__in=bits).order_by("bit").values_list("code", flat=True))


def diagnoses_of(run: MatchRun) -> list[str]:
    """The names of what was asked about, in order."""
    need = Need.from_json(run.problem)
    names = criteria.names_of([chain[0] for chain in need.conditions])
    return [names.get(chain[0], chain[0]) for chain in need.conditions]


def _codings(concept: Any) -> list[Mapping[str, Any]]:
    """The codings of a CodeableConcept that have a code."""
    found = concept.get("coding") if isinstance(concept, Mapping) else None
    return [one for one in found if isinstance(one, Mapping) and isinstance(one.get("code"), str)] if isinstance(found, list) else []


def _codes(concept: Any) -> set[str]:
    return {coding["code"] for coding in _codings(concept)}


def _age(born: Any, today: date) -> int | None:
    """Completed years; of a date without its day or month as if it were the first, so that nobody is taken for younger than they may be."""
    parts = str(born or "").split("-")
    try:
        year, month, day = (int(part) for part in (*parts, "1", "1")[:3])
        then = date(year, month, day)
    except (ValueError, OverflowError):
        return None
    age = today.year - then.year - ((today.month, today.day) < (then.month, then.day))
    return age if 0 <= age <= 125 else None


def _area(addresses: Any) -> str | None:
    """The first half of the postcode of the home: not of an old or a postal address where there is another."""
    found = [one for one in addresses if isinstance(one, Mapping)] if isinstance(addresses, list) else []
    for address in sorted(found, key=lambda one: (one.get("use") == "old", one.get("use") != "home", one.get("type") == "postal")):
        if area := outcode(str(address.get("postalCode") or "")):
            return area
    return None


def today_of(at: datetime) -> date:
    """The day on which ages are reckoned."""
    return clock.local_date(at)
