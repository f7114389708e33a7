"""A record of Open Referral UK 1, or a row of an older data package, in the shape of version 3."""

from collections.abc import Iterable
from typing import Any

from .values import dicts
from .write import clean

_DAYS = {
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
    "sunday": "SU",
}


def as_version_3(record: Any) -> Any:
    """The record with what version 1 calls otherwise under the names of version 3. One of version 3 comes back as it is."""
    if not isinstance(record, dict):
        return record
    new = dict(record)
    _at_locations(new)
    _schedules(new)
    _ages(new)
    _terms(new)
    if "languages" in new:
        new["languages"] = [{"name": language.get("language"), **language} for language in dicts(new["languages"])]
    fees = clean(new.get("fees"))
    if fees and not new.get("cost_options") and _is_old(record):
        new["cost_options"] = [{"option": fees}]
    return new


def _is_old(record: dict[str, Any]) -> bool:
    return bool(record.keys() & {"service_taxonomys", "regular_schedules", "eligibilitys", "deliverable_type", "attending_type"})


def _at_locations(record: dict[str, Any]) -> None:
    places = []
    for at in dicts(record.get("service_at_locations")):
        location = at.get("location")
        if isinstance(location, dict) and "addresses" not in location:
            old = dicts(location.get("physical_addresses")) or dicts(location.get("postal_addresses"))
            location = {"location_type": "physical", **location, "addresses": old}
        places.append({**at, "location": location})
    if places:
        record["service_at_locations"] = places


def _schedules(record: dict[str, Any]) -> None:
    old = dicts(record.get("regular_schedules"))
    for at in dicts(record.get("service_at_locations")):
        old += dicts(at.get("regular_schedules")) + dicts(at.get("schedules"))
    if not old:
        return
    record["schedules"] = [*dicts(record.get("schedules")), *map(_schedule, _once(old))]


def _once(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({clean(record.get("id")) or str(record): record for record in records}.values())


def _schedule(old: dict[str, Any]) -> dict[str, Any]:
    interval = clean(old.get("interval"))
    return {
        **old,
        "byday": clean(old.get("byday")) or _DAYS.get(clean(old.get("weekday")).lower(), clean(old.get("weekday")).upper()[:2]),
        "interval": int(interval) if interval.isdigit() else 1,
    }


def _ages(record: dict[str, Any]) -> None:
    for old in dicts(record.get("eligibilitys")) or dicts(record.get("eligibility")):
        record.setdefault("minimum_age", old.get("minimum_age"))
        record.setdefault("maximum_age", old.get("maximum_age"))
        if words := clean(old.get("eligibility")):
            record.setdefault("eligibility_description", words)


def _terms(record: dict[str, Any]) -> None:
    old = [link.get("taxonomy") for link in dicts(record.get("service_taxonomys")) + dicts(record.get("service_taxonomy"))]
    new = [
        {"taxonomy_term": {"id": term.get("id"), "name": term.get("name"), "taxonomy": term.get("vocabulary")}}
        for term in old
        if isinstance(term, dict)
    ]
    if new:
        record["attributes"] = [*dicts(record.get("attributes")), *new]
