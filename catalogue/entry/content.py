"""What an entry says, as plain values by field: the same shape in a form, a draft, a proposal, a spreadsheet and the history.

Plain means JSON: a price is a text, a day is `2026-03-01`, a time is `09:30`, and lists are in one order, so that two values are the same
when they are equal.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Prefetch

from catalogue.entry.places import canonical_place, contact_order, place_order, read_contacts, read_places
from catalogue.models import Contact, EligibilityCriterion, RegistrationCriterion, Service, ServiceArea, ServiceAtLocation
from catalogue.models.service import ServiceQuerySet
from catalogue.models.taxonomy import CONDITION, FUNDING, LANGUAGE, NEED, REFERRAL_SOURCE
from core.geo import to_wgs84

Content = dict[str, Any]

#: The group of needs that is about getting in and there.
ACCESS = "Access"
#: Parts of an entry, a page each, in the order in which somebody fills them in.
PARTS: dict[str, str] = {
    "basics": "Name, contact and what it offers",
    "where": "Where it is",
    "contacts": "Who to ask for",
    "times": "Days and times",
    "who": "Who it is for",
    "areas": "Area it covers",
    "cost": "What it costs",
    "access": "Access and languages",
}


class Field(NamedTuple):
    """One field: where it stands, what people call it, what it is when nothing was said, and what an import calls it."""

    part: str
    label: str
    empty: Any
    column: str


FIELDS: dict[str, Field] = {
    "name": Field("basics", "Name", "", "name"),
    "alternate_name": Field("basics", "Other name", "", "alternate_name"),
    "care_type": Field("basics", "Kind of service", "", "care_type"),
    "description": Field("basics", "What it offers", "", "description"),
    "status": Field("basics", "State", "active", "status"),
    "url": Field("basics", "Website", "", "url"),
    "email": Field("basics", "E-mail", "", "email"),
    "phones": Field("basics", "Phone numbers", [], "phones"),
    "partners": Field("basics", "Delivered together with", [], "partners"),
    "is_confidential": Field("basics", "Its place is secret", False, "is_confidential"),
    "is_internal": Field("basics", "For professionals only", False, "is_internal"),
    "places": Field("where", "Places", [], "service_at_locations"),
    "contacts": Field("contacts", "Who to ask for", [], "contacts"),
    "schedules": Field("times", "Usual times", [], "schedules"),
    "exceptions": Field("times", "Days that are different", [], "schedule_exceptions"),
    "minimum_age": Field("who", "Lowest age", None, "eligibility"),
    "maximum_age": Field("who", "Highest age", None, "eligibility"),
    "sex": Field("who", "Sex", "", "eligibility"),
    "sex_reason": Field("who", "Why for women or men only", "", "eligibility"),
    "needs": Field("who", "Needs", {}, "criteria"),
    "conditions": Field("who", "Diagnoses and guidelines", {}, "criteria"),
    "referral_sources": Field("who", "Who may refer", {}, "criteria"),
    "notes": Field("who", "Anything else about who it is for", "", "eligibility"),
    "catchment_m": Field("areas", "Longest distance, in metres", None, "catchment_m"),
    "areas": Field("areas", "Areas", [], "service_areas"),
    "price_week": Field("cost", "Usual price a week", None, "price_week"),
    "cost_options": Field("cost", "Prices", [], "cost_options"),
    "funding": Field("cost", "Who pays", {}, "criteria"),
    "access": Field("access", "Access", {}, "criteria"),
    "languages": Field("access", "Languages", {}, "criteria"),
}
#: What only a curator decides about an entry that is there already.
CURATORS_DECIDE = frozenset({"care_type", "is_confidential", "is_internal"})
#: Lists of terms that a service takes, by field.
LISTS = {"funding": FUNDING, "languages": LANGUAGE, "referral_sources": REFERRAL_SOURCE}
#: What `catalogue.operations.edit_service` takes as one mapping.
ELIGIBILITY = ("minimum_age", "maximum_age", "sex", "sex_reason", "notes")
_OWN = ("name", "alternate_name", "description", "status", "url", "email", "is_confidential", "is_internal", "catchment_m")
SCHEDULE = ("freq", "interval", "byday", "bymonthday", "dtstart", "valid_from", "valid_to", "opens_at", "closes_at", "description", "term")
EXCEPTION = ("starts_on", "ends_on", "opens_at", "closes_at", "reason")
COST = ("option", "amount", "amount_description")
#: Of a list of who pays, refers or which languages: the rules that say "taken".
TAKEN = frozenset({EligibilityCriterion.Rule.ACCEPTS, EligibilityCriterion.Rule.REQUIRED, EligibilityCriterion.Rule.PREFERRED})
_WEEK = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def fields_of(part: str) -> list[str]:
    return [name for name, field in FIELDS.items() if field.part == part]


def empty() -> Content:
    """An entry of which nothing has been said."""
    return {name: plain(field.empty) for name, field in FIELDS.items()}


def for_reading(services: ServiceQuerySet) -> ServiceQuerySet:
    """The same services with all that `read` looks at, in a fixed number of questions."""
    return services.select_related("organization", "care_type", "eligibility").prefetch_related(
        "phones", "schedules", "schedule_exceptions", "cost_options", "partners", "registrations",
        Prefetch("criteria", EligibilityCriterion.objects.select_related("term__taxonomy")),
        Prefetch("service_areas", ServiceArea.objects.select_related("area")),
        Prefetch("service_at_locations", ServiceAtLocation.objects.select_related("location")),
        Prefetch("contacts", Contact.objects.select_related("location")), "service_at_locations__location__addresses",
    )  # fmt: skip


def read(service: Service) -> Content:
    """All that an entry says."""
    ages = getattr(service, "eligibility", None)
    criteria = list(service.criteria.all())
    needs = {c.term.code: (c.term.group, c.rule) for c in criteria if c.term.taxonomy.slug == NEED}
    areas = [*map(_area, service.service_areas.all()), *map(_registration, service.registrations.all())]
    content = {name: getattr(service, name) for name in _OWN}
    content |= {name: getattr(ages, name, FIELDS[name].empty) for name in ELIGIBILITY}
    content |= {name: {c.term.code: c.rule for c in criteria if c.term.taxonomy.slug == slug} for name, slug in LISTS.items()}
    content |= {
        "care_type": service.care_type.code if service.care_type else "",
        "phones": [{"number": phone.number, "description": phone.description} for phone in service.phones.all()],
        "partners": [str(partner.pk) for partner in service.partners.all()],
        "places": read_places(service),
        "contacts": read_contacts(service),
        "schedules": [_row(each, SCHEDULE) for each in service.schedules.all()],
        "exceptions": [_row(each, EXCEPTION) for each in service.schedule_exceptions.all()],
        "needs": {code: rule for code, (group, rule) in needs.items() if group != ACCESS},
        "access": {code: rule for code, (group, rule) in needs.items() if group == ACCESS},
        "conditions": {c.term.code: c.rule for c in criteria if c.term.taxonomy.slug == CONDITION},
        "areas": areas,
        "price_week": service.price_week,
        "cost_options": [_row(each, COST) for each in service.cost_options.all()],
    }
    return {name: canonical(name, content[name]) for name in FIELDS}


def canonical(field: str, value: Any) -> Any:
    """A value as `read` gives it: plain, lists in their order, prices with pence."""
    value = plain(value)
    match field:
        case "schedules":
            return sorted(value, key=_when)
        case "exceptions":
            return sorted(value, key=lambda row: (row["starts_on"], row["ends_on"], row["opens_at"] or ""))
        case "cost_options":
            rows = [row | {"amount": _pounds(row["amount"])} for row in value]
            return sorted(rows, key=lambda row: (row["option"], row["amount"] or "", row["amount_description"]))
        case "areas":
            rows = [row | {"outline": _rounded(row["outline"])} if "outline" in row else row for row in value]
            return sorted(rows, key=lambda row: (row["key"], row["name"]))
        case "phones":
            return sorted(value, key=lambda row: (row["number"], row["description"]))
        case "places":
            return sorted(map(canonical_place, value), key=place_order)
        case "contacts":
            return sorted(value, key=contact_order)
        case "price_week":
            return _pounds(value)
        case "needs" | "access" | "conditions" | "funding" | "languages" | "referral_sources":
            return dict(sorted((dict.fromkeys(value, "accepts") if isinstance(value, list) else value).items()))
        case "partners":
            return sorted(value)
        case _:
            return value


def said(field: str, value: Any) -> Any:
    """What a value says, whichever records it is kept in: a place that several share becomes another record when one of them changes it."""
    return [{name: each for name, each in row.items() if name != "id"} for row in value] if field == "places" else value


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case str() | bool() | int() | float() | None:
            return value
        case Iterable():
            return [plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} is not a plain value")


def stamp(content: Mapping[str, Any], fields: Iterable[str]) -> str:
    """A short name of what these fields hold: another one when any of them is different."""
    text = json.dumps({name: content.get(name) for name in sorted(fields)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _pounds(value: Any) -> str | None:
    return None if value in (None, "") else f"{Decimal(value):.2f}"


def _row(instance: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: plain(getattr(instance, name)) for name in names}


def _when(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Weekly before monthly, Monday first, the earlier hour first; and for what is still the same, all the rest."""
    days = [_WEEK.index(day[-2:]) for day in row["byday"].replace(" ", "").split(",") if day[-2:] in _WEEK]
    return (row["freq"] != "WEEKLY", min(days, default=7), row["opens_at"] or "", json.dumps(row, sort_keys=True))


