"""Services as the directory shows them: to anybody, so nothing here says how many places are held."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import reverse

from capacity.queries import PoolState, next_of_each
from capacity.status import Rag
from catalogue.currency import is_overdue
from catalogue.models import Address, Location, Service
from core.geo import METRES_PER_MILE
from frontend.environment import miles, money
from frontend.presenters.map import lat_lon
from frontend.presenters.opening import opening


@dataclass(frozen=True, slots=True)
class Assurance:
    """When somebody last checked the record, and whether it is time to check again."""

    on: date | None
    overdue: bool
    told_closed: bool = False
    """Somebody who runs it says that it has closed, and nobody has decided on that yet."""
    words: str = ""
    """"Last checked a year ago"."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. `distance` is in words, empty when it was not asked for or is not known."""

    service: Service
    states: list[PoolState]
    town: str
    distance: str
    assurance: Assurance


def assurance(service: Service, *, today: date, told_closed: Collection[UUID] = ()) -> Assurance:
    checked = service.assured_date
    words = last_checked(checked, today=today)
    return Assurance(on=checked, overdue=is_overdue(checked, today=today), told_closed=service.pk in told_closed, words=words)


def last_checked(on: date | None, *, today: date) -> str:
    """How long ago a record was checked, in words: the reason why it is listed lower."""
    if on is None:
        return "We do not know when this was last checked"
    days = (today - on).days
    if days < 14:
        return "Checked in the last two weeks"
    if days < 61:
        return f"Last checked {days // 7} weeks ago"
    if days < 351:
        return f"Last checked {round(days / 30.44)} months ago"
    years = round(days / 365.25)
    return "Last checked a year ago" if years == 1 else f"Last checked {years} years ago"


def open_locations(service: Service) -> list[Location]:
    """Where the service is. A confidential place, or that of a confidential service, is never among them, whoever looks."""
    if service.hides_its_place:
        return []
    return [at.location for at in service.service_at_locations.all() if not at.location.is_confidential]


def addresses(service: Service) -> list[Address]:
    return [address for location in open_locations(service) for address in location.addresses.all()]


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom to ask for, as everybody may know. `place` is empty when it is for all of the service."""

    who: str
    email: str
    phones: list[str]
    place: str


def contacts(service: Service) -> list[Desk]:
    """The contacts that its owner shows to everybody; none of a place that is confidential."""
    places: dict[UUID | None, str] = {}
    for location in open_locations(service):
        places[location.pk] = next(map(str, location.addresses.all()), location.name)
    said = [each for each in service.contacts.all() if each.is_public and (each.location_id is None or each.location_id in places)]
    return [
        Desk(", ".join(filter(None, (each.name, each.title))), each.email, each.phones, places.get(each.location_id, ""))
        for each in sorted(said, key=lambda each: (each.name, each.title, each.email))
    ]


def rows(services: Iterable[Service], states: Iterable[PoolState], *, today: date, told_closed: Collection[UUID] = ()) -> list[Row]:
    """Lines for services that were selected with their `search`, in the order given.

    `told_closed` are ids from `catalogue.assurance.told_closed`.
    """
    pools: dict[UUID, list[PoolState]] = {}
    for state in next_of_each(states):
        pools.setdefault(state.service, []).append(state)
    found = []
    for service in services:
        packed = getattr(service, "search", None)
        away = getattr(service, "distance_m", None)
        found.append(
            Row(
                service=service,
                states=pools.get(service.pk, []),
                town=", ".join(packed.towns) if packed else "",
                distance=miles(away),
                assurance=assurance(service, today=today, told_closed=told_closed),
            )
        )
    return found


def times(service: Service) -> list[str]:
    """Opening times, a line each."""
    return [line for line in map(opening, service.schedules.all()) if line]


def costs(service: Service) -> list[str]:
    """What it costs, a line each; empty when nobody has said."""
    options = list(service.cost_options.all())
    lines = []
    if service.price_week is not None and service.price_week not in [option.amount for option in options]:
        lines.append("Free" if service.price_week == 0 else f"Usually {money(service.price_week)} a week")
    for option in options:
        amount = " ".join(part for part in (money(option.amount), option.amount_description) if part)
        lines.append(": ".join(part for part in (option.option, amount) if part))
    return [line for line in lines if line]


def markers(found: Iterable[Row]) -> list[dict[str, Any]]:
    """Points for the map component, numbered as the lines are: one for each open place of each service.

    A pin takes the colour of the service's best pool, and follows that pool's badge.
    """
    points = []
    for number, row in enumerate(found, start=1):
        best = min(row.states, key=lambda state: list(Rag).index(state.rag), default=None)
        packed = getattr(row.service, "search", None)
        for point in (packed.points or ()) if packed else ():
            latitude, longitude = lat_lon(point)
            points.append(
                {
                    "id": str(best.id if best else row.service.pk),
                    "lat": latitude,
                    "lon": longitude,
                    "name": row.service.name,
                    "rag": best.rag.value if best else Rag.GREY.value,
                    "word": best.word if best else "Not known",
                    "href": reverse("service", args=[row.service.pk]),
                    "number": number,
                }
            )
    return points


COLUMNS = (
    "Name", "Organisation", "Kind", "Description", "Towns", "Addresses", "Phone", "E-mail", "Website", "Open", "Cost", "Miles away",
    "Last checked", "Check overdue", "Source", "Page",
)  # fmt: skip


def file_row(service: Service, *, address: str, today: date) -> list[object]:
    """One line of the file of a search. `address` is the service's page."""
    checked = assurance(service, today=today)
    away = getattr(service, "distance_m", None)
    packed = getattr(service, "search", None)
    return [
        service.name,
        service.organization.name,
        service.care_type.name if service.care_type else "",
        service.description,
        "; ".join(packed.towns) if packed else "",
        "; ".join(str(each) for each in addresses(service)),
        "; ".join(phone.number for phone in service.phones.all()),
        service.email,
        service.url,
        "; ".join(times(service)),
        "; ".join(costs(service)),
        "" if away is None else round(away / METRES_PER_MILE, 1),
        checked.on.isoformat() if checked.on else "",
        "yes" if checked.overdue else "no",
        service.source,
        address,
    ]
