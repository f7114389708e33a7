"""All that documents of some services are made from, in one query for each table, however many services."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.db.models.functions import AsGeoJSON, Transform
from django.db.models import F, FloatField, Func, Prefetch, Q, QuerySet

from catalogue.models import (
    Address,
    Attachment,
    Contact,
    CostOption,
    Eligibility,
    EligibilityCriterion,
    Organization,
    Phone,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    ScheduleException,
    Service,
    ServiceArea,
    ServiceAtLocation,
    Source,
    TaxonomyTerm,
)
from core.geo import WGS84

from . import parts

Row = dict[str, Any]
ByService = dict[UUID, list[Row]]

_SERVICE = (
    "id", "organization_id", "name", "alternate_name", "description", "url", "email", "status", "care_type_id", "catchment_m", "price_week",
    "cqc_rating", "cqc_rated_on", "registered_places", "assured_date", "assured_by", "source", "source_id", "modified_at",
    "publication__changed_at",
)  # fmt: skip
_ORGANIZATION = (
    "id", "name", "description", "kind", "email", "website", "ods_code", "cqc_provider_id", "company_number", "charity_number",
)  # fmt: skip
_SCHEDULE = (
    "id", "service_id", "freq", "interval", "byday", "bymonthday", "dtstart", "valid_from", "valid_to", "opens_at", "closes_at",
    "description", "term",
)  # fmt: skip

_EXCEPTION = ("id", "service_id", "starts_on", "ends_on", "opens_at", "closes_at", "reason")
_ADDRESS = ("id", "location_id", "address_1", "address_2", "city", "region", "state_province", "postal_code", "country", "address_type")


class _Coordinate(Func):
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows by what they belong to. Nothing of a service, organisation or place that is not public is ever in it."""

    services: list[Row]
    organizations: dict[UUID, Row]
    terms: dict[UUID, TaxonomyTerm]
    topics: dict[UUID, list[UUID]]
    criteria: dict[UUID, list[EligibilityCriterion]]
    registrations: dict[UUID, list[RegistrationCriterion]]
    eligibility: dict[UUID, Eligibility]
    phones: ByService
    contacts: ByService
    costs: ByService
    schedules: ByService
    exceptions: ByService
    areas: ByService
    places: ByService
    addresses: dict[UUID, list[Row]]
    partners: dict[UUID, list[UUID]]
    attachments: ByService
    marks: ByService
    organization_marks: dict[UUID, list[Row]]
    sources: dict[str, Row]
    parts: dict[str, dict[UUID, list[Row]]]


