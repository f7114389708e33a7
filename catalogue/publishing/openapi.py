"""The description of the open catalogue that `openapi_url` names: every address, every parameter, every answer."""

from typing import Any

from .filters import (
    AT_LOCATIONS,
    CHANGES,
    LAST_PAGE,
    MOST_PER_PAGE,
    ORGANIZATIONS,
    SERVICES,
    TAXONOMIES,
    TERMS,
)
from .schema import SCHEMAS, Schema, envelope, ref
from .times import CODES

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UUID: Schema = {"type": "string", "format": "uuid", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
_AGE: Schema = {"type": "number", "minimum": 0, "maximum": 150, "multipleOf": 0.5}
_CLOCK: Schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
_NO_NUL = "^[^\\u0000]*$"
_YES_OR_NO: Schema = {"type": "boolean", "default": False}

#: By parameter: its schema, and what it means.
PARAMETERS: dict[str, tuple[Schema, str]] = {
    "search": ({"type": "string", "maxLength": 200, "pattern": _NO_NUL}, "Words of a name, a town, a kind of care or a need; best first."),
    "taxonomy_term_id": (_UUID, "Services of this kind or topic, or that take people with this need, funding or language."),
    "taxonomy_id": (_UUID, "Services with any term of this taxonomy; of terms, those that it holds."),
    "organization_id": (_UUID, "Services of this organisation."),
    "minimum_age": (_AGE, "Services whose minimum age is stated and at least this."),
    "maximum_age": (_AGE, "Services whose maximum age is stated and at most this."),
    "start_time": (_CLOCK, "Services with a schedule that begins at this time or later. On the same schedule as end_time and day."),
    "end_time": (_CLOCK, "Services with a schedule that ends at this time or earlier."),
    "day": ({"type": "string", "enum": [*CODES, *_NAMES]}, "Services with a schedule on this day of the week."),
    "postcode": (
        {"type": "string", "pattern": "^[A-Za-z]{1,2}[0-9][A-Za-z0-9]?( ?[0-9][A-Za-z]{2})?$"},
        "Services that take people who live here: in one of the areas and within the distance that the service states, if it states any.",
    ),
    "proximity": (
        {"type": "number", "minimum": 0, "maximum": 1_000_000},
        "With postcode: services with a place within so many metres of its middle.",
    ),
    "modified_after": (
        {"type": "string", "format": "date-time"},
        "Services that changed at this instant or later, in any of their parts. To miss nothing, follow /changes instead.",
    ),
    "minimal": (_YES_OR_NO, "Only ids and dates of change, all in one page unless per_page is given. Goes before full."),
    "full": (_YES_OR_NO, "Whole documents instead of those of a list."),
    "format": (
        {"type": "string", "enum": ["json", "ndjson"]},
        "ndjson: everything that was asked for, one document a line, without pages.",
    ),
    "page": ({"type": "integer", "minimum": 1, "maximum": LAST_PAGE}, "From 1. A page after the last is empty."),
    "per_page": ({"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE}, "How many on a page."),
    "since": (
        {"type": "string", "pattern": "^(now|[0-9a-f]{8}\\.[0-9]{1,18}\\.[0-9a-f]{32})?$"},
        "The `next` of an earlier answer; `now` for the present end of the feed; without it the feed begins at the beginning.",
    ),
}
_INTRODUCTION = """The directory as open data: Open Referral UK 3.0, whose documents are documents of HSDS 3.1 too.
Extensions: `capacities` of HSDS 3.1, `provenance`, `modified_after`, `format=ndjson`, `/changes`, `/organizations`.
Nothing confidential, internal, inactive, merged or personal is published. A guide is at docs/open-data.md of the project."""


def document(base: str) -> Schema:
    """The OpenAPI document of the catalogue that is published at `base`."""
    paths: dict[str, Schema] = {"/": _get("getAbout", "Which standard this is", _answer(ref("About")))}
    for name, tag, known, brief, whole in (
        ("services", "Services", SERVICES, ("Service", "WholeService", "Minimal"), "WholeService"),
        ("service_at_locations", "ServiceAtLocations", AT_LOCATIONS, ("ServiceAtLocation", "Minimal"), "ServiceAtLocation"),
        ("organizations", "Organizations", ORGANIZATIONS, ("Organization",), "Organization"),
        ("taxonomies", "Taxonomies", TAXONOMIES, ("Taxonomy",), "Taxonomy"),
        ("taxonomy_terms", "TaxonomyTerms", TERMS, ("TaxonomyTerm",), "TaxonomyTerm"),
    ):
        label = name.replace("_", " ")
        listed = _answer(envelope(*brief), {"application/x-ndjson": {"schema": {"type": "string"}}})
        paths[f"/{name}"] = _get(f"list{tag}", f"A page of {label}, or all of them", listed, known)
        paths[f"/{name}/{{id}}"] = _get(f"get{tag}ById", f"One of the {label}, whole", _answer(ref(whole)), identity=True)
    paths["/changes"] = _get("listChanges", "Extension: services that changed or are gone, resumable", _answer(ref("Changes")), CHANGES)
    paths["/changes"]["get"]["responses"]["409"] = _refusal("The place in the feed is not known here: begin anew")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Open directory of services", "version": "3.0", "description": _INTRODUCTION},
        "servers": [{"url": base.rstrip("/")}],
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _answer(schema: Schema, more: dict[str, Any] | None = None) -> Schema:
    return {"description": "As asked", "content": {"application/json": {"schema": schema}, **(more or {})}}


def _refusal(description: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": ref("Refusal")}}}


def _get(name: str, summary: str, answer: Schema, known: tuple[str, ...] = (), *, identity: bool = False) -> Schema:
    parameters: list[Schema] = [
        {"name": parameter, "in": "query", "required": False, "description": PARAMETERS[parameter][1], "schema": PARAMETERS[parameter][0]}
        for parameter in known
    ]
    responses = {"200": answer, "400": _refusal("A parameter is wrong: which, and what to give instead")}
    if "postcode" in known:
        responses["422"] = _refusal("There is no such postcode; or proximity was given without a postcode")
    if identity:
        # No format: whatever is no id of a published record is answered alike.
        parameters.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "pattern": _NO_NUL}})
        responses["404"] = _refusal("There is no such record, or it is not published")
    responses["429"] = _refusal("Too many requests: wait as long as Retry-After says")
    return {"get": {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses}}
