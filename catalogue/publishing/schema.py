"""What the documents promise, as JSON Schema: the required parts of Open Referral UK 3.0, and types for all that is told besides.

The official schemas are wider (nothing forbids a null in most of them by name, or a schedule each day); these are what ours keep to.
"""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_UUID: Schema = {"type": "string", "format": "uuid"}
_URI: Schema = {"type": "string", "format": "uri"}
_WEB: Schema = {"type": "string", "format": "uri", "pattern": "^https?://"}
_EMAIL: Schema = {"type": "string", "format": "email"}
_DATE: Schema = {"type": "string", "format": "date"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_CLOCK: Schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_STATUS: Schema = {"enum": ["active"]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def many(name: str) -> Schema:
    return {"type": "array", "items": ref(name), "minItems": 1}


def _record(required: str, **properties: Schema) -> Schema:
    """No property but these, and none of them null."""
    return {"type": "object", "required": required.split(), "properties": properties, "additionalProperties": False}


_SERVICE_BRIEF: dict[str, Schema] = {
    "id": _UUID, "organization_id": _UUID, "name": _TEXT, "alternate_name": _TEXT, "description": _TEXT, "url": _WEB, "email": _EMAIL,
    "status": _STATUS, "fees": _TEXT, "fees_description": _TEXT, "accreditations": _TEXT, "eligibility_description": _TEXT,
    "minimum_age": _COUNT, "maximum_age": _COUNT, "assured_date": _DATE, "last_modified": _MOMENT, "organization": ref("Organization"),
    "provenance": ref("Provenance"),
}  # fmt: skip
_SERVICE_REQUIRED = "id organization_id name status organization last_modified"
_SERVICE_WHOLE: dict[str, Schema] = {
    "phones": many("Phone"), "schedules": many("Schedule"), "service_areas": many("ServiceArea"),
    "service_at_locations": many("PlaceOfService"), "languages": many("Language"), "cost_options": many("CostOption"),
    "contacts": many("Contact"), "additional_urls": many("AdditionalUrl"), "partners": many("Organization"),
    "attributes": many("Attribute"), "capacities": many("Capacity"),
}  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Service": _record(_SERVICE_REQUIRED, **_SERVICE_BRIEF),
    "WholeService": _record(_SERVICE_REQUIRED, **_SERVICE_BRIEF, **_SERVICE_WHOLE),
    "Minimal": _record("id modified_date", id=_UUID, modified_date=_MOMENT),
    "Organization": _record(
        "id name description", id=_UUID, name=_TEXT, description=_TEXT, email=_EMAIL, website=_WEB,
        organization_identifiers=many("OrganizationIdentifier"),
    ),
    "OrganizationIdentifier": _record(
        "id identifier_type identifier", id=_UUID, organization_id=_UUID, identifier_scheme=_TEXT, identifier_type=_TEXT, identifier=_TEXT
    ),
    "Provenance": {
        "description": "Extension. Who published the record first and under which licence; who last looked whether it is right.",
        **_record("", publisher=_TEXT, source_id=_TEXT, licence=_TEXT, licence_url=_WEB, attribution=_TEXT, assured_by=_TEXT),
    },
    "Taxonomy": _record("id name description", id=_UUID, name=_TEXT, description=_TEXT, uri=_URI, version=_TEXT),
    "TaxonomyTerm": _record(
        "id name description", id=_UUID, code=_TEXT, name=_TEXT, term=_TEXT, description=_TEXT, parent_id=_UUID, taxonomy=_TEXT,
        taxonomy_id=_UUID, term_uri=_URI,
    ),
    "Phone": _record("id number", id=_UUID, number=_TEXT, description=_TEXT),
    "Contact": _record("id", id=_UUID, name=_TEXT, title=_TEXT, email=_EMAIL, phones=many("Phone")),
    "Schedule": {
        "description": "Times of day are Europe/London. Without freq: days on which it is closed.",
        **_record(
            "id", id=_UUID, freq={"enum": ["WEEKLY", "MONTHLY"]}, interval={"type": "integer", "minimum": 1}, byday=_TEXT,
            bymonthday=_TEXT, dtstart=_DATE, valid_from=_DATE, valid_to=_DATE, opens_at=_CLOCK, closes_at=_CLOCK, description=_TEXT,
            notes=_TEXT,
        ),
    },
    "ServiceArea": _record("id", id=_UUID, name=_TEXT, service_area=_TEXT, uri=_URI, extent=_TEXT, extent_type={"enum": ["geojson"]}),
    "Language": _record("id", id=_UUID, name=_TEXT, code=_TEXT),
    "CostOption": _record("id", id=_UUID, option=_TEXT, currency=_TEXT, amount=_NUMBER, amount_description=_TEXT),
    "Attribute": _record(
        "id link_id link_type", id=_UUID, link_id=_UUID, link_entity=_TEXT, link_type=_TEXT, label=_TEXT, value=_TEXT,
        taxonomy_term_id=_UUID, taxonomy_term=ref("TaxonomyTerm"),
    ),
    "Capacity": {
        "description": "HSDS 3.1. Only figures that are still believed; one that is too old is left out.",
        **_record(
            "id unit available updated", id=_UUID, service_id=_UUID, unit=_record("id name", id=_UUID, name=_TEXT), available=_COUNT,
            maximum=_COUNT, description=_TEXT, updated=_MOMENT,
        ),
    },
    "Address": _record(
        "id address_1 city state_province postal_code country address_type", id=_UUID, location_id=_UUID, address_1=_TEXT, city=_TEXT,
        region=_TEXT, state_province=_TEXT, postal_code=_TEXT, country={"type": "string", "pattern": "^[A-Z]{2}$"},
        address_type={"enum": ["physical", "postal", "virtual"]},
    ),
    "AdditionalUrl": {
        "description": "A picture or paper. media_type is an extension.",
        **_record("id url", id=_UUID, label=_TEXT, url=_WEB, media_type=_TEXT),
    },
    "Accessibility": _record("id", id=_UUID, location_id=_UUID, description=_TEXT, accessibility=_TEXT),
    "Location": _record(
        "id location_type", id=_UUID, location_type={"enum": ["physical", "postal", "virtual"]}, name=_TEXT,
        latitude={"type": "number", "minimum": 49, "maximum": 61}, longitude={"type": "number", "minimum": -9, "maximum": 3},
        external_identifier=_TEXT, external_identifier_type=_TEXT, addresses=many("Address"), accessibility=many("Accessibility"),
    ),
    "PlaceOfService": _record("id location", id=_UUID, service_id=_UUID, location_id=_UUID, description=_TEXT, location=ref("Location")),
    "ServiceAtLocation": _record(
        "id name status service_id location_id location service last_modified", id=_UUID, name=_TEXT, status=_STATUS, service_id=_UUID,
        location_id=_UUID, description=_TEXT, last_modified=_MOMENT, location=ref("Location"), service=ref("WholeService"),
    ),
    "Change": _record(
        "id action changed_at", id=_UUID, action={"enum": ["changed", "gone"]}, changed_at=_MOMENT, service=ref("WholeService")
    ),
    "Changes": _record(
        "contents size more next", contents={"type": "array", "items": ref("Change")}, size=_COUNT, more={"type": "boolean"}, next=_TEXT
    ),
    "About": _record(
        "version profile openapi_url", version={"const": "HSDS-UK-3.0"}, profile=_WEB, openapi_url=_WEB,
        endpoints={"type": "object", "additionalProperties": _WEB}, version_1=_WEB,
    ),
    "Refusal": {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {"code": _TEXT, "detail": _TEXT, "parameter": _TEXT},
        "additionalProperties": False,
    },
}  # fmt: skip


def envelope(*names: str) -> Schema:
    """A page of records of these shapes."""
    items = ref(names[0]) if len(names) == 1 else {"anyOf": [ref(name) for name in names]}
    flag: Schema = {"type": "boolean"}
    return _record(
        "total_items total_pages page_number size first_page last_page empty contents",
        total_items=_COUNT, total_pages=_COUNT, page_number={"type": "integer", "minimum": 1}, size=_COUNT,
        first_page=flag, last_page=flag, empty=flag, contents={"type": "array", "items": items},
    )  # fmt: skip
