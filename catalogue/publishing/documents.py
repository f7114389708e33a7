"""From rows to documents. One document passes the schemas of Open Referral UK 3.0 and of HSDS 3.1; `docs/open-data.md` explains it."""

from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from catalogue.eligibility_text import living_sentences, sentences_of
from catalogue.models import EligibilityCriterion, Organization, QualityMark, Service, ServiceArea, Taxonomy, TaxonomyTerm
from catalogue.models.taxonomy import LANGUAGE
from core.geo import METRES_PER_MILE
from core.ids import derived

from . import times
from .rows import Row, Rows
from .values import Document, closing, day, email, filled, moment, number, opening, uri, web, words

#: Register, scheme of org-id.guide, and the column that holds the number.
_REGISTERS = (
    ("Company number", "GB-COH", "company_number"),
    ("Charity number", "GB-CHC", "charity_number"),
    ("NHS ODS code", "GB-NHS", "ods_code"),
    ("CQC provider id", "GB-CQC", "cqc_provider_id"),
)
#: A heading of the vocabulary: what is under it says how a person can get in.
_ACCESS = "Access"
_ADDRESS_TYPES = {"physical", "postal", "virtual"}
_GSS = "http://statistics.data.gov.uk/id/statistical-geography/"


def organization(row: Row) -> Document:
    """An organisation, without its services."""
    owner = str(row["id"])
    return filled(
        id=owner,
        name=row["name"],
        # The standard wants a description: what kind of body it is says more than nothing.
        description=row["description"] or Organization.Kind(row["kind"]).label,
        email=email(row["email"]),
        website=web(row["website"]),
        organization_identifiers=[
            {
                "id": str(derived(owner, scheme)),
                "organization_id": owner,
                "identifier_scheme": scheme,
                "identifier_type": kind,
                "identifier": row[column],
            }
            for kind, scheme, column in _REGISTERS
            if row[column]
        ],
    )


def taxonomy(record: Taxonomy) -> Document:
    return filled(
        id=str(record.pk),
        name=record.name,
        description=record.description or record.name,
        uri=uri(record.uri),
        version=record.version,
    )


def term(record: TaxonomyTerm) -> Document:
    return filled(
        id=str(record.pk),
        code=record.code,
        name=record.name,
        term=record.name,
        description=record.description or record.name,
        parent_id=str(record.parent_id) if record.parent_id else None,
        taxonomy=record.taxonomy.name,
        taxonomy_id=str(record.taxonomy_id),
        term_uri=uri(record.term_uri),
    )


@cache
def _area_uri(code: str) -> str:
    return f"{_GSS}{code}"


def minimal(row: Row) -> Document:
    """Only which it is and when it changed."""
    return {"id": str(row["id"]), "modified_date": _modified(row)}


