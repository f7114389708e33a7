"""From one record, nested as Open Referral UK 3 nests it, to rows of the catalogue. Every kind of source is brought into that shape first.

Places free (`capacities`) are not taken: how many are free is told by the provider and belongs to `capacity`.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.text import slugify

from catalogue import models as m
from catalogue.lexicon import by_code
from catalogue.models.taxonomy import CARE_TYPE, LANGUAGE
from core.geo import normal_postcode
from core.ids import derived

from . import own_words, seen
from .fetch import too_deep
from .run import Importing
from .values import age, amount, clock, day, dicts, outline
from .write import Record, child, clean, faults, web_address

_GSS = re.compile(r"\b[EWSN]\d{8}\b")


class BadRecord(Exception):
    """This record cannot be taken: field, reason, advice."""

    args: tuple[str, str, str]


@dataclass
class Known:
    """Keys of rows that this run has written, and of those that it had to refuse."""

    written: set[uuid.UUID]
    refused: set[uuid.UUID]


class Mapper:
    """Maps the records of one source. Organisations, places and terms that records share are gathered until they are written."""

    def __init__(self, importing: Importing, source: str) -> None:
        self.importing = importing
        self.source = source
        self.organizations: dict[uuid.UUID, Record] = {}
        self.locations: dict[uuid.UUID, Record] = {}
        self.terms: dict[uuid.UUID, m.TaxonomyTerm] = {}
        self.known_organizations = Known(set(), set())
        self.known_locations = Known(set(), set())
        self._taxonomies: dict[str, m.Taxonomy] = {}
        self._known_terms: dict[uuid.UUID, str] = {}
        self.ours = own_words.vocabulary()
        self.languages = by_code(LANGUAGE)
        self.care_types = {label.lower(): term for code, term in by_code(CARE_TYPE).items() for label in (code, term.name, *term.synonyms)}
        kinds = [m.Area.Kind.DISTRICT, m.Area.Kind.ICB]
        self._areas_by_name = {name.lower(): pk for name, pk in m.Area.objects.filter(kind__in=kinds).values_list("name", "pk")}
        self._areas_by_code: dict[str, int | None] = {}

    def service(self, row: str, raw: Any) -> tuple[Record, set[uuid.UUID]]:
        """The service and the ids of its terms. Raises `BadRecord`."""
        if not isinstance(raw, dict):
            raise BadRecord("", "This is not a record.", "Each service must be a JSON object.")
        if too_deep(raw):
            raise BadRecord("", "The record is nested too deeply.", "A record of Open Referral UK nests about a dozen levels.")
        key = self._id("service", raw)
        if not clean(raw.get("name")):
            raise BadRecord("name", "The service has no name.", "Give it one at the source.")
        status = clean(raw.get("status")) or "active"
        if status not in m.Service.Status.values:
            raise BadRecord("status", f"“{status[:40]}” is not a status.", f"Use one of {', '.join(m.Service.Status.values)}.")
        organization = self._organization(row, raw)
        assured = day(raw.get("assured_date"))
        service = m.Service(
            id=key,
            organization_id=organization,
            name=clean(raw["name"]),
            alternate_name=clean(raw.get("alternate_name")),
            description=clean(raw.get("description")),
            url=web_address(raw.get("url")),
            email=clean(raw.get("email")),
            status=status,
            assured_date=assured,
            assured_by=self.source if assured else "",
            source=self.source,
            source_id=clean(raw.get("id"))[:200],
        )
        self._blank_faults(service, ("url", "email"), row)
        terms = self._terms(raw)
        named = {term.pk: term for label in (*terms.values(), service.name) if (term := self.care_types.get(label.lower()))}
        # Only when the feed names exactly one of our kinds of care; a guess would send people to the wrong door.
        service.care_type = own_words.kind_of(raw, self.ours) or (next(iter(named.values())) if len(named) == 1 else None)
        parts = [*self._criteria(service, raw), *self._children(row, service, raw)]
        children = [*parts, *self._eligibility(row, service, raw, parts), *self._at_locations(row, service, raw)]
        for part in children[:]:
            if wrong := faults(part):
                name = next(iter(wrong))
                self.importing.leave_out(
                    f"{row}, {part._meta.verbose_name}", name, wrong[name], f"Correct {name} at the source.", {name: getattr(part, name)}
                )
                children.remove(part)
        record = Record(service, row, children, raw, checked=True)
        record.content = seen.content(record, raw, list(terms.values()))
        return record, set(terms)

    def _organization(self, row: str, service: dict[str, Any]) -> uuid.UUID:
        raw = service.get("organization")
        if not isinstance(raw, dict):
            key = self._id("organization", {"id": service.get("organization_id")})
            if key in self.organizations or key in self.known_organizations.written:
                return key
            raise BadRecord("organization", "The service does not say whose it is.", "Give the organisation inside the service.")
        key = self._id("organization", raw)
        if key in self.known_organizations.refused:
            raise BadRecord("organization", "Its organisation was refused.", "Correct the organisation.")
        if key not in self.organizations and key not in self.known_organizations.written:
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
        return key

    def _at_locations(self, row: str, service: m.Service, raw: dict[str, Any]) -> Iterator[m.ServiceAtLocation]:
        seen = set()
        for at in dicts(raw.get("service_at_locations")):
            location = at.get("location")
            if not isinstance(location, dict):
                continue
            try:
                key = self._id("location", location)
            except BadRecord as bad:
                self.importing.leave_out(f"{row}, location", *bad.args, location)
                continue
            if key in seen:
                continue
            seen.add(key)
            if key in self.known_locations.refused:
                continue
            if key not in self.locations and key not in self.known_locations.written:
                self.locations[key] = self._location(f"{row}, location", key, location)
            yield child(
                service,
                m.ServiceAtLocation,
                "service",
                key,
                location_id=key,
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
        given = None
        latitude, longitude = raw.get("latitude"), raw.get("longitude")
        if latitude is not None and longitude is not None:
            try:
                latitude, longitude = float(latitude), float(longitude)
                if not (49 < latitude < 61.5 and -9 < longitude < 2.5):
                    raise ValueError
                given = (latitude, longitude)
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
        return Record(location, row, addresses, raw, given=given)

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
                # A desk that its publisher shows may be shown; whether a person's name may be, only somebody here decides.
                is_public=not clean(contact.get("name")),
            )
        for index, cost in enumerate(dicts(raw.get("cost_options"))):
            if (usual := own_words.usual_price(raw.get("id"), cost)) is not None:
                service.price_week = usual
                continue
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
            different = own_words.exception(service, index, when)
            yield from [different] if different else self._schedule(row, service, index, when)
        for index, area in enumerate(dicts(raw.get("service_areas"))):
            if (metres := own_words.reach(raw.get("id"), area)) is not None:
                service.catchment_m = metres
            else:
                yield self._area(service, index, area)

    def _criteria(self, service: m.Service, raw: dict[str, Any]) -> Iterator[Any]:
        """What is said of each term, and the languages that are named without a rule."""
        ruled = list(own_words.criteria(service, raw, self.ours))
        yield from ruled
        said = {part.term_id for part in ruled if isinstance(part, m.EligibilityCriterion)}
        spoken = {self.languages[code].pk: self.languages[code] for entry in dicts(raw.get("languages")) if (code := self._language(entry))}
        for term in (term for pk, term in spoken.items() if pk not in said):
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
            term=own_words.school_term(raw),
        )

    def _area(self, service: m.Service, index: int, raw: dict[str, Any]) -> m.ServiceArea:
        name = clean(raw.get("name") or raw.get("service_area"))[:200]
        codes = _GSS.findall(f"{raw.get('uri') or ''} {raw.get('extent') or ''}" if len(str(raw.get("extent"))) < 100 else "")
        for code in codes:
            if code not in self._areas_by_code:
                self._areas_by_code[code] = m.Area.objects.filter(code=code).values_list("pk", flat=True).first()
        area = next((pk for code in codes if (pk := self._areas_by_code[code])), None) or self._areas_by_name.get(name.lower())
        return child(
            service,
            m.ServiceArea,
            "service",
            index,
            name=name,
            area_id=area,
            extent=outline(raw.get("extent")),
            uri=clean(raw.get("uri"))[:255],
        )

    def _eligibility(self, row: str, service: m.Service, raw: dict[str, Any], said: list[Any]) -> Iterator[m.Eligibility]:
        lowest, highest = (age(raw.get(name)) for name in ("minimum_age", "maximum_age"))
        notes = clean(raw.get("eligibility_description"))
        if lowest is not None and highest is not None and highest < lowest:
            self.importing.leave_out(row, "maximum_age", "The highest age is below the lowest.", "Correct the ages.", raw)
            lowest = highest = None
        stated = child(service, m.Eligibility, "service", minimum_age=lowest, maximum_age=highest, notes=notes)
        own_words.said_of_people(stated, raw, said)
        if lowest is not None or highest is not None or stated.sex or stated.notes:
            yield stated

    def _terms(self, raw: dict[str, Any]) -> dict[uuid.UUID, str]:
        """The taxonomy terms that a service carries: their names by id."""
        found = {}
        for attribute in dicts(raw.get("attributes")):
            term = attribute.get("taxonomy_term")
            if not isinstance(term, dict) or not clean(term.get("name")) or not own_words.is_topic(attribute):
                continue
            if (ours := own_words.term_of(attribute, self.ours)) is not None:
                if ours.taxonomy.slug != CARE_TYPE or clean(attribute.get("link_type")) != "service_type":
                    found[ours.pk] = ours.name
                continue
            given = term.get("taxonomy_detail")
            detail: dict[str, Any] = given if isinstance(given, dict) else {}
            taxonomy = self._taxonomy(clean(term.get("taxonomy") or detail.get("name")) or "Terms", clean(detail.get("description")))
            code = (clean(term.get("code")) or clean(term.get("id")) or clean(term["name"]))[:100]
            key = derived("term", str(taxonomy.pk), code)
            name = clean(term["name"])[:200]
            if key not in self._known_terms:
                self._known_terms[key] = name
                self.terms[key] = m.TaxonomyTerm(
                    id=key,
                    taxonomy=taxonomy,
                    code=code,
                    name=name,
                    description=clean(term.get("description")),
                    term_uri=clean(term.get("term_uri"))[:255],
                )
            found[key] = name
        return found

    def _taxonomy(self, name: str, description: str) -> m.Taxonomy:
        if name not in self._taxonomies:
            slug = f"feed-{derived('taxonomy', self.source, name).hex[:8]}-{slugify(name)}"[:50]
            self._taxonomies[name], _ = m.Taxonomy.objects.get_or_create(
                slug=slug,
                defaults={
                    "id": derived("taxonomy", self.source, name),
                    "name": name[:200],
                    "description": description or f"Came with {self.source}.",
                },
            )
        return self._taxonomies[name]

    def id_of(self, raw: Any) -> str:
        """The publisher's own id of a record, which may be bad otherwise; empty when it has none."""
        return clean(raw.get("id"))[:200] if isinstance(raw, dict) and isinstance(raw.get("id"), str | int) else ""

    def _id(self, kind: str, raw: dict[str, Any]) -> uuid.UUID:
        """A record's own UUID, or one derived from the publisher's id."""
        text = clean(raw.get("id"))
        if not text:
            raise BadRecord(f"{kind} id", "The record has no id.", "Every record of Open Referral UK needs an id.")
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