def read(services: QuerySet[Service], at: datetime) -> Rows:
    """Rows of these services, in their order. The caller passes public services alone."""
    chosen = list(services.values(*_SERVICE))
    ids = [row["id"] for row in chosen]
    topics: dict[UUID, list[UUID]] = defaultdict(list)
    for service_id, term_id in (
        Service.taxonomy_terms.through.objects.filter(service__in=ids).order_by("pk").values_list("service_id", "taxonomyterm_id")
    ):
        topics[service_id].append(term_id)
    criteria: dict[UUID, list[EligibilityCriterion]] = defaultdict(list)
    for criterion in EligibilityCriterion.objects.filter(service__in=ids):
        criteria[criterion.service_id].append(criterion)
    needed = {row["care_type_id"] for row in chosen if row["care_type_id"]}
    needed.update(term for those in topics.values() for term in those)
    needed.update(criterion.term_id for those in criteria.values() for criterion in those)
    registrations: dict[UUID, list[RegistrationCriterion]] = defaultdict(list)
    for registration in RegistrationCriterion.objects.filter(service__in=ids):
        registrations[registration.service_id].append(registration)
    terms = TaxonomyTerm.objects.select_related("taxonomy").in_bulk(needed)
    for those in criteria.values():
        for criterion in those:
            criterion.term = terms[criterion.term_id]
        those.sort(key=_in_order)
    owners = {row["organization_id"] for row in chosen}
    partners: dict[UUID, list[UUID]] = defaultdict(list)
    for service_id, partner_id in (
        Service.partners.through.objects.filter(service__in=ids).order_by("pk").values_list("service_id", "organization_id")
    ):
        partners[service_id].append(partner_id)
    organizations = organization_rows(owners.union(*partners.values()))
    places = _by(_places(Q(service__in=ids)))
    return Rows(
        services=chosen,
        organizations=organizations,
        terms=terms,
        topics=topics,
        criteria=criteria,
        registrations=registrations,
        eligibility={row.service_id: row for row in Eligibility.objects.filter(service__in=ids)},
        phones=_by(Phone.objects.filter(service__in=ids).order_by("pk").values("id", "service_id", "number", "description")),
        # Personal contacts are never published: only one that its owner called public, and none of a confidential place.
        contacts=_by(
            Contact.objects.filter(service__in=ids, is_public=True)
            .exclude(location__is_confidential=True)
            .order_by("pk")
            .values("id", "service_id", "name", "title", "email", "phones")
        ),
        costs=_by(
            CostOption.objects.filter(service__in=ids)
            .order_by("pk")
            .values("id", "service_id", "option", "amount", "currency", "amount_description")
        ),
        schedules=_by(Schedule.objects.filter(service__in=ids).order_by("pk").values(*_SCHEDULE)),
        exceptions=_by(ScheduleException.objects.filter(service__in=ids).order_by("starts_on", "pk").values(*_EXCEPTION)),
        areas=_by(_areas(ids)),
        places=places,
        addresses=_addresses({place["location_id"] for those in places.values() for place in those}),
        partners=partners,
        # One that waits for a curator's approval is not shown yet.
        attachments=_by(
            Attachment.objects.filter(service__in=ids, is_shown=True)
            .order_by("kind", "added_at", "pk")
            .values("id", "service_id", "title", "content_type")
        ),
        marks=_by(_marks(Q(service__in=ids))),
        organization_marks=_by(_marks(Q(organization__in=owners, organization__is_confidential=False)), "organization_id"),
        sources=_sources({row["source"] for row in chosen if row["source"]}),
        parts=parts.read(ids, at),
    )


#: What a page reads of a service with it, and `of` uses: no table is asked twice for one page.
WITH = ("organization", "care_type__taxonomy", "eligibility")


def parts_of_a_page() -> tuple[Any, ...]:
    """For `prefetch_related` of a service that a page shows whole, beside `select_related(*WITH)`."""
    return (
        "phones",
        "schedules",
        "schedule_exceptions",
        "cost_options",
        Prefetch("criteria", EligibilityCriterion.objects.select_related("term__taxonomy")),
        Prefetch("service_areas", ServiceArea.objects.select_related("area")),
        Prefetch("service_at_locations", ServiceAtLocation.objects.select_related("location").annotate(**_position())),
        "service_at_locations__location__addresses",
    )