class Writer:
    """Makes the documents of what was read together. `today` decides which marks of quality still hold."""

    def __init__(self, rows: Rows, today: date) -> None:
        self.rows = rows
        self.today = today
        self._organizations = {key: organization(row) for key, row in rows.organizations.items()}
        self._terms = {key: term(record) for key, record in rows.terms.items()}

    def brief(self, row: Row) -> Document:
        """What there is one of."""
        key: UUID = row["id"]
        stated = self.rows.eligibility.get(key)
        fees = "; ".join(filter(None, (_cost(cost) for cost in self._costs(row))))
        return filled(
            id=str(key),
            organization_id=str(row["organization_id"]),
            name=row["name"],
            alternate_name=row["alternate_name"],
            description=row["description"],
            url=web(row["url"]),
            email=email(row["email"]),
            status=row["status"],
            fees=fees,
            fees_description=fees,
            accreditations="; ".join(f"{label}: {value}" if value else label for _, label, value in self._marks(row)),
            eligibility_description=" ".join(
                [
                    *living_sentences((area["rule"], area["area_name"] or area["name"]) for area in self._unlike(key)),
                    *sentences_of(stated, self.rows.criteria.get(key, []), self.rows.registrations.get(key, [])),
                ]
            ),
            minimum_age=stated.minimum_age if stated else None,
            maximum_age=stated.maximum_age if stated else None,
            assured_date=day(row["assured_date"]),
            last_modified=_modified(row),
            organization=self._organizations.get(row["organization_id"]),
            provenance=self._provenance(row),
        )

    def full(self, row: Row) -> Document:
        """All that is public of a service."""
        key: UUID = row["id"]
        rows = self.rows
        document = self.brief(row)
        document |= filled(
            phones=[
                filled(id=str(phone["id"]), number=phone["number"], description=phone["description"]) for phone in rows.phones.get(key, [])
            ],
            schedules=[
                *(_schedule(schedule) for schedule in rows.schedules.get(key, [])),
                *times.exceptional(rows.exceptions.get(key, []), rows.schedules.get(key, [])),
            ],
            service_areas=self._areas(row),
            service_at_locations=[
                filled(
                    id=str(place["id"]),
                    service_id=str(key),
                    location_id=str(place["location_id"]),
                    description=place["description"],
                    location=self.location(place),
                )
                for place in rows.places.get(key, [])
            ],
            languages=[
                filled(id=str(said.pk), name=said.term.name, code=said.term.code)
                for said in rows.criteria.get(key, [])
                if said.term.taxonomy.slug == LANGUAGE and said.rule != EligibilityCriterion.Rule.EXCLUDED
            ],
            cost_options=[
                filled(
                    id=str(cost["id"]),
                    option=cost["option"],
                    currency=cost["currency"] if cost["amount"] is not None else None,
                    amount=number(cost["amount"]),
                    amount_description=cost["amount_description"],
                )
                for cost in self._costs(row)
            ],
            contacts=[
                filled(
                    id=str(contact["id"]),
                    name=contact["name"],
                    title=contact["title"],
                    email=email(contact["email"]),
                    phones=[{"id": str(derived("contact", str(contact["id"]), number)), "number": number} for number in contact["phones"]],
                )
                for contact in rows.contacts.get(key, [])
            ],
            additional_urls=[_attachment(file) for file in rows.attachments.get(key, [])],
            partners=[self._organizations[partner] for partner in self._partners(key)],
            attributes=self._attributes(row),
            **{name: lists.get(key, []) for name, lists in rows.parts.items()},
        )
        return document

    def at_location(self, row: Row, place: Row, *, full: bool = False) -> Document:
        """A service at one of its places. It carries name and status, as the standard's own list of addresses wants."""
        return filled(
            id=str(place["id"]),
            name=row["name"],
            status=row["status"],
            service_id=str(row["id"]),
            location_id=str(place["location_id"]),
            description=place["description"],
            last_modified=_modified(row),
            location=self.location(place),
            service=self.full(row) if full else self.brief(row),
        )

    def location(self, place: Row) -> Document:
        """Where a service is, as it stands in its document."""
        has_point = place["longitude"] is not None
        return filled(
            id=str(place["location_id"]),
            location_type=place["location_type"],
            name=place["name"],
            latitude=round(place["latitude"], 6) if has_point else None,
            longitude=round(place["longitude"], 6) if has_point else None,
            external_identifier=place["uprn"],
            external_identifier_type="UPRN" if place["uprn"] else None,
            addresses=[_address(address) for address in self.rows.addresses.get(place["location_id"], [])],
            accessibility=[
                {
                    "id": str(derived(str(place["id"]), str(said.pk))),
                    "location_id": str(place["location_id"]),
                    "description": said.term.name,
                    "accessibility": said.term.name,
                }
                for said in self.rows.criteria.get(place["service_id"], [])
                if said.term.group == _ACCESS and said.rule != EligibilityCriterion.Rule.EXCLUDED and place["location_type"] == "physical"
            ],
        )

    def _unlike(self, key: UUID) -> list[Row]:
        """Areas whose people are not taken, or go first: the standard knows only of those that are served."""
        return [area for area in self.rows.areas.get(key, []) if area["rule"] != ServiceArea.Rule.REQUIRED]

    def _areas(self, row: Row) -> list[Document]:
        areas = [
            filled(
                id=str(area["id"]),
                name=area["area_name"] or area["name"],
                service_area=area["area_name"] or area["name"],
                uri=_area_uri(area["area_code"]) if area["area_code"] else uri(area["uri"]),
                extent=area["outline"],
                extent_type="geojson" if area["outline"] else None,
            )
            for area in self.rows.areas.get(row["id"], [])
            if area["rule"] == ServiceArea.Rule.REQUIRED
        ]
        if row["catchment_m"] is not None:
            reach = f"People who live within {row['catchment_m'] / METRES_PER_MILE:.3g} miles of it"
            areas.append({"id": str(derived(str(row["id"]), "catchment")), "name": reach, "service_area": reach})
        return areas

    def _partners(self, key: UUID) -> list[UUID]:
        """Others who deliver it, as far as everybody may know of them."""
        return [partner for partner in self.rows.partners.get(key, []) if partner in self._organizations]

    def _costs(self, row: Row) -> list[Row]:
        costs = self.rows.costs.get(row["id"], [])
        if row["price_week"] is None:
            return costs
        usual = {
            "id": derived(str(row["id"]), "price_week"),
            "option": "Usual price",
            "amount": row["price_week"],
            "currency": "GBP",
            "amount_description": "a week",
        }
        return [usual, *costs]

    def _marks(self, row: Row) -> list[tuple[UUID, str, str]]:
        """Marks that hold today: id, name, and what they say."""
        found: list[tuple[UUID, str, str]] = []
        if row["cqc_rating"]:
            dated = f", {words(row['cqc_rated_on'])}" if row["cqc_rated_on"] else ""
            found.append((derived(str(row["id"]), "cqc_rating"), "CQC rating", f"{Service.Quality(row['cqc_rating']).label}{dated}"))
        for mark in (*self.rows.marks.get(row["id"], []), *self.rows.organization_marks.get(row["organization_id"], [])):
            if mark["expires_on"] is None or mark["expires_on"] >= self.today:
                dated = words(mark["awarded_on"]) if mark["awarded_on"] else ""
                found.append((mark["id"], _mark_name(mark), ", ".join(filter(None, (score(mark), dated)))))
        return found

    def _attributes(self, row: Row) -> list[Document]:
        key: UUID = row["id"]
        owner = str(key)

        def of(identity: UUID, kind: str, term_id: UUID | None = None, label: str = "", value: str = "") -> Document:
            return filled(
                id=str(identity),
                link_id=owner,
                link_entity="service",
                link_type=kind,
                label=label,
                value=value,
                taxonomy_term_id=str(term_id) if term_id else None,
                taxonomy_term=self._terms[term_id] if term_id else None,
            )

        found = []
        if row["care_type_id"]:
            found.append(of(derived(owner, "care-type"), "service_type", row["care_type_id"]))
        found += [of(derived(owner, str(topic)), "service", topic) for topic in self.rows.topics.get(key, [])]
        found += [
            of(said.pk, f"eligibility:{said.rule}", said.term_id, label=said.get_rule_display()) for said in self.rows.criteria.get(key, [])
        ]
        found += [
            of(said.pk, f"eligibility:{said.rule}", label=f"Registered with {said.get_kind_display()} {said.code}", value=said.name)
            for said in self.rows.registrations.get(key, [])
        ]
        found += [
            of(
                area["id"],
                f"eligibility:{area['rule']}",
                label=f"Lives in {area['area_code'] or 'an area'}",
                value=area["area_name"] or area["name"],
            )
            for area in self._unlike(key)
        ]
        stated = self.rows.eligibility.get(key)
        if stated and stated.sex:
            found.append(of(derived(owner, "sex"), "eligibility", label=stated.get_sex_display(), value=stated.sex))
        if row["registered_places"] is not None:
            found.append(
                of(derived(owner, "places"), "registration", label="Places registered with CQC", value=str(row["registered_places"]))
            )
        found += [
            of(derived(owner, str(partner)), "partner", label="Delivered together with", value=self._organizations[partner]["name"])
            for partner in self._partners(key)
        ]
        found += [of(identity, "quality_mark", label=label, value=value) for identity, label, value in self._marks(row)]
        return found

    def _provenance(self, row: Row) -> Document | None:
        """Who published it first, under which licence, and who looked last. Not in the standard: an extension."""
        source: dict[str, Any] = self.rows.sources.get(row["source"], {})
        return (
            filled(
                publisher=row["source"],
                source_id=row["source_id"],
                licence=source.get("licence"),
                licence_url=web(source.get("licence_url", "")),
                attribution=source.get("attribution"),
                assured_by=row["assured_by"],
            )
            or None
        )