def _area(row: ServiceArea) -> dict[str, Any]:
    """`area:<code>` or `outcode:<PR1>`; else `drawn`, with its outline in longitude and latitude. With the rule unless it is the usual one:
    only people who live there.
    """
    rule = {} if row.rule == ServiceArea.Rule.REQUIRED else {"rule": row.rule}
    if row.area:
        return {"key": f"area:{row.area.code}", "name": row.area.name, **rule}
    if row.uri.startswith("outcode:"):
        return {"key": row.uri, "name": row.name, **rule}
    if row.extent:
        return {"key": "drawn", "name": row.name, "outline": _rounded(json.loads(to_wgs84(row.extent).json)), **rule}
    return {"key": "words", "name": row.name, **rule}


def _registration(row: RegistrationCriterion) -> dict[str, Any]:
    """`practice:<ODS code>`, `pcn:…` or `icb:…`, with the rule unless it is the usual one: only people registered there."""
    rule = {} if row.rule == RegistrationCriterion.Rule.REQUIRED else {"rule": row.rule}
    return {"key": f"{row.kind}:{row.code}", "name": row.name, **rule}


def _rounded(outline: Any) -> dict[str, Any]:
    """A GeoJSON shape to about a metre: more than the grid's transformation loses and gains again. What is no shape stays as it is."""
    if not isinstance(outline, dict):
        return {"type": "", "coordinates": []}
    return {"type": outline.get("type"), "coordinates": _near(outline.get("coordinates"))}


def _near(coordinates: Any) -> Any:
    if isinstance(coordinates, float | int):
        return round(float(coordinates), 5)
    return [_near(each) for each in coordinates] if isinstance(coordinates, list) else coordinates
