"""The Care Quality Commission's register: "care directory with filters" (locations) and the plain directory (addresses).

Give both files at once, and they are joined on the location's id; a later import of only one of them takes away what only the
other says. A location becomes an organisation, a
place and a service. What a home is registered for becomes its kind of care and the needs it has said it can meet; nothing is
assumed beyond that.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from catalogue.lexicon import by_code
from catalogue.models import (
    Address,
    Eligibility,
    EligibilityCriterion,
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    Source,
)
from catalogue.models.taxonomy import CARE_TYPE, NEED
from core.geo import normal_postcode
from core.ids import derived

from . import places, seen
from .files import csv_rows
from .publishers import source_of
from .run import BrokenSource, Importing
from .write import BATCH, Record, child, clean, faults, web_address, write

SOURCE = "CQC"
LOCATIONS_HEADER = ("Location Name", "Location ID", "Service Types", "Provider Name", "Provider ID")
DIRECTORY_HEADER = (
    "Name",
    "Postcode",
    "CQC Provider ID (for office use only)",
    "CQC Location ID (for office use only)",
    "Service types",
    "Provider name",
)
_ID = re.compile(r"[A-Z0-9]{1,10}(?:-[0-9]{1,12})?").fullmatch
_RATINGS = {rating.label.lower(): rating for rating in Service.Quality}

NURSING = "home-general-nursing"
RESIDENTIAL = "home-general-residential"
#: Kinds of care by CQC's service types, in both files' spellings; of several, the first here counts.
_CARE_TYPES = {
    "care home service with nursing": NURSING,
    "nursing homes": NURSING,
    "care home service without nursing": RESIDENTIAL,
    "residential homes": RESIDENTIAL,
    "hospice services": "hospice-inpatient",
    "hospice": "hospice-inpatient",
    "hospice services at home": "hospice-at-home",
    "home hospice care": "hospice-at-home",
    "extra care housing services": "assisted-living",
    "domiciliary care service": "home-care",
    "homecare agencies": "home-care",
    "supported living service": "assisted-living",
    "supported living": "assisted-living",
    "residential substance misuse treatment and/or rehabilitation service": "recovery",
    "community based services for people who misuse substances": "recovery",
    "community services - substance abuse": "recovery",
    "community services - nursing": "community-nursing",
}
#: Needs by CQC's specialisms, lower case.
_NEEDS = {
    "dementia": ("dementia",),
    "physical disabilities": ("physical-disability",),
    "learning disabilities or autistic spectrum disorder": ("learning-disability", "autism"),
    "learning disabilities": ("learning-disability",),
    "mental health conditions": ("mental-illness",),
    "sensory impairment": ("sight-loss", "hearing-loss"),
    "sensory impairments": ("sight-loss", "hearing-loss"),
    "substance misuse problems": ("substance-use",),
    "caring for people whose rights are restricted under the mental health act": ("under-section",),
}
_ORGANIZATION_FIELDS = ("name", "kind", "website", "cqc_provider_id", "company_number")
_LOCATION_FIELDS = ("name", "point", "uprn", "cqc_location_id")
_SERVICE_FIELDS = ("organization", "name", "description", "url", "status", "care_type", "cqc_rating", "cqc_rated_on", "registered_places")


def load(paths: Sequence[Path], importing: Importing) -> None:
    """Import one or both of CQC's files."""
    listed: dict[str, dict[str, str]] = {}
    directory: dict[str, dict[str, str]] = {}
    for path in paths:
        for row, values in _rows(path, importing):
            key = clean(values.get("Location ID") or values.get("CQC Location ID (for office use only)"))
            target = listed if "Location ID" in values else directory
            if not key:
                if target is directory:
                    importing.skip("it is a provider's head office, not a place of care")
                else:
                    importing.reject(row, "Location ID", "The row has no location id.", "Ask CQC for the id.", values)
            elif not _ID(key):
                importing.reject(row, "Location ID", "This is not a CQC location id.", "An id looks like 1-123456789.", values)
            elif key in target:
                importing.reject(row, "Location ID", "The location stands in the file more than once.", "The first was used.", values)
            else:
                target[key] = values | {"row": row}
    importing.begin("CQC", 3 * len(listed.keys() | directory.keys()))
    _write(listed, directory, importing)


def _rows(path: Path, importing: Importing) -> Iterator[tuple[str, dict[str, str]]]:
    def ragged(number: int, row: list[str]) -> None:
        importing.reject(f"{path.name} line {number}", "", "The row has too many or too few values.", "Correct the commas in the row.", row)

    try:
        for number, values in csv_rows(path, LOCATIONS_HEADER, on_ragged=ragged):
            yield f"{path.name} line {number}", values
    except BrokenSource as not_locations:
        try:
            for number, values in csv_rows(path, DIRECTORY_HEADER, on_ragged=ragged):
                yield f"{path.name} line {number}", values
        except BrokenSource:
            raise not_locations from None


