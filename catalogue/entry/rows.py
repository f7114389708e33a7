"""Writing the rows that hang on a service from plain values; `catalogue.operations.edit_service` calls it inside its transaction."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.contrib.gis.gdal import GDALException
from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon, Polygon
from django.core.exceptions import ValidationError

from catalogue.entry.areas import outcode_outline
from catalogue.entry.content import ACCESS, COST, EXCEPTION, LISTS, SCHEDULE, TAKEN
from catalogue.entry.places import write_contacts, write_places
from catalogue.lexicon import by_code
from catalogue.models import (
    Area,
    CostOption,
    EligibilityCriterion,
    Organization,
    Phone,
    RegistrationCriterion,
    Schedule,
    ScheduleException,
    Service,
    ServiceArea,
)
from catalogue.models.taxonomy import CONDITION, NEED
from core.errors import Invalid
from core.geo import to_bng

#: More corners than this nobody needs to say which streets are meant.
MOST_CORNERS = 2_000
_BAD_OUTLINE = "That is not one area on the map. Draw at least three corners, and let no side cross another."


def write_rows(service: Service, values: Mapping[str, Any]) -> None:
    """Make what hangs on a service be what `values` say, by field of the entry. Raises Invalid with `errors` by field."""
    # A contact may sit at a place that is written with it: places first.
    moved = write_places(service, values["places"]) if "places" in values else {}
    if "contacts" in values:
        write_contacts(service, values["contacts"], moved)
    for name, value in values.items():
        if name in _WRITERS:
            writer: Any = _WRITERS[name]
            writer(service, name, value)


def _phones(service: Service, name: str, value: Iterable[Mapping[str, Any]]) -> None:
    _replace(service.phones, name, [Phone(service=service, number=row["number"], description=row["description"]) for row in value])


def _schedules(service: Service, name: str, value: Iterable[Mapping[str, Any]]) -> None:
    """Times that stay the same stay the same row, and a changed one too: places by the session are counted by it."""
    rows = [Schedule(service=service, **{key: row[key] for key in SCHEDULE}) for row in value]
    _check(rows, name)
    before = list(service.schedules.order_by("pk"))
    new = []
    for row in rows:
        same = next((each for each in before if all(getattr(each, key) == getattr(row, key) for key in SCHEDULE)), None)
        if same is None:
            new.append(row)
        else:
            before.remove(same)
    for row, changed in zip(new, before, strict=False):
        row.pk, row._state.adding = changed.pk, False
        row.save(force_update=True)
    service.schedules.filter(pk__in=[gone.pk for gone in before[len(new) :]]).delete()
    Schedule.objects.bulk_create(new[len(before) :])


def _exceptions(service: Service, name: str, value: Iterable[Mapping[str, Any]]) -> None:
    rows = [ScheduleException(service=service, **{key: row[key] for key in EXCEPTION}) for row in value]
    _replace(service.schedule_exceptions, name, rows)


def _costs(service: Service, name: str, value: Iterable[Mapping[str, Any]]) -> None:
    _replace(service.cost_options, name, [CostOption(service=service, **{key: row[key] for key in COST}) for row in value])


def _replace(manager: Any, name: str, rows: list[Any]) -> None:
    """Put these rows in the place of those that are there."""
    _check(rows, name)
    manager.all().delete()
    manager.bulk_create(rows)


def _check(rows: Iterable[Any], name: str) -> None:
    for row in rows:
        try:
            row.full_clean(exclude=["service"], validate_unique=False)
        except ValidationError as error:
            text = " ".join(message for messages in error.message_dict.values() for message in messages)
            raise Invalid(text, errors={name: [text]}) from error


def _criteria(service: Service, name: str, value: Mapping[str, str] | list[str]) -> None:
    """Rules for the terms of one list or of one part of the needs; a term that is left out becomes "not said".

    The code of a term that was merged stands for the one that was kept. A plain list says only what is taken: it leaves alone who goes
    first and who is ruled out.
    """
    slug = LISTS.get(name, CONDITION if name == "conditions" else NEED)
    terms = {code: term for code, term in by_code(slug).items() if slug != NEED or (term.group == ACCESS) == (name == "access")}
    listed = isinstance(value, list)
    rules: dict[str, str] = dict.fromkeys(value, EligibilityCriterion.Rule.ACCEPTS.value) if isinstance(value, list) else dict(value)
    if unknown := sorted(rules.keys() - terms.keys()):
        raise _wrong(name, f"The vocabulary has no {', '.join(unknown)}. Choose from the list.")
    if wrong := sorted(set(rules.values()) - set(EligibilityCriterion.Rule.values)):
        raise _wrong(name, f"There is no rule called {', '.join(wrong)}.")
    before = {criterion.term_id: criterion for criterion in service.criteria.filter(term__in=terms.values())}
    # What is said of a term itself counts more than what is said by the name of one that was merged into it.
    rules = {terms[code].code: rule for code, rule in rules.items()} | {
        code: rule for code, rule in rules.items() if terms[code].code == code
    }
    for code, rule in rules.items():
        criterion = before.pop(terms[code].pk, None) or EligibilityCriterion(service=service, term=terms[code])
        if criterion.rule != rule and not (listed and criterion.rule in TAKEN):
            criterion.rule = rule
            criterion.save()
    for gone in before.values():
        if not (listed and gone.rule == EligibilityCriterion.Rule.EXCLUDED):
            gone.delete()


def _partners(service: Service, name: str, value: Iterable[str]) -> None:
    """Organisations that everybody may know of: a confidential one is partner to nothing in public."""
    wanted = set(value) - {str(service.organization_id)}
    found = Organization.objects.filter(pk__in=wanted, is_confidential=False)
    if len(found) != len(wanted):
        raise _wrong(name, "One of these organisations is not in the directory. Choose again.")
    service.partners.set(found)


def _areas(service: Service, name: str, value: Iterable[Mapping[str, Any]]) -> None:
    """Where people live, and where they are registered: one list to whoever fills it in."""
    kinds = set(RegistrationCriterion.Kind.values)
    registered = [each for each in value if each["key"].partition(":")[0] in kinds]
    rows = [_area(service, name, each) for each in value if each not in registered]
    service.service_areas.all().delete()
    ServiceArea.objects.bulk_create(rows)
    criteria = [
        RegistrationCriterion(
            service=service, kind=kind, code=code, name=each["name"][:200], rule=each.get("rule", RegistrationCriterion.Rule.REQUIRED)
        )
        for each in registered
        for kind, _, code in [each["key"].partition(":")]
    ]
    _replace(service.registrations, name, criteria)


def _area(service: Service, name: str, value: Mapping[str, Any]) -> ServiceArea:
    kind, _, code = value["key"].partition(":")
    words, rule = value["name"][:200], value.get("rule", ServiceArea.Rule.REQUIRED)
    if rule not in ServiceArea.Rule.values:
        raise _wrong(name, f"There is no rule called {rule}.")
    match kind:
        case "area":
            area = Area.objects.filter(code=code).first()
            if area is None:
                raise _wrong(name, f"We have no area with the code {code}. Search for it again.")
            return ServiceArea(service=service, area=area, name=area.name, rule=rule)
        case "outcode":
            # No outline of an outcode is published: matching goes by the one around its postcodes.
            return ServiceArea(service=service, name=code, uri=value["key"], extent=outcode_outline(code), rule=rule)
        case "drawn":
            return ServiceArea(service=service, name=words, extent=_outline(name, value.get("outline")), rule=rule)
        case _:
            return ServiceArea(service=service, name=words, rule=rule)


def _outline(name: str, value: Any) -> MultiPolygon:
    """A polygon of GeoJSON, in longitude and latitude, as the map draws it."""
    try:
        shape = GEOSGeometry(json.dumps(value), srid=4326)
    except (GDALException, GEOSException, ValueError, TypeError) as error:
        raise _wrong(name, _BAD_OUTLINE) from error
    if isinstance(shape, Polygon):
        shape = MultiPolygon(shape, srid=4326)
    if isinstance(shape, MultiPolygon) and shape.num_coords > MOST_CORNERS:
        raise _wrong(name, f"That area has {shape.num_coords:,} corners. Simplify it to {MOST_CORNERS:,} at most, then send it again.")
    good = isinstance(shape, MultiPolygon) and not shape.empty and shape.valid
    west, south, east, north = shape.extent if good else (0, 0, 0, 0)
    if not good or not (west >= -9 and east <= 3 and south >= 49 and north <= 61.5):
        raise _wrong(name, _BAD_OUTLINE if not good else "That area is not in the United Kingdom. Longitude comes before latitude.")
    return to_bng(cast(MultiPolygon, shape))


def _wrong(name: str, text: str) -> Invalid:
    return Invalid(text, errors={name: [text]})


_WRITERS = {
    "phones": _phones,
    "schedules": _schedules,
    "exceptions": _exceptions,
    "cost_options": _costs,
    "needs": _criteria,
    "conditions": _criteria,
    "access": _criteria,
    "funding": _criteria,
    "languages": _criteria,
    "referral_sources": _criteria,
    "partners": _partners,
    "areas": _areas,
}
#: Fields of an entry that are rows of their own.
ROWS = frozenset({*_WRITERS, "places", "contacts"})
