"""Route planners that are asked over HTTP: Valhalla's `sources_to_targets` and OSRM's `table`, as both document them."""

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from matching.engine.journey import CAR, ON_FOOT
from matching.travel.router import Away, Place, Router, Way


class _Http(Router):
    def __init__(self, url: str, timeout: float) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)

    def about(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}:{parts.port}" if parts.port else f"{parts.scheme}://{parts.hostname or ''}"

    def _json(self, method: str, path: str, **given: Any) -> Any:
        try:
            answer = self._client.request(method, self.url + path, **given)
        except httpx.TimeoutException:
            raise Away("did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Away("did not answer") from None
        if answer.status_code != 200:
            raise Away(f"refused the question ({answer.status_code})")
        try:
            return answer.json()
        except ValueError:
            raise Away("answered with something that is no answer") from None


def _ways(seconds: Sequence[Any], metres: Sequence[Any], count: int) -> list[Way | None]:
    """Both rows as ways; null is no way."""
    if len(seconds) != count or len(metres) != count:
        raise ValueError("another number of places")
    return [
        None if time is None else Way(round(float(time)), None if length is None else round(float(length)))
        for time, length in zip(seconds, metres, strict=True)
    ]


class Valhalla(_Http):
    """Asked with `verbose`, so that the shape is the same in all versions. Its matrix knows no timetables."""

    name: ClassVar[str] = "valhalla"
    ways: ClassVar[frozenset[int]] = frozenset({ON_FOOT, CAR})
    _COSTING: ClassVar[dict[int, str]] = {ON_FOOT: "pedestrian", CAR: "auto"}

    def times(self, way: int, home: Place, places: Sequence[Place]) -> list[Way | None]:
        def located(place: Place) -> dict[str, float]:
            lon, lat = place.lon_lat
            return {"lat": lat, "lon": lon}

        question = {
            "sources": [located(home)],
            "targets": [located(place) for place in places],
            "costing": self._COSTING[way],
            "units": "kilometers",
            "verbose": True,
        }
        answer = self._json("POST", "/sources_to_targets", json=question)
        try:
            row = sorted(answer["sources_to_targets"][0], key=lambda one: one["to_index"])
            kilometres = [one["distance"] for one in row]
            return _ways([one["time"] for one in row], [None if km is None else km * 1000 for km in kilometres], len(places))
        except (KeyError, IndexError, TypeError, ValueError):
            raise Away("answered with something that is no answer") from None


class Osrm(_Http):
    """One server knows one way of travelling, that of the profile its data were prepared with: here the car's."""

    name: ClassVar[str] = "osrm"
    ways: ClassVar[frozenset[int]] = frozenset({CAR})

    def times(self, way: int, home: Place, places: Sequence[Place]) -> list[Way | None]:
        stops = ";".join("{:.6f},{:.6f}".format(*place.lon_lat) for place in (home, *places))
        given = {"sources": "0", "destinations": ";".join(map(str, range(1, len(places) + 1))), "annotations": "duration,distance"}
        # The separators stand as they are: a server that takes `%3B` for them is not promised.
        asked = "&".join(f"{name}={value}" for name, value in given.items())
        answer = self._json("GET", f"/table/v1/driving/{stops}?{asked}")
        try:
            if answer["code"] != "Ok":
                raise Away(f"refused the question ({answer['code']})")
            nowhere = [[None] * len(places)]
            return _ways(answer["durations"][0], (answer.get("distances") or nowhere)[0], len(places))
        except (KeyError, IndexError, TypeError, ValueError):
            raise Away("answered with something that is no answer") from None
