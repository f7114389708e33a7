"""Writing what a source of services says, batch by batch, so that memory does not grow with it."""

import uuid
from collections.abc import Iterable
from typing import Any

from catalogue import models as m
from catalogue.lexicon import kept_ids
from core.geo import apart_miles, bng_points, miles

from . import bulk, places, seen
from .oruk_map import BadRecord, Known, Mapper
from .run import Importing
from .write import BATCH, Record, clean, write

_ORGANIZATION_FIELDS = ("name", "description", "email", "website", "company_number", "charity_number")
_LOCATION_FIELDS = ("location_type", "name", "point", "uprn")
_SERVICE_FIELDS = (
    "organization",
    "name",
    "alternate_name",
    "description",
    "url",
    "email",
    "status",
    "care_type",
    "catchment_m",
    "price_week",
    "assured_date",
    "assured_by",
)
FILLED = (
    m.Organization,
    m.Location,
    m.Address,
    m.Service,
    m.Eligibility,
    m.EligibilityCriterion,
    m.Phone,
    m.CostOption,
    m.Schedule,
    m.ServiceArea,
    m.ServiceAtLocation,
    m.Service.taxonomy_terms.through,
    m.SourceRecord,
)
#: Farther than this from its own postcode, a position is a mistake: a swapped sign, or the head office's.
FARTHEST_FROM_POSTCODE_MILES = 10


def take(importing: Importing, source: m.Source, services: Iterable[tuple[str, Any]]) -> None:
    """Import services, each with the row that it stands in, nested as Open Referral UK 3 nests them."""
    _Taking(importing, source).take(services)


class _Taking:
    """One source on its way in."""

    def __init__(self, importing: Importing, source: m.Source) -> None:
        self.importing = importing
        self.source = source
        self.map = Mapper(importing, source.name)
        self.seen: set[uuid.UUID] = set()
        self.batch: list[Record] = []
        self.terms: dict[uuid.UUID, set[uuid.UUID]] = {}
        self.written = 0
        self.count_at = bulk.MANY
        self.unusable: list[str] = []
        """Ids of records that the source has, although they could not be taken."""

    def take(self, services: Iterable[tuple[str, Any]]) -> None:
        for row, raw in services:
            try:
                record, terms = self.map.service(row, raw)
                if record.instance.pk in self.seen:
                    raise BadRecord("id", "The same record stands in the source more than once.", "The first was used.")
            except BadRecord as bad:
                self.importing.reject(row, *bad.args, raw)
                self.unusable.append(self.map.id_of(raw))
                self.importing.advance()
            else:
                self.seen.add(record.instance.pk)
                self.batch.append(record)
                self.terms[record.instance.pk] = terms
            if len(self.batch) == BATCH:
                self._flush()
        self._flush()
        if self.written > bulk.MANY:
            bulk.count_anew(FILLED)
        seen.still_there(self.source, self.unusable)

    def _flush(self) -> None:
        """Write the batch: first what its records share, then they."""
        self._place()
        self._write_shared(self.map.organizations, "organizations", _ORGANIZATION_FIELDS, self.map.known_organizations)
        self._write_shared(self.map.locations, "locations", _LOCATION_FIELDS, self.map.known_locations)
        ready = []
        for record in self.batch:
            if record.instance.organization_id not in self.map.known_organizations.written:
                self.importing.reject(record.row, "organization", "Its organisation was refused.", "Correct the organisation.", record.raw)
                self.unusable.append(clean(record.instance.source_id))
                continue
            places_known = self.map.known_locations.written
            record.children = [c for c in record.children if not isinstance(c, m.ServiceAtLocation) or c.location_id in places_known]
            ready.append(record)
        self._write_terms()
        written = write(self.importing, "services", ready, _SERVICE_FIELDS)
        self._link_terms(written)
        # Now and then while an empty catalogue fills, and once more at the end: triggers are planned by what they find counted.
        self.written += len(written)
        if self.written > self.count_at:
            self.count_at *= 8
            bulk.count_anew(FILLED)
        seen.remember(self.source, [record for record in ready if record.instance.pk in written])
        self.batch, self.terms = [], {}

    def _write_shared(self, records: dict[uuid.UUID, Record], kind: str, fields: tuple[str, ...], known: Known) -> None:
        written = write(self.importing, kind, records.values(), fields, advance=False)
        known.written |= written
        known.refused |= records.keys() - written
        records.clear()

    def _place(self) -> None:
        """Put locations where their postcode is, when they gave no position or one that cannot be theirs."""
        records = list(self.map.locations.values())
        positions = iter(bng_points([record.given for record in records if record.given]))
        known = places.points(address.postal_code for record in records for address in record.children)
        for record in records:
            centre = next((known[a.postal_code] for a in record.children if a.postal_code in known), None)
            given = next(positions) if record.given else None
            # On the grid first, which is quick; the few that are far are measured on the globe.
            if (
                given is not None
                and centre is not None
                and miles(given.distance(centre)) > 0.9 * FARTHEST_FROM_POSTCODE_MILES
                and (away := apart_miles(given, centre)) > FARTHEST_FROM_POSTCODE_MILES
            ):
                self.importing.leave_out(
                    record.row,
                    "latitude",
                    "The position is far from the postcode; the postcode was believed.",
                    f"They are {away:.0f} miles apart. Correct whichever is wrong.",
                    record.raw,
                )
                given = None
            record.instance.point = given or centre

    def _write_terms(self) -> None:
        """Write the terms that were not met before in this run, when they are new or have another name now."""
        given = self.map.terms
        fields = ["name", "description", "term_uri"]
        before = {row["id"]: row for row in m.TaxonomyTerm.objects.filter(pk__in=given).values("id", *fields)}
        m.TaxonomyTerm.objects.bulk_create(term for key, term in given.items() if key not in before)
        changed = [term for key, term in given.items() if key in before and any(getattr(term, f) != before[key][f] for f in fields)]
        m.TaxonomyTerm.objects.bulk_update(changed, fields)
        given.clear()

    def _link_terms(self, services: set[uuid.UUID]) -> None:
        through = m.Service.taxonomy_terms.through
        kept = set(m.Service.objects.filter(pk__in=services, kept_fields__contains=["taxonomy_terms"]).values_list("pk", flat=True))
        linked = set(through.objects.filter(service__in=services).values_list("service_id", "taxonomyterm_id"))
        merged = kept_ids({term for service in services for term in self.terms.get(service, ())})
        wanted = {(service, merged.get(term, term)) for service in services for term in self.terms.get(service, ())}
        gone = [(service, term) for service, term in linked - wanted if service not in kept]
        for service, term in gone:
            through.objects.filter(service_id=service, taxonomyterm_id=term).delete()
        new = [through(service_id=service, taxonomyterm_id=term) for service, term in sorted(wanted - linked) if service not in kept]
        bulk.insert(through, new)