def _write(listed: dict[str, dict[str, str]], directory: dict[str, dict[str, str]], importing: Importing) -> None:
    source = importing.run.feed or source_of(SOURCE, Source.Kind.CQC)
    terms = {(slug, code): term for slug in (CARE_TYPE, NEED) for code, term in by_code(slug).items()}
    points = places.points(values["Postcode"] for values in directory.values())
    known_providers = dict(Organization.objects.filter(cqc_provider_id__isnull=False).values_list("cqc_provider_id", "pk"))
    known_places = dict(Location.objects.filter(cqc_location_id__isnull=False).values_list("cqc_location_id", "pk"))
    providers: dict[str, Record] = {}
    locations: list[Record] = []
    services: list[Record] = []
    for key in sorted(listed.keys() | directory.keys()):
        a, b = listed.get(key, {}), directory.get(key, {})
        row = a.get("row") or b["row"]
        raw = {**b, **a}
        provider_id = clean(a.get("Provider ID") or b.get("CQC Provider ID (for office use only)"))
        if not _ID(provider_id):
            importing.reject(row, "Provider ID", "The row has no provider id.", "Ask CQC for the provider's id.", raw)
            continue
        if provider_id not in providers:
            organization = _organization(known_providers.get(provider_id), provider_id, a, b)
            providers[provider_id] = Record(organization, row, raw=raw)
        organization = providers[provider_id].instance
        location = _location(known_places.get(key), key, a, b, points)
        service = _service(key, organization, a, b, terms)
        _drop_bad_web_address(service, "url", importing, row)
        address = [_address(location, b)] if b else []
        if b and key and not location.point:
            importing.leave_out(row, "Postcode", "The postcode is not known, so the place is not on the map.", "Load postcodes first.", raw)
        locations.append(Record(location, row, address, raw))
        services.append(_with_content(Record(service, row, _children(service, location, a, b, terms), raw), address))
    for record in providers.values():
        _drop_bad_web_address(record.instance, "website", importing, record.row)
    kept = write(importing, "organizations", providers.values(), _ORGANIZATION_FIELDS)
    kept |= write(importing, "locations", locations, _LOCATION_FIELDS)
    ready = [r for r in services if r.instance.organization_id in kept and r.children[0].location_id in kept]
    written = write(importing, "services", ready, _SERVICE_FIELDS)
    for start in range(0, len(ready), BATCH):
        seen.remember(source, [record for record in ready[start : start + BATCH] if record.instance.pk in written])
    unplaced = sum(record.instance.point is None for record in locations)
    if unplaced:
        importing.skip("has no address in these files: it is in the catalogue but not on the map", unplaced)


def _with_content(record: Record, addresses: list[Address]) -> Record:
    """The record with what CQC says of it in plain values, for those who compare sources."""
    service = record.instance
    plain = [{f.name: getattr(address, f.name) for f in address._meta.fields if not f.is_relation} for address in addresses]
    places_said = [{"location": {"addresses": plain}}]
    record.content = seen.content(record, {"organization": {"name": service.organization.name}, "service_at_locations": places_said})
    for name in ("cqc_rating", "registered_places"):
        if value := getattr(service, name):
            record.content[name] = value
    return record


def _organization(pk: Any, provider_id: str, a: dict[str, str], b: dict[str, str]) -> Organization:
    nhs = a.get("Provider Ownership Type") == "NHS Body"
    return Organization(
        id=pk or derived("cqc", "provider", provider_id),
        name=clean(a.get("Provider Name") or b.get("Provider name")),
        kind=Organization.Kind.NHS_COMMUNITY if nhs else Organization.Kind.PROVIDER,
        website="",
        cqc_provider_id=provider_id,
        company_number=clean(a.get("Provider Companies House Number"))[:12],
        source=SOURCE,
        source_id=provider_id,
    )


def _location(pk: Any, key: str, a: dict[str, str], b: dict[str, str], points: dict) -> Location:
    uprn = clean(a.get("Location UPRN"))
    return Location(
        id=pk or derived("cqc", "location", key),
        name=clean(a.get("Location Name") or b.get("Name")),
        point=points.get(b.get("Postcode", "")),
        uprn=uprn if uprn.isdigit() and len(uprn) <= 12 else "",
        cqc_location_id=key,
        source=SOURCE,
        source_id=key,
    )


def _address(location: Location, b: dict[str, str]) -> Address:
    return child(
        location,
        Address,
        "location",
        address_1=clean(b.get("Address 1")) or clean(b.get("Name")),
        address_2=clean(b.get("Address 2")),
        city=clean(b.get("Town/City")) or clean(b.get("Local authority")) or "Not given",
        region=clean(b.get("Region")),
        state_province=clean(b.get("County")),
        postal_code=normal_postcode(b.get("Postcode", "")) or clean(b.get("Postcode"))[:10],
    )