def score(mark: Row) -> str:
    """`"4.5 of 5"`; empty without one."""
    return f"{number(mark['score'])} of {number(mark['out_of'])}" if mark["score"] is not None else ""


def _attachment(row: Row) -> Document:
    """A picture or paper, at the address where everybody finds it."""
    address = f"{settings.SITE_URL}{reverse('attachment', args=[row['id']])}"
    return filled(id=str(row["id"]), label=row["title"], url=web(address), media_type=row["content_type"])


def _modified(row: Row) -> str:
    return moment(row["publication__changed_at"] or row["modified_at"])


def _schedule(row: Row) -> Document:
    return filled(
        id=str(row["id"]),
        freq=row["freq"],
        interval=row["interval"],
        byday=row["byday"],
        bymonthday=row["bymonthday"],
        dtstart=day(row["dtstart"]),
        valid_from=day(row["valid_from"]),
        valid_to=day(row["valid_to"]),
        opens_at=opening(row["opens_at"]),
        closes_at=closing(row["closes_at"]),
        description=row["description"],
        notes=times.term_note(row["term"]),
    )


def _address(row: Row) -> Document:
    return filled(
        id=str(row["id"]),
        location_id=str(row["location_id"]),
        address_1=", ".join(filter(None, (row["address_1"], row["address_2"]))),
        city=row["city"],
        region=row["region"],
        # A county is wanted, and many addresses have none: then the wider or the nearer place that is known.
        state_province=row["state_province"] or row["region"] or row["city"],
        postal_code=row["postal_code"],
        country=row["country"],
        address_type=row["address_type"] if row["address_type"] in _ADDRESS_TYPES else "physical",
    )


def _cost(row: Row) -> str:
    amount = row["amount"]
    price = (
        ""
        if amount is None
        else "Free"
        if amount == 0
        else f"£{amount:,.2f}"
        if row["currency"] == "GBP"
        else f"{amount} {row['currency']}"
    )
    said = " ".join(filter(None, (price, row["amount_description"])))
    return ": ".join(filter(None, (row["option"], said)))


def _mark_name(row: Row) -> str:
    scheme = QualityMark.Scheme(row["scheme"])
    return str(row["name"] if scheme == QualityMark.Scheme.OTHER or scheme.label in row["name"] else f"{scheme.label}: {row['name']}")