def of(service: Service) -> Rows:
    """Rows of a public service that was read with `WITH` and `parts_of_a_page`, without another question to the database.

    Only what a page says in the words of schema.org: no outlines, marks, contacts, files, sources or figures.
    """
    owner = service.organization
    criteria = sorted(service.criteria.all(), key=_in_order)
    terms = {said.term_id: said.term for said in criteria}
    if service.care_type:
        terms[service.care_type.pk] = service.care_type
    places: list[Any] = sorted((at for at in service.service_at_locations.all() if not at.location.is_confidential), key=lambda at: at.pk)
    stated = getattr(service, "eligibility", None)
    chosen = {name: getattr(service, name) for name in _SERVICE if "__" not in name}
    return Rows(
        services=[{**chosen, "publication__changed_at": None}],
        organizations={} if owner.is_confidential else {owner.pk: {name: getattr(owner, name) for name in _ORGANIZATION}},
        terms=terms,
        topics={},
        criteria={service.pk: criteria},
        registrations={},
        eligibility={service.pk: stated} if stated else {},
        phones=_rows_of(_by_id(service.phones), ("id", "service_id", "number", "description")),
        contacts={},
        costs=_rows_of(_by_id(service.cost_options), ("id", "service_id", "option", "amount", "currency", "amount_description")),
        schedules=_rows_of(_by_id(service.schedules), _SCHEDULE),
        exceptions=_rows_of(sorted(service.schedule_exceptions.all(), key=lambda each: (each.starts_on, each.pk)), _EXCEPTION),
        areas={
            service.pk: [
                {
                    "id": each.pk, "rule": each.rule, "name": each.name, "uri": each.uri, "outline": None,
                    "area_name": each.area and each.area.name, "area_code": each.area and each.area.code,
                }
                for each in _by_id(service.service_areas)
            ]
        },
        places={
            service.pk: [
                {
                    "id": at.pk, "service_id": service.pk, "location_id": at.location_id, "description": at.description,
                    "location_type": at.location.location_type, "name": at.location.name, "uprn": at.location.uprn,
                    "longitude": at.longitude, "latitude": at.latitude,
                }
                for at in places
            ]
        },
        addresses={at.location_id: _rows_of(_by_id(at.location.addresses), _ADDRESS, "location_id")[at.location_id] for at in places},
        partners={},
        attachments={},
        marks={},
        organization_marks={},
        sources={},
        parts={},
    )  # fmt: skip


def _by_id(related: Any) -> list[Any]:
    return sorted(related.all(), key=lambda each: each.pk)


def _rows_of(found: Iterable[Any], names: tuple[str, ...], key: str = "service_id") -> dict[UUID, list[Row]]:
    return _by(({name: getattr(each, name) for name in names} for each in found), key)


def _in_order(said: EligibilityCriterion) -> tuple[Any, ...]:
    return (said.term.taxonomy.slug, said.term.bit is None, said.term.bit or 0, said.term.name)


def organization_rows(ids: Collection[UUID]) -> dict[UUID, Row]:
    """Organisations that are not confidential, by id."""
    return {row["id"]: row for row in Organization.objects.filter(pk__in=ids, is_confidential=False).values(*_ORGANIZATION)}


def _by(rows: Iterable[Any], key: str = "service_id") -> dict[UUID, list[Row]]:
    grouped: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[key]].append(row)
    return grouped


def _position() -> dict[str, Any]:
    position = Transform("location__point", WGS84, output_field=GeometryField(srid=WGS84))
    return {"longitude": _Coordinate(position, function="ST_X"), "latitude": _Coordinate(position, function="ST_Y")}


def _places(condition: Q) -> Iterable[Any]:
    return (
        ServiceAtLocation.objects.filter(condition, location__is_confidential=False)
        .order_by("pk")
        .values(
            "id", "service_id", "location_id", "description",
            location_type=F("location__location_type"), name=F("location__name"), uprn=F("location__uprn"), **_position(),
        )
    )  # fmt: skip


def _areas(ids: Collection[UUID]) -> Iterable[Any]:
    return (
        ServiceArea.objects.filter(service__in=ids)
        .order_by("pk")
        .values(
            "id", "service_id", "rule", "name", "uri", area_name=F("area__name"), area_code=F("area__code"),
            outline=AsGeoJSON(Transform("extent", WGS84), precision=5),
        )
    )  # fmt: skip


def _addresses(locations: Collection[UUID]) -> dict[UUID, list[Row]]:
    found = Address.objects.filter(location__in=locations, location__is_confidential=False).order_by("pk")
    return _by(
        found.values(*_ADDRESS),
        "location_id",
    )


def _marks(condition: Q) -> Iterable[Any]:
    return (
        QualityMark.objects.filter(condition)
        .order_by("scheme", "pk")
        .values("id", "service_id", "organization_id", "scheme", "name", "score", "out_of", "awarded_on", "expires_on", "url")
    )


def _sources(names: Collection[str]) -> dict[str, Row]:
    found: Iterable[Any] = Source.objects.filter(name__in=names).values("name", "licence", "licence_url", "attribution")
    return {row["name"]: row for row in found}