def _service(key: str, organization: Organization, a: dict[str, str], b: dict[str, str], terms: dict) -> Service:
    kind = care_type(_types(a, b), _specialisms(a, b))
    rating = _RATINGS.get(clean(a.get("Location Latest Overall Rating")).lower())
    beds = clean(a.get("Care homes beds"))
    if clean(a.get("Location HSCA end date")):
        status = Service.Status.DEFUNCT
    else:
        status = Service.Status.INACTIVE if a.get("Dormant") == "Y" else Service.Status.ACTIVE
    return Service(
        id=derived("cqc", "service", key),
        organization=organization,
        name=clean(a.get("Location Name") or b.get("Name")),
        description=_description(a, b),
        url=web_address(a.get("Location Web Address") or b.get("Website")),
        status=status,
        care_type=terms[("care-type", kind)] if kind else None,
        cqc_rating=rating,
        cqc_rated_on=_day(a.get("Publication Date")) if rating else None,
        registered_places=int(beds) if beds.isdigit() and int(beds) else None,
        source=SOURCE,
        source_id=key,
    )


def _description(a: dict[str, str], b: dict[str, str]) -> str:
    types = "; ".join(_split(a.get("Service Types") or b.get("Service types")))
    authority = clean(a.get("Location Local Authority") or b.get("Local authority"))
    return f"Registered with CQC as: {types}." + (f" In {authority}." if authority else "")


def _children(service: Service, location: Location, a: dict[str, str], b: dict[str, str], terms: dict) -> list[Any]:
    """Where it is (first), its ages, and what it has told CQC that it does."""
    specialisms = _specialisms(a, b)
    lowest, highest = ages(specialisms)
    rules = {code: EligibilityCriterion.Rule.ACCEPTS for name in specialisms for code in _NEEDS.get(name, ())}
    kind = care_type(_types(a, b), specialisms)
    if kind and kind.startswith("home-") and kind != "home-care":
        nursing = {_CARE_TYPES.get(t) for t in _types(a, b)} & {NURSING}
        rules["nursing-24h"] = EligibilityCriterion.Rule.ACCEPTS if nursing else EligibilityCriterion.Rule.EXCLUDED
    return [
        child(service, ServiceAtLocation, "service", location=location),
        child(service, Eligibility, "service", minimum_age=lowest, maximum_age=highest),
        # One for each term: two of these may have been merged.
        *{
            term.pk: child(service, EligibilityCriterion, "service", code, term=term, rule=rule)
            for code, rule in rules.items()
            for term in [terms[(NEED, code)]]
        }.values(),
    ]


def care_type(types: Sequence[str], specialisms: Sequence[str]) -> str | None:
    """The kind of care, by CQC's service types; None when none of ours is certain.

    A home is called one for a learning disability, mental health or physical disability only when that is all it has named:
    a home that also takes others is a general one that can meet the need.
    """
    kind = next((code for name, code in _CARE_TYPES.items() if name in types), None)
    if kind not in (NURSING, RESIDENTIAL):
        return kind
    suffix = "nursing" if kind == NURSING else "residential"
    conditions = {code for name in specialisms for code in _NEEDS.get(name, ())} - {"sight-loss", "hearing-loss", "autism"}
    if conditions in ({"learning-disability"}, {"learning-disability", "physical-disability"}):
        return f"home-learning-disability-{suffix}"
    if conditions == {"mental-illness"}:
        return f"home-mental-health-{suffix}"
    if (
        conditions == {"physical-disability"}
        and "caring for adults over 65 yrs" not in specialisms
        and "caring for adults under 65 yrs" in specialisms
    ):
        return "home-young-physically-disabled"
    return kind


def ages(specialisms: Sequence[str]) -> tuple[int | None, int | None]:
    """Lowest and highest age by the groups that a place says it cares for; None: no limit stated."""
    if "services for everyone" in specialisms:
        return 0, None
    children = any(name.startswith("caring for children") for name in specialisms)
    younger = "caring for adults under 65 yrs" in specialisms
    older = "caring for adults over 65 yrs" in specialisms
    if not (children or younger or older):
        return None, None
    lowest = 0 if children else 18 if younger else 65
    highest = None if older else 64 if younger else 17
    return lowest, highest


def _types(a: dict[str, str], b: dict[str, str]) -> list[str]:
    return [name.lower() for name in _split(a.get("Service Types") or b.get("Service types"))]


def _specialisms(a: dict[str, str], b: dict[str, str]) -> list[str]:
    return [name.lower() for name in _split(a.get("Service users supported") or b.get("Specialisms/services"))]


def _split(text: str | None) -> list[str]:
    return list(dict.fromkeys(part for part in (clean(part) for part in re.split(r"[,|]", text or "")) if part))


def _day(text: str | None) -> date | None:
    """CQC writes `12/1/2020 12:00:00 AM`, month first, or `2020-12-01`."""
    for form in ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d"):
        try:
            return datetime.strptime(clean(text), form).date()  # noqa: DTZ007  # a date on paper has no zone
        except ValueError:
            continue
    return None


def _drop_bad_web_address(instance: Any, name: str, importing: Importing, row: str) -> None:
    """A mistyped web address is no reason to lose a care home."""
    if name in faults(instance):
        importing.leave_out(row, name, "This is not a web address.", "Correct it at the source.", {name: getattr(instance, name)})
        setattr(instance, name, "")
