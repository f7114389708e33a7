"""What every route planner is to us: from one home to many places, in one way of travelling."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from typing import ClassVar, NamedTuple

from django.conf import settings
from django.contrib.gis.geos import Point

from core.geo import BNG, to_wgs84


class Place(NamedTuple):
    """Whole metres of the British National Grid."""

    x: int
    y: int

    @property
    def lon_lat(self) -> tuple[float, float]:
        point = to_wgs84(Point(float(self.x), float(self.y), srid=BNG))
        return round(point.x, 6), round(point.y, 6)


class Way(NamedTuple):
    """The soonest way by road. `metres` is None where the planner does not say."""

    seconds: int
    metres: int | None


class Away(Exception):
    """The planner did not answer, or with something that cannot be understood. The words follow "because the route planner"."""


class Router(ABC):
    """A route planner. `ways` are those of `matching.engine.journey` that it knows."""

    name: ClassVar[str]
    ways: ClassVar[frozenset[int]]

    @abstractmethod
    def times(self, way: int, home: Place, places: Sequence[Place]) -> list[Way | None]:
        """The way to each place, in one question; None where there is none. Raises `Away`."""

    @abstractmethod
    def about(self) -> str:
        """Where it is, for the operator; no password in it."""


def router() -> Router | None:
    """The planner of the settings; None where there is none."""
    if not settings.ROUTER:
        return None
    return _made(settings.ROUTER, settings.ROUTER_URL, settings.ROUTER_SCHEMA, settings.ROUTER_TIMEOUT)


@cache
def _made(name: str, url: str, schema: str, timeout: float) -> Router:
    from matching.travel.http import Osrm, Valhalla
    from matching.travel.pgrouting import PgRouting

    known: dict[str, Callable[[], Router]] = {
        Valhalla.name: lambda: Valhalla(url, timeout),
        Osrm.name: lambda: Osrm(url, timeout),
        PgRouting.name: lambda: PgRouting(url, schema, timeout),
    }
    if name not in known:
        raise ValueError(f"LUNE_ROUTER is “{name}”; it may be one of: {', '.join(known)}.")
    if not url:
        raise ValueError("LUNE_ROUTER names a route planner, but LUNE_ROUTER_URL does not say where it is.")
    return known[name]()
