"""What the document of another Lune says in words that both know: its kind, who it is for, whom it reaches, days that are different.

Open Referral has no place for most of it, so `catalogue.publishing.documents` writes attributes, areas and schedules that any program
can read. Here they become again what they were made from. A feed that uses these words by chance loses nothing: whatever is not
understood goes the way of all feeds.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from catalogue import models as m
from catalogue.eligibility_text import living_sentences, sentences_of
from catalogue.models.taxonomy import CARE_TYPE, CONDITION, FUNDING, LANGUAGE, NEED, REFERRAL_SOURCE
from core.geo import METRES_PER_MILE
from core.ids import derived

from .values import amount, clock, day, dicts
from .write import child, clean

#: Kinds of attributes that say something other than what a service is about.
_RULED = "eligibility:"
NOT_TOPICS = frozenset({"eligibility", "quality_mark", "registration"})
_REACH = re.compile(r"People who live within (\d+(?:\.\d+)?) miles of it")
_REGISTERED = re.compile(r"Registered with (.+) ([A-Z0-9]{2,10})")
_LIVES = re.compile(r"Lives in ([A-Z][0-9]{8}|an area)")
_KINDS = {label: value for value, label in m.RegistrationCriterion.Kind.choices}
_TERMS = {"In school terms only.": m.Schedule.Term.TERM_TIME, "In school holidays only.": m.Schedule.Term.HOLIDAYS}
_CLOSED, _OTHERWISE = "Closed on these days.", "On these days instead of the usual times."


def vocabulary() -> dict[uuid.UUID, m.TaxonomyTerm]:
    """The terms that every Lune has, by the id that they have in each; one that was merged stands for the one that was kept."""
    ours = (CARE_TYPE, NEED, FUNDING, LANGUAGE, REFERRAL_SOURCE, CONDITION)
    terms = m.TaxonomyTerm.objects.filter(taxonomy__slug__in=ours).select_related("taxonomy", "replaced_by__taxonomy").in_bulk()
    return {pk: term.replaced_by or term for pk, term in terms.items()}


def is_topic(attribute: dict[str, Any]) -> bool:
    """Whether a term says what a service is about, rather than whom it takes: who cannot take dementia is not about dementia."""
    kind = clean(attribute.get("link_type"))
    return not kind.startswith(_RULED) and kind not in NOT_TOPICS


def term_of(attribute: dict[str, Any], terms: dict[uuid.UUID, m.TaxonomyTerm]) -> m.TaxonomyTerm | None:
    """The term of ours that an attribute names by its id."""
    named = attribute.get("taxonomy_term")
    text = clean(named.get("id") if isinstance(named, dict) else attribute.get("taxonomy_term_id"))
    try:
        return terms.get(uuid.UUID(text))
    except ValueError:
        return None


def kind_of(raw: dict[str, Any], terms: dict[uuid.UUID, m.TaxonomyTerm]) -> m.TaxonomyTerm | None:
    """The kind of care that is named as such."""
    for attribute in dicts(raw.get("attributes")):
        if clean(attribute.get("link_type")) == "service_type":
            term = term_of(attribute, terms)
            if term and term.taxonomy.slug == CARE_TYPE:
                return term
    return None


def criteria(service: m.Service, raw: dict[str, Any], terms: dict[uuid.UUID, m.TaxonomyTerm]) -> Iterator[Any]:
    """What it said of needs, diagnoses, funding, languages and referrers, and where people must be registered or may not live."""
    seen: set[object] = set()
    for attribute in dicts(raw.get("attributes")):
        kind = clean(attribute.get("link_type"))
        if not kind.startswith(_RULED):
            continue
        rule, term = kind.removeprefix(_RULED), term_of(attribute, terms)
        registered = _REGISTERED.fullmatch(clean(attribute.get("label")))
        if term and term.pk not in seen and rule in m.EligibilityCriterion.Rule.values:
            seen.add(term.pk)
            yield child(service, m.EligibilityCriterion, "service", "rule", term.pk, term=term, rule=rule)
        elif registered and registered[1] in _KINDS and registered.groups() not in seen and rule in m.RegistrationCriterion.Rule.values:
            seen.add(registered.groups())
            yield child(
                service, m.RegistrationCriterion, "service", *registered.groups(),
                kind=_KINDS[registered[1]], code=registered[2], name=clean(attribute.get("value")), rule=rule,
            )  # fmt: skip
        elif (lives := _LIVES.fullmatch(clean(attribute.get("label")))) and rule in m.ServiceArea.Rule.values:
            area = m.Area.objects.filter(code=lives[1]).first()
            name = clean(attribute.get("value"))[:200]
            yield child(service, m.ServiceArea, "service", "rule", rule, lives[1], name, area=area, name=name, rule=rule)


def said_of_people(stated: m.Eligibility, raw: dict[str, Any], said: list[Any]) -> None:
    """Sex and notes. A sentence that would be made again from what stands in fields and criteria is no note."""
    sexes = [clean(a.get("value")) for a in dicts(raw.get("attributes")) if clean(a.get("link_type")) == "eligibility"]
    stated.sex = next((sex for sex in sexes if sex in m.Eligibility.Sex.values), "")
    text = stated.notes
    for reason in m.Eligibility.SexReason if stated.sex else ():
        if f"{stated.get_sex_display()}: {reason.label}." in text:
            stated.sex_reason = reason
    stated.notes = ""
    criteria = [part for part in said if isinstance(part, m.EligibilityCriterion)]
    areas = [part for part in said if isinstance(part, m.ServiceArea) and part.rule != m.ServiceArea.Rule.REQUIRED]
    for sentence in (
        *living_sentences((area.rule, area.name) for area in areas),
        *sentences_of(stated, criteria, [part for part in said if isinstance(part, m.RegistrationCriterion)]),
    ):
        text = text.replace(sentence, "", 1)
    stated.notes = " ".join(text.split())


def reach(identity: Any, area: dict[str, Any]) -> int | None:
    """How many metres off people may live, where an area says that."""
    said = _REACH.fullmatch(clean(area.get("name")))
    if said is None or clean(area.get("id")) != str(derived(clean(identity), "catchment")):
        return None
    return round(float(said[1]) * METRES_PER_MILE)


def usual_price(identity: Any, cost: dict[str, Any]) -> Decimal | None:
    """The price of a week, where a cost is that."""
    return amount(cost.get("amount")) if clean(cost.get("id")) == str(derived(clean(identity), "price_week")) else None


def school_term(raw: dict[str, Any]) -> m.Schedule.Term:
    """In which part of the school year a schedule holds."""
    return _TERMS.get(clean(raw.get("notes")), m.Schedule.Term.ALWAYS)


def exception(service: m.Service, index: int, raw: dict[str, Any]) -> m.ScheduleException | None:
    """Days that are different, where a schedule says that it stands for such."""
    said, first, last = clean(raw.get("notes")), day(raw.get("valid_from")), day(raw.get("valid_to"))
    if said not in (_CLOSED, _OTHERWISE) or first is None or last is None or last < first:
        return None
    opens, closes = (clock(raw.get(name)) if said == _OTHERWISE else None for name in ("opens_at", "closes_at"))
    if said == _OTHERWISE and (opens is None or closes is None):
        return None
    return _exception(service, index, first, last, opens_at=opens, closes_at=closes, reason=_reason(raw))


def _exception(service: m.Service, index: int, first: date, last: date, **values: Any) -> m.ScheduleException:
    made: m.ScheduleException = child(service, m.ScheduleException, "service", index, starts_on=first, ends_on=last, **values)
    return made


def _reason(raw: dict[str, Any]) -> str:
    words = clean(raw.get("description"))
    return "" if words == "Closed" else words.removeprefix("Closed: ")[:200]
