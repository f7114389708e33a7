"""Open Referral UK 3.0 (and files of the same shape): services with their organisations, places, times and prices.

Places free (`capacities`) are not taken: how many are free is told by the provider and belongs to `capacity`.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from catalogue import models as m
from catalogue.models.taxonomy import CARE_TYPE, LANGUAGE
from core.geo import apart_miles, normal_postcode, wgs84_point
from core.ids import derived

from . import places
from .fetch import Feed, envelope
from .files import json_file
from .run import BrokenSource, Importing
from .values import age, amount, clock, day, dicts, outline
from .write import Record, child, clean, faults, web_address, write

_ORGANIZATION_FIELDS = ("name", "description", "email", "website", "company_number", "charity_number")
_LOCATION_FIELDS = ("location_type", "name", "point", "uprn")
_SERVICE_FIELDS = ("organization", "name", "alternate_name", "description", "url", "email", "status", "care_type", "assured_date")
#: Farther than this from its own postcode, a position is a mistake: a swapped sign, or the head office's.
FARTHEST_FROM_POSTCODE_MILES = 10
_GSS = re.compile(r"\b[EWSN]\d{8}\b")


def load(source: str, importing: Importing, *, publisher: str = "", allow_private: bool = False) -> None:
    """Import a feed by its base address, or a JSON file with a page, a list or one service.

    `publisher` names whose records these are; it must be the same at each import. Otherwise it is the address or the file's name.
    """
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", source):
        with Feed(source, allow_private=allow_private) as feed:
            _Import(importing, publisher or feed.base).take(_fetched(feed, importing))
    else:
        path = Path(source)
        _Import(importing, publisher or path.name).take(_in_file(json_file(path)))


def _in_file(content: Any) -> Iterator[tuple[str, Any]]:
    single = isinstance(content, dict) and "name" in content and "id" in content
    for index, service in enumerate([content] if single else envelope(content)[0]):
        yield f"service {index + 1}", service


def _fetched(feed: Feed, importing: Importing) -> Iterator[tuple[str, Any]]:
    for number, page in enumerate(feed.pages(), start=1):
        for index, service in enumerate(page, start=1):
            row = f"page {number}, service {index}"
            if isinstance(service, dict) and "service_at_locations" not in service and service.get("id"):
                try:
                    service = feed.service(str(service["id"])) or service
                except BrokenSource as error:
                    importing.reject(row, "id", "The whole record could not be fetched.", error.message, service)
                    continue
            yield row, service


class _BadRecord(Exception):
    """This record cannot be taken: field, reason, advice."""

    args: tuple[str, str, str]


class _Import:
    """One feed on its way in: what its records share is written before them."""

    def __init__(self, importing: Importing, source: str) -> None:
        self.importing = importing
        self.source = source[:100]
        self.organizations: dict[uuid.UUID, Record] = {}
        self.locations: dict[uuid.UUID, Record] = {}
        self.services: list[Record] = []
        self.terms: dict[uuid.UUID, set[uuid.UUID]] = {}
        self.languages = {t.code: t for t in m.TaxonomyTerm.objects.of(LANGUAGE)}
        self.care_types = {
            label.lower(): term for term in m.TaxonomyTerm.objects.of(CARE_TYPE) for label in (term.code, term.name, *term.synonyms)
        }

    def take(self, services: Iterable[tuple[str, Any]]) -> None:
        self.importing.begin("Reading", None)
        for row, raw in services:
            self.importing.advance()
            try:
                self._service(row, raw)
            except _BadRecord as bad:
                self.importing.reject(row, *bad.args, raw)
        self._place()
        known = write(self.importing, "organizations", self.organizations.values(), _ORGANIZATION_FIELDS)
        known |= write(self.importing, "locations", self.locations.values(), _LOCATION_FIELDS)
        ready = []
        for record in self.services:
            if record.instance.organization_id not in known:
                self.importing.reject(record.row, "organization", "Its organisation was refused.", "Correct the organisation.", record.raw)
                continue
            record.children = [c for c in record.children if not isinstance(c, m.ServiceAtLocation) or c.location_id in known]
            ready.append(record)
        self._link_terms(write(self.importing, "services", ready, _SERVICE_FIELDS))

    def _service(self, row: str, raw: Any) -> None:
        if not isinstance(raw, dict):
            raise _BadRecord("", "This is not a record.", "Each service must be a JSON object.")
        key = self._id("service", raw)
        if not clean(raw.get("name")):
            raise _BadRecord("name", "The service has no name.", "Give it one at the source.")
        organization = self._organization(row, raw)
        status = clean(raw.get("status")) or "active"
        if status not in m.Service.Status.values:
            raise _BadRecord("status", f"“{status[:40]}” is not a status.", f"Use one of {', '.join(m.Service.Status.values)}.")
        service = m.Service(
            id=key,
            organization=organization,
            name=clean(raw["name"]),
            alternate_name=clean(raw.get("alternate_name")),
            description=clean(raw.get("description")),
            url=web_address(raw.get("url")),
            email=clean(raw.get("email")),
            status=status,
            assured_date=day(raw.get("assured_date")),
            source=self.source,
            source_id=clean(raw.get("id"))[:200],
        )
        self._blank_faults(service, ("url", "email"), row)
        terms = self._terms(raw)
        named = {term.pk: term for label in (*terms.values(), service.name) if (term := self.care_types.get(label.lower()))}
        # Only when the feed names exactly one of our kinds of care; a guess would send people to the wrong door.
        service.care_type = next(iter(named.values())) if len(named) == 1 else None
        self.terms[key] = set(terms)
        children = [*self._children(row, service, raw), *self._eligibility(row, service, raw), *self._at_locations(row, service, raw)]
        for part in children[:]:
            if wrong := faults(part):
                name = next(iter(wrong))
                self.importing.leave_out(
                    f"{row}, {part._meta.verbose_name}", name, wrong[name], f"Correct {name} at the source.", {name: getattr(part, name)}
                )
                children.remove(part)
        self.services.append(Record(service, row, children, raw))

    def _organization(self, row: str, service: dict[str, Any]) -> m.Organization:
        raw = service.get("organization")
        if not isinstance(raw, dict):
            key = self._id("organization", {"id": service.get("organization_id")})
            if key in self.organizations:
                return self.organizations[key].instance
            raise _BadRecord("organization", "The service does not say whose it is.", "Give the organisation inside the service.")
        key = self._id("organization", raw)
        if key not in self.organizations:
            numbers = {
                clean(i.get("identifier_scheme")).upper(): clean(i.get("identifier"))[:12]
                for i in dicts(raw.get("organization_identifiers"))
            }
            organization = m.Organization(
                id=key,
                name=clean(raw.get("name")),
                description=clean(raw.get("description")),
                kind=m.Organization.Kind.CHARITY if "GB-CHC" in numbers else m.Organization.Kind.OTHER,
                email=clean(raw.get("email")),
                website=web_address(raw.get("website") or raw.get("url")),
                company_number=numbers.get("GB-COH", ""),
                charity_number=numbers.get("GB-CHC", ""),
                source=self.source,
                source_id=clean(raw.get("id"))[:200],
            )
            self._blank_faults(organization, ("email", "website"), row)
            self.organizations[key] = Record(organization, f"{row}, organization", raw=raw)
        return self.organizations[key].instance

    def _at_locations(self, row: str, service: m.Service, raw: dict[str, Any]) -> Iterator[m.ServiceAtLocation]:
        seen = set()
        for at in dicts(raw.get("service_at_locations")):
            location = at.get("location")
            if not isinstance(location, dict):
                continue
            try:
                key = self._id("location", location)
            except _BadRecord as bad:
                self.importing.leave_out(f"{row}, location", *bad.args, location)
                continue
            if key in seen:
                continue
            seen.add(key)
            if key not in self.locations:
                self.locations[key] = self._location(f"{row}, location", key, location)
            yield child(
                service,
                m.ServiceAtLocation,
                "service",
                key,
                location=self.locations[key].instance,
                description=clean(at.get("description")),
            )

    def _location(self, row: str, key: uuid.UUID, raw: dict[str, Any]) -> Record:
        kind = clean(raw.get("location_type"))
        uprn = clean(raw.get("external_identifier")) if clean(raw.get("external_identifier_type")).upper() == "UPRN" else ""
        location = m.Location(
            id=key,
            location_type=kind if kind in m.Location.Type.values else m.Location.Type.PHYSICAL,
            name=clean(raw.get("name"))[:255],
            uprn=uprn if uprn.isdigit() and len(uprn) <= 12 else "",
            source=self.source,
            source_id=clean(raw.get("id"))[:200],
        )
        latitude, longitude = raw.get("latitude"), raw.get("longitude")
        if latitude is not None and longitude is not None:
            try:
                latitude, longitude = float(latitude), float(longitude)
                if not (49 < latitude < 61.5 and -9 < longitude < 2.5):
                    raise ValueError
                location.point = wgs84_point(latitude, longitude)
            except (TypeError, ValueError):
                self.importing.leave_out(
                    row, "latitude", "The position lies outside the United Kingdom.", "Correct latitude and longitude.", raw
                )
        addresses = []
        for index, address in enumerate(dicts(raw.get("addresses"))):
            postcode = clean(address.get("postal_code"))
            if not normal_postcode(postcode):  # kept as it is, but it leads to no place
                self.importing.leave_out(row, "postal_code", "This is not a postcode.", "Correct the postcode.", address)
            line = clean(address.get("address_1"))
            city = clean(address.get("city"))
            if line and city and postcode:
                addresses.append(
                    child(
                        location,
                        m.Address,
                        "location",
                        index,
                        address_1=line[:255],
                        address_2=clean(address.get("address_2"))[:255],
                        city=city[:100],
                        region=clean(address.get("region"))[:100],
                        state_province=clean(address.get("state_province"))[:100],
                        postal_code=normal_postcode(postcode) or postcode[:10],
                        country=(clean(address.get("country")) or "GB")[:2],
                        address_type=(clean(address.get("address_type")) or "physical")[:20],
                    )
                )
        return Record(location, row, addresses, raw)

    def _place(self) -> None:
        """Put locations where their postcode is, when they gave no position or one that cannot be theirs."""
        known = places.points(address.postal_code for record in self.locations.values() for address in record.children)
        for record in self.locations.values():
            centre = next((known[a.postal_code] for a in record.children if a.postal_code in known), None)
            given = record.instance.point
            if given is not None and centre is not None and (away := apart_miles(given, centre)) > FARTHEST_FROM_POSTCODE_MILES:
                self.importing.leave_out(
                    record.row,
                    "latitude",
                    "The position is far from the postcode; the postcode was believed.",
                    f"They are {away:.0f} miles apart. Correct whichever is wrong.",
                    record.raw,
                )
                given = None
            record.instance.point = given or centre

    def _children(self, row: str, service: m.Service, raw: dict[str, Any]) -> Iterator[Any]:
        numbers = dicts(raw.get("phones")) + [p for contact in dicts(raw.get("contacts")) for p in dicts(contact.get("phones"))]
        for index, phone in enumerate(numbers):
            yield child(service, m.Phone, "service", index, number=clean(phone.get("number")), description=clean(phone.get("description")))
        for index, contact in enumerate(dicts(raw.get("contacts"))):
            yield child(
                service,
                m.Contact,
                "service",
                index,
                name=clean(contact.get("name")),
                title=clean(contact.get("title")),
                email=clean(contact.get("email")),
            )
        for index, cost in enumerate(dicts(raw.get("cost_options"))):
            yield child(
                service,
                m.CostOption,
                "service",
                index,
                option=clean(cost.get("option")),
                amount=amount(cost.get("amount")),
                currency=(clean(cost.get("currency")) or "GBP")[:3].upper(),
                amount_description=clean(cost.get("amount_description")),
            )
        for index, when in enumerate(dicts(raw.get("schedules"))):
            yield from self._schedule(row, service, index, when)
        for index, area in enumerate(dicts(raw.get("service_areas"))):
            yield self._area(row, service, index, area)
        spoken = {self.languages[code].pk: self.languages[code] for entry in dicts(raw.get("languages")) if (code := self._language(entry))}
        for term in spoken.values():
            yield child(
                service, m.EligibilityCriterion, "service", "language", term.code, term=term, rule=m.EligibilityCriterion.Rule.ACCEPTS
            )

    def _language(self, entry: dict[str, Any]) -> str:
        code = clean(entry.get("code")).lower()[:3]
        name = clean(entry.get("name")).lower()
        return code if code in self.languages else next((c for c, term in self.languages.items() if term.name.lower() == name), "")

    def _schedule(self, row: str, service: m.Service, index: int, raw: dict[str, Any]) -> Iterator[m.Schedule]:
        frequency = clean(raw.get("freq")).upper() or "WEEKLY"
        first, last = day(raw.get("valid_from")), day(raw.get("valid_to"))
        interval = raw.get("interval") or 1
        if (
            frequency not in m.Schedule.Frequency.values
            or (first and last and last < first)
            or not isinstance(interval, int)
            or interval < 1
        ):
            self.importing.leave_out(
                f"{row}, schedule", "freq", "This is not a schedule.", "freq must be WEEKLY or MONTHLY, and the dates in order.", raw
            )
            return
        yield child(
            service,
            m.Schedule,
            "service",
            index,
            freq=frequency,
            interval=interval,
            byday=clean(raw.get("byday")),
            bymonthday=clean(raw.get("bymonthday")),
            dtstart=day(raw.get("dtstart")),
            valid_from=first,
            valid_to=last,
            opens_at=clock(raw.get("opens_at")),
            closes_at=clock(raw.get("closes_at")),
            description=clean(raw.get("description"))[:300],
        )

    def _area(self, row: str, service: m.Service, index: int, raw: dict[str, Any]) -> m.ServiceArea:
        name = clean(raw.get("name") or raw.get("service_area"))[:200]
        codes = _GSS.findall(f"{raw.get('uri') or ''} {raw.get('extent') or ''}" if len(str(raw.get("extent"))) < 100 else "")
        area = m.Area.objects.filter(code__in=codes).first() if codes else None
        if area is None and name:
            area = m.Area.objects.filter(kind__in=[m.Area.Kind.DISTRICT, m.Area.Kind.ICB], name__iexact=name).first()
        return child(
            service,
            m.ServiceArea,
            "service",
            index,
            name=name,
            area=area,
            extent=outline(raw.get("extent")),
            uri=clean(raw.get("uri"))[:255],
        )

    def _eligibility(self, row: str, service: m.Service, raw: dict[str, Any]) -> Iterator[m.Eligibility]:
        lowest, highest = (age(raw.get(name)) for name in ("minimum_age", "maximum_age"))
        notes = clean(raw.get("eligibility_description"))
        if lowest is not None and highest is not None and highest < lowest:
            self.importing.leave_out(row, "maximum_age", "The highest age is below the lowest.", "Correct the ages.", raw)
            lowest = highest = None
        if lowest is not None or highest is not None or notes:
            yield child(service, m.Eligibility, "service", minimum_age=lowest, maximum_age=highest, notes=notes)

    def _terms(self, raw: dict[str, Any]) -> dict[uuid.UUID, str]:
        """Write the taxonomy terms that a service carries; returns their names by id."""
        found = {}
        for attribute in dicts(raw.get("attributes")):
            term = attribute.get("taxonomy_term")
            if not isinstance(term, dict) or not clean(term.get("name")):
                continue
            given = term.get("taxonomy_detail")
            detail: dict[str, Any] = given if isinstance(given, dict) else {}
            list_name = clean(term.get("taxonomy") or detail.get("name")) or "Terms"
            slug = f"feed-{derived('taxonomy', self.source, list_name).hex[:8]}-{slugify(list_name)}"[:50]
            taxonomy, _ = m.Taxonomy.objects.get_or_create(
                slug=slug,
                defaults={
                    "id": derived("taxonomy", self.source, list_name),
                    "name": list_name[:200],
                    "description": clean(detail.get("description")) or f"Came with {self.source}.",
                },
            )
            code = (clean(term.get("code")) or clean(term.get("id")) or clean(term["name"]))[:100]
            row, _ = m.TaxonomyTerm.objects.update_or_create(
                id=derived("term", str(taxonomy.pk), code),
                defaults={
                    "taxonomy": taxonomy,
                    "code": code,
                    "name": clean(term["name"])[:200],
                    "description": clean(term.get("description")),
                    "term_uri": clean(term.get("term_uri"))[:255],
                },
            )
            found[row.pk] = row.name
        return found

    def _link_terms(self, services: set[uuid.UUID]) -> None:
        through = m.Service.taxonomy_terms.through
        linked = set(through.objects.filter(service__in=services).values_list("service_id", "taxonomyterm_id"))
        wanted = {(service, term) for service in services for term in self.terms.get(service, ())}
        for service, term in linked - wanted:
            through.objects.filter(service_id=service, taxonomyterm_id=term).delete()
        through.objects.bulk_create(through(service_id=service, taxonomyterm_id=term) for service, term in sorted(wanted - linked))

    def _id(self, kind: str, raw: dict[str, Any]) -> uuid.UUID:
        """A record's own UUID, or one derived from the publisher's id."""
        text = clean(raw.get("id"))
        if not text:
            raise _BadRecord(f"{kind} id", "The record has no id.", "Every record of Open Referral UK needs an id.")
        try:
            return uuid.UUID(text)
        except ValueError:
            return derived("oruk", self.source, kind, text)

    def _blank_faults(self, instance: Any, names: tuple[str, ...], row: str) -> None:
        """A mistyped address for mail or web is no reason to lose a service."""
        for name in faults(instance).keys() & set(names):
            self.importing.leave_out(
                row, name, "This is not a valid address.", "Correct it at the source.", {name: getattr(instance, name)}
            )
            setattr(instance, name, "")
