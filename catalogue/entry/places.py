"""Where a service is and whom to ask for there: several places, and contacts of the whole service or of one place.

A secret place is never among them: neither read into a draft or a history, nor touched when the open ones are written. So is a contact
who sits at one.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError

from catalogue.models import Address, Contact, Location, Postcode, Service, ServiceAtLocation
from core.errors import Invalid
from core.geo import normal_postcode

PLACE = ("id", "name", "address_1", "city", "postal_code", "description")
CONTACT = ("name", "title", "email", "phones", "is_public", "place")
_ADDRESS = ("address_1", "city", "postal_code")
HIDES = "Its place is secret, so it is not written here. Ask whoever keeps the directory’s secret places."


def read_places(service: Service) -> list[dict[str, str]]:
    """The open places of a service, each with its first address; none of a service that hides where it is."""
    return [_place(link) for link in _open(service)]


def read_contacts(service: Service) -> list[dict[str, Any]]:
    """Whom one may ask for, but for those at a secret place."""
    return [
        {name: getattr(each, name) for name in CONTACT[:-1]} | {"place": str(each.location_id or "")}
        for each in service.contacts.all()
        if not _is_secret(service, each.location)
    ]


def secret_places(service: Service) -> int:
    """How many places of the service are neither shown nor changed."""
    return len(service.service_at_locations.all()) - len(_open(service))


def canonical_place(row: Mapping[str, str]) -> dict[str, str]:
    """The same with its postcode as everybody writes it."""
    return dict(row) | {"postal_code": normal_postcode(row["postal_code"]) or row["postal_code"]}


def place_order(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("address_1", "postal_code", "name", "id"))


def contact_order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["name"], row["title"], row["email"], row["place"], list(row["phones"]), row["is_public"])


def place_words(row: Mapping[str, str]) -> str:
    """A place in one line, as a person would write it on a letter."""
    return ", ".join(row[name] for name in ("name", *_ADDRESS) if row[name]) or "A place on the map"


def known_postcodes(rows: Iterable[Mapping[str, str]]) -> set[str]:
    """Those postcodes of places that lead to a point on the map."""
    return set(Postcode.objects.filter(pk__in=[row["postal_code"] for row in rows]).values_list("pk", flat=True))


def write_places(service: Service, rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Make the open places of a service be these. Returns, by their id before, those that became another record.

    A place that other services share, or that comes from a publisher's list, stays theirs: the service gets one of its own.
    """
    rows = list(rows)
    if service.hides_its_place:
        if rows:
            raise _wrong("places", HIDES)
        return {}
    links = {str(link.location_id): link for link in service.service_at_locations.select_related("location") if not _hidden(link)}
    for gone in [link for pk, link in links.items() if pk not in {row["id"] for row in rows}]:
        service.contacts.filter(location=gone.location_id).update(location=None)
        gone.delete()
    moved = {}
    for row in rows:
        link = links.get(row["id"]) or ServiceAtLocation(service=service)
        if link.location_id is None or {**_place(link), "description": ""} != {**row, "description": ""}:
            before = str(link.location_id or "")
            link.location = _written(link, row)
            if before and before != str(link.location_id):
                moved[before] = str(link.location_id)
                service.contacts.filter(location_id=UUID(before)).update(location=link.location)
        link.description = row["description"]
        _check("places", link, exclude=["service", "location"])
        link.save()
    return moved


def write_contacts(service: Service, rows: Iterable[Mapping[str, Any]], moved: Mapping[str, str]) -> None:
    """Make the contacts of a service be these. One of a place that it has no more is one of the whole service."""
    places = {str(link.location_id) for link in service.service_at_locations.select_related("location") if not _hidden(link)}
    if service.hides_its_place:
        places = set()
    made = []
    for row in rows:
        place = moved.get(row["place"], row["place"])
        contact = Contact(
            service=service, location_id=UUID(place) if place in places else None, **{name: row[name] for name in CONTACT[:-1]}
        )
        _check("contacts", contact, exclude=["service", "location"])
        made.append(contact)
    known = [each.pk for each in service.contacts.select_related("location") if not _is_secret(service, each.location)]
    service.contacts.filter(pk__in=known).delete()
    Contact.objects.bulk_create(made)


def _open(service: Service) -> list[ServiceAtLocation]:
    return [] if service.hides_its_place else [link for link in service.service_at_locations.all() if not _hidden(link)]


def _hidden(link: ServiceAtLocation) -> bool:
    return link.location.is_confidential


def _is_secret(service: Service, location: Location | None) -> bool:
    return location is not None and (service.hides_its_place or location.is_confidential)


def _place(link: ServiceAtLocation) -> dict[str, str]:
    return _says(link.location) | {"description": link.description}


def _says(location: Location) -> dict[str, str]:
    address = _first_address(location)
    said = {"id": str(location.pk), "name": location.name} | {name: getattr(address, name, "") for name in _ADDRESS}
    return canonical_place(said)


def _first_address(location: Location) -> Address | None:
    return min(location.addresses.all(), key=lambda address: address.pk, default=None)


def _written(link: ServiceAtLocation, row: Mapping[str, str]) -> Location:
    """The place that a row means, with what the row says written to it."""
    postcode = normal_postcode(row["postal_code"])
    if postcode is None:
        raise _wrong("places", f"Write the whole postcode of {place_words(row)}, like PR1 2HE.")
    before = link.location if link.location_id else _as_it_was(row)
    if before and not link.location_id:
        return before
    alone = before is not None and before.service_at_locations.count() == 1 and not before.source
    place = before if before and alone else Location(pk=_free_id(row["id"]))
    address = _first_address(place) if before and alone else None
    if address is None or address.postal_code != postcode:
        known = Postcode.objects.filter(pk=postcode).first()
        place.point = known.point if known else None
    if address is None or address.address_1 != row["address_1"]:
        # What else stood in the old address, such as a floor, is not of the new one.
        place.addresses.all().delete() if address else None
        address = Address(location=place)
    place.name = row["name"]
    address.address_1, address.city, address.postal_code = row["address_1"], row["city"], postcode
    _check("places", place, exclude=["id"])
    _check("places", address, exclude=["location"])
    place.save()
    address.save()
    return place


def _as_it_was(row: Mapping[str, str]) -> Location | None:
    """A place that the service had before, when it still says the same: undoing a change goes back to it."""
    try:
        found = Location.objects.filter(pk=row["id"], is_confidential=False).first()
    except (ValueError, ValidationError):
        return None
    return found if found and _says(found) == {name: row[name] for name in PLACE[:-1]} else None


def _free_id(text: str) -> UUID:
    """The id that a draft gave to a new place, so that its contacts can name it; another one when that is taken."""
    try:
        pk = UUID(text)
    except ValueError:
        return uuid4()
    return uuid4() if Location.objects.filter(pk=pk).exists() else pk


def _check(name: str, instance: Any, *, exclude: list[str]) -> None:
    try:
        instance.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        text = " ".join(message for messages in error.message_dict.values() for message in messages)
        raise _wrong(name, text) from error


def _wrong(name: str, text: str) -> Invalid:
    return Invalid(text, errors={name: [text]})
