"""Services as the directory shows them: to anybody, so nothing here says how many places are held."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import reverse

from capacity.queries import PoolState
from capacity.status import Rag
from catalogue.currency import is_overdue
from catalogue.models import Address, Location, Service
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
    return Assurance(on=checked, overdue=is_overdue(checked, today=today), told_closed=service.pk in told_closed)


def open_locations(service: Service) -> list[Location]:
    """Where the service is. A confidential place, or that of a confidential service, is never among them, whoever looks."""
    if service.hides_its_place:
        return []
    return [at.location for at in service.service_at_locations.all() if not at.location.is_confidential]


def addresses(service: Service) -> list[Address]:
    return [address for location in open_locations(service) for address in location.addresses.all()]


def rows(services: Iterable[Service], states: Iterable[PoolState], *, today: date, told_closed: Collection[UUID] = ()) -> list[Row]:
    """Lines for services whose locations and addresses are prefetched, in the order given.

    `told_closed` are ids from `catalogue.assurance.told_closed`.
    """
    pools: dict[UUID, list[PoolState]] = {}
    for state in states:
        pools.setdefault(state.service, []).append(state)
    found = []
    for service in services:
        towns = dict.fromkeys(address.city for address in addresses(service))
        away = getattr(service, "distance_m", None)
        found.append(
            Row(
                service=service,
                states=pools.get(service.pk, []),
                town=", ".join(towns),
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
        for location in open_locations(row.service):
            if location.point is None:
                continue
            latitude, longitude = lat_lon(location.point)
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
